"""Exporting subscribers to a CSV or JSON file, one at a time."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable
from typing import Any, TextIO

from publisher.core.newsletter_models import Subscriber
from publisher.subscribers.csv_columns import cell_of, guarded

COLUMNS = ("email", "name", "newsletters", "topics", "language", "status", "created_at")


def export_csv(subscribers: Iterable[Subscriber], file: TextIO) -> int:
    """Write subscribers as CSV that the import can read, and return the number of subscribers.

    A subscriber with different topics for different newsletters takes up several rows. Spreadsheets do not treat any
    cell as a formula.
    file: a text file that was opened with newline="".
    """
    writer = csv.writer(file, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    count = 0
    for subscriber in subscribers:
        count += 1
        for topics, newsletters in _choices(subscriber).items():
            cells = (
                subscriber.address,
                subscriber.name,
                " ".join(newsletters),
                cell_of(topics),
                subscriber.language,
                subscriber.status.value,
                subscriber.created_at.isoformat(timespec="seconds"),
            )
            writer.writerow([guarded(cell) for cell in cells])
    return count


def export_json(subscribers: Iterable[Subscriber], file: TextIO) -> int:
    """Write subscribers as a JSON array with one subscriber per line, and return the number of subscribers."""
    count = 0
    file.write("[")
    for subscriber in subscribers:
        file.write(",\n" if count else "\n")
        file.write(json.dumps(as_json(subscriber), ensure_ascii=False))
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
        "subscriptions": [
            {"newsletter": wish.newsletter, "topics": list(wish.topics)} for wish in subscriber.subscriptions
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
    }


def _choices(subscriber: Subscriber) -> dict[tuple[str, ...], list[str]]:
    """Return selection of topics -> newsletters that have it. There is an entry even without newsletters."""
    choices: dict[tuple[str, ...], list[str]] = {}
    for wish in subscriber.subscriptions:
        choices.setdefault(wish.topics, []).append(wish.newsletter)
    return choices or {(): []}
