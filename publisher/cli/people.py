"""The commands `publisher subscribers list` and `export`: everyone, or the people whom their options select."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

import click

from publisher.cli.app import App, plural, require_known, with_app
from publisher.cli.completion import newsletter_names
from publisher.cli.terminal import print_table
from publisher.core.atomic_write import replacing
from publisher.core.errors import PublisherError
from publisher.posts.slugs import topic_slug
from publisher.publishing.wiring import open_existing_store
from publisher.store.people_query import PeopleQuery
from publisher.subscribers.edit import known_fields
from publisher.subscribers.export import as_json, export_csv, export_json
from publisher.subscribers.people_filter import PARTS, people_query

if TYPE_CHECKING:
    from publisher.config import Config
    from publisher.core.newsletter_models import Subscriber
    from publisher.store import Store

_STATUSES = ["pending", "active", "unsubscribed", "bounced", "complained", "suppressed"]
_GROUP = 1_000  # lines of a table that are printed at a time

_OPTIONS = (
    click.option("--search", default="", metavar="WORDS", help="In their name, address, tags or fields."),
    click.option(
        "-n",
        "--newsletter",
        default="",
        metavar="NAME",
        shell_complete=newsletter_names,
        help="Only subscribers who are or were subscribed to it.",
    ),
    click.option(
        "--status",
        default="",
        metavar="STATUS",
        type=click.Choice(["", *_STATUSES]),
        help="Only this status: pending (unconfirmed), active, unsubscribed, bounced, complained or suppressed.",
    ),
    click.option("--tag", default="", metavar="TAG", help="Only subscribers with this tag of yours."),
    click.option("--topic", default="", metavar="TAG", help="Only subscribers who chose this topic."),
    click.option(
        "--field",
        default="",
        metavar="NAME=VALUE",
        help="Only subscribers with this value; NAME alone means any value.",
    ),
    click.option(
        "--source", default="", metavar="TEXT", help="Only subscribers who came from this source: 'import people.csv'."
    ),
    click.option(
        "--since", default="", metavar="DAY", help="Only subscribers who joined on this day or later: 2026-01-31."
    ),
    click.option("--until", default="", metavar="DAY", help="Only subscribers who joined on this day or earlier."),
    click.option(
        "--segment", default="", metavar="SEGMENT", help="Only subscribers in a segment: its name, or a condition."
    ),
)


def people_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options that select people."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def _asked(config: Config, store: Store | None, given: Mapping[str, str]) -> PeopleQuery:
    """Return the query for the options of a command. Raises PublisherError if an option is not understood."""
    topic = topic_slug(given["topic"]) if given["topic"] else ""
    query = people_query({**given, "topic": topic}, store, config.zone)
    if query.newsletter and not (store and any(store.subscribers.list(query.newsletter))):
        require_known(config, [query.newsletter])
    return query


@click.command("list", epilog="Example: publisher subscribers list --newsletter weekly --status active --tag vip")
@people_options
@click.option(
    "--sort",
    default="joined",
    type=click.Choice(["joined", "address", "name"]),
    help="Order: joined (the default), address or name.",
)
@click.option("--reverse", is_flag=True, help="In the opposite order, such as the newest first.")
@click.option("--limit", type=click.IntRange(1), metavar="NUMBER", help="At most this many.")
@click.option("--after", default="", metavar="ADDRESS", help="Start after this subscriber, to continue a list.")
@with_app
def list_subscribers(app: App, reverse: bool, limit: int | None, after: str, **given: str) -> None:
    """List subscribers in the order they joined, or those whom the options select.

    With --newsletter, their status is that of this newsletter.
    """
    config = app.config()
    given["sort"] = f"{'-' if reverse else ''}{given['sort']}"
    with open_existing_store(config) as store:
        query = _asked(config, store, given)
        people: Iterator[Subscriber] = iter(())
        if store:
            query = replace(query, after=_uid(store, after) if after else "")
            people = store.people.each(query, app.now(config))
        shown = people if limit is None else islice(people, limit)
        if app.json:
            _print_json(shown)
            return
        last = _print_people(shown, query.newsletter)
        if last is None:
            is_all = not any(given[name] for name in PARTS if name != "sort") and not after
            app.say(f"no subscribers{' yet; add one: publisher subscribers add you@example.org' if is_all else ''}")
        elif limit is not None and next(people, None) is not None:
            click.echo(f"there are more: continue with --after {last.address}", err=True)


def _uid(store: Store, address: str) -> str:
    person = store.subscribers.get(address.strip()) or store.subscribers.by_uid(address.strip())
    if person is None:
        raise PublisherError(f"--after {address[:100]} is not a subscriber", hint="name the last one that was listed")
    return person.uid


def _print_json(people: Iterable[Subscriber]) -> None:
    """Print a JSON array with one subscriber per line, as they are read."""
    lead = "["
    for person in people:
        click.echo(f"{lead}\n{json.dumps(as_json(person), ensure_ascii=False)}", nl=False)
        lead = ","
    click.echo("[]" if lead == "[" else "\n]")


def _print_people(people: Iterator[Subscriber], newsletter: str) -> Subscriber | None:
    """Print a table of people; return the last of them, or None if there are none."""
    head, last = ("Address", "Name", "Status", "Newsletters", "Since", "Tags"), None
    size = None if sys.stdout.isatty() else _GROUP  # a table on a terminal is as wide as its widest cell
    while part := list(islice(people, size)):
        print_table(head, [_row(person, newsletter) for person in part], goes_on=last is not None)
        last = part[-1]
    return last


def _row(person: Subscriber, newsletter: str) -> tuple[str, ...]:
    return (
        person.address,
        person.name,
        ((person.status_in(newsletter) if newsletter else None) or person.status).value,
        ", ".join(w.newsletter + (f" ({', '.join(w.topics)})" if w.topics else "") for w in person.subscriptions),
        f"{person.joined_at:%Y-%m-%d}",
        ", ".join(person.tags),
    )


@click.command(
    "export",
    epilog="Examples: publisher subscribers export people.csv; publisher subscribers export vips.csv --tag vip",
)
@click.argument("file", required=False, type=click.Path(path_type=Path, dir_okay=False, allow_dash=True))
@people_options
@with_app
def export_file(app: App, file: Path | None, **given: str) -> None:
    """Write all subscribers to FILE (default: -, standard output) as CSV, or as JSON with --json or a .json name.

    The CSV has everything that `import` needs to restore them, including those who get no email, with their history and
    the suppression list. With options, it has only the people whom they select, without that list.
    """
    config, only_some = app.config(), any(given.values())
    is_json = app.json or (file is not None and file.suffix == ".json")
    with open_existing_store(config) as store:
        query = _asked(config, store, given)
        people = store.subscribers.full_records(store.people.each(query, app.now(config))) if store else ()
        suppressed = store.suppressions.entries() if store and not only_some else ()
        fields = known_fields(store, config.fields)
        export = partial(export_json, people) if is_json else partial(export_csv, people, suppressed, fields=fields)
        if file is None or str(file) == "-":
            export(sys.stdout)
            sys.stdout.flush()
            return
        count = _write_whole(export, file, "utf-8" if is_json else "utf-8-sig")
        hashes = sum(store.suppressions.counts().values()) if store and not only_some and not is_json else 0
    click.echo(f"exported {plural(count, 'subscriber')} to {file}", err=True)
    for line in _what_stays(hashes, only_some=only_some, is_json=is_json):
        click.echo(f"  {line}", err=True)


def _what_stays(hashes: int, *, only_some: bool, is_json: bool) -> Iterator[str]:
    """Yield a line for each thing that an export lacks. hashes: the number of suppression list entries that it has."""
    if is_json:
        yield "to move to another project, export a CSV file: only that can be imported"
        return
    if only_some:
        yield "not in it: everyone else, and the suppression list"
    if hashes:
        entries = plural(hashes, "entry", "entries")
        yield f"and {entries} of the suppression list, which need the same .publisher/secret: copy it before you import"
    yield "not in it: editions, deliveries, bounces counted so far, and emails and links for unfinished requests"


def _write_whole(export: Callable[[TextIO], int], file: Path, encoding: str) -> int:
    """Write the list to a file atomically; return the number of subscribers.

    A full disk leaves no partial file behind. Only the file's owner may read it. A byte-order mark shows spreadsheets
    that a CSV file is UTF-8.
    """
    try:
        with replacing(file, 0o600) as part, part.open("w", encoding=encoding, newline="") as opened:
            return export(opened)
    except OSError as error:
        raise PublisherError(f"cannot be written: {error.strerror}", where=str(file)) from error
