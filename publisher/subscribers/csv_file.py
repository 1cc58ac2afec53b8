"""The records of a CSV file, one at a time, each with its line number.

A line "sep=;" and blank lines may come before the line with the column names. Empty cells at the end of a row are
ignored.

A missing closing quote must never cost more than one row. So a record that spans several lines is accepted only if its
quotes are closed correctly, the cells that are used contain no line breaks, and its lines do not look like rows.
Otherwise its first line is refused, and reading continues with the next line.
"""

from __future__ import annotations

import csv
import hashlib
import io
import os
import re
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from itertools import chain
from pathlib import Path

from publisher.core.errors import SubscriberError
from publisher.core.frozen import dataclass
from publisher.subscribers.csv_cells import unguarded
from publisher.subscribers.csv_columns import Choices, Columns, is_like_an_address, recognise
from publisher.subscribers.csv_source import is_text, likely_encoding, open_source

LONGEST_LINE = 1_000_000  # characters; a longer line cannot be a subscriber, and must not fill up memory
SAMPLE = 200  # lines in which to look for the column that contains addresses
MOST_BLANK_LINES = 1_000  # before the column names
MOST_LINES = 1_000  # lines of one record in which to look for the end of a quote
MOST_CHARACTERS = 100_000  # of one record with line breaks; the csv module itself allows 131,072 for a cell
# How many characters may be read in vain in search of the end of a quote: a fixed number, plus some for each character
# of the file.
_IN_VAIN = 1_000_000
_MORE_IN_VAIN = 10

_SEPARATOR = re.compile(r"\s*\"?sep=([,;|\t])\"?[,;|\s]*", re.IGNORECASE)
_QUOTED = re.compile('"[^"]*+"?')
NO_NAMES = "the first line has no column names: it contains an address"
NAME_THEM = (
    "write a first line with column names, such as email, above it; or say what they are, such as --as subscribed"
)
UNCLOSED = "a quote in it is not closed"


@dataclass(frozen=True, slots=True)
class CsvRow:
    """A record of the file.

    line   the number of its first line, counted from 1 including the header
    cells  the contents of the cells; [] if the record cannot be read
    fault  the reason why the record cannot be used; "" if it can
    coded  the likely encoding of the line if it cannot be read in the file's encoding; "" if it can, or if that is
           unknown
    undecoded  whether it cannot be read in the encoding of the file
    """

    line: int
    cells: list[str]
    fault: str = ""
    coded: str = ""
    undecoded: bool = False


class CsvFile:
    """An open file of comma-, semicolon- or tab-separated values. Iterating over it skips empty records."""

    def __init__(self, path: Path, choices: Choices, *, encoding: str = "", bare: bool = False) -> None:
        """Open the file and read its column names.

        choices   the operator's choices for the columns
        encoding  the encoding of the file; "" for that of its byte-order mark, or else UTF-8
        bare      whether the first line may be a row, for lists of addresses without column names

        Raises SubscriberError if the file cannot be read, if its first line does not name a column with addresses, or
        if a chosen field or column does not exist.
        """
        self._bytes, text, codec = open_source(path, encoding)
        self.encoding = codec.removesuffix("-sig")
        self.marked = codec.endswith("-sig")  # its byte-order mark proves that it is UTF-8
        self._size = os.fstat(self._bytes.fileno()).st_size
        self._lines = _Lines(text)
        self._allowed = _IN_VAIN
        try:
            self._delimiter, header = _header(self._lines, bare)
            self.columns: Columns = recognise(header, choices, _sample(self._lines, self._delimiter, len(header)))
        except SubscriberError as error:
            self._lines.close()
            where = f"{path}:{max(self._lines.number, 1)}"
            raise SubscriberError(error.message, where=where, hint=error.hint) from error
        except OSError as error:
            self._lines.close()
            raise SubscriberError(f"cannot be read: {error.strerror}", where=str(path)) from error

    def rewind(self) -> None:
        """Go back to the first row."""
        self._lines.rewind()
        _header(self._lines, bare=True)

    def digest(self) -> str:
        """Return a hash of the file's bytes, read from the beginning. Call `rewind` before continuing to read."""
        self._bytes.seek(0)
        digest = hashlib.sha256()
        while part := self._bytes.read(1 << 20):
            digest.update(part)
        return digest.hexdigest()

    @property
    def share(self) -> float:
        """How much of the file has been read, from 0 to 1."""
        return min(1.0, self._bytes.tell() / self._size) if self._size else 1.0

    def __enter__(self) -> CsvFile:
        return self

    def __exit__(self, *exception: object) -> None:
        self._lines.close()

    def __iter__(self) -> Iterator[CsvRow]:
        self._allowed = _IN_VAIN
        while text := self._lines.next():
            line = self._lines.number
            self._allowed += _MORE_IN_VAIN * len(text)
            try:
                cells = self._cells(text)
            except csv.Error as error:
                yield CsvRow(line, [], str(error))
                continue
            bare = list(map(str.strip, cells))
            if any(bare):
                yield self._row(line, cells, bare)

    def _cells(self, text: str) -> list[str]:
        """Return the cells of the record that begins with the line `text`. Raises csv.Error if the record is broken."""
        if len(text) >= LONGEST_LINE and not text.endswith(("\n", "\r")):
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
            following = _following(self._lines, text, min(MOST_CHARACTERS, self._allowed), ahead)
            cells = next(csv.reader(following, delimiter=self._delimiter, strict=True))
            fault = self._doubt(cells, ahead)
        except csv.Error:
            fault = UNCLOSED
        if fault:
            self._allowed -= sum(map(len, ahead))
            self._lines.give_back(ahead)
            raise csv.Error(fault)
        return cells

    def _doubt(self, cells: list[str], ahead: list[str]) -> str:
        """Return the reason why a record of several lines should not be accepted, or "" if it should be.

        ahead: the lines of the record after the first one.
        """
        for field, place in self.columns.fields.items():
            if place < len(cells) and ("\n" in cells[place] or "\r" in cells[place]):
                return f"its {field} has a line break: perhaps a quote is not closed"
        width, place = len(self.columns.header), self.columns.fields["email"]
        if any(map(str.strip, cells[width:])):
            return UNCLOSED
        rows = (line.split(self._delimiter) for line in ahead)
        if any(len(row) == width > 1 and is_like_an_address(row[place]) for row in rows):
            return f"{UNCLOSED}, or a cell contains lines that look like rows"
        return ""

    def _row(self, line: int, cells: list[str], bare: list[str]) -> CsvRow:
        """Return a row. bare: its cells without white space around them."""
        width, fault, coded = len(self.columns.header), "", ""
        if len(cells) > width and not any(bare[width:]):
            cells, bare = cells[:width], bare[:width]
        together = "".join(bare)
        undecoded = not is_text(together)
        if undecoded:
            fault = f"the line is not valid {'UTF-8' if self.encoding == 'utf-8' else self.encoding}"
            coded = likely_encoding(self._delimiter.join(cells)) if self.encoding == "utf-8" else ""
        elif len(cells) > width:
            fault = f"it has {len(cells)} cells, and the first line names {width} columns"
        if "'" in together:
            bare = [unguarded(cell) if cell.startswith("'") else cell for cell in bare]
        return CsvRow(line, bare, fault, coded, undecoded)


@dataclass(frozen=True, slots=True)
class FirstLook:
    """The first lines of a file, for somebody who has to decide what its columns are.

    columns  how the columns would be read; None if that has to be decided first
    header   the column names; "" for each column of a bare list
    sample   the cells of some of the first rows
    trouble  why the columns cannot be read without a decision; "" if they can
    """

    columns: Columns | None
    header: tuple[str, ...]
    sample: list[list[str]]
    trouble: str = ""

    @property
    def is_bare(self) -> bool:
        """Whether the file is a list of addresses without column names."""
        return not any(self.header)


def look_at(path: Path, *, encoding: str = "") -> FirstLook:
    """Return what the first lines of a file show. Only the beginning of the file is read.

    encoding: the encoding of the file; "" means that of its byte-order mark, or UTF-8
    Raises SubscriberError if the file cannot be read, or is not a text file.
    """
    _, text, _ = open_source(path, encoding)
    lines = _Lines(text)
    try:
        delimiter, header = _header(lines, bare=True)
        sample = _sample(lines, delimiter, len(header))
    except OSError as error:
        raise SubscriberError(f"cannot be read: {error.strerror}", where=str(path)) from error
    finally:
        lines.close()
    try:
        return FirstLook(recognise(header, Choices(), sample), tuple(header), sample)
    except SubscriberError as error:
        return FirstLook(None, tuple(header), sample, error.message)


class _Lines:
    """The lines of a file. Lines that were read can be given back so that they are read again."""

    def __init__(self, file: io.TextIOWrapper) -> None:
        self._file = file
        self._again: deque[str] = deque()
        self.number = 0  # of the last line returned

    def next(self) -> str:
        """Return the next line with its line ending, or "" after the last line.

        A line of more than LONGEST_LINE characters is cut there.
        """
        text = self._again.popleft() if self._again else self._file.readline(LONGEST_LINE)
        self.number += bool(text)
        return text

    def give_back(self, lines: list[str]) -> None:
        """Give back the last lines read, so that `next` returns them again."""
        self._again.extendleft(reversed(lines))
        self.number -= len(lines)

    def skip_rest(self) -> None:
        """Skip the rest of a line that is too long."""
        while (part := self._file.readline(LONGEST_LINE)) and not part.endswith(("\n", "\r")):
            pass

    def rewind(self) -> None:
        """Go back to the beginning of the file."""
        self._file.seek(0)
        self._again.clear()
        self.number = 0

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def _following(lines: _Lines, text: str, most: int, ahead: list[str]) -> Iterator[str]:
    """Yield the line `text` and the lines after it, up to about `most` characters. Add the latter to `ahead`."""
    yield text
    size = len(text)
    while len(ahead) < MOST_LINES and size < most and (more := lines.next()):
        ahead.append(more)
        size += len(more)
        yield more


class _OpenError(Exception):
    """Raised if a quote is still open at the end of a line."""


def _sample(lines: _Lines, delimiter: str, width: int) -> list[list[str]]:
    """Return the cells of some of the first rows, which are then read again. width: the number of columns.

    A row of several lines is included if its quotes are closed correctly and none of its lines looks like a row.
    """
    ahead = [text for text in (lines.next() for _ in range(SAMPLE)) if text]
    lines.give_back(ahead)
    rows: list[list[str]] = []
    place, allowed = 0, _IN_VAIN
    while place < len(ahead):
        text, taken = ahead[place], list[str]()
        place += 1
        try:
            cells = next(csv.reader(_only(text), delimiter=delimiter))
        except csv.Error:
            continue
        except _OpenError:
            following = _up_to(min(MOST_CHARACTERS, allowed), ahead[place:], taken)
            cells = []
            with suppress(csv.Error):
                cells = next(csv.reader(chain([text], following), delimiter=delimiter, strict=True))
            if not cells or len(cells) > width or any(_is_like_a_row(line, delimiter, width) for line in taken):
                allowed -= sum(map(len, taken))
                continue
            place += len(taken)
        rows.append([cell.strip() for cell in cells])
    return rows


def _up_to(most: int, lines: list[str], taken: list[str]) -> Iterator[str]:
    """Yield lines up to a total number of characters, and add each to `taken`."""
    for line in lines:
        most -= len(line)
        if most < 0:
            return
        taken.append(line)
        yield line


def _is_like_a_row(line: str, delimiter: str, width: int) -> bool:
    cells = line.split(delimiter)
    return len(cells) == width > 1 and any(map(is_like_an_address, cells))


def _only(text: str) -> Iterator[str]:
    yield text
    raise _OpenError


def _header(lines: _Lines, bare: bool) -> tuple[str, list[str]]:
    """Return the delimiter of a file and its column names, or empty names if its first line is a row."""
    first, delimiter = lines.next(), ""
    for _ in range(MOST_BLANK_LINES):
        if match := _SEPARATOR.fullmatch(first):
            delimiter = match[1]
        elif first.strip(' ,;\t|\r\n"\xa0') or not first:
            break
        first = lines.next()
    delimiter = delimiter or _delimiter(first)
    ahead: list[str] = []
    header = [_name(cell) for cell in _first_cells(lines, first, delimiter, ahead)]
    if any(map(is_like_an_address, header)):
        if not bare:
            raise SubscriberError(NO_NAMES, hint=NAME_THEM)
        lines.give_back([first, *ahead])
        return delimiter, [""] * len(header)
    return delimiter, header


def _delimiter(first: str) -> str:
    """Return the delimiter that occurs most often in the first line. Those between quotes do not count."""
    bare = _QUOTED.sub("", first)
    return max(",;\t|", key=lambda sign: (bare.count(sign), first.count(sign)))


def _first_cells(lines: _Lines, first: str, delimiter: str, ahead: list[str]) -> list[str]:
    """Return the cells of the record that begins with the line `first`; [] if it cannot be read.

    A name in quotes may have line breaks, as in the exports of surveys. ahead: receives the record's other lines
    """
    try:
        return next(csv.reader(_only(first), delimiter=delimiter))
    except csv.Error:
        return []
    except _OpenError:
        following = _following(lines, first, MOST_CHARACTERS, ahead)
        with suppress(csv.Error):
            cells = next(csv.reader(following, delimiter=delimiter, strict=True))
            if not any(is_like_an_address(cell) for line in ahead for cell in line.split(delimiter)):
                return cells
        lines.give_back(ahead)
        ahead.clear()
        return []


def _name(cell: str) -> str:
    """Return the name of a column, on one line."""
    return " ".join(cell.split()) if "\n" in cell or "\r" in cell else cell.strip()
