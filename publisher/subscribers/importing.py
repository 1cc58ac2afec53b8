"""People from a CSV file, row by row: any size, any number of times, and each refusal by its line."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from publisher.errors import SubscriberError
from publisher.model import SubscriberStatus, Subscription
from publisher.subscribers.address import clean_name, normalise, shortened
from publisher.subscribers.formulas import unguarded
from publisher.subscribers.subscribe import words

if TYPE_CHECKING:
    from publisher.store import Store
    from publisher.store.additions import NewSubscriber

GROUP = 1_000  # rows in one transaction
ADDRESS_COLUMNS = ("email", "address")


@dataclass(frozen=True, slots=True)
class Refusal:
    """A row that was not taken. line counts from 1, the header included."""

    line: int
    address: str
    reason: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.reason}"


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What became of the rows of one file.

    subscribed  people who were known and gained a newsletter
    unchanged   people who had all of it already
    """

    rows: int
    added: int
    subscribed: int
    unchanged: int
    refused: int


@dataclass(frozen=True, slots=True)
class _Row:
    """One record of the file: its cells by column, or what is wrong with it."""

    line: int
    cells: dict[str, str]
    fault: str = ""


def import_csv(
    store: Store,
    path: Path,
    *,
    newsletters: Sequence[str],
    known: Collection[str],
    at: datetime,
    refused: Callable[[Refusal], None] = lambda refusal: None,
    progress: Callable[[int], None] = lambda rows: None,
) -> ImportReport:
    """Add the people of a CSV file (UTF-8; comma, semicolon or tab), and record the file as the source of
    consent.

    Columns: email or address; and, where present, name, newsletters and topics (lists separated by spaces or
    semicolons), language, status. Others are passed by. A row without newsletters gets `newsletters`;
    `known` are those that exist. Nobody who is known and not active is brought back, and nobody whose
    status in the file is not active is taken. Doing it again, or after it was interrupted, changes nothing
    that is done.

    refused: told of each row that is not taken. progress: told the number of rows so far. Memory stays
    flat. Raises SubscriberError where the file cannot be read or its first line names no address column.
    """
    run = _Import(store, tuple(newsletters), frozenset(known), at, f"import {path.name}", refused)
    try:
        with path.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as file:
            rows = _rows(file, path)
            while group := list(islice(rows, GROUP)):
                run.add(group)
                progress(run.counts["rows"])
    except OSError as error:
        raise SubscriberError(f"cannot be read: {error.strerror}", where=str(path)) from error
    return run.report()


@dataclass(frozen=True, slots=True)
class _Import:
    """One file on its way in."""

    store: Store
    newsletters: tuple[str, ...]
    known: frozenset[str]
    at: datetime
    source: str
    refused: Callable[[Refusal], None]
    counts: Counter[str] = field(default_factory=Counter)

    def add(self, group: list[_Row]) -> None:
        """Add the people of some rows in one transaction."""

        self.counts["rows"] += len(group)
        people: list[tuple[_Row, NewSubscriber]] = []
        for row in group:
            try:
                people.append((row, _person(row, self.newsletters, self.known)))
            except SubscriberError as error:
                self._refuse(row, error.message)
        new = [person for _, person in people]
        added = self.store.subscribers.add_many(new, at=self.at, source=self.source) if new else []
        for (row, person), result in zip(people, added, strict=True):
            if result.refused:
                self._refuse(row, f"{person.address} left, bounced or complained, and is not brought back")
            else:
                self.counts[result] += 1

    def report(self) -> ImportReport:
        """Return the counts so far."""
        of = self.counts
        return ImportReport(of["rows"], of["added"], of["subscribed"], of["unchanged"], of["refused"])

    def _refuse(self, row: _Row, reason: str) -> None:
        self.counts["refused"] += 1
        self.refused(Refusal(row.line, shortened(_address(row)), reason))


def _person(row: _Row, newsletters: tuple[str, ...], known: frozenset[str]) -> NewSubscriber:
    """Return the person of a row. Raises SubscriberError with the reason against it."""
    from publisher.store.additions import NewSubscriber

    if row.fault:
        raise SubscriberError(row.fault)
    status = row.cells.get("status", "").lower()
    if status and status != SubscriberStatus.ACTIVE:
        raise SubscriberError(f"{shortened(_address(row))} is {shortened(status)} in the file")
    chosen = words(row.cells.get("newsletters", "")) or newsletters
    unknown = [name for name in chosen if name not in known]
    if unknown:
        raise SubscriberError(f"there is no newsletter {shortened(unknown[0])!r}")
    if not chosen:
        raise SubscriberError("it names no newsletter")
    topics = words(row.cells.get("topics", ""))
    return NewSubscriber(
        address=normalise(_address(row)),
        name=clean_name(row.cells.get("name", "")),
        language=row.cells.get("language", "")[:35],
        subscriptions=tuple(Subscription(name, topics) for name in chosen),
    )


def _rows(file: TextIO, path: Path) -> Iterator[_Row]:
    """Yield the records after the header, empty ones left out."""
    first = file.readline()
    delimiter = max(",;\t", key=first.count)
    reader = csv.reader(chain([first], file), delimiter=delimiter)
    header = [cell.strip().lower() for cell in next(reader, [])]
    if not any(column in header for column in ADDRESS_COLUMNS):
        raise SubscriberError(
            "the first line names no address column",
            where=f"{path}:1",
            mend="it must name the columns, one of them email, in a UTF-8 file",
        )
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:  # a quote that is never closed, say; the next line begins a new record
            yield _Row(line, {}, f"the line cannot be read: {error}")
            continue
        if any(cell.strip() for cell in cells):
            yield _row(line, header, cells)


def _row(line: int, header: list[str], cells: list[str]) -> _Row:
    by_column = {name: unguarded(cell.strip()) for name, cell in zip(header, cells, strict=False)}
    fault = ""
    if any("\udc80" <= character <= "\udcff" for cell in cells for character in cell):
        fault = "the line is not UTF-8"
    elif len(cells) > len(header):
        fault = f"it has {len(cells)} cells, and the first line names {len(header)} columns"
    return _Row(line, by_column, fault)


def _address(row: _Row) -> str:
    return next((row.cells[column] for column in ADDRESS_COLUMNS if row.cells.get(column)), "")
