"""Imports and exports files of subscribers in a test."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from publisher.store import Store
from publisher.subscribers.csv_columns import Columns, parse_choices
from publisher.subscribers.csv_import import ImportOptions, ImportReport, Listeners, RowResult, import_csv
from publisher.subscribers.csv_rows import NamedNewsletters, titles_of
from publisher.subscribers.csv_status import STATUS_NAMES
from publisher.subscribers.export import export_csv
from tests.support.store_samples import NOW


class Imported:
    """The results of an import: its report, its refusals, all remaining rows, and the columns."""

    def __init__(self) -> None:
        self.refusals: list[RowResult] = []
        self.rows: list[RowResult] = []
        self.seen: list[Columns] = []
        self.report = ImportReport(0, 0, 0, 0, 0)

    @property
    def refused(self) -> list[str]:
        return [str(refusal) for refusal in self.refusals]

    @property
    def columns(self) -> Columns:
        return self.seen[0]

    @property
    def kept(self) -> dict[str, int]:
        return {status.value: rows.count for status, rows in self.report.kept.items()}


def bring_file(
    store: Store,
    path: Path,
    *maps: str,
    newsletters: Sequence[str] = ("weekly",),
    known: Sequence[str] = ("weekly", "daily"),
    titles: dict[str, str] | None = None,
    at: datetime = NOW,
    status: str = "",
    dry_run: bool = False,
    **options: Any,
) -> Imported:
    """Import a file."""
    done = Imported()
    done.report = import_csv(
        store,
        path,
        NamedNewsletters(tuple(newsletters), frozenset(known), titles_of(titles or {})),
        at=at,
        options=ImportOptions(choices=parse_choices(maps), status=STATUS_NAMES.get(status), **options),
        dry_run=dry_run,
        listeners=Listeners(columns=done.seen.append, refused=done.refusals.append, row=done.rows.append),
    )
    assert sum(row.refused for row in done.refusals) <= done.report.refused
    others = done.report.refused + done.report.left_behind
    assert done.report.rows == done.report.mailed + done.report.not_mailed + others
    return done


def bring(store: Store, path: Path, text: str | bytes, *maps: str, **options: Any) -> Imported:
    """Import a file with this content."""
    path.write_bytes(text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass"))
    return bring_file(store, path, *maps, **options)


def export_to(store: Store, path: Path) -> int:
    """Export all subscribers to a file, like the command."""
    with path.open("w", newline="", encoding="utf-8-sig") as out:
        people, fields = store.subscribers.full_records(), store.subscribers.known_fields()
        return export_csv(people, store.suppressions.entries(), out, fields)
