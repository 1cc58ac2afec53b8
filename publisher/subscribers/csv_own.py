"""Reading files that Publisher itself exported, which contain more than other tools' files.

For a new person everything is restored: history, dates, the status of each subscription, and the uid, so that links in
earlier emails keep working. For a known person, the file is treated like any other.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from itertools import groupby, islice
from typing import Any

from publisher.core.characters import clean_line
from publisher.core.errors import SubscriberError
from publisher.core.models import require_aware
from publisher.core.newsletter_models import SubscriberStatus, Subscription, SuppressionReason
from publisher.core.subscription_status import SubscriptionEvent, SubscriptionRecord, SubscriptionStatus
from publisher.store.subscriber_records import ConsentEvent, NewSubscriber, Restored, SuppressedHash
from publisher.subscribers.csv_columns import Columns
from publisher.subscribers.csv_file import CsvRow

MOST_ROWS = 1_000  # of the same person, so that a hostile file does not fill up memory
_LONGEST = 1_000  # characters in the detail of an event
_NO = SubscriptionStatus.UNSUBSCRIBED


def by_person(columns: Columns, rows: Iterable[CsvRow]) -> Iterator[list[CsvRow]]:
    """Yield the rows of each person. In other tools' files, and without an address, each row is a person."""
    if columns.tool != "Publisher":
        for row in rows:
            yield [row]
        return
    for address, group in groupby(rows, lambda row: "" if row.fault else columns.cell(row.cells, "email")):
        if address:
            while part := list(islice(group, MOST_ROWS)):
                yield part
        else:
            for row in group:
                yield [row]


def suppressed_hash(columns: Columns, row: CsvRow) -> SuppressedHash | None:
    """Return the entry of the suppression list in a row; None if the row is about a person.

    Raises SubscriberError if the entry is damaged.
    """
    cell = columns.own_cell(row.cells, "suppressed hash")
    if not cell or row.fault:
        return None
    address_hash, _, key_id = cell.partition(" ")
    at = _moment(columns.own_cell(row.cells, "created at"))
    reason = _member(SuppressionReason, columns.own_cell(row.cells, "suppressed"))
    if at is None or reason is None or not key_id or len(address_hash) != 64:
        raise SubscriberError("its entry in the suppression list is damaged")
    return SuppressedHash(
        address_hash, reason, at, clean_line(columns.own_cell(row.cells, "history"), _LONGEST), clean_line(key_id, 16)
    )


def is_left_behind(columns: Columns, row: CsvRow) -> bool:
    """Return whether a row is an entry of the suppression list whose hash the operator told us to ignore."""
    ignores = bool(columns.own) and "suppressed hash" not in columns.own
    is_entry = not columns.cell(row.cells, "email") and columns.own_cell(row.cells, "suppressed") != ""
    return ignores and is_entry and not row.fault


def restored(
    columns: Columns,
    rows: Sequence[CsvRow],
    wishes: Sequence[Sequence[Subscription]],
    person: NewSubscriber,
    status: SubscriberStatus,
) -> NewSubscriber:
    """Return a person with everything in the rows of our own export.

    wishes  the newsletters and topics of each row
    person  the person in the first row, as read from the file of any tool
    status  the person's status
    """
    causes: dict[str, Sequence[str]] = {}
    events: list[ConsentEvent] = []
    entry: SuppressedHash | None = None
    for row in rows:
        with suppress(ValueError, TypeError, AttributeError, RecursionError):
            value = json.loads(columns.own_cell(row.cells, "history") or "{}")
            causes |= value.get("causes", {})
            events += [_event(cells) for cells in value.get("consent", [])]
            entry = _listed(value.get("suppressed")) or entry
    records = [_record(columns, row, wish, causes) for row, named in zip(rows, wishes, strict=True) for wish in named]
    own = columns.own_cell
    cells = rows[0].cells
    back = Restored(
        uid=clean_line(own(cells, "uid"), 40),
        status=status,
        created_at=_moment(own(cells, "created at")),
        confirmed_at=_moment(columns.cell(cells, "joined_at")),
        paused_until=_moment(own(cells, "paused until")),
        suppressed=entry,
        records=tuple(records),
        consent=tuple(events),
    )
    return replace(
        person,
        subscriptions=tuple(Subscription(each.newsletter, each.topics) for each in records if each.is_subscribed),
        ended=tuple(each for each in records if not each.is_subscribed),
        restored=back,
    )


def _record(
    columns: Columns, row: CsvRow, wish: Subscription, causes: Mapping[str, Sequence[str]]
) -> SubscriptionRecord:
    status = _member(SubscriptionStatus, columns.own_cell(row.cells, "newsletter status")) or _NO
    if status is SubscriptionStatus.SUBSCRIBED and columns.status(row.cells) is SubscriberStatus.UNSUBSCRIBED:
        status = _NO  # somebody has changed the status in the file
    cause, source, often = SubscriptionEvent.IMPORTED, "", ""
    with suppress(ValueError, TypeError, KeyError):
        known, source, *more = causes[wish.newsletter]
        often = next((each for each in more if each in ("daily", "weekly", "monthly")), "")
        cause = SubscriptionEvent(known)
    since = _moment(columns.own_cell(row.cells, "newsletter since"))
    topics = tuple(sorted(set(wish.topics)))
    return SubscriptionRecord(wish.newsletter, topics, status, since, cause, clean_line(str(source), _LONGEST), often)


def _listed(value: Sequence[str] | None) -> SuppressedHash | None:
    if not value:
        return None
    reason, at, source = value
    moment = _moment(at)
    return SuppressedHash("", SuppressionReason(reason), moment, clean_line(source, _LONGEST), "") if moment else None


def _event(cells: Sequence[Any]) -> ConsentEvent:
    at, what, source, detail, text_version, ip, user_agent = (clean_line(str(cell), _LONGEST) for cell in cells)
    moment = _moment(at)
    if moment is None:
        raise ValueError(at)
    return ConsentEvent(moment, what[:40], source, detail, text_version, ip, user_agent)


def _moment(cell: str) -> datetime | None:
    with suppress(ValueError):
        found = datetime.fromisoformat(cell) if cell else None
        require_aware("a date", found)
        return found
    return None


def _member(kind: Any, value: str) -> Any:
    with suppress(ValueError):
        return kind(value) if value else None
    return None
