"""Importing subscribers from a CSV file of any size. A file can be imported again, and each refusal is reported."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from publisher.core.errors import SubscriberError
from publisher.core.newsletter_models import Subscription
from publisher.core.subscriber_status import SubscriberEvent
from publisher.store.subscriber_records import AddOptions, NewSubscriber
from publisher.subscribers.address import clean_language, clean_line, clean_name, normalise, shortened
from publisher.subscribers.csv_columns import Columns, full_name, topics_of, why_not
from publisher.subscribers.csv_file import CsvFile, CsvRow
from publisher.subscribers.manage import LONGEST_CONSENT, words

if TYPE_CHECKING:
    from publisher.store import Store

GROUP = 1_000  # rows in one transaction
MOST_TOPICS = 1_000  # topics that are kept for the report


@dataclass(frozen=True, slots=True)
class Refusal:
    """A row that was not imported. Its `line` is counted from 1, including the header."""

    line: int
    address: str
    reason: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.reason}"


@dataclass(frozen=True, slots=True)
class ImportReport:
    """The result of importing a file, as numbers of rows.

    subscribed  rows that subscribed a known subscriber to another newsletter
    unchanged   rows that changed nothing for a known subscriber
    updated     rows that changed the topics of a known subscriber
    topics      the topics in the rows, MOST_TOPICS at most
    """

    rows: int
    added: int
    subscribed: int
    unchanged: int
    refused: int
    updated: int = 0
    topics: tuple[str, ...] = ()


def _unreported(refusal: Refusal) -> None:
    """Ignore a refusal."""


def _unwatched(rows: int, of_about: int) -> None:
    """Ignore progress."""


@dataclass(frozen=True, slots=True)
class Listeners:
    """The functions that are called during an import.

    columns   called with the mapping of the columns, before anything is written
    refused   called with each row that is not imported
    progress  called with the number of rows so far, and the approximate number of all rows
    """

    columns: Callable[[Columns], None] = lambda columns: None
    refused: Callable[[Refusal], None] = _unreported
    progress: Callable[[int, int], None] = _unwatched


def import_csv(
    store: Store,
    path: Path,
    *,
    newsletters: Sequence[str],
    known: Collection[str],
    at: datetime,
    consent: str = "",
    chosen: Mapping[str, str] | None = None,
    dry_run: bool = False,
    listeners: Listeners | None = None,
) -> ImportReport:
    """Add the subscribers in a CSV file (UTF-8; comma, semicolon or tab), and record where their consent came from.

    Topics in a row replace the topics of a known subscriber; a row without topics leaves them alone. A row is refused
    if the database knows the subscriber and they are not active, or if the file itself says that they are not active.
    Importing the same file again, for example after an interruption, changes nothing for rows that were already
    imported. Memory use stays constant.

    newsletters  the newsletters for rows that name none
    known        the newsletters that exist
    consent      where these people gave their consent, in the operator's words. It is stored for each new subscriber,
                 along with the name of the file and the date of consent in the file
    chosen       field -> column name. All other columns are recognised by the names that Publisher, Mailchimp,
                 Substack, Ghost, Buttondown and listmonk use
    dry_run      report what would happen to each row, but write nothing. An address that is in the file twice may
                 then be counted twice

    Raises SubscriberError if the file cannot be read, if its first line does not name a column with addresses, or if
    `chosen` names something that does not exist.
    """
    listeners = listeners or Listeners()
    with CsvFile(path, chosen or {}) as rows:
        listeners.columns(rows.columns)
        options = AddOptions(at, f"import {clean_line(path.name, 100)}", SubscriberEvent.IMPORTED)
        reader = _RowReader(rows.columns, tuple(newsletters), frozenset(known), clean_line(consent, LONGEST_CONSENT))
        run = _Import(store, reader, options, dry_run, listeners.refused)
        records = iter(rows)
        try:
            while group := list(islice(records, GROUP)):
                run.add(group)
                listeners.progress(run.counts["rows"], round(run.counts["rows"] / (rows.share or 1)))
        except OSError as error:
            raise SubscriberError(f"cannot be read: {error.strerror}", where=str(path)) from error
    return run.report()


@dataclass(frozen=True, slots=True)
class _RowReader:
    """Converts the rows of a file to subscribers."""

    columns: Columns
    newsletters: tuple[str, ...]
    known: frozenset[str]
    consent: str

    def subscriber(self, row: CsvRow) -> NewSubscriber:
        """Return the subscriber in a row. If the row is refused, raises SubscriberError with the reason."""
        if row.fault:
            raise SubscriberError(row.fault)
        cell = self.columns.cell
        if against := why_not(self.columns, row.cells):
            raise SubscriberError(f"{shortened(self.address(row))} is {shortened(against)} in the file")
        topics = topics_of(cell(row.cells, "topics"))
        return NewSubscriber(
            address=normalise(self.address(row)),
            name=clean_name(full_name(self.columns, row.cells)),
            language=clean_language(cell(row.cells, "language")),
            subscriptions=tuple(Subscription(name, topics) for name in self._newsletters(row)),
            consent=self._consent(row),
        )

    def address(self, row: CsvRow) -> str:
        return self.columns.cell(row.cells, "email")

    def _newsletters(self, row: CsvRow) -> tuple[str, ...]:
        chosen = words(self.columns.cell(row.cells, "newsletters")) or self.newsletters
        for name in chosen:
            if name not in self.known:
                raise SubscriberError(f"there is no newsletter {shortened(name)!r}")
        if not chosen:
            raise SubscriberError("it does not name a newsletter")
        return chosen

    def _consent(self, row: CsvRow) -> str:
        joined = clean_line(self.columns.joined_at(row.cells), 40)
        return "; ".join(part for part in (self.consent, joined and f"since {joined}") if part)


@dataclass(frozen=True, slots=True)
class _Import:
    """The import of one file."""

    store: Store
    reader: _RowReader
    options: AddOptions
    dry_run: bool
    refused: Callable[[Refusal], None]
    counts: Counter[str] = field(default_factory=Counter)
    topics: set[str] = field(default_factory=set)

    def add(self, group: list[CsvRow]) -> None:
        """Add the subscribers in a group of rows in one transaction."""
        self.counts["rows"] += len(group)
        found: list[tuple[CsvRow, NewSubscriber]] = []
        for row in group:
            try:
                found.append((row, self.reader.subscriber(row)))
            except SubscriberError as error:
                self._refuse(row, error.message)
        new = [subscriber for _, subscriber in found]
        added = self.store.subscribers.add_all(new, self.options, dry_run=self.dry_run) if new else []
        for (row, subscriber), done in zip(found, added, strict=True):
            if done.reason:
                self._refuse(row, f"{subscriber.address} {done.reason}")
            else:
                self.counts[done.result] += 1
                if len(self.topics) < MOST_TOPICS:
                    self.topics.update(topic for wish in subscriber.subscriptions for topic in wish.topics)

    def report(self) -> ImportReport:
        """Return a report of the rows so far."""
        of = self.counts
        topics = tuple(sorted(self.topics)[:MOST_TOPICS])
        return ImportReport(
            of["rows"], of["added"], of["subscribed"], of["unchanged"], of["refused"], of["updated"], topics
        )

    def _refuse(self, row: CsvRow, reason: str) -> None:
        self.counts["refused"] += 1
        self.refused(Refusal(row.line, shortened(self.reader.address(row)), reason))
