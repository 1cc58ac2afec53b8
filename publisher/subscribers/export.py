"""Exporting subscribers to a CSV or JSON file, one by one, with everything that an import needs to restore them."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import zip_longest
from types import MappingProxyType
from typing import Any, TextIO

from publisher.core.newsletter_models import Subscriber
from publisher.core.subscriber_fields import FieldKind, shown_value
from publisher.store.subscriber_records import ConsentEvent, FullRecord, SuppressedHash
from publisher.subscribers.csv_cells import cell_of, guarded
from publisher.subscribers.csv_fields import own_heading

COLUMNS = (
    *("email", "name", "newsletters", "topics", "language", "status"),
    *("newsletter_status", "newsletter_since", "joined_at", "created_at", "paused_until"),
    *("suppressed", "uid", "tags", "note", "history", "suppressed_hash"),
)
NO_FIELDS: Mapping[str, FieldKind] = MappingProxyType({})
# Characters of history in one cell. Even with the longest note and all fields, the import can read the row.
MOST_OF_HISTORY = 30_000


def export_csv(
    people: Iterable[FullRecord],
    suppressed: Iterable[SuppressedHash],
    file: TextIO,
    fields: Mapping[str, FieldKind] = NO_FIELDS,
) -> int:
    """Write subscribers as CSV that the import can read, and return the number of subscribers.

    A subscriber has a row for each group of newsletters with the same topics and status. The first row contains the
    history of consent. The suppression list comes last, as hashes. Spreadsheets treat no cell as a formula.

    file    a text file that was opened with newline=""
    fields  the fields that people can have, each of which gets a column
    """
    headings = {name: own_heading(name, kind) for name, kind in fields.items()}
    writer = csv.DictWriter(file, (*COLUMNS, *headings.values()), restval="", lineterminator="\r\n")
    writer.writeheader()
    count = 0
    for person in people:
        count += 1
        values = {
            headings[name]: shown_value(value) for name, value in person.subscriber.fields.items() if name in headings
        }
        for row in _rows(person, values):
            writer.writerow({column: guarded(cell) for column, cell in row.items()})
    for entry in suppressed:
        writer.writerow(
            {
                "status": "suppressed",
                "created_at": entry.at.isoformat(),
                "suppressed": entry.reason.value,
                "history": guarded(entry.source),
                "suppressed_hash": f"{entry.address_hash} {entry.key_id}",
            }
        )
    return count


def export_json(people: Iterable[FullRecord], file: TextIO) -> int:
    """Write subscribers as a JSON array with one subscriber per line, and return the number of subscribers."""
    count = 0
    file.write("[")
    for person in people:
        file.write(",\n" if count else "\n")
        more = {"suppressed": person.suppressed is not None, "consent": list(map(event_as_json, person.consent))}
        file.write(json.dumps(as_json(person.subscriber) | more, ensure_ascii=False))
        count += 1
    file.write("\n]\n")
    return count


def as_json(subscriber: Subscriber) -> dict[str, Any]:
    """Return a subscriber as a dictionary for JSON, without the row number."""
    return {
        "uid": subscriber.uid,
        "email": subscriber.address,
        "name": subscriber.name,
        "language": subscriber.language,
        "status": subscriber.status.value,
        "created_at": subscriber.created_at.isoformat(timespec="seconds"),
        "joined_at": subscriber.joined_at.isoformat(timespec="seconds"),
        "subscriptions": [
            {"newsletter": each.newsletter, "topics": list(each.topics)}
            | ({"frequency": each.frequency} if each.frequency else {})
            for each in subscriber.records
            if each.is_subscribed
        ],
        "ended": [
            {
                "newsletter": record.newsletter,
                "topics": list(record.topics),
                "status": record.status.value,
                "since": record.since.isoformat(timespec="seconds") if record.since else None,
            }
            for record in subscriber.ended
        ],
        "tags": list(subscriber.tags),
        "fields": dict(subscriber.fields),
        "note": subscriber.note,
    }


def event_as_json(event: ConsentEvent) -> dict[str, str]:
    """Return an event in a history of consent as a dictionary for JSON."""
    return {
        "at": event.at.isoformat(timespec="seconds"),
        "what": event.what,
        "source": event.source,
        "detail": event.detail,
        "text_version": event.text_version,
        "ip": event.ip,
        "user_agent": event.user_agent,
    }


def _rows(person: FullRecord, values: Mapping[str, str]) -> Iterator[dict[str, str]]:
    """Yield the rows of a person. values: the fields' values, which only the first row contains."""
    subscriber = person.subscriber
    shared = {
        "email": subscriber.address,
        "name": subscriber.name,
        "language": subscriber.language,
        "status": subscriber.status.value,
        "uid": subscriber.uid,
    }
    first = {
        "joined_at": subscriber.confirmed_at.isoformat() if subscriber.confirmed_at else "",
        "created_at": subscriber.created_at.isoformat(),
        "paused_until": subscriber.paused_until.isoformat() if subscriber.paused_until else "",
        "suppressed": person.suppressed.reason.value if person.suppressed else "",
        "tags": ", ".join(subscriber.tags),
        "note": subscriber.note,
        **values,
    }
    nothing: dict[str, str] = {}
    for group, part in zip_longest(_groups(subscriber), _history(person), fillvalue=nothing):
        yield shared | first | group | part
        first = {}


def _groups(subscriber: Subscriber) -> Iterator[dict[str, str]]:
    """Yield the cells for each group of newsletters with the same topics and status; ended subscriptions come last."""
    groups: dict[tuple[Any, ...], list[str]] = {}
    for record in sorted(subscriber.records, key=lambda record: not record.is_subscribed):
        groups.setdefault((record.topics, record.status, record.since), []).append(record.newsletter)
    for (topics, status, since), names in groups.items():
        yield {
            "newsletters": " ".join(names),
            "topics": cell_of(topics),
            # For programs that know no other status: someone who left this newsletter must not be sent it.
            "status": (subscriber.status_in(names[0]) or subscriber.status).value,
            "newsletter_status": status.value,
            "newsletter_since": since.isoformat() if since else "",
        }
    if not groups:
        yield {}


def _history(person: FullRecord) -> Iterator[dict[str, str]]:
    """Yield the cells for data that does not fit into a table: the history of consent, and the cause of each status."""
    more: dict[str, Any] = {
        "causes": {
            each.newsletter: [each.cause.value, each.source, *filter(None, [each.frequency])]
            for each in person.subscriber.records
        }
    }
    if (entry := person.suppressed) is not None:
        more["suppressed"] = [entry.reason.value, entry.at.isoformat(), entry.source]
    waiting: list[Sequence[str]] = []
    size = 0
    for event in person.consent:
        cells = [event.at.isoformat(), event.what, event.source, event.detail]
        cells += [event.text_version, event.ip, event.user_agent]
        size += sum(map(len, cells))
        if size > MOST_OF_HISTORY and waiting:
            yield _history_cell(more, waiting)
            more, waiting, size = {}, [], 0
        waiting.append(cells)
    yield _history_cell(more, waiting)


def _history_cell(more: dict[str, Any], events: list[Sequence[str]]) -> dict[str, str]:
    return {"history": json.dumps(more | {"consent": events}, ensure_ascii=False, separators=(",", ":"))}
