"""The commands `publisher bounces read`, `list` and `stats`."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from publisher.bounces.mailboxes import SingleMessage
from publisher.cli.app import App, fail, require_known, with_app
from publisher.cli.completion import newsletter_names
from publisher.cli.terminal import print_table
from publisher.config import Config
from publisher.core.bounce_report import KEPT, Verdict
from publisher.core.errors import PublisherError
from publisher.publishing.read_bounces import BounceReport, apply_messages, read_bounces
from publisher.publishing.wiring import open_existing_store, open_project_store

if TYPE_CHECKING:
    from publisher.store.bounces import Bounce, EditionBounces

# From sysexits.h: the mail server keeps the report and tries again. Any other code would bounce the bounce.
TEMPFAIL = os.EX_TEMPFAIL

WORDS = {
    Verdict.PERMANENT: "hard bounce",
    Verdict.TEMPORARY: "soft bounce",
    Verdict.REFUSED: "rejected",
    Verdict.COMPLAINT: "spam complaint",
}

EXAMPLES = """\
\b
Examples:
  publisher bounces read                            from bounces.source
  publisher bounces read ~/Maildir --dry-run
  publisher bounces read imaps://bounces@mail.example.org/INBOX
  publisher bounces read -                          one message, piped by a mail server
"""


@click.group(short_help="Process bounce reports, and list them.", epilog=EXAMPLES)
@with_app
def bounces(app: App) -> None:
    """Process bounce reports, and list them."""


@bounces.command(epilog=EXAMPLES)
@click.argument("source", default="", metavar="[SOURCE]")
@click.option("--dry-run", is_flag=True, help="Show what would happen; change nothing.")
@with_app
def read(app: App, source: str, dry_run: bool) -> None:
    """Process new bounce reports from SOURCE.

    SOURCE is a Maildir, an mbox file, an IMAP folder, or - for one message on standard input. The password of an
    IMAP account comes from PUBLISHER_BOUNCES_PASSWORD or bounces.password_file. Processed messages are marked as
    read. With - the exit code is 0, or 75 (EX_TEMPFAIL) if the message must be delivered again.
    """
    if source != "-":
        _show_report(app, _read(app, source, None, dry_run=dry_run), dry_run=dry_run)
        return
    try:
        report = _read(app, "", SingleMessage.of(sys.stdin.buffer), dry_run=dry_run)
    except (PublisherError, OSError) as error:
        fail(error if isinstance(error, PublisherError) else PublisherError(error.strerror or str(error)))
        click.get_current_context().exit(TEMPFAIL)
    _show_report(app, report, dry_run=dry_run)


def _read(app: App, source: str, message: SingleMessage | None, *, dry_run: bool) -> BounceReport:
    config = app.config()
    with open_project_store(config) as store:
        if message is None:
            return read_bounces(config, store, app.now(config), source=source, dry_run=dry_run)
        return apply_messages(config, store, message, app.now(config), dry_run)


def _show_report(app: App, report: BounceReport, *, dry_run: bool) -> None:
    if app.json:
        app.print_json({"read": report.read, **{verdict.value: n for verdict, n in report.counts.items() if n}})
        return
    app.say(f"{report.summary}{' (dry run: nothing was written)' if dry_run else ''}")


@bounces.command("list", epilog="Example: publisher bounces list --newsletter weekly --limit 100")
@click.option("--newsletter", metavar="NAME", shell_complete=newsletter_names, help="Only this newsletter's.")
@click.option("--limit", type=click.IntRange(1, 100_000), default=50, help="How many, newest first. Default: 50.")
@with_app
def list_bounces(app: App, newsletter: str | None, limit: int) -> None:
    """List bounces, newest first, with the mail server's reply.

    They were reported by the mail server during sending, by email, or by a provider's webhook.
    """
    config = app.config()
    with open_existing_store(config) as store:
        found = store.bounces.recent(newsletter, limit=limit) if store else ()
    _require_newsletter(config, newsletter, found)
    if app.json:
        app.print_json([_row(each) for each in found])
    elif found:
        head = ("When", "Subscriber", "Edition", "What", "Code", "Reported by", "Server's reply")
        print_table(head, [_cells(each) for each in found])
    else:
        app.say("no bounces")


@bounces.command(epilog="Example: publisher bounces stats --newsletter weekly")
@click.option("--newsletter", metavar="NAME", shell_complete=newsletter_names, help="Only this newsletter's.")
@with_app
def stats(app: App, newsletter: str | None) -> None:
    """Show how many messages of each edition bounced, newest edition first."""
    config = app.config()
    with open_existing_store(config) as store:
        found = store.bounces.by_edition(newsletter) if store else ()
    _require_newsletter(config, newsletter, found)
    if app.json:
        app.print_json([_sums(each) for each in found])
    elif found:
        head = ("Edition", "Sent", "Hard bounces", "Soft bounces", "Rejected", "Spam complaints")
        print_table(head, [_sum_cells(each) for each in found])
    else:
        app.say("no editions yet")


def _require_newsletter(config: Config, newsletter: str | None, found: Sequence[Any]) -> None:
    if newsletter and not found:
        require_known(config, [newsletter])  # checked last, because a renamed newsletter may still have bounces


def _row(bounce: Bounce) -> dict[str, Any]:
    return {
        "at": bounce.at.isoformat(timespec="seconds"),
        "address": bounce.address,
        "edition": bounce.edition_id,
        "newsletter": bounce.newsletter,
        "slot": bounce.slot,
        "verdict": bounce.verdict.value,
        "status": bounce.status,
        "words": bounce.words,
        "source": bounce.source,
    }


def _cells(bounce: Bounce) -> tuple[str, ...]:
    edition = f"{bounce.newsletter} {bounce.slot}".strip() or "-"
    when = bounce.at.isoformat(" ", timespec="minutes")[:16]
    source = bounce.source.partition(",")[0]  # without the edition, which has a column of its own
    return when, bounce.address, edition, WORDS[bounce.verdict], bounce.status, source, bounce.words


def _sums(edition: EditionBounces) -> dict[str, Any]:
    counts = {verdict.value: edition.counts.get(verdict, 0) for verdict in KEPT}
    return {
        "id": edition.edition_id,
        "newsletter": edition.newsletter,
        "slot": edition.slot,
        "sent": edition.sent,
    } | counts


def _sum_cells(edition: EditionBounces) -> tuple[str, ...]:
    counts = (f"{edition.counts.get(verdict, 0):,}" for verdict in KEPT)
    return f"{edition.newsletter} {edition.slot}", f"{edition.sent:,}", *counts
