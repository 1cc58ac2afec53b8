"""The command `publisher outbox`."""

from __future__ import annotations

import email.policy
from datetime import UTC, datetime
from email.message import EmailMessage
from email.parser import BytesParser
from pathlib import Path

import click

from publisher.cli.app import App, with_app
from publisher.cli.terminal import print_table
from publisher.core.errors import PublisherError
from publisher.mail.outbox import newest_files
from publisher.publishing.wiring import transport_name

LISTED = 10

EXAMPLES = """\
\b
Examples:
  publisher outbox            list the newest emails
  publisher outbox 1          show the newest one as text, with its links
"""


@click.command(short_help="Show the newest emails in the outbox.", epilog=EXAMPLES)
@click.argument("number", required=False, metavar="[N]", type=click.IntRange(1, 100_000))
@with_app
def outbox(app: App, number: int | None) -> None:
    """List the newest emails in the outbox, or show the Nth of them as text; 1 is the newest.

    The outbox is the folder to which emails are written as long as mail.transport is not smtp. Any email program
    opens its files.
    """
    config = app.config()
    folder = config.root / config.outbox
    files = newest_files(folder, number or LISTED)
    if number is not None and len(files) < number:
        raise PublisherError(
            f"has {_count(len(files))}", where=f"{config.outbox}/", hint="`publisher outbox` lists them"
        )
    messages = [(file, _message(file)) for file in (files if number is None else files[-1:])]
    if app.json:
        app.print_json([_as_json(config.root, *each, with_text=number is not None) for each in messages])
        return
    if not messages:
        smtp = f"; emails go to {transport_name(config)}" if config.mail.transport == "smtp" else ""
        app.say(f"there is no email in {config.outbox}/{smtp}")
    elif number is not None:
        _show(app, messages[0][1])
    else:
        rows = [
            (str(place), str(message["To"]), str(message["Subject"]), f"{_written(file):%Y-%m-%d %H:%M}")
            for place, (file, message) in enumerate(messages, 1)
        ]
        print_table(("No.", "To", "Subject", "Written (UTC)"), rows)


def _show(app: App, message: EmailMessage) -> None:
    for name in ("From", "To", "Subject"):
        app.say(f"{name}: {message[name]}")
    app.say(f"\n{_text(message)}")


def _message(file: Path) -> EmailMessage:
    try:
        message = BytesParser(policy=email.policy.default).parsebytes(file.read_bytes())
    except OSError as error:
        raise PublisherError(f"cannot be read: {error.strerror}", where=str(file)) from error
    assert isinstance(message, EmailMessage)  # noqa: S101 - this policy makes no other type
    return message


def _text(message: EmailMessage) -> str:
    part = message.get_body(("plain", "html"))
    return "" if part is None else str(part.get_content()).strip()


def _as_json(root: Path, file: Path, message: EmailMessage, *, with_text: bool) -> dict[str, str]:
    shown = {"file": file.relative_to(root).as_posix() if file.is_relative_to(root) else str(file)}
    shown |= {name.lower(): str(message[name]) for name in ("From", "To", "Subject")}
    return shown | {"written": _written(file).isoformat()} | ({"text": _text(message)} if with_text else {})


def _written(file: Path) -> datetime:
    return datetime.fromtimestamp(int(file.stat().st_mtime), UTC)


def _count(number: int) -> str:
    return "no email" if not number else f"only {number:,} email{'' if number == 1 else 's'}"
