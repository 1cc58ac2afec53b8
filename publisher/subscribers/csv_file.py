"""The records of a CSV file, one at a time, each with its line number.

A missing closing quote must never cost more than one row. So a record that spans several lines is accepted only if its
quotes are closed correctly, the cells that are used contain no line breaks, and its lines do not look like rows.
Otherwise its first line is refused, and reading continues with the next line.
"""

from __future__ import annotations

import csv
import io
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from publisher.core.errors import SubscriberError
from publisher.subscribers.csv_columns import Columns, recognise, unguarded

LONGEST_LINE = 1_000_000  # characters; a longer line cannot be a subscriber, and must not fill the memory
MOST_LINES = 1_000  # lines of one record in which to look for the end of a quote
MOST_CHARACTERS = 100_000  # of one record with line breaks; the csv module itself allows 131,072 for a cell

UNCLOSED = "a quote in it is not closed"


@dataclass(frozen=True, slots=True)
class CsvRow:
    """A record of the file.

    line   the number of its first line, counted from 1 including the header
    cells  the contents of the cells; [] if the record cannot be read
    fault  the reason why the record cannot be used; "" if it can
    """

    line: int
    cells: list[str]
    fault: str = ""


class CsvFile:
    """An open file of comma-, semicolon- or tab-separated values in UTF-8. Iterating over it skips empty records."""

    def __init__(self, path: Path, chosen: Mapping[str, str]) -> None:
        """Open the file and read its header. For `chosen`, see csv_columns.recognise.

        Raises SubscriberError if the file cannot be read, if its first line does not name a column with addresses, or
        if a chosen field or column does not exist.
        """
        try:
            self._size = path.stat().st_size
            self._bytes = path.open("rb")
        except OSError as error:
            raise SubscriberError(f"cannot be read: {error.strerror}", where=str(path)) from error
        self._lines = _Lines(io.TextIOWrapper(self._bytes, encoding="utf-8-sig", errors="surrogateescape", newline=""))
        try:
            self._delimiter, header = _header(self._lines)
            self.columns: Columns = recognise(header, chosen)
        except SubscriberError as error:
            self._lines.close()
            raise SubscriberError(error.message, where=f"{path}:1", hint=error.hint) from error
        except OSError as error:
            self._lines.close()
            raise SubscriberError(f"cannot be read: {error.strerror}", where=str(path)) from error

    @property
    def share(self) -> float:
        """The share of the file that has been read, from 0 to 1."""
        return min(1.0, self._bytes.tell() / self._size) if self._size else 1.0

    def __enter__(self) -> CsvFile:
        return self

    def __exit__(self, *exception: object) -> None:
        self._lines.close()

    def __iter__(self) -> Iterator[CsvRow]:
        while text := self._lines.next():
            line = self._lines.number
            try:
                cells = self._cells(text)
            except csv.Error as error:
                yield CsvRow(line, [], str(error))
                continue
            if any(map(str.strip, cells)):
                yield self._row(line, cells)

    def _cells(self, text: str) -> list[str]:
        """Return the cells of the record that begins with the line `text`. Raises csv.Error if the record is broken."""
        if not text.endswith(("\n", "\r")) and len(text) >= LONGEST_LINE:
            self._lines.skip_rest()
            raise csv.Error("the line is too long")
        if '"' not in text:
            return text.rstrip("\r\n").split(self._delimiter)
        try:
            return next(csv.reader(_only(text), delimiter=self._delimiter))
        except _OpenError:
            return self._of_several_lines(text)
        except csv.Error as error:
            raise csv.Error(f"the line cannot be read: {error}") from error

    def _of_several_lines(self, text: str) -> list[str]:
        ahead: list[str] = []
        try:
            # With strict=True, text after a closing quote is an error. It shows that this quote really opens a cell.
            cells = next(csv.reader(self._following(text, ahead), delimiter=self._delimiter, strict=True))
            fault = self._doubt(cells, ahead)
        except csv.Error:
            fault = UNCLOSED
        if fault:
            self._lines.give_back(ahead)
            raise csv.Error(fault)
        return cells

    def _following(self, text: str, ahead: list[str]) -> Iterator[str]:
        """Yield the line `text` and the lines after it. The lines after it are also added to `ahead`."""
        yield text
        size = len(text)
        while len(ahead) < MOST_LINES and size < MOST_CHARACTERS and (more := self._lines.next()):
            ahead.append(more)
            size += len(more)
            yield more

    def _doubt(self, cells: list[str], ahead: list[str]) -> str:
        """Return the reason why a record of several lines should not be accepted, or "" if it should be.

        ahead: the lines of the record after the first one.
        """
        for field, place in self.columns.fields.items():
            if place < len(cells) and ("\n" in cells[place] or "\r" in cells[place]):
                return f"its {field} has a line break: perhaps a quote is not closed"
        width, place = len(self.columns.header), self.columns.fields["email"]
        if len(cells) > width:
            return UNCLOSED
        rows = (line.split(self._delimiter) for line in ahead)
        if any(len(row) == width > 1 and _is_like_an_address(row[place]) for row in rows):
            return f"{UNCLOSED}, or a cell holds lines that look like rows"
        return ""

    def _row(self, line: int, cells: list[str]) -> CsvRow:
        fault = ""
        if not all(map(_is_text, cells)):
            fault = "the line is not valid UTF-8"
        elif len(cells) > len(self.columns.header):
            fault = f"it has {len(cells)} cells, and the first line names {len(self.columns.header)} columns"
        return CsvRow(line, [unguarded(cell.strip()) for cell in cells], fault)


class _Lines:
    """The lines of a file. Lines that were read can be given back, to be read again."""

    def __init__(self, file: io.TextIOWrapper) -> None:
        self._file = file
        self._again: deque[str] = deque()
        self.number = 0  # of the line that was returned last

    def next(self) -> str:
        """Return the next line with its line ending, or "" after the last line.

        A line of more than LONGEST_LINE characters is cut there.
        """
        text = self._again.popleft() if self._again else self._file.readline(LONGEST_LINE)
        self.number += bool(text)
        return text

    def give_back(self, lines: list[str]) -> None:
        """Give back the lines that were read last, so that `next` returns them again."""
        self._again.extendleft(reversed(lines))
        self.number -= len(lines)

    def skip_rest(self) -> None:
        """Skip the rest of a line that is too long."""
        while (part := self._file.readline(LONGEST_LINE)) and not part.endswith(("\n", "\r")):
            pass

    def close(self) -> None:
        """Close the file."""
        self._file.close()


class _OpenError(Exception):
    """Raised if a quote is still open at the end of a line."""


def _only(text: str) -> Iterator[str]:
    yield text
    raise _OpenError


def _header(lines: _Lines) -> tuple[str, list[str]]:
    first = lines.next()
    delimiter = max(",;\t", key=first.count)
    header: list[str] = []
    with suppress(csv.Error, _OpenError):
        header = [cell.strip() for cell in next(csv.reader(_only(first), delimiter=delimiter))]
    return delimiter, header


def _is_like_an_address(cell: str) -> bool:
    local, at, domain = cell.strip(' "').partition("@")
    return bool(at and local and "." in domain) and not any(map(str.isspace, local + domain))


def _is_text(cell: str) -> bool:
    """Return whether a cell was valid UTF-8. Invalid bytes were read as halves of surrogate pairs."""
    return cell.isascii() or not any("\udc80" <= character <= "\udcff" for character in cell)
