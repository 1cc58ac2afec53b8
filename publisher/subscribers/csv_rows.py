"""Converting the rows of a subscriber file to subscribers, in the same way for the survey and for the import."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import field
from datetime import UTC, datetime
from functools import lru_cache
from shlex import quote

from publisher.core.characters import clean_line
from publisher.core.errors import SubscriberError
from publisher.core.frozen import dataclass
from publisher.core.newsletter_models import SubscriberStatus, Subscription
from publisher.core.subscriber_status import SubscriberEvent
from publisher.store.subscriber_records import NewSubscriber, address_key
from publisher.subscribers.address import normalise, shortened
from publisher.subscribers.csv_cells import date_of, topics_of
from publisher.subscribers.csv_columns import Columns, full_name
from publisher.subscribers.csv_fields import DetailReader
from publisher.subscribers.csv_file import CsvRow
from publisher.subscribers.csv_own import restored
from publisher.subscribers.csv_repeats import Repeats
from publisher.subscribers.csv_status import hardest
from publisher.subscribers.csv_status_words import Reading
from publisher.subscribers.csv_survey import LONGEST_DATE, FileQuestionError
from publisher.subscribers.languages import clean_language
from publisher.subscribers.manage import words

MOST_UNKNOWN = 100  # different unknown newsletters or languages that are counted
LONGEST_NAMES = 500  # characters in a cell of newsletters whose meaning is remembered
EARLIEST = datetime(1990, 1, 1, tzinfo=UTC)  # of dates on which people can have subscribed by email

# The status in a file -> the event that it means here.
SAYS: Mapping[SubscriberStatus, SubscriberEvent] = {
    SubscriberStatus.PENDING: SubscriberEvent.REQUESTED,
    SubscriberStatus.UNSUBSCRIBED: SubscriberEvent.LEFT,
    SubscriberStatus.BOUNCED: SubscriberEvent.BOUNCED,
    SubscriberStatus.COMPLAINED: SubscriberEvent.COMPLAINED,
    SubscriberStatus.SUPPRESSED: SubscriberEvent.SUPPRESSED,
}


@dataclass(frozen=True, slots=True)
class NamedNewsletters:
    """The newsletters of a project, and how files may name them.

    chosen  the newsletters for rows that name none
    known   all of them
    titles  title -> name
    """

    chosen: tuple[str, ...]
    known: frozenset[str]
    titles: Mapping[str, str] = field(default_factory=dict)

    def named(self, cell: str, meant: Mapping[str, str]) -> tuple[str, ...]:
        """Return the names of the newsletters in a cell.

        meant: what values of this column mean according to the operator.
        Raises SubscriberError if a newsletter does not exist.
        """
        if (name := self._one(cell, meant)) is not None:
            return (name,)
        parts, found = [part.strip() for part in cell.replace(";", ",").split(",") if part.strip()], []
        while parts:
            # A title may contain a comma, so the longest match counts.
            sizes = range(len(parts), 0, -1)
            size = next((size for size in sizes if self._one(", ".join(parts[:size]), meant) is not None), 0)
            if not size:
                break
            found.append(self._one(", ".join(parts[:size]), meant) or "")
            parts = parts[size:]
        for word in words(" ".join(parts)):
            if word not in self.known:
                raise SubscriberError(f"there is no newsletter {shortened(parts[0] if self.titles else word)!r}")
            found.append(word)
        return tuple(dict.fromkeys(found))

    def _one(self, text: str, meant: Mapping[str, str]) -> str | None:
        if text in self.known:
            return text
        name = meant.get(text.lower(), "") or self.titles.get(_folded(text), "")
        return name if name in self.known else None


def titles_of(newsletters: Mapping[str, str]) -> dict[str, str]:
    """Return `titles` for NamedNewsletters, from name -> title. A title shared by two newsletters means neither."""
    counts = Counter(_folded(title) for title in newsletters.values())
    return {_folded(title): name for name, title in newsletters.items() if title and counts[_folded(title)] == 1}


def _folded(text: str) -> str:
    return " ".join(text.casefold().replace(";", ",").split())


@lru_cache(maxsize=1_000)
def _wishes(names: tuple[str, ...], topics: tuple[tuple[str, ...], ...]) -> tuple[Subscription, ...]:
    return tuple(map(Subscription, names, topics))


@lru_cache(maxsize=1_000)
def _consent(said: str, joined: str) -> str:
    joined = clean_line(joined, 40)
    return "; ".join(part for part in (said, joined and f"since {joined}") if part)


@dataclass(slots=True)
class RowReader:
    """Converts the rows of a file.

    forced       the status that the operator gives to every row; ACTIVE if none
    at           the time of the import; later dates are mistakes
    has_posts    whether there are posts about a topic; None if that is not known
    unreadable   name of a newsletter that does not exist -> rows
    languages    language that is not understood -> rows
    nothing      rows whose topics occur in no post
    details      reads tags, notes and fields
    """

    columns: Columns
    newsletters: NamedNewsletters
    consent: str
    at: datetime
    forced: SubscriberStatus = SubscriberStatus.ACTIVE
    day_first: bool | None = None
    has_posts: Callable[[str], bool] | None = None
    repeats: Repeats | None = None
    details: DetailReader = field(default_factory=DetailReader)
    unreadable: Counter[str] = field(default_factory=Counter)
    languages: Counter[str] = field(default_factory=Counter)
    named: int = 0
    nothing: int = 0
    _named: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def look(self, row: CsvRow) -> None:
        """Look at a row before the import: the newsletters that it names, and whether its choices repeat earlier ones.

        Its values also show the kinds of its fields.
        """
        if row.fault:
            return
        self.details.look(row.cells)
        if "newsletters" not in self.columns.fields and "topics" not in self.columns.fields:
            return
        try:
            names = self._newsletters(row)
        except SubscriberError:
            if len(self.unreadable) < MOST_UNKNOWN:
                self.unreadable[self.columns.cell(row.cells, "newsletters")[:LONGEST_NAMES]] += 1
            return
        self.named += 1
        with suppress(SubscriberError):
            if self.repeats is None or not self.columns.cell(row.cells, "topics"):
                return
            if not self._is_about_mailbox(row, self.status(row)):
                key = address_key(normalise(self.address(row)))
                for name in names:
                    self.repeats.add(key, name, row.line)

    def questions(self) -> list[FileQuestionError]:
        """Return the questions after looking at all rows: one about each column whose newsletters are all unknown."""
        if self.named or not self.unreadable:
            return []
        column = self.columns.header[self.columns.fields["newsletters"]]
        names = ", ".join(repr(shortened(clean_line(name, 80), 40)) for name, _ in self.unreadable.most_common(3))
        first = shortened(clean_line(self.unreadable.most_common(1)[0][0], 80), 40)
        return [
            FileQuestionError(
                f"no row of the column {column!r} names a newsletter of this project: {names}",
                hint=f"--map {quote(f'{column}:{first}=NAME')} for each of them,"
                " or --map newsletters= to ignore the column and use --newsletter",
                column=column,
            )
        ]

    def address(self, row: CsvRow) -> str:
        """Return the address in a row, as it is written."""
        return self.columns.cell(row.cells, "email")

    def status(self, row: CsvRow) -> SubscriberStatus:
        """Return the status that a row, or the operator, gives to a person."""
        if not self.columns.statuses:
            return self.forced
        return hardest([self.columns.status(row.cells), self.forced])

    def status_of(self, rows: Sequence[CsvRow]) -> SubscriberStatus:
        """Return the status of the person in several rows of our own export.

        Someone who has left one newsletter may still get others.
        """
        if len(rows) == 1:
            return self.status(rows[0])
        found = [self.status(row) for row in rows]
        worst = hardest(found)
        others = worst is SubscriberStatus.UNSUBSCRIBED and SubscriberStatus.ACTIVE in found
        return SubscriberStatus.ACTIVE if others else worst

    def gone_as(self, rows: Sequence[CsvRow]) -> SubscriberStatus:
        """Return the status of a person who gets no email; UNSUBSCRIBED for a person who left only one newsletter."""
        status = self.status_of(rows)
        return SubscriberStatus.UNSUBSCRIBED if status is SubscriberStatus.ACTIVE else status

    def subscriber(self, rows: Sequence[CsvRow]) -> NewSubscriber:
        """Return the subscriber in a row, or in several rows of our own export.

        If the rows are refused, raises SubscriberError with the reason.
        """
        row = rows[0]
        for each in rows:
            if each.fault:
                raise SubscriberError(each.fault)
        cell, status = self.columns.cell, self.status_of(rows)
        address, is_active = normalise(self.address(row)), status is SubscriberStatus.ACTIVE
        wishes = [self._subscriptions(each, status) for each in rows]
        if is_active and self.has_posts is not None and (topics := topics_of(cell(row.cells, "topics"))):
            self.nothing += not any(map(self.has_posts, topics))
        joined = self.columns.joined_at(row.cells)
        language = self._language(cell(row.cells, "language"))
        person = NewSubscriber(
            address=address,
            name=self.details.name(row.line, full_name(self.columns, row.cells)),
            language=language,
            subscriptions=wishes[0],
            consent=self._consent(joined),
            joined_at=self._moment(joined),
            says=SAYS.get(status),
            said_at=None if is_active else self._said_at(row, status),
            tags=self.details.tags_in(row.cells),
            fields=self.details.values(row.line, row.cells, self.day_first),
            note=self.details.note_in(row.line, row.cells),
        )
        return restored(self.columns, rows, wishes, person, status) if self._is_own else person

    @property
    def _is_own(self) -> bool:
        """Whether Publisher exported the file, and the operator has not given its people a different status."""
        return self.columns.tool == "Publisher" and self.forced is SubscriberStatus.ACTIVE

    def _subscriptions(self, row: CsvRow, status: SubscriberStatus) -> tuple[Subscription, ...]:
        """Return the newsletters and topics in a row; if the person must not get email, those that they left.

        In that case, a row without newsletters means all newsletters that the person had, and unknown names do not
        matter.
        """
        is_active = status is SubscriberStatus.ACTIVE
        try:
            names = self._newsletters(row)
        except SubscriberError:
            if is_active or self._is_own:
                raise
            return ()
        if self._is_about_mailbox(row, status):
            return ()
        if is_active and not names and not self._is_own:
            raise SubscriberError("it does not name a newsletter")
        topics = topics_of(cell) if (cell := self.columns.cell(row.cells, "topics")) else ()
        chosen = (topics,) * len(names)
        if cell and self.repeats is not None:
            chosen = tuple(() if self.repeats.repeats(name, row.line) else topics for name in names)
        found = _wishes(names, chosen) if len(cell) <= LONGEST_NAMES else _wishes.__wrapped__(names, chosen)
        everything = not is_active and set(names) == self.newsletters.known and not self._is_own
        return () if everything else found

    def _language(self, cell: str) -> str:
        language = clean_language(cell) if cell else ""
        if cell and not language and len(self.languages) < MOST_UNKNOWN:
            self.languages[clean_line(cell, 60)] += 1
        return language

    def _is_about_mailbox(self, row: CsvRow, status: SubscriberStatus) -> bool:
        """Return whether a row is about a dead mailbox or a complaint, and not about newsletters."""
        others = (SubscriberStatus.ACTIVE, SubscriberStatus.UNSUBSCRIBED)
        return status not in others and not self.columns.cell(row.cells, "newsletters")

    def _newsletters(self, row: CsvRow) -> tuple[str, ...]:
        cell = self.columns.cell(row.cells, "newsletters")
        if not cell:
            return () if self._is_own else self.newsletters.chosen
        if (known := self._named.get(cell)) is not None:
            return known
        place = self.columns.fields["newsletters"]
        meant = {value: name for (column, value), name in self.columns.values.items() if column == place}
        names = self.newsletters.named(cell, meant)
        if len(self._named) < MOST_UNKNOWN and len(cell) <= LONGEST_NAMES:
            self._named[cell] = names
        return names

    def _consent(self, joined: str) -> str:
        return (_consent if len(joined) <= LONGEST_DATE else _consent.__wrapped__)(self.consent, joined)

    def _moment(self, cell: str) -> datetime | None:
        found = date_of(cell, day_first=self.day_first) if cell else None
        return found if found is not None and EARLIEST <= found <= self.at else None

    def _said_at(self, row: CsvRow, status: SubscriberStatus) -> datetime | None:
        """Return when a person left, according to columns that say so with a date.

        Tools that treat a complaint as unsubscribing give its date in the column for unsubscribing.
        """
        dates = [
            (moment, column.verdict(row.cells[column.place]))
            for column in self.columns.speaking(row.cells)
            if column.reading is Reading.AGAINST and column.place < len(row.cells)
            if (moment := self._moment(row.cells[column.place]))
        ]
        exact = [moment for moment, said in dates if said is status]
        if not exact and status is SubscriberStatus.COMPLAINED:
            exact = [moment for moment, said in dates if said is not SubscriberStatus.ACTIVE]
        return max(exact, default=None)
