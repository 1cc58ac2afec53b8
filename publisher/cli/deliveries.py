"""The commands `publisher deliveries list`, `add`, `retry`, `hold`, `resume`, `skip` and `cancel`."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, tzinfo
from itertools import islice
from typing import TYPE_CHECKING, Any

import click

from publisher.cli.app import App, log_action, plural, warn, with_app
from publisher.cli.completion import edition_ids
from publisher.cli.editions import get_edition
from publisher.cli.hosts import how_to_send
from publisher.cli.results import how_to_end_hold, say_next_try
from publisher.cli.terminal import print_table
from publisher.core.action_kinds import ActionKind
from publisher.core.characters import clean_line
from publisher.core.errors import PublisherError
from publisher.core.newsletter_models import DeliveryCounts, DeliveryStatus, Edition, slot_name
from publisher.publishing import operations
from publisher.publishing.later_recipients import LaterRecipients, add_recipients
from publisher.publishing.wiring import open_existing_store

if TYPE_CHECKING:
    from publisher.store import Store
    from publisher.store.ledger import LedgerRow, ReasonCount

HELP = """\
List an edition's messages and deal with the ones that weren't delivered. EDITION is its ID, as listed by
`publisher editions`.

\b
See what happened:
  publisher deliveries list 3                     how many are sent, what is wrong, which ones
  publisher deliveries list 3 --status failed     only these; --status can be repeated
  publisher deliveries list 3 --json | jq ...     every message, for a script

\b
Fix it:
  publisher deliveries retry 3                    retry all that failed, are waiting or are uncertain
  publisher deliveries retry 3 --status uncertain
  publisher deliveries hold 3 --why "a typo"      send no more of it ...
  publisher deliveries resume 3                   ... until you say so
  publisher deliveries skip 3                     give up an edition that waits for you
  publisher deliveries cancel 3                   never send what is still waiting

\b
Send it to more people:
  publisher deliveries add 3                      those who joined after it was made
  publisher deliveries add 3 --joined-since 2026-11-01
  publisher deliveries add 3 ada@example.net      only these; no one gets it twice

\b
None of these sends anything: `publisher run` does, or the next `publisher publish`.
"""

STATUSES = ("failed", "uncertain", "deferred", "sending", "queued", "skipped", "sent")  # problems first
RETRIED = ("failed", "uncertain", "deferred", "queued")
PATIENCE = 5.0  # seconds to wait for running deliveries to stop
BY_HAND = "put on hold manually"
CANCELLED = "cancelled manually"

TABLE = 500  # rows in one table, because the column widths must be known before the first row is printed
REASONS = 20

HEAD = ("Address", "Status", "Attempts", "Next try", "Server's reply")


@click.group(
    help=HELP,
    short_help="List an edition's messages; add, retry, hold, resume, skip or cancel them.",
    epilog="Example: publisher deliveries list 3 && publisher deliveries retry 3 && publisher publish",
)
@with_app
def deliveries(app: App) -> None:
    """Group the commands about deliveries; it does nothing itself."""


@deliveries.command(
    "list",
    short_help="List messages, with their status and why.",
    epilog="Examples: publisher deliveries list 3; publisher deliveries list 3 --status failed",
)
@click.argument("edition_id", metavar="EDITION", type=int, shell_complete=edition_ids)
@click.option(
    "-s", "--status", "names", multiple=True, type=click.Choice(STATUSES), help="Only this status; can be repeated."
)
@click.option(
    "--limit",
    metavar="N",
    type=click.IntRange(0),
    help="Show at most this many; 0 for all. Default: 50, or all with --json.",
)
@with_app
def list_deliveries(app: App, edition_id: int, names: tuple[str, ...], limit: int | None) -> None:
    """List the messages of EDITION: counts by status, reasons for failure, then every message, problems first."""
    statuses = [DeliveryStatus(name) for name in STATUSES if not names or name in names]
    with _edition(app, edition_id) as (store, edition):
        _show_messages(app, store, edition, statuses, (0 if app.json else 50) if limit is None else limit)


@deliveries.command(
    short_help="Send an edition to people who joined later.",
    epilog="Examples: publisher deliveries add 3 --joined-since 2026-11-01; publisher deliveries add 3 ada@example.net",
)
@click.argument("edition_id", metavar="EDITION", type=int, shell_complete=edition_ids)
@click.argument("addresses", nargs=-1, metavar="[ADDRESS]...")
@click.option(
    "--joined-since",
    metavar="DATE",
    help="Only people who joined its newsletter on this date or later. Default, without addresses: when it was made.",
)
@click.option("--dry-run", is_flag=True, help="Only say how many would get it.")
@with_app
def add(app: App, edition_id: int, addresses: tuple[str, ...], joined_since: str | None, dry_run: bool) -> int:
    """Add messages of EDITION for subscribers who don't have it yet: those who joined later, or these ADDRESSES.

    Each gets it once, however often you run this. People who unsubscribed, paused or bounced are skipped.
    """
    config = app.config()
    now, since = app.now(config), _moment(joined_since, config.zone)
    with _edition(app, edition_id, complete=not dry_run) as (store, edition):
        done = add_recipients(config, store, edition, now, addresses=addresses, joined_since=since, dry_run=dry_run)
        if done.added and not dry_run:
            log_action(
                app, store, ActionKind.ADD_DELIVERIES, operations.edition_label(edition), detail=f"{done.added:,}"
            )
        send = how_to_send(config, store, now)
    if app.json:
        left = [{"address": address, "reason": reason} for address, reason in done.left_out]
        app.print_json({"edition": edition_id, "added": done.added, "unmatched": done.unmatched, "left_out": left})
    for address, reason in done.left_out:
        warn(f"{address} {reason}")
    _say_added(app, edition, done, send, dry_run=dry_run)
    return 1 if done.left_out and not done.added else 0


def _moment(text: str | None, zone: tzinfo) -> datetime | None:
    from publisher.posts.front_matter.dates import parse_date  # not at the top: `--help` must load quickly

    try:
        return parse_date(text, zone) if text else None
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--joined-since") from error


def _say_added(app: App, edition: Edition, done: LaterRecipients, send: str, *, dry_run: bool) -> None:
    if done.unmatched:
        left_out = plural(done.unmatched, "subscriber")
        app.say(f"left out {left_out}: the edition has no version for their topics, or for the posts they lack")
    if not done.added:
        segment = ", or isn't in its segment" if edition.segment else ""
        app.say(f"no one to add: everyone in question already has it, or must not be emailed{segment}")
    elif dry_run:
        app.say(f"{plural(done.added, 'subscriber')} would get edition {edition.id}; nothing was changed")
    else:
        app.say(f"{plural(done.added, 'message')} added; {send}")
    if edition.held:
        app.say(f"edition {edition.id} is on hold: {edition.held}\n  {how_to_end_hold(edition)}")


@deliveries.command(
    short_help="Retry messages that failed, are waiting or are uncertain.",
    epilog="Examples: publisher deliveries retry 3; publisher deliveries retry 3 --status failed",
)
@click.argument("edition_id", metavar="EDITION", type=int, shell_complete=edition_ids)
@click.option(
    "-s",
    "--status",
    "names",
    multiple=True,
    type=click.Choice(RETRIED),
    help="Only this status; can be repeated. Default: all of them.",
)
@with_app
def retry(app: App, edition_id: int, names: tuple[str, ...]) -> None:
    """Retry messages of EDITION that failed, were deferred or are uncertain.

    An uncertain message may already have arrived; it is resent with the same Message-ID, so most mailboxes show only
    one. People who have since unsubscribed, or whose mailboxes don't exist, get nothing.
    """
    config = app.config()
    now = app.now(config)
    with _edition(app, edition_id, complete=True) as (store, edition):
        done = {name: operations.retry(store, edition, [DeliveryStatus(name)], now=now) for name in names or RETRIED}
        total = sum(done.values())
        if total:
            log_action(app, store, ActionKind.RETRY, operations.edition_label(edition), detail=f"{total:,}")
        send = how_to_send(config, store, now)
    if app.json:
        app.print_json({"edition": edition_id, "due": total, "from": done})
    parts = ", ".join(f"{count:,} {name}" for name, count in done.items() if count)
    app.say(f"{plural(total, 'message')} due now ({parts}); {send}" if total else "nothing to retry")
    if edition.held:
        app.say(f"edition {edition.id} is on hold: {edition.held}\n  {how_to_end_hold(edition)}")


@deliveries.command(
    short_help="Send no more for now.",
    epilog='Example: publisher deliveries hold 3 --why "the subject has a typo"',
)
@click.argument("edition_id", metavar="EDITION", type=int, shell_complete=edition_ids)
@click.option("--why", metavar="TEXT", default=BY_HAND, help="The reason, for the person who finds it on hold.")
@with_app
def hold(app: App, edition_id: int, why: str) -> None:
    """Send no more of EDITION until `resume`.

    Messages already handed to a server (one or two per connection) still go out.
    """
    reason = clean_line(why, 300) or BY_HAND
    with _edition(app, edition_id) as (store, edition):
        changed = operations.hold(store, edition, reason)
        if changed:
            log_action(app, store, ActionKind.HOLD, operations.edition_label(edition), detail=reason)
        operations.take_over_dead(app.config(), store, app.now(app.config()))
        left = operations.in_hand(store, edition, patience=PATIENCE)
    if app.json:
        held = reason if changed else edition.held
        app.print_json({"edition": edition_id, "held": held, "changed": changed, "in_hand": left})
    app.say(
        f"edition {edition_id} is on hold" if changed else f"edition {edition_id} was already on hold: {edition.held}"
    )
    _say_in_hand(app, left)


@deliveries.command(
    short_help="Release an edition that is on hold.",
    epilog="Example: publisher deliveries resume 3 && publisher publish",
)
@click.argument("edition_id", metavar="EDITION", type=int, shell_complete=edition_ids)
@with_app
def resume(app: App, edition_id: int) -> None:
    """Release EDITION: the next run sends what is waiting, including deferred messages.

    This approves an edition that waits for you; it is then sent when it is due.
    """
    config = app.config()
    now = app.now(config)
    with _edition(app, edition_id, complete=True) as (store, edition):
        changed = operations.resume(store, edition, now=now)
        if changed:
            log_action(app, store, ActionKind.RESUME, operations.edition_label(edition))
        counts, due = store.deliveries.counts(edition.id), store.ledger.next_try(edition.id)
        send = how_to_send(config, store, now)
    if app.json:
        app.print_json({"edition": edition_id, "changed": changed, "open": counts.open})
    waiting = f"{plural(counts.open, 'message')} still to send"
    app.say(
        f"edition {edition_id} {'is resumed' if changed else 'was not on hold'}: {waiting}"
        + (f"; {send}" if counts.open else "")
    )
    say_next_try(app, edition_id, due)


@deliveries.command(
    short_help="Give up an edition that waits for you.",
    epilog="Examples: publisher deliveries skip 3; publisher deliveries skip 3 --yes",
)
@click.argument("edition_id", metavar="EDITION", type=int, shell_complete=edition_ids)
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@with_app
def skip(app: App, edition_id: int, yes: bool) -> None:
    """Never send EDITION, which waits for you to approve or skip it. This cannot be undone.

    Its posts go out with the newsletter's next edition. Items that came when more than half of a feed was
    suddenly new do not. A newsletter that sends each post by itself never sends the post.
    """
    with _edition(app, edition_id) as (store, edition):
        if not operations.waits(edition):
            raise PublisherError(
                f"edition {edition_id} is not waiting for your approval",
                hint=f"to send no more of it: publisher deliveries cancel {edition_id}",
            )
        _make_complete(store, edition)
        waiting = store.deliveries.counts(edition.id).open
        if waiting and not yes:
            _confirm(edition, waiting)
        operations.skip(store, edition)
        log_action(app, store, ActionKind.SKIP, operations.edition_label(edition))
    if app.json:
        app.print_json({"edition": edition_id, "skipped": True})
    app.say(f"edition {edition_id} is skipped: no one will get it")


@deliveries.command(
    short_help="Never send what is still waiting.",
    epilog='Example: publisher deliveries cancel 3 --why "sent by mistake"',
)
@click.argument("edition_id", metavar="EDITION", type=int, shell_complete=edition_ids)
@click.option("--why", metavar="TEXT", default=CANCELLED, help="Recorded as the reason for each message.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@with_app
def cancel(app: App, edition_id: int, why: str, yes: bool) -> None:
    """Cancel all messages of EDITION that are waiting or uncertain. This cannot be undone."""
    with _edition(app, edition_id, complete=True) as (store, edition):
        operations.take_over_dead(app.config(), store, app.now(app.config()))
        counts = store.deliveries.counts(edition.id)
        waiting = sum(counts[status] for status in (*operations.CANCELLABLE, DeliveryStatus.SENDING))
        if waiting and not yes:
            _confirm(edition, waiting)
        count = operations.cancel(store, edition, why=clean_line(why, 300) or CANCELLED, patience=PATIENCE)
        left = operations.in_hand(store, edition)
        if count:
            log_action(app, store, ActionKind.CANCEL, operations.edition_label(edition), detail=f"{count:,}")
    if app.json:
        app.print_json({"edition": edition_id, "cancelled": count, "in_hand": left})
    app.say(
        f"{plural(count, 'message')} cancelled"
        if count or left
        else "nothing is waiting, so there is nothing to cancel"
    )
    _say_in_hand(app, left)


@contextmanager
def _edition(app: App, edition_id: int, *, complete: bool = False) -> Iterator[tuple[Store, Edition]]:
    """Open the store, and yield it with the edition. complete: whether to write the edition's missing messages first"""
    with open_existing_store(app.config()) as opened:
        store, edition = get_edition(opened, edition_id)
        if complete:
            _make_complete(store, edition)
        yield store, edition


def _make_complete(store: Store, edition: Edition) -> None:
    if added := operations.make_complete(store, edition):
        were = "1 missing message was" if added == 1 else f"{added:,} missing messages were"
        click.echo(f"edition {edition.id} was not complete, so {were} added to it first", err=True)


def _say_in_hand(app: App, left: int) -> None:
    if left:
        app.say(f"  {plural(left, 'message')} being sent right now may still go out")


def _confirm(edition: Edition, waiting: int) -> None:
    what = f"{plural(waiting, 'message')} of {edition.newsletter} {slot_name(edition.slot)}"
    if not sys.stdin.isatty():
        raise PublisherError(f"{what} would never be sent", hint="use --yes to skip this prompt")
    click.confirm(f"Never send {what}?", abort=True, err=True)


def _show_messages(app: App, store: Store, edition: Edition, statuses: Sequence[DeliveryStatus], limit: int) -> None:
    """Print the edition's counts, then its messages in the order of `statuses`. Messages are read as they are printed.

    limit  the maximum number of messages to print; 0 for all
    """
    counts = store.deliveries.counts(edition.id)
    reasons = operations.group_reasons(store.ledger.reasons(edition.id, statuses))
    rows = (row for status in statuses if counts[status] for row in store.ledger.rows(edition.id, [status]))
    shown = islice(rows, limit) if limit else rows
    if app.json:
        _stream(_head_json(edition, counts, reasons), shown)
        return
    _show_head(app, edition, counts, reasons)
    zone, goes_on = app.config().zone, False
    while page := list(islice(shown, TABLE)):
        print_table(HEAD, [_cells(row, zone) for row in page], goes_on=goes_on)
        goes_on = True
    more = sum(counts[status] for status in statuses) - limit
    if limit and more > 0:
        app.say(f"and {more:,} more (--limit 0 lists all)")


def _show_head(app: App, edition: Edition, counts: DeliveryCounts, reasons: Sequence[ReasonCount]) -> None:
    by_status = ", ".join(f"{count:,} {status}" for status, count in counts.by_status.items() if count)
    app.say(f"{edition.name}: {edition.subject!r}")
    if edition.held and not counts.is_over:
        app.say(f"on hold: {edition.held} ({how_to_end_hold(edition)})")
    app.say(f"messages: {by_status or 'none'}")
    if counts.missing:
        app.say(f"  {counts.unwritten}; `publisher publish` completes it")
    for each in reasons[:REASONS]:
        app.say(f"  {each.count:,} x {each.status}: {each.reason}")
    if len(reasons) > REASONS:
        app.say(f"  and {len(reasons) - REASONS:,} more reasons")


def _cells(row: LedgerRow, zone: tzinfo) -> tuple[str, ...]:
    due = row.next_try_at.astimezone(zone).strftime("%Y-%m-%d %H:%M") if row.next_try_at else ""
    return row.address, row.status.value, str(row.attempts), due, row.reason


def _head_json(edition: Edition, counts: DeliveryCounts, reasons: Sequence[ReasonCount]) -> dict[str, Any]:
    return {
        "edition": edition.id,
        "newsletter": edition.newsletter,
        "slot": edition.slot,
        "held": edition.held,
        "held_by": edition.held_by,
        "complete": not counts.missing,
        "missing_about": counts.missing,
        "counts": {status.value: count for status, count in counts.by_status.items() if count},
        "reasons": [{"status": each.status.value, "reason": each.reason, "count": each.count} for each in reasons],
    }


def _stream(head: dict[str, Any], rows: Iterator[LedgerRow]) -> None:
    """Print `head` as a JSON object with a last key "deliveries", whose rows are printed as they are read."""
    write = sys.stdout.write
    write(json.dumps(head, ensure_ascii=False, indent=2).removesuffix("\n}") + ',\n  "deliveries": [')
    for number, row in enumerate(rows):
        write((",\n    " if number else "\n    ") + json.dumps(_row_json(row), ensure_ascii=False))
    write("\n  ]\n}\n")


def _row_json(row: LedgerRow) -> dict[str, Any]:
    return {
        "address": row.address,
        "status": row.status.value,
        "attempts": row.attempts,
        "next_try_at": row.next_try_at.isoformat(timespec="seconds") if row.next_try_at else None,
        "sent_at": row.sent_at.isoformat(timespec="seconds") if row.sent_at else None,
        "reason": row.reason,
    }
