"""People to a CSV or JSON file, as a stream."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable
from typing import Any, TextIO

from publisher.core.newsletter_models import Subscriber
from publisher.subscribers.formulas import guarded
from publisher.subscribers.topic_cells import cell_of

COLUMNS = ("email", "name", "newsletters", "topics", "language", "status", "created_at")


def export_csv(people: Iterable[Subscriber], file: TextIO) -> int:
    """Write people as CSV that the import reads back, and return how many there were.

    Someone with different topics for different newsletters takes a row for each choice. No cell is a
    formula. `file` is open with newline="".
    """
    writer = csv.writer(file, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    count = 0
    for person in people:
        count += 1
        for topics, newsletters in _choices(person).items():
            cells = (
                person.address,
                person.name,
                " ".join(newsletters),
                cell_of(topics),
                person.language,
                person.status.value,
                person.created_at.isoformat(timespec="seconds"),
            )
            writer.writerow([guarded(cell) for cell in cells])
    return count


def export_json(people: Iterable[Subscriber], file: TextIO) -> int:
    """Write people as one JSON array, a person a line, and return how many there were."""
    count = 0
    file.write("[")
    for person in people:
        file.write(",\n" if count else "\n")
        file.write(json.dumps(as_json(person), ensure_ascii=False))
        count += 1
    file.write("\n]\n")
    return count


def as_json(person: Subscriber) -> dict[str, Any]:
    """Return a person as JSON's own kinds; the store's number stays inside."""
    return {
        "uid": person.uid,
        "email": person.address,
        "name": person.name,
        "language": person.language,
        "status": person.status.value,
        "created_at": person.created_at.isoformat(timespec="seconds"),
        "subscriptions": [
            {"newsletter": wish.newsletter, "topics": list(wish.topics)} for wish in person.subscriptions
        ],
    }


def _choices(person: Subscriber) -> dict[tuple[str, ...], list[str]]:
    """Return the person's newsletters by the topics chosen for them; at least one entry."""
    choices: dict[tuple[str, ...], list[str]] = {}
    for wish in person.subscriptions:
        choices.setdefault(wish.topics, []).append(wish.newsletter)
    return choices or {(): []}
