"""An edition's messages for a person or a script: counts, reasons, rows. Memory stays flat for any number of rows."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from datetime import tzinfo
from itertools import islice
from typing import TYPE_CHECKING, Any

from publisher.cli.app import App

if TYPE_CHECKING:
    from publisher.core.mailing import DeliveryCounts, DeliveryStatus, Edition
    from publisher.store import Store
    from publisher.store.ledger import LedgerRow

TABLE = 500  # rows a table: their widths must be known before the first is drawn
REASONS = 20

HEAD = ("Address", "State", "Attempts", "Next try", "The server's words")


def show_ledger(app: App, store: Store, edition: Edition, statuses: Sequence[DeliveryStatus], limit: int) -> None:
    """Print how the edition's deliveries stand, and those in these statuses, in this order.

    limit: at most so many of them; 0 is all.
    """
    from publisher.mail.failure_groups import grouped

    counts = store.deliveries.counts(edition.id)
    reasons = grouped(store.ledger.reasons(edition.id, statuses))
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
    from publisher.cli.tables import print_table

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
