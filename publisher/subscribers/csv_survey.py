"""Reading a subscriber file once before anything is imported, to find questions and repeated rows.

If it is unclear how a file says who must not get email, the operator is asked. All questions about a file are asked at
once, and each names the option that answers it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice, takewhile
from shlex import quote

from publisher.core.characters import clean_line
from publisher.core.errors import PublisherError, SubscriberError
from publisher.core.newsletter_models import SubscriberStatus
from publisher.subscribers.address import shortened
from publisher.subscribers.csv_cells import day_comes_first
from publisher.subscribers.csv_columns import Columns
from publisher.subscribers.csv_file import CsvFile, CsvRow
from publisher.subscribers.csv_source import is_text, likely_encoding
from publisher.subscribers.csv_status import (
    LONGEST_WORD,
    STATUS_WORDS,
    StatusColumn,
    is_date_of_joining,
    is_unclear,
    status_of_file,
    telling_word,
)
from publisher.subscribers.csv_status_words import Reading

MOST_SAMPLES = 3  # values that a question quotes
MOST_ASKED = 20  # values of a column that a question names
MOST_SHOWN = 10  # lines that a question lists
MOST_VALUES = 1_000  # different values of a column that are examined
LONGEST_DATE = 60  # characters
MOST_DATES = 5_000  # cells of a column, to find the order of day and month


class FileQuestionError(PublisherError):
    """Something that the operator must say about a file. The hint names the command's option for that.

    column  the name of the column that it is about; "" if it is about the file
    values  some of the values in the column that are not understood
    """

    def __init__(
        self, message: str, *, hint: str, where: str = "", column: str = "", values: Sequence[str] = ()
    ) -> None:
        super().__init__(message, where=where, hint=hint)
        self.column, self.values = column, tuple(values)


class QuestionsError(SubscriberError):
    """Raised with questions that must be answered before a file can be imported. Nothing was written."""

    def __init__(self, questions: Iterable[FileQuestionError], where: str) -> None:
        self.questions = [
            FileQuestionError(each.message, where=where, hint=each.hint, column=each.column, values=each.values)
            for each in questions
        ]
        super().__init__("; ".join(map(str, self.questions)))

    def __str__(self) -> str:
        return "; ".join(self.lines())

    def lines(self) -> list[str]:
        """Return a line for each question."""
        return [str(question) for question in self.questions]


@dataclass(slots=True)
class _Found:
    """The meanings of the cells of a column.

    statuses  status -> rows that say so
    unknown   value that is not understood -> rows
    line      the line of the first value that is not understood
    dates     some of the column's cells, if they are dates
    """

    statuses: Counter[SubscriberStatus] = field(default_factory=Counter)
    unknown: Counter[str] = field(default_factory=Counter)
    line: int = 0

    @property
    def against(self) -> int:
        """The number of rows in which the column says that the person must not get email."""
        return sum(count for status, count in self.statuses.items() if status is not SubscriberStatus.ACTIVE)

    def add(self, row: CsvRow, cell: str, status: SubscriberStatus | None) -> None:
        """Count a row."""
        if status is not None:
            self.statuses[status] += 1
            return
        self.line = self.line or row.line
        cell = cell[:LONGEST_WORD]
        if cell in self.unknown or len(self.unknown) < MOST_VALUES:
            self.unknown[cell] += 1

    @property
    def samples(self) -> str:
        """Some of the values that are not understood, with the line of the first one."""
        values = ", ".join(
            repr(shortened(clean_line(cell, 80), 30)) for cell, _ in self.unknown.most_common(MOST_SAMPLES)
        )
        more = ", ..." if len(self.unknown) > MOST_SAMPLES else ""
        return f"{values}{more}; first in line {self.line}"


@dataclass(slots=True)
class Survey:
    """The contents of a file, as a first reading finds them.

    rows       its records
    columns    the columns; the status columns are only those that say who must not get email
    day_first  whether ambiguous dates begin with the day; None if that is unknown
    opted_in   rows with a date of consent
    against    rows in which a column says that the person must not get email
    coded      likely encoding -> lines that are not valid in the file's encoding
    undecoded  the number of lines that are not valid in the file's encoding; the first MOST_SHOWN are in `shown`
    key_ids    identifiers of the secrets of the suppression list in the file
    """

    columns: Columns
    rows: int = 0
    day_first: bool | None = None
    opted_in: int = 0
    against: int = 0
    coded: Counter[str] = field(default_factory=Counter)
    undecoded: int = 0
    shown: list[int] = field(default_factory=list)
    found: dict[int, _Found] = field(default_factory=dict)
    telling: dict[int, _Found] = field(default_factory=dict)
    key_ids: set[str] = field(default_factory=set)

    def questions(self, name: str) -> list[FileQuestionError]:
        """Return the questions about a file with this name, in the order of its columns."""
        asked = [*self._of_columns(), *self._of_cells()]
        return [question for _, question in sorted(asked, key=lambda pair: pair[0])] + self._of_file(name)

    def of_encoding(self) -> list[FileQuestionError]:
        """Return the questions to ask because the file, or part of it, is not in UTF-8."""
        if not self.undecoded:
            return []
        lines = ", ".join(f"{line}" for line in self.shown) + (", ..." if self.undecoded > len(self.shown) else "")
        what = f"1 line is not valid UTF-8: line {lines}"
        if self.undecoded > 1:
            what = f"{self.undecoded:,} lines are not valid UTF-8: lines {lines}"
        refuse = "--encoding utf-8 to refuse these lines and import the others"
        if len(self.coded) == 1 and self.coded.total() == self.undecoded:
            (encoding,) = self.coded
            return [FileQuestionError(f"{what}; the file is in {encoding}", hint=f"--encoding {encoding}; or {refuse}")]
        return [
            FileQuestionError(what, hint=f"repair them, or use --encoding NAME if you know the encoding; or {refuse}")
        ]

    def _of_columns(self) -> Iterator[tuple[int, FileQuestionError]]:
        for column in self.columns.statuses:
            found = self.found.get(column.place, _Found())
            name = self.columns.header[column.place]
            if column.place not in self.columns.settled and found.against and is_unclear(name):
                yield column.place, _ask(name, f"{_rows(found.against)} a value", column, ())
            elif found.unknown:
                count = found.unknown.total()
                what = f"{_rows(count)} a value that is not understood there ({found.samples})"
                yield column.place, _ask(name, what, column, found.unknown)

    def _of_cells(self) -> Iterator[tuple[int, FileQuestionError]]:
        for place, found in self.telling.items():
            name = self.columns.header[place]
            yield place, _ask(name, f"{_rows(found.unknown.total())} one of the values {found.samples}", None, ())

    def _of_file(self, name: str) -> list[FileQuestionError]:
        if self.against or not self.rows:
            return []
        said = status_of_file(name)
        if said:
            return [
                FileQuestionError(
                    f"this file's name suggests people who are {said}, but nothing in the file says so",
                    hint=f"--as {said} records that, and they get no email; with --as subscribed they do",
                )
            ]
        if self.columns.tool == "Mailchimp" and not self.opted_in:
            return [
                FileQuestionError(
                    "no one in this file has opted in: Mailchimp's export of non-subscribed contacts looks like this",
                    hint="--as unconfirmed records them, and they get no email; with --as subscribed they get it",
                )
            ]
        return []


def survey(file: CsvFile, look: Callable[[CsvRow], None], *, statuses: bool = True) -> Survey:
    """Read a file to its end, and return what it contains.

    look      is called with each row
    statuses  whether to look for people who must not get email
    """
    found = Survey(file.columns)
    looked = _Looked(found, file.columns, statuses)
    if not is_text(header := ",".join(file.columns.header)):
        looked.undecoded(1, likely_encoding(header))
    for row in file:
        looked.at(row)
        look(row)
    found.columns = looked.settled()
    found.day_first = day_comes_first(looked.dates)
    return found


class _Looked:
    """Looks at each row of a file, and writes what it finds into a survey."""

    def __init__(self, into: Survey, columns: Columns, statuses: bool) -> None:
        self.into = into
        self.columns = columns
        self.dates: list[str] = []
        self._statuses = statuses
        self._joined = (columns.fields["joined_at"], *columns.joined) if "joined_at" in columns.fields else ()
        self._dates_in = Counter[int]()
        self._other_in: set[int] = set()
        against = (each.place for each in columns.statuses if each.reading is Reading.AGAINST)
        self._dated = sorted({*self._joined, *columns.dated, *against})
        free = set(range(len(columns.header))) - {*columns.fields.values(), *columns.own.values(), *columns.settled}
        self._others = sorted(free - {each.place for each in columns.statuses if each.sure})

    def at(self, row: CsvRow) -> None:
        """Look at a row."""
        into, cells = self.into, row.cells
        into.rows += 1
        if row.undecoded:
            self.undecoded(row.line, row.coded)
        if row.fault:
            return
        width = len(cells)
        if self._joined:
            into.opted_in += self.columns.joined_at(cells) != ""
        if len(self.dates) < MOST_DATES:
            self.dates += [
                cells[place] for place in _within(self._dated, width) if 0 < len(cells[place]) < LONGEST_DATE
            ]
        if self.columns.dated:
            self._look_for_dates(cells)
        if (entry := self.columns.own_cell(cells, "suppressed hash")) and len(into.key_ids) < MOST_SAMPLES:
            into.key_ids.add(entry.partition(" ")[2])
        if self._statuses and (self._others or self.columns.statuses):
            self._look_for_statuses(row)

    def undecoded(self, line: int, coded: str) -> None:
        """Count a line that is not valid in the encoding of the file. coded: the encoding that it seems to have."""
        self.into.undecoded += 1
        if coded:
            self.into.coded[coded] += 1
        if len(self.into.shown) < MOST_SHOWN:
            self.into.shown.append(line)

    def _look_for_dates(self, cells: Sequence[str]) -> None:
        for place in self.columns.dated:
            cell = cells[place] if place < len(cells) else ""
            if cell and place not in self._other_in:
                is_date = is_date_of_joining(cell) if len(cell) <= LONGEST_DATE else False
                self._dates_in[place] += bool(is_date)
                if is_date is False:
                    self._other_in.add(place)

    def _look_for_statuses(self, row: CsvRow) -> None:
        into, columns, cells, width = self.into, self.columns, row.cells, len(row.cells)
        for column in columns.speaking(cells):
            if column.place < width and cells[column.place]:
                verdict = columns.verdict(column, cells)
                into.found.setdefault(column.place, _Found()).add(row, cells[column.place], verdict)
        for place in _within(self._others, width):
            cell = cells[place]
            if 0 < len(cell) <= LONGEST_WORD and (word := telling_word(cell)):
                into.telling.setdefault(place, _Found()).add(row, word, None)

    def settled(self) -> Columns:
        """Return the columns, judged by their values.

        Columns whose names only seemed to be about a status are left out. Columns of dates say when people agreed.
        """
        joined = [place for place in self.columns.dated if self._dates_in[place] and place not in self._other_in]
        kept = []
        for column in self.columns.statuses:
            found = self.into.found.get(column.place, _Found())
            is_sure = column.sure and (column.place not in joined or found.unknown)
            if is_sure or column.place in self.columns.settled or found.against:
                kept.append(column)
                self.into.telling.pop(column.place, None)
                self.into.against += found.against
            else:
                self.into.found.pop(column.place, None)
        return replace(self.columns.with_dates(joined), statuses=tuple(kept))


def _within(places: Iterable[int], width: int) -> Iterator[int]:
    """Yield the sorted places for which a row of this width has a cell, so that a short row takes little time."""
    return takewhile(lambda place: place < width, places)


def _rows(count: int) -> str:
    return f"{count:,} row has" if count == 1 else f"{count:,} rows have"


def _ask(name: str, what: str, column: StatusColumn | None, unknown: Iterable[str]) -> FileQuestionError:
    """Return the question about a column. unknown: the values that are not understood."""
    values = tuple(islice(unknown, MOST_ASKED))
    said = STATUS_WORDS[column.status] if column else "unsubscribed"
    if values and column and column.reading is not Reading.AGAINST:
        which = f"{name}:{clean_line(values[0], 200)}"
        heed = f"--map {quote(f'{which}={said}')} or --map {quote(f'{which}=subscribed')}, for each value"
    elif column and column.reading is Reading.AGAINST:
        heed = f"--map {quote(f'{said}={name}')} to count every value except no as {said}"
    else:
        heed = f"--map {quote(f'status={name}')} to use it"
    return FileQuestionError(
        f"the column {name!r} seems to say who must not get email, and {what}",
        hint=f"{heed}, or --map {quote(f'{name}=ignore')} to ignore it",
        column=name,
        values=values,
    )
