"""People from a CSV file, row by row: any size, any number of times, and each refusal by its line."""

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
from publisher.subscribers.address import clean_language, clean_line, clean_name, normalise, shortened
from publisher.subscribers.csv_columns import Columns, full_name, topics_of, why_not
from publisher.subscribers.csv_file import CsvFile, CsvRow
from publisher.subscribers.manage import words

if TYPE_CHECKING:
    from publisher.store import Store
    from publisher.store.additions import AddOptions, NewSubscriber

GROUP = 1_000  # rows in one transaction
LONGEST_CONSENT = 300  # characters
MOST_TOPICS = 1_000  # that are remembered for the report


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
    updated     people who were known and have other topics now
    topics      those that the rows name, at most MOST_TOPICS of them
    """

    rows: int
    added: int
    subscribed: int
    unchanged: int
    refused: int
    updated: int = 0
    topics: tuple[str, ...] = ()


def _nobody(refusal: Refusal) -> None:
    """Tell nobody of a refusal."""


def _unwatched(rows: int, of_about: int) -> None:
    """Show no progress."""


@dataclass(frozen=True, slots=True)
class Listeners:
    """Who is told while an import goes on.

    columns   how the file is read, before anything is written
    refused   each row that is not taken
    progress  rows so far, and about how many there are
    """

    columns: Callable[[Columns], None] = lambda columns: None
    refused: Callable[[Refusal], None] = _nobody
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
    told: Listeners | None = None,
) -> ImportReport:
    """Add the people of a CSV file (UTF-8; comma, semicolon or tab), and record where their consent came from.

    Columns are recognised by the names that Publisher, Mailchimp, Substack, Ghost, Buttondown and listmonk give
    them, or as `chosen` says (field -> name of the column). A row without newsletters gets `newsletters`;
    `known` are those that exist. consent: in the operator's words, where these people agreed; it is recorded
    with each who is new, beside the file's name and the day that the file gives. Topics that a row names are those
    of a known person too from now on; a row without any leaves them. Nobody is brought back who is
    known and not active, and nobody is taken whom the file itself calls anything but active. Doing it again,
    or after it was interrupted, changes nothing that is done. dry_run: tell what would become of each row,
    and write nothing; an address that stands twice in the file may then be counted twice.

    Memory stays flat. Raises SubscriberError where the file cannot be read, its first line names no address
    column, or `chosen` names what there is not.
    """
    from publisher.store.additions import AddOptions

    told = told or Listeners()
    with CsvFile(path, chosen or {}) as rows:
        told.columns(rows.columns)
        terms = AddOptions(at, f"import {clean_line(path.name, 100)}", SubscriberEvent.IMPORTED)
        people = _People(rows.columns, tuple(newsletters), frozenset(known), clean_line(consent, LONGEST_CONSENT))
        run = _Import(store, people, terms, dry_run, told.refused)
        records = iter(rows)
        try:
            while group := list(islice(records, GROUP)):
                run.add(group)
                told.progress(run.counts["rows"], round(run.counts["rows"] / (rows.share or 1)))
        except OSError as error:
            raise SubscriberError(f"cannot be read: {error.strerror}", where=str(path)) from error
    return run.report()


@dataclass(frozen=True, slots=True)
class _People:
    """What makes people of rows."""

    columns: Columns
    newsletters: tuple[str, ...]
    known: frozenset[str]
    consent: str

    def subscriber(self, row: CsvRow) -> NewSubscriber:
        """Return the person of a row. Raises SubscriberError with the reason against it."""
        from publisher.store.additions import NewSubscriber

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
            raise SubscriberError("it names no newsletter")
        return chosen

    def _consent(self, row: CsvRow) -> str:
        joined = clean_line(self.columns.joined_at(row.cells), 40)
        return "; ".join(part for part in (self.consent, joined and f"since {joined}") if part)


@dataclass(frozen=True, slots=True)
class _Import:
    """One file on its way in."""

    store: Store
    people: _People
    terms: AddOptions
    dry_run: bool
    refused: Callable[[Refusal], None]
    counts: Counter[str] = field(default_factory=Counter)
    topics: set[str] = field(default_factory=set)

    def add(self, group: list[CsvRow]) -> None:
        """Add the people of some rows in one transaction."""
        self.counts["rows"] += len(group)
        people: list[tuple[CsvRow, NewSubscriber]] = []
        for row in group:
            try:
                people.append((row, self.people.subscriber(row)))
            except SubscriberError as error:
                self._refuse(row, error.message)
        new = [subscriber for _, subscriber in people]
        added = self.store.subscribers.add_all(new, self.terms, dry_run=self.dry_run) if new else []
        for (row, subscriber), result in zip(people, added, strict=True):
            if result.refused:
                self._refuse(row, f"{subscriber.address} {result.reason}")
            else:
                self.counts[result] += 1
                if len(self.topics) < MOST_TOPICS:
                    self.topics.update(topic for wish in subscriber.subscriptions for topic in wish.topics)

    def report(self) -> ImportReport:
        """Return the counts so far."""
        of = self.counts
        topics = tuple(sorted(self.topics)[:MOST_TOPICS])
        return ImportReport(
            of["rows"], of["added"], of["subscribed"], of["unchanged"], of["refused"], of["updated"], topics
        )

    def _refuse(self, row: CsvRow, reason: str) -> None:
        self.counts["refused"] += 1
        self.refused(Refusal(row.line, shortened(self.people.address(row)), reason))
