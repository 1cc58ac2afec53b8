"""publisher deliveries list | retry | hold | resume | cancel"""

from __future__ import annotations

import json
import re
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import tzinfo
from itertools import islice
from typing import TYPE_CHECKING, Any

import click

from publisher.cli.app import App, plural, with_app
from publisher.cli.results import say_next_try
from publisher.core.errors import PublisherError

if TYPE_CHECKING:
    from publisher.core.newsletter_models import DeliveryCounts, DeliveryStatus, Edition
    from publisher.store import Store
    from publisher.store.ledger import LedgerRow, ReasonCount


TABLE = 500  # rows a table: their widths must be known before the first is drawn
REASONS = 20

# A word that differs from message to message: an address, or a long word with a digit, like the name of a queued file.
# The codes of replies (550 5.1.1) and links to explanations stay.
_VARYING_WORD = re.compile(r"\S*@\S*|(?!https?://)(?=\S*\d)(?!\d\.\d{1,3}\.\d{1,3}\b)\S{6,}")

HEAD = ("Address", "State", "Attempts", "Next try", "The server's words")


def show_ledger(app: App, store: Store, edition: Edition, statuses: Sequence[DeliveryStatus], limit: int) -> None:
    """Print how the edition's deliveries stand, and those in these statuses, in this order.

    limit: at most so many of them; 0 is all.
    """
    counts = store.deliveries.counts(edition.id)
    reasons = group_reasons(store.ledger.reasons(edition.id, statuses))
    rows = (row for status in statuses if counts[status] for row in store.ledger.rows(edition.id, [status]))
    shown = islice(rows, limit) if limit else rows
    if app.json:
        _stream(_head(edition, counts, reasons), shown)
        return
    _show_head(app, edition, counts, reasons)
    _tables(shown, app.config().zone)
    more = sum(counts[status] for status in statuses) - limit
    if limit and more > 0:
        app.say(f"and {more:,} more: --limit 0 lists all")


def group_reasons(reasons: Iterable[ReasonCount]) -> list[tuple[DeliveryStatus, str, int]]:
    """Return (status, reason, count), the most frequent first; "..." replaces the words in which reasons differ."""
    counts: Counter[tuple[DeliveryStatus, str]] = Counter()
    for each in reasons:
        counts[each.status, _VARYING_WORD.sub("...", each.reason)] += each.count
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return [(status, reason, count) for (status, reason), count in ordered]


def _show_head(
    app: App, edition: Edition, counts: DeliveryCounts, reasons: Sequence[tuple[DeliveryStatus, str, int]]
) -> None:
    by_status = ", ".join(f"{count:,} {status}" for status, count in counts.by_status.items() if count)
    app.say(f"{edition.newsletter} {edition.slot}, no. {edition.number}: {edition.subject!r}")
    if edition.held:
        app.say(f"held: {edition.held} (publisher deliveries resume {edition.id} lets it go on)")
    app.say(f"messages: {by_status or 'none'}")
    for status, reason, count in reasons[:REASONS]:
        app.say(f"  {count:,} x {status}: {reason}")
    if len(reasons) > REASONS:
        app.say(f"  and {len(reasons) - REASONS:,} more reasons")


def _tables(rows: Iterator[LedgerRow], zone: tzinfo) -> None:
    from publisher.cli.terminal import print_table

    while page := list(islice(rows, TABLE)):
        print_table(HEAD, [_cells(row, zone) for row in page])


def _cells(row: LedgerRow, zone: tzinfo) -> tuple[str, ...]:
    due = row.next_try_at.astimezone(zone).strftime("%Y-%m-%d %H:%M") if row.next_try_at else ""
    return row.address, row.status.value, str(row.attempts), due, row.reason


def _head(
    edition: Edition, counts: DeliveryCounts, reasons: Sequence[tuple[DeliveryStatus, str, int]]
) -> dict[str, Any]:
    return {
        "edition": edition.id,
        "newsletter": edition.newsletter,
        "slot": edition.slot,
        "held": edition.held,
        "held_by": edition.held_by,
        "counts": {status.value: count for status, count in counts.by_status.items() if count},
        "reasons": [{"status": status.value, "reason": reason, "count": count} for status, reason, count in reasons],
    }


def _stream(head: dict[str, Any], rows: Iterator[LedgerRow]) -> None:
    """Print one JSON object whose last key holds the rows, each as it is read."""
    write = sys.stdout.write
    write(json.dumps(head, ensure_ascii=False, indent=2).removesuffix("\n}") + ',\n  "deliveries": [')
    for number, row in enumerate(rows):
        write((",\n    " if number else "\n    ") + json.dumps(_as_json(row), ensure_ascii=False))
    write("\n  ]\n}\n")


def _as_json(row: LedgerRow) -> dict[str, Any]:
    return {
        "address": row.address,
        "status": row.status.value,
        "attempts": row.attempts,
        "next_try_at": row.next_try_at.isoformat(timespec="seconds") if row.next_try_at else None,
        "sent_at": row.sent_at.isoformat(timespec="seconds") if row.sent_at else None,
        "reason": row.reason,
    }


HELP = """\
Look at an edition's messages, and mend what did not go. EDITION is its ID, as `publisher editions` lists it.

\b
Look:
  publisher deliveries list 3                     how many are sent, what is wrong, which ones
  publisher deliveries list 3 --status failed     only these; again for more states
  publisher deliveries list 3 --json | jq ...     every message, for a script

\b
Mend:
  publisher deliveries retry 3                    all that failed, waits or is uncertain is due now
  publisher deliveries retry 3 --status uncertain
  publisher deliveries hold 3 --why "a typo"      nothing more of it is sent ...
  publisher deliveries resume 3                   ... until you say so
  publisher deliveries cancel 3                   what waits is never sent

\b
None of these sends anything: the next `publisher publish` does.
"""

STATES = ("failed", "uncertain", "deferred", "sending", "queued", "skipped", "sent")
PATIENCE = 5.0  # seconds in which a run lets go of what it has not handed over
RETRIED = ("failed", "uncertain", "deferred", "queued")


@click.group(
    help=HELP,
    short_help="Look at an edition's messages; try again, hold, resume, cancel.",
    epilog="Example: publisher deliveries list 3 && publisher deliveries retry 3 && publisher publish",
)
def deliveries() -> None:
    pass


@deliveries.command(
    "list",
    short_help="List messages: where they stand, and why.",
    epilog="Examples: publisher deliveries list 3; publisher deliveries list 3 --status failed",
)
@click.argument("edition_id", metavar="EDITION", type=int)
@click.option(
    "-s", "--status", "states", multiple=True, type=click.Choice(STATES), help="Only this state; again for more."
)
@click.option(
    "--limit", metavar="N", type=click.IntRange(0), help="At most so many messages; 0 is all. Default: 50, --json all."
)
@with_app
def list_deliveries(app: App, edition_id: int, states: tuple[str, ...], limit: int | None) -> None:
    """List the messages of EDITION: how many stand where, why they did not go, and each one, trouble first."""
    from publisher.core.newsletter_models import DeliveryStatus

    chosen = [DeliveryStatus(state) for state in STATES if not states or state in states]
    with _edition(app, edition_id) as (store, edition):
        show_ledger(app, store, edition, chosen, (0 if app.json else 50) if limit is None else limit)


@deliveries.command(
    short_help="Make what failed, waits or is uncertain due now.",
    epilog="Examples: publisher deliveries retry 3; publisher deliveries retry 3 --status failed",
)
@click.argument("edition_id", metavar="EDITION", type=int)
@click.option(
    "-s",
    "--status",
    "states",
    multiple=True,
    type=click.Choice(RETRIED),
    help="Only this state; again for more. Default: all four.",
)
@with_app
def retry(app: App, edition_id: int, states: tuple[str, ...]) -> None:
    """Make messages of EDITION due now that failed, wait for another try, or are uncertain.

    An uncertain one may have arrived: it goes with the same Message-ID, and most mailboxes show the two as one.
    Readers who left meanwhile, or whose mailboxes are gone, get nothing.
    """
    from publisher.core.newsletter_models import DeliveryStatus
    from publisher.publishing import operations as by_hand

    now = app.now(app.config())
    with _edition(app, edition_id) as (store, edition):
        done = {state: by_hand.retry(store, edition, [DeliveryStatus(state)], now=now) for state in states or RETRIED}
    total = sum(done.values())
    if app.json:
        app.print_json({"edition": edition_id, "due": total, "from": done})
    parts = ", ".join(f"{count:,} {state}" for state, count in done.items() if count)
    app.say(f"{plural(total, 'message')} due now ({parts}): publisher publish sends" if total else "nothing to retry")
    _tell_hold(app, edition)


@deliveries.command(
    short_help="Send nothing more for now.",
    epilog='Example: publisher deliveries hold 3 --why "the subject has a typo"',
)
@click.argument("edition_id", metavar="EDITION", type=int)
@click.option("--why", metavar="TEXT", default="held by hand", help="What to tell whoever finds it held.")
@with_app
def hold(app: App, edition_id: int, why: str) -> None:
    """Send nothing more of EDITION until `resume`.

    What a server has in its hands by then, a message or two a connection, still goes.
    """
    from publisher.publishing import operations as by_hand
    from publisher.subscribers.address import clean_line

    reason = clean_line(why, 300) or "held by hand"
    with _edition(app, edition_id) as (store, edition):
        changed = by_hand.hold(store, edition, reason)
        left = by_hand.in_hand(store, edition, patience=PATIENCE)
    if app.json:
        held = reason if changed else edition.held
        app.print_json({"edition": edition_id, "held": held, "changed": changed, "in_hand": left})
    app.say(f"edition {edition_id} is held" if changed else f"edition {edition_id} was held already: {edition.held}")
    _tell_in_hand(app, left)


@deliveries.command(
    short_help="Let a held edition go on.", epilog="Example: publisher deliveries resume 3 && publisher publish"
)
@click.argument("edition_id", metavar="EDITION", type=int)
@with_app
def resume(app: App, edition_id: int) -> None:
    """Let EDITION go on that was held: the next run sends what waits, and what was put off too."""
    from publisher.publishing import operations as by_hand

    with _edition(app, edition_id) as (store, edition):
        changed = by_hand.resume(store, edition, now=app.now(app.config()))
        counts, due = store.deliveries.counts(edition.id), store.ledger.next_try(edition.id)
    if app.json:
        app.print_json({"edition": edition_id, "changed": changed, "open": counts.open})
    waiting = f"{plural(counts.open, 'message')} wait{'s' if counts.open == 1 else ''} for publisher publish"
    app.say(f"edition {edition_id} {'goes on' if changed else 'was not held'}: {waiting}")
    say_next_try(app, edition_id, due)


@deliveries.command(
    short_help="Never send what still waits.", epilog='Example: publisher deliveries cancel 3 --why "sent by mistake"'
)
@click.argument("edition_id", metavar="EDITION", type=int)
@click.option("--why", metavar="TEXT", default="cancelled by hand", help="Stands as the reason of each message.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@with_app
def cancel(app: App, edition_id: int, why: str, yes: bool) -> None:
    """Never send what still waits of EDITION or is uncertain. It cannot be taken back."""
    from publisher.core.newsletter_models import DeliveryStatus
    from publisher.publishing import operations as by_hand
    from publisher.subscribers.address import clean_line

    with _edition(app, edition_id) as (store, edition):
        counts = store.deliveries.counts(edition.id)
        waiting = sum(counts[status] for status in (*by_hand.CANCELLABLE, DeliveryStatus.SENDING))
        if waiting and not yes:
            _confirm(edition, waiting)
        count = by_hand.cancel(store, edition, why=clean_line(why, 300) or "cancelled by hand", patience=PATIENCE)
        left = by_hand.in_hand(store, edition)
    if app.json:
        app.print_json({"edition": edition_id, "cancelled": count, "in_hand": left})
    app.say(f"{plural(count, 'message')} cancelled" if count or left else "nothing waits: nothing to cancel")
    _tell_in_hand(app, left)


@contextmanager
def _edition(app: App, edition_id: int) -> Iterator[tuple[Store, Edition]]:
    """Give the store and the edition of an ID."""
    from publisher.publishing.wiring import has_store, open_project_store

    config = app.config()
    if not has_store(config):
        raise PublisherError("there are no editions yet", hint="publisher publish makes the first one")
    with open_project_store(config) as store:
        edition = store.editions.get(edition_id)
        if edition is None:
            raise PublisherError(f"there is no edition {edition_id}", hint="publisher editions lists them")
        yield store, edition


def _tell_in_hand(app: App, left: int) -> None:
    if left:
        app.say(f"  {plural(left, 'message')} in a run's hands may still go")


def _tell_hold(app: App, edition: Edition) -> None:
    if edition.held:
        app.say(
            f"edition {edition.id} is held: {edition.held}\n  publisher deliveries resume {edition.id} lets it go on"
        )


def _confirm(edition: Edition, waiting: int) -> None:
    what = f"{plural(waiting, 'message')} of {edition.newsletter} {edition.slot}"
    if not sys.stdin.isatty():
        raise PublisherError(f"{what} would never be sent", hint="say --yes to cancel without a question")
    click.confirm(f"Never send {what}?", abort=True, err=True)
