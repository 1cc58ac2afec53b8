"""The commands `publisher subscribers import` and `publisher subscribers export`."""

from __future__ import annotations

import os
import secrets
import shutil
import sys
import tempfile
from collections.abc import Iterable
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from publisher.cli.app import App, plural, require_known, warn, with_app
from publisher.cli.subscriber import chosen_newsletters, newsletter_options, unknown_topics
from publisher.cli.terminal import bar
from publisher.core.atomic_write import replacing
from publisher.core.errors import PublisherError
from publisher.core.newsletter_models import Subscriber
from publisher.posts.slugs import topic_slug
from publisher.publishing.wiring import has_store, open_existing_store, open_project_store
from publisher.store import open_store
from publisher.subscribers.address import clean_line
from publisher.subscribers.csv_columns import Columns, parse_choices
from publisher.subscribers.csv_import import ImportReport, Listeners, import_csv
from publisher.subscribers.export import export_csv, export_json

if TYPE_CHECKING:
    from publisher.store import Store

MOST_WARNINGS = 20  # about topics that no post has


@click.command("import", epilog="Example: publisher subscribers import people.csv --newsletter weekly --dry-run")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@newsletter_options
@click.option(
    "--consent", default="", metavar="WORDS", help="Where and how these people signed up; stored with each of them."
)
@click.option(
    "--map",
    "choices",
    multiple=True,
    metavar="FIELD=COLUMN",
    help="Which column a field is in, if its heading doesn't say: name=Vorname. FIELD= ignores the field.",
)
@click.option("--dry-run", is_flag=True, help="Show what would happen to each row; change nothing.")
@with_app
def import_file(
    app: App, file: Path, newsletters: tuple[str, ...], consent: str, choices: tuple[str, ...], dry_run: bool
) -> int:
    """Add the people in a CSV FILE, as exported by Publisher, Mailchimp, Substack, Ghost, Buttondown or listmonk.

    First shows how each column will be read. It never re-subscribes people who unsubscribed, bounced, complained or
    are suppressed, and never adds people whom the file marks as unsubscribed. Running it again changes nothing. Exits
    with 1 if a row was refused.
    """
    config = app.config()
    chosen = chosen_newsletters(config, newsletters)
    seen: list[Columns] = []
    with _target(app, dry_run) as store, bar(app, "Importing") as progress:
        listeners = Listeners(
            columns=lambda columns: _show_columns(app, columns, seen),
            refused=lambda refusal: click.echo(f"{file}:{refusal.line}: {refusal.reason}", err=True),
            progress=progress or (lambda rows, of_about: None),
        )
        report = import_csv(
            store,
            file,
            newsletters=chosen,
            known=[n.name for n in config.newsletters],
            at=app.now(config),
            consent=consent,
            chosen=parse_choices(choices),
            dry_run=dry_run,
            listeners=listeners,
        )
    for line in islice(unknown_topics(config, app.now(config), list(map(topic_slug, report.topics))), MOST_WARNINGS):
        warn(line)
    _show_report(app, report, seen[0], dry_run)
    return 1 if report.refused else 0


def _target(app: App, dry_run: bool) -> Store:
    """Open the project's database, or a temporary one for a dry run in a project that has no database."""
    config = app.config()
    if dry_run and not has_store(config):
        folder = tempfile.mkdtemp(prefix="publisher-")
        click.get_current_context().call_on_close(lambda: shutil.rmtree(folder, ignore_errors=True))
        return open_store("sqlite:///rehearsal.db", Path(folder))
    return open_project_store(config)


def _show_columns(app: App, columns: Columns, seen: list[Columns]) -> None:
    """Print how the columns are read, before anything is written, and append them to `seen`."""
    seen.append(columns)
    fields = ", ".join(f"{field} from {column!r}" for field, column in columns.shown.items())
    app.say(f"{f'{columns.tool} export: ' if columns.tool else ''}{fields}")
    if columns.ignored:
        app.say(f"ignored columns: {', '.join(clean_line(name, 60) for name in columns.ignored)}")


def _show_report(app: App, report: ImportReport, columns: Columns, dry_run: bool) -> None:
    if app.json:
        app.print_json(
            {
                "columns": columns.shown,
                "tool": columns.tool,
                "dry_run": dry_run,
                "rows": report.rows,
                "added": report.added,
                "subscribed": report.subscribed,
                "updated": report.updated,
                "unchanged": report.unchanged,
                "refused": report.refused,
            }
        )
    updated = f"{report.updated:,} with different topics, " if report.updated else ""
    app.say(
        f"{plural(report.rows, 'row')}: {report.added:,} added, "
        f"{report.subscribed:,} subscribed to another newsletter, {updated}"
        f"{report.unchanged:,} unchanged, {report.refused:,} refused"
        + (" (dry run: nothing was written)" if dry_run else "")
    )


@click.command("export", epilog="Example: publisher subscribers export people.csv")
@click.argument("file", required=False, type=click.Path(path_type=Path, dir_okay=False, allow_dash=True))
@click.option("-n", "--newsletter", metavar="NAME", help="Only this newsletter's.")
@with_app
def export_file(app: App, file: Path | None, newsletter: str | None) -> None:
    """Write all subscribers to FILE (default: -, standard output) as CSV, or as JSON with --json or a .json name."""
    config = app.config()
    as_json = app.json or (file is not None and file.suffix == ".json")
    if newsletter:
        require_known(config, [newsletter])
    with open_existing_store(config) as store:
        people = store.subscribers.list(newsletter) if store else ()
        if file is None or str(file) == "-":
            _write(people, sys.stdout, as_json)
            sys.stdout.flush()
            return
        count = _write_whole(people, file, as_json)
    click.echo(f"exported {plural(count, 'subscriber')} to {file}", err=True)


def _write_whole(people: Iterable[Subscriber], file: Path, as_json: bool) -> int:
    """Write the list to a file atomically; return the number of subscribers.

    A full disk leaves no partial file behind. Only the file's owner may read it.
    """
    part = file.with_name(f".{file.name}.{secrets.token_hex(8)}.part")
    try:
        with replacing(file, part):
            handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(handle, "w", encoding="utf-8", newline="") as opened:
                return _write(people, opened, as_json)
    except OSError as error:
        raise PublisherError(f"cannot be written: {error.strerror}", where=str(file)) from error


def _write(people: Iterable[Subscriber], file: Any, as_json: bool) -> int:
    return (export_json if as_json else export_csv)(people, file)
