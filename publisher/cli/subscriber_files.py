"""The commands `publisher subscribers import` and `publisher subscribers export`."""

from __future__ import annotations

import gc
import shlex
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import asdict, replace
from datetime import datetime
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from publisher.cli.app import App, log_action, plural, warn, with_app
from publisher.cli.subscriber import chosen_newsletters, newsletter_options, unknown_topics
from publisher.cli.terminal import bar, print_table
from publisher.config import Config
from publisher.core.action_kinds import ActionKind
from publisher.core.characters import clean_line
from publisher.core.errors import PublisherError
from publisher.posts.archive import open_archive
from publisher.posts.slugs import topic_slug
from publisher.publishing.wiring import has_store, open_existing_store, open_project_store, open_rehearsal_store
from publisher.store.subscriber_records import Added
from publisher.subscribers.address import shortened
from publisher.subscribers.csv_cells import cell_of, topics_of
from publisher.subscribers.csv_columns import Columns, parse_choices
from publisher.subscribers.csv_fields import FieldOptions
from publisher.subscribers.csv_import import ImportOptions, ImportReport, KeptRows, Listeners, import_csv
from publisher.subscribers.csv_rows import NamedNewsletters, titles_of
from publisher.subscribers.csv_status import STATUS_NAMES, STATUS_WORDS
from publisher.subscribers.edit import known_fields

if TYPE_CHECKING:
    from publisher.store import Store

_KNOWN_AS = {Added.PENDING: "unconfirmed", Added.MOVED: "moved to another address"}
MOST_WARNINGS = 20  # about topics that no post has


@click.command("import", epilog="Example: publisher subscribers import people.csv --newsletter weekly --dry-run")
@click.argument("file", required=False, type=click.Path(path_type=Path, dir_okay=False))
@newsletter_options
@click.option(
    "--consent", default="", metavar="WORDS", help="Where and how these people signed up; stored with each of them."
)
@click.option(
    "--as",
    "status",
    type=click.Choice(list(STATUS_NAMES)),
    help="The status of the people in FILE, if it doesn't say. Only people who are subscribed get email.",
)
@click.option(
    "--map",
    "choices",
    multiple=True,
    metavar="FIELD=COLUMN",
    help="Which column a field is in, if its heading doesn't say: name=Vorname. FIELD= and COLUMN=ignore skip it; "
    "COLUMN:VALUE=unsubscribed says what a value means.",
)
@click.option(
    "--fields",
    default="",
    metavar="COLUMNS",
    help="Columns to keep as fields, separated by commas; those in [[fields]] of publisher.toml are kept anyway.",
)
@click.option("--all-fields", is_flag=True, help="Keep every column that isn't read as something else as a field.")
@click.option("--tag", "tags", multiple=True, metavar="TAG", help="A tag for everyone in FILE; can be repeated.")
@click.option("--encoding", default="", metavar="NAME", help="The encoding, if FILE isn't UTF-8: windows-1252.")
@click.option("--undo", type=int, metavar="NUMBER", help="Undo an import; `subscribers imports` lists them.")
@click.option("--dry-run", is_flag=True, help="Show what would happen; change nothing.")
@with_app
def import_file(
    app: App, file: Path | None, newsletters: tuple[str, ...], undo: int | None, dry_run: bool, **given: Any
) -> int:
    """Add the people in a CSV FILE, as exported by Publisher, Mailchimp, Substack, Ghost, Buttondown or listmonk.

    First shows how each column will be read. People whom the file marks as unsubscribed, bounced, complained,
    suppressed or unconfirmed are recorded as such and get no email. If a column seems to say who must get no email and
    isn't understood, nothing is changed and the command asks. It never re-subscribes people who unsubscribed, bounced,
    complained or are suppressed. Running it again changes nothing. Exits with 1 if a row was refused.
    """
    if (file is None) == (undo is None):
        raise click.UsageError("name a FILE, or an import to --undo")
    if undo is not None:
        _undo(app, undo, dry_run)
        return 0
    assert file is not None  # noqa: S101 - see above
    config = app.config()
    chosen = chosen_newsletters(config, newsletters)
    report, columns, mailed = _imported(app, config, file, chosen, dry_run, given)
    topics = list(map(topic_slug, report.topics))
    for line in islice(unknown_topics(config, app.now(config), topics), MOST_WARNINGS):
        warn(line)
    _show_report(app, report, columns, mailed, dry_run)
    return 1 if report.refused or report.partly else 0


def _imported(
    app: App, config: Config, file: Path, chosen: list[str], dry_run: bool, given: Mapping[str, Any]
) -> tuple[ImportReport, Columns, Mapping[str, int]]:
    """Import a file; return the report, the columns, and how many subscribers each newsletter goes to now."""
    now = app.now(config)
    seen: list[Columns] = []
    titles = titles_of({each.name: each.title or config.site.title for each in config.newsletters})
    options = ImportOptions(
        consent=given["consent"],
        choices=parse_choices(given["choices"]),
        status=STATUS_NAMES[given["status"]] if given["status"] else None,
        encoding=given["encoding"],
        has_posts=_TopicsOfPosts(config, now),
        tags=given["tags"],
    )
    with _target(app, dry_run) as store, bar(app, "Importing") as progress:
        asked = topics_of(given["fields"])  # separated and quoted in the same way
        configured = frozenset(each.name for each in config.fields)
        wanted = FieldOptions(asked, given["all_fields"], known_fields(store, config.fields), configured)
        options = replace(options, fields=wanted)
        listeners = Listeners(
            columns=lambda columns: _show_columns(app, columns, seen),
            refused=lambda row: click.echo(f"{file}:{row.line}: {row.reason}", err=True),
            progress=progress or (lambda rows, of_about: None),
        )
        if app.verbose:
            told = lambda row: click.echo(f"{file}:{row.line}: {row.reason}", err=True)  # noqa: E731
            listeners = replace(listeners, row=told)
        gc.freeze()  # loaded objects stay until the end, and checking them again would take a ninth of the time
        report = import_csv(
            store,
            file,
            NamedNewsletters(tuple(chosen), frozenset(each.name for each in config.newsletters), titles),
            at=now,
            options=options,
            dry_run=dry_run,
            listeners=listeners,
        )
        if not dry_run:
            log_action(app, store, ActionKind.IMPORT, file.name, detail=plural(report.rows, "row"))
        mailed = {} if dry_run else {each: store.subscribers.count(each, mailable_at=now) for each in chosen}
    return report, seen[0], mailed


class _TopicsOfPosts:
    """Finds out whether any post has a topic. The posts are read when the first topic is looked up."""

    def __init__(self, config: Config, now: datetime) -> None:
        self._config, self._now = config, now

    @cached_property
    def _slugs(self) -> frozenset[str]:
        posts = open_archive(self._config, self._now, keep=False).posts
        return frozenset(tag.slug for post in posts for tag in post.tags)

    def __call__(self, topic: str) -> bool:
        return topic_slug(topic) in self._slugs


def _target(app: App, dry_run: bool) -> Store:
    """Open the project's database, or a temporary one for a dry run in a project that has no database."""
    config = app.config()
    if dry_run and not has_store(config):
        folder = tempfile.mkdtemp(prefix="publisher-")
        click.get_current_context().call_on_close(lambda: shutil.rmtree(folder, ignore_errors=True))
        return open_rehearsal_store(config, Path(folder))
    return open_project_store(config)


def _show_columns(app: App, columns: Columns, seen: list[Columns]) -> None:
    """Print how the columns are read, before anything is written, and append them to `seen`."""
    seen.append(columns)
    fields = [f"{field} from {name!r}" if name else field for field, name in columns.shown.items()]
    app.say(f"{f'{columns.tool} export: ' if columns.tool else ''}{', '.join(fields)}")
    if columns.statuses:
        names = ", ".join(repr(clean_line(columns.header[each.place], 60)) for each in columns.statuses)
        app.say(f"who must not get email, from {names}")
    dropped = columns.dropped
    if ignored := [name for name in columns.ignored if name not in dropped]:
        hint = "--fields COLUMN keeps one as a field"
        app.say(f"ignored columns: {', '.join(clean_line(name, 60) for name in ignored)} ({hint})")
    if columns.kept:
        kept = ", ".join(f"{each.name} ({each.kind})" for each in columns.kept)
        app.say(f"fields: {kept}")
    if dropped:
        app.say(f"not kept: {', '.join(dropped)}; to keep them as fields: --fields {shlex.quote(cell_of(dropped))}")


def _show_report(app: App, report: ImportReport, columns: Columns, mailed: Mapping[str, int], dry_run: bool) -> None:
    if app.json:
        app.print_json(_as_json(report, columns, mailed, dry_run))
        return
    updated = f"{report.updated:,} with different topics, " if report.updated else ""
    newer = f"{report.newer:,} unsubscribed in the file and agreed here since then, " if report.newer else ""
    newer += f"{report.left_some:,} unsubscribed from some newsletters, " if report.left_some else ""
    newer += f"{report.stay.count:,} unconfirmed in the file and subscribed here, " if report.stay.count else ""
    recorded = f"{report.not_mailed:,} without email, " if report.kept else ""
    app.say(
        f"{plural(report.rows, 'row')}: {report.added:,} added, "
        f"{report.subscribed:,} subscribed to another newsletter, {updated}{newer}"
        f"{report.unchanged:,} unchanged, {recorded}{report.refused:,} refused"
        + (" (dry run: nothing was written)" if dry_run else "")
    )
    would = "would" if dry_run else "will"
    app.say(f"{report.mailed:>9,}  {would} get email")
    _show_parts(app, (report.partly, "without a newsletter that they unsubscribed from, as listed above"))
    _show_parts(app, *_who_stays(report))
    app.say(f"{report.not_mailed:>9,}  {would} be kept, and get no email")
    _show_parts(app, *((rows.count, f"{STATUS_WORDS[status]}, {_lines(rows)}") for status, rows in report.kept.items()))
    app.say(f"{report.refused:>9,}  refused{', as listed above; they get no email' if report.refused else ''}")
    _show_parts(app, *((count, f"{_KNOWN_AS.get(why, why.value)} here") for why, count in report.known.items()))
    if report.left_behind:
        app.say(f"{report.left_behind:>9,}  left behind: entries of the other project's suppression list")
    if report.number and (report.mailed or report.kept):
        app.say(f"import {report.number}: `publisher subscribers import --undo {report.number}` undoes it")
    if report.added and "joined_at" not in columns.fields and (columns.statuses or columns.ignored):
        app.say("no joining dates in this file: an unsubscription in another file counts, whatever its date")
    if report.described:
        would = "would get" if dry_run else "got"
        app.say(f"{plural(report.described, 'row')} of known subscribers {would} new tags, fields or notes")
    for newsletter, count in mailed.items():
        app.say(f"{newsletter} now goes to {plural(count, 'subscriber')}")
    _show_doubts(report)


def _show_parts(app: App, *parts: tuple[int, str]) -> None:
    for count, what in parts:
        if count:
            app.say(f"{count:>15,}  {what}")


def _who_stays(report: ImportReport) -> Iterator[tuple[int, str]]:
    """Yield the number of rows and the reason for people who get email although the file says something against it."""
    if (rows := report.again).count:
        yield rows.count, f"agreed again later, {_lines(rows)}"
    for (left, still), rows in report.parted.items():
        what = (
            f"unsubscribed from {', '.join(left)}; they still get {', '.join(still)}"
            if left
            else "unsubscribed from some newsletters; they get others"
        )
        yield rows.count, f"{what}, {_lines(rows)}"
    if (rows := report.stay).count:
        yield rows.count, f"stay subscribed here, because they confirmed or were added before, {_lines(rows)}"


def _lines(rows: KeptRows) -> str:
    return f"line {rows.first}" if rows.count == 1 else f"lines {rows.first} to {rows.last}"


def _show_doubts(report: ImportReport) -> None:
    """Print warnings about results that the operator may not have intended."""
    for line in report.doubts:
        warn(line)
    if report.nothing:
        people = plural(report.nothing, "person", "people")
        warn(f"{people} would get nothing: no post has any of their topics (--map topics= leaves topics out)")
    if report.languages:
        shown = ", ".join(repr(shortened(word, 30)) for word in report.languages[:5])
        warn(f"languages that are not understood, and therefore ignored: {shown}")
    for encoding, lines in report.coded.items():
        warn(f"{plural(lines, 'line')} seem to be {encoding}: import the file again with --encoding {encoding}")


def _as_json(report: ImportReport, columns: Columns, mailed: Mapping[str, int], dry_run: bool) -> dict[str, Any]:
    return {
        "columns": columns.shown,
        "status_columns": [columns.header[each.place] for each in columns.statuses],
        "tool": columns.tool,
        "dry_run": dry_run,
        "import": report.number or None,
        "rows": report.rows,
        "mailed": report.mailed,
        "added": report.added,
        "subscribed": report.subscribed,
        "updated": report.updated,
        "unchanged": report.unchanged,
        "partly": report.partly,
        "newer": report.newer,
        "stay_subscribed": report.stay.count,
        "left_some": [
            {"left": left, "still": still, "rows": rows.count, "lines": [rows.first, rows.last]}
            for (left, still), rows in report.parted.items()
        ],
        "not_mailed": {STATUS_WORDS[status]: rows.count for status, rows in report.kept.items()},
        "refused": report.refused,
        "left_behind": report.left_behind,
        "known": {why.value: count for why, count in report.known.items()},
        "without_posts": report.nothing,
        "fields": {name: kind.value for name, kind in report.fields.items()},
        "described": report.described,
        "doubts": list(report.doubts),
        "newsletters": mailed,
    }


@click.command("imports", epilog="Example: publisher subscribers imports")
@with_app
def list_imports(app: App) -> None:
    """List the files that were imported, with the number by which `import --undo` undoes one."""
    with open_existing_store(app.config()) as store:
        found = store.imports.list() if store else ()
    if app.json:
        app.print_json([asdict(each) for each in found])
        return
    if not found:
        app.say("nothing was imported yet")
        return
    rows = [
        (
            str(each.id),
            each.file,
            each.options,
            f"{each.begun_at:%Y-%m-%d %H:%M}",
            f"{each.people:,}",
            f"{each.changed:,}",
            f"{each.undone_at:%Y-%m-%d}" if each.undone_at else "",
        )
        for each in found
    ]
    print_table(("Number", "File", "Options", "Imported (UTC)", "Added", "Changed", "Undone"), rows)


def _undo(app: App, number: int, dry_run: bool) -> None:
    config = app.config()
    with open_existing_store(config) as store:
        if store is None:
            raise PublisherError("nothing was imported yet")
        now = app.now(config)
        done = store.imports.undo(number, now, dry_run=dry_run)
        names = [] if dry_run else [each.name for each in config.newsletters]
        mailed = {each: store.subscribers.count(each, mailable_at=now) for each in names}
        if not dry_run:
            log_action(app, store, ActionKind.UNDO_IMPORT, f"import {number}", detail=f"{done.deleted:,} deleted")
    if app.json:
        app.print_json({"import": number, "dry_run": dry_run, **asdict(done), "newsletters": mailed})
        return
    app.say(f"import {number}{' would be' if dry_run else ''} undone:")
    _show_parts(
        app,
        (done.deleted, "deleted, because the import had added them"),
        (done.restored, "as they were before the import"),
        (done.kept, "unchanged, because they or you have changed something since, or they bounced"),
        (done.mailed, "stopped and not deleted, because they were already sent an email"),
        (done.shared, "unchanged, because another file or the owner names them too"),
        (done.lifted, "removed from the suppression list"),
    )
    if not any(asdict(done).values()):
        app.say("        no one is affected")
    for newsletter, count in mailed.items():
        app.say(f"{newsletter} now goes to {plural(count, 'subscriber')}")
