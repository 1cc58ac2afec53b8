"""publisher subscribers add | list | remove | import | export"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from publisher.cli.app import App, plural, require_known, with_app
from publisher.cli.progress import counter
from publisher.errors import PublisherError

if TYPE_CHECKING:
    from publisher.config import Config
    from publisher.model import Subscriber


@click.group(
    short_help="Add, list, remove, import and export subscribers.",
    epilog="Examples: publisher subscribers add ada@example.org --newsletter weekly; "
    "publisher subscribers import people.csv",
)
@with_app
def subscribers(app: App) -> None:
    """Add, list, remove, import and export subscribers."""


_newsletter = click.option(
    "-n",
    "--newsletter",
    "newsletters",
    multiple=True,
    metavar="NAME",
    help="The newsletter; may be given several times. Default: all.",
)


@subscribers.command(epilog='Example: publisher subscribers add ada@example.org --name "Ada" --topic ruby')
@click.argument("address")
@click.option("--name", default="", help="How to address the person.")
@_newsletter
@click.option(
    "--topic",
    "topics",
    multiple=True,
    metavar="TAG",
    help="A tag the person cares about; kept, not used yet: letters hold all posts.",
)
@click.option("--language", default="", help="The person's language, such as de.")
@click.option("--again", is_flag=True, help="The person left and asked you to come back.")
@with_app
def add(
    app: App,
    address: str,
    name: str,
    newsletters: tuple[str, ...],
    topics: tuple[str, ...],
    language: str,
    again: bool,
) -> None:
    """Add ADDRESS. You vouch that the person agreed; it is recorded as coming from the command line."""
    from publisher.posts.tagging import topic_slug
    from publisher.runtime import open_project_store
    from publisher.subscribers.address import normalise
    from publisher.subscribers.subscribe import subscribe

    config = app.config()
    chosen = chosen_newsletters(config, newsletters)
    bare = normalise(address)
    with open_project_store(config) as store:
        done = subscribe(
            store,
            bare,
            newsletters=chosen,
            at=app.now(config),
            name=name,
            topics=[topic_slug(topic) for topic in topics],
            language=language,
            again=again,
        )
    if app.json:
        app.print_json({"address": bare, "newsletters": chosen, "result": done.value})
    app.say(f"{bare}: {done.value} ({', '.join(chosen)})")


def chosen_newsletters(config: Config, names: Sequence[str]) -> list[str]:
    """Return the newsletters that were named, all if none was; raise PublisherError for an unknown one."""
    known = [newsletter.name for newsletter in config.newsletters]
    if not known:
        raise PublisherError(
            "the project has no newsletter to subscribe to",
            mend="add a [[newsletters]] table to publisher.toml",
        )
    require_known(config, names)
    return list(dict.fromkeys(names)) or known


@subscribers.command("list", epilog="Example: publisher subscribers list --newsletter weekly --status active")
@click.option("-n", "--newsletter", metavar="NAME", help="Only this newsletter's.")
@click.option(
    "--status",
    metavar="STATUS",
    type=click.Choice(["pending", "active", "unsubscribed", "bounced", "complained", "suppressed"]),
)
@with_app
def list_subscribers(app: App, newsletter: str | None, status: str | None) -> None:
    """List subscribers in the order they came."""
    from publisher.cli.tables import print_table
    from publisher.model import SubscriberStatus
    from publisher.runtime import has_store, open_project_store
    from publisher.subscribers.exporting import as_json

    config = app.config()
    with open_project_store(config) if has_store(config) else nullcontext() as store:
        people = list(store.subscribers.list(newsletter, SubscriberStatus(status) if status else None)) if store else []
    if newsletter and not people:
        require_known(config, [newsletter])
    if app.json:
        app.print_json([as_json(person) for person in people])
        return
    if not people:
        app.say("no subscribers" + ("" if newsletter or status else " yet: publisher subscribers add you@example.org"))
        return
    print_table(
        ("Address", "Name", "Status", "Newsletters", "Since"),
        [
            (
                p.address,
                p.name,
                p.status.value,
                ", ".join(w.newsletter + (f" ({', '.join(w.topics)})" if w.topics else "") for w in p.subscriptions),
                f"{p.created_at:%Y-%m-%d}",
            )
            for p in people
        ],
    )


@subscribers.command(epilog="Example: publisher subscribers remove ada@example.org --newsletter weekly")
@click.argument("address")
@click.option("-n", "--newsletter", metavar="NAME", help="Leave only this newsletter. Default: all mail stops.")
@with_app
def remove(app: App, address: str, newsletter: str | None) -> None:
    """Stop mail to ADDRESS. The record stays, so that no import brings the person back."""
    from publisher.runtime import has_store, open_project_store
    from publisher.subscribers.subscribe import unsubscribe

    config = app.config()
    if not has_store(config):
        raise PublisherError("there are no subscribers yet")
    with open_project_store(config) as store:
        if newsletter and not any(store.subscribers.list(newsletter)):
            require_known(config, [newsletter])
        changed = unsubscribe(store, address, newsletter, at=app.now(config))
    if app.json:
        app.print_json({"address": address, "changed": changed})
    app.say(
        f"{address}: {'gets no more mail' if changed else 'got none already'}"
        + (f" of {newsletter}" if newsletter else "")
    )


@subscribers.command("import", epilog="Example: publisher subscribers import people.csv --newsletter weekly")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@_newsletter
@with_app
def import_file(app: App, file: Path, newsletters: tuple[str, ...]) -> int:
    """Add the people in a CSV FILE.

    Columns: email (or address), and where there are any: name, newsletters, topics, language. Nobody who left,
    bounced or complained is brought back. Running it again changes nothing. Exit code 1 if a line was refused.
    """
    from publisher.runtime import open_project_store
    from publisher.subscribers.importing import import_csv

    config = app.config()
    chosen = chosen_newsletters(config, newsletters)
    with open_project_store(config) as store, counter(app, "Importing") as progress:
        report = import_csv(
            store,
            file,
            newsletters=chosen,
            known=[n.name for n in config.newsletters],
            at=app.now(config),
            refused=lambda refusal: click.echo(f"{file}:{refusal.line}: {refusal.reason}", err=True),
            progress=progress,
        )
    if app.json:
        app.print_json(
            {
                "rows": report.rows,
                "added": report.added,
                "subscribed": report.subscribed,
                "unchanged": report.unchanged,
                "refused": report.refused,
            }
        )
    app.say(
        f"{plural(report.rows, 'row')}: {report.added:,} added, {report.subscribed:,} gained a newsletter, "
        f"{report.unchanged:,} unchanged, {report.refused:,} refused"
    )
    return 1 if report.refused else 0


@subscribers.command("export", epilog="Example: publisher subscribers export people.csv")
@click.argument("file", required=False, type=click.Path(path_type=Path, dir_okay=False))
@click.option("-n", "--newsletter", metavar="NAME", help="Only this newsletter's.")
@with_app
def export_file(app: App, file: Path | None, newsletter: str | None) -> None:
    """Write all subscribers to FILE (default: the screen), as CSV, or as JSON with --json or a .json name."""
    from publisher.runtime import has_store, open_project_store

    config = app.config()
    as_json = app.json or (file is not None and file.suffix == ".json")
    if newsletter:
        require_known(config, [newsletter])
    with open_project_store(config) if has_store(config) else nullcontext() as store:
        people = store.subscribers.list(newsletter) if store else ()
        if file is None:
            _write(people, sys.stdout, as_json)
            sys.stdout.flush()
            return
        count = _write_whole(people, file, as_json)
    click.echo(f"{plural(count, 'subscriber')} to {file}", err=True)


def _write_whole(people: Iterable[Subscriber], file: Path, as_json: bool) -> int:
    """Write the list whole or not at all: a full disk leaves no half of one behind."""
    import tempfile

    part = None
    try:
        with tempfile.NamedTemporaryFile("w", dir=file.parent, delete=False, encoding="utf-8", newline="") as opened:
            part = Path(opened.name)
            count = _write(people, opened, as_json)
        part.replace(file)
    except OSError as error:
        raise PublisherError(f"cannot be written: {error.strerror}", where=str(file)) from error
    finally:
        if part:
            part.unlink(missing_ok=True)
    return count


def _write(people: Iterable[Subscriber], file: Any, as_json: bool) -> int:
    from publisher.subscribers.exporting import export_csv, export_json

    return (export_json if as_json else export_csv)(people, file)
