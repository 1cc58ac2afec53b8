"""publisher subscribers import | export: people in and out of files"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from contextlib import nullcontext
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from publisher.cli.app import App, plural, require_known, with_app
from publisher.cli.subscriber import chosen_newsletters, several, strange_topics
from publisher.cli.terminal import bar
from publisher.core.errors import PublisherError

if TYPE_CHECKING:
    from publisher.core.newsletter_models import Subscriber
    from publisher.store import Store
    from publisher.subscribers.csv_columns import Columns
    from publisher.subscribers.csv_import import ImportReport

MOST_WARNINGS = 20  # of topics that no post has


@click.command("import", epilog="Example: publisher subscribers import people.csv --newsletter weekly --dry-run")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@several
@click.option("--consent", default="", metavar="WORDS", help="Where these people agreed; recorded with each of them.")
@click.option(
    "--map",
    "choices",
    multiple=True,
    metavar="FIELD=COLUMN",
    help="Which column is what, where its name does not tell: name=Vorname. FIELD= leaves a field out.",
)
@click.option("--dry-run", is_flag=True, help="Say what would become of each line, and write nothing.")
@with_app
def import_file(
    app: App, file: Path, newsletters: tuple[str, ...], consent: str, choices: tuple[str, ...], dry_run: bool
) -> int:
    """Add the people in a CSV FILE, as Publisher, Mailchimp, Substack, Ghost, Buttondown and listmonk write it.

    It first shows which column is taken for what. Nobody who left, bounced, complained or is suppressed is brought
    back, and nobody whom the file itself calls unsubscribed is taken. Running it again changes nothing. Exit code 1
    if a line was refused.
    """
    from publisher.posts.slugs import topic_slug
    from publisher.subscribers.csv_columns import parse_choices
    from publisher.subscribers.csv_import import Listeners, import_csv

    config = app.config()
    chosen = chosen_newsletters(config, newsletters)
    seen: list[Columns] = []
    with _target(app, dry_run) as store, bar(app, "Importing") as progress:
        told = Listeners(
            columns=lambda columns: _show(app, columns, seen),
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
            told=told,
        )
    for line in islice(strange_topics(config, app.now(config), list(map(topic_slug, report.topics))), MOST_WARNINGS):
        click.echo(f"warning: {line}", err=True)
    _tell(app, report, seen[0], dry_run)
    return 1 if report.refused else 0


def _target(app: App, dry_run: bool) -> Store:
    """Open the project's store; for a rehearsal of a project that has none, one that goes with this process."""
    import tempfile

    from publisher.publishing.wiring import has_store, open_project_store
    from publisher.store import open_store

    config = app.config()
    if dry_run and not has_store(config):
        folder = tempfile.mkdtemp(prefix="publisher-")
        click.get_current_context().call_on_close(lambda: _drop(Path(folder)))
        return open_store("sqlite:///rehearsal.db", Path(folder))
    return open_project_store(config)


def _drop(folder: Path) -> None:
    import shutil

    shutil.rmtree(folder, ignore_errors=True)


def _show(app: App, columns: Columns, seen: list[Columns]) -> None:
    """Say how the file is read, before anything is done."""
    from publisher.subscribers.address import clean_line

    seen.append(columns)
    fields = ", ".join(f"{field} from {column!r}" for field, column in columns.shown.items())
    app.say(f"{f'An export of {columns.tool}: ' if columns.tool else ''}{fields}")
    if columns.ignored:
        app.say(f"ignored: {', '.join(clean_line(name, 60) for name in columns.ignored)}")


def _tell(app: App, report: ImportReport, columns: Columns, dry_run: bool) -> None:
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
    updated = f"{report.updated:,} with other topics, " if report.updated else ""
    app.say(
        f"{plural(report.rows, 'row')}: {report.added:,} added, {report.subscribed:,} gained a newsletter, {updated}"
        f"{report.unchanged:,} unchanged, {report.refused:,} refused"
        + (" (a rehearsal: nothing was written)" if dry_run else "")
    )


@click.command("export", epilog="Example: publisher subscribers export people.csv")
@click.argument("file", required=False, type=click.Path(path_type=Path, dir_okay=False, allow_dash=True))
@click.option("-n", "--newsletter", metavar="NAME", help="Only this newsletter's.")
@with_app
def export_file(app: App, file: Path | None, newsletter: str | None) -> None:
    """Write all subscribers to FILE (default, and -: the screen), as CSV, or as JSON with --json or a .json name."""
    from publisher.publishing.wiring import has_store, open_project_store

    config = app.config()
    as_json = app.json or (file is not None and file.suffix == ".json")
    if newsletter:
        require_known(config, [newsletter])
    with open_project_store(config) if has_store(config) else nullcontext() as store:
        people = store.subscribers.list(newsletter) if store else ()
        if file is None or str(file) == "-":
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
    from publisher.subscribers.export import export_csv, export_json

    return (export_json if as_json else export_csv)(people, file)
