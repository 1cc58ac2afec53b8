"""The shared part of commands on everyone in a segment: show the people, ask, do it, and log it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from publisher.cli.app import App, log_action, plural
from publisher.cli.terminal import confirm
from publisher.core.action_kinds import ActionKind
from publisher.core.errors import PublisherError
from publisher.core.frozen import dataclass
from publisher.core.segment_language import parse
from publisher.publishing.recipients import require_segment
from publisher.publishing.wiring import open_existing_store
from publisher.store.people_query import PeopleQuery
from publisher.subscribers.bulk import BulkOptions, BulkResult
from publisher.subscribers.manage import COMMAND_LINE

if TYPE_CHECKING:
    from publisher.store import Store

NO_SUBSCRIBERS = "there are no subscribers yet"
MOST_SHOWN = 20  # addresses that a dry run lists

segment_option: Callable[[Any], Any] = click.option(
    "--segment", default="", metavar="SEGMENT", help="Everyone in a segment: its name, or a condition."
)
dry_run_option: Callable[[Any], Any] = click.option("--dry-run", is_flag=True, help="Show whom; change nothing.")


@dataclass(frozen=True, slots=True)
class BulkDeed:
    """An action on everyone in a segment.

    work      performs the action
    kind      what the log of actions calls it
    done      the resulting state of the people, as a word: "unsubscribed"
    question  the question that follows the list of people; "" to ask nothing
    detail    more for the log of actions
    """

    work: Callable[[Store, PeopleQuery, BulkOptions], BulkResult]
    kind: ActionKind
    done: str
    question: str = ""
    detail: str = ""


def do_to_segment(app: App, segment: str, deed: BulkDeed, *, yes: bool, dry_run: bool) -> BulkResult:
    """Do something to everyone in a segment, after showing the people and asking; print what was done, and log it.

    segment: the name of a segment, or a condition
    Raises PublisherError if there is no such segment, or if the people are no longer those who were shown.
    """
    config = app.config()
    now = app.now(config)
    with open_existing_store(config) as store:
        if store is None:
            raise PublisherError(NO_SUBSCRIBERS)
        condition = parse(require_segment(config, store, segment, "--segment"))
        query = PeopleQuery(segment=condition, limit=MOST_SHOWN)
        shown = [person.address for person in store.people.find(query, now).people]
        expected = None
        if deed.question and not dry_run:
            ids, expected = store.people.whom(query, now)
            whom = f"{plural(len(ids), 'subscriber')}: {_listed(shown, len(ids))}"
            unasked = f"{plural(len(ids), 'subscriber')} would be {deed.done}"
            confirm(f"{whom}\n{deed.question}", yes=yes or not ids, unasked=unasked)
        done = deed.work(store, query, BulkOptions(now, COMMAND_LINE, expected, dry_run=dry_run))
        quiet = dry_run or not done.changed
        log_action(app, store, deed.kind, plural(done.people, "subscriber"), detail=deed.detail, dry_run=quiet)
    if app.json:
        app.print_json({"people": done.people, "changed": done.changed, "first": shown, "dry_run": dry_run})
    app.say(f"{done.changed:,} of {plural(done.people, 'subscriber')} {'would be ' if dry_run else ''}{deed.done}")
    if dry_run and shown:
        app.say(f"  {_listed(shown, done.people)}")
    return done


def _listed(addresses: list[str], count: int) -> str:
    more = f" and {count - len(addresses):,} more" if count > len(addresses) else ""
    return f"{', '.join(addresses)}{more}"
