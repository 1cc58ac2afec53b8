"""The records of a CSV file, one at a time, each with its line."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Protocol, TextIO

from publisher.errors import SubscriberError
from publisher.subscribers.columns import Columns, recognise
from publisher.subscribers.formulas import unguarded


class Reader(Protocol):
    """What csv.reader gives, which has no name of its own."""

    @property
    def line_num(self) -> int: ...

    def __next__(self) -> list[str]: ...


@dataclass(frozen=True, slots=True)
class Row:
    """One record of the file: its cells, or what is wrong with it. line counts from 1, the header included."""

    line: int
    cells: list[str]
    fault: str = ""


class Rows:
    """An open file of comma-, semicolon- or tab-separated values in UTF-8, empty records left out."""

    def __init__(self, path: Path, chosen: Mapping[str, str]) -> None:
        """Open the file and read its header; see publisher.subscribers.columns for `chosen`.

        Raises SubscriberError where it cannot be read, or its first line names no column for addresses.
        """
        try:
            self._size = path.stat().st_size
            self._bytes = path.open("rb")
        except OSError as error:
            raise SubscriberError(f"cannot be read: {error.strerror}", where=str(path)) from error
        self._file = io.TextIOWrapper(self._bytes, encoding="utf-8-sig", errors="surrogateescape", newline="")
        try:
            self._reader, header = _opened(self._file)
            self.columns: Columns = recognise(header, chosen)
        except SubscriberError as error:
            self._file.close()
            raise SubscriberError(error.message, where=f"{path}:1", mend=error.mend) from error
        except OSError as error:
            self._file.close()
            raise SubscriberError(f"cannot be read: {error.strerror}", where=str(path)) from error

    @property
    def share(self) -> float:
        """How much of the file is read, from 0 to 1."""
        return min(1.0, self._bytes.tell() / self._size) if self._size else 1.0

    def __enter__(self) -> Rows:
        return self

    def __exit__(self, *exception: object) -> None:
        self._file.close()

    def __iter__(self) -> Iterator[Row]:
        while True:
            line = self._reader.line_num + 1
            try:
                cells = next(self._reader)
            except StopIteration:
                return
            except csv.Error as error:  # a quote that is never closed, say; the next line begins a new record
                yield Row(line, [], f"the line cannot be read: {error}")
                continue
            if any(map(str.strip, cells)):
                yield self._row(line, cells)

    def _row(self, line: int, cells: list[str]) -> Row:
        fault = ""
        if not all(map(_is_text, cells)):
            fault = "the line is not UTF-8"
        elif len(cells) > len(self.columns.header):
            fault = f"it has {len(cells)} cells, and the first line names {len(self.columns.header)} columns"
        return Row(line, [unguarded(cell.strip()) for cell in cells], fault)


def _opened(file: TextIO) -> tuple[Reader, list[str]]:
    first = file.readline()
    delimiter = max(",;\t", key=first.count)
    reader = csv.reader(chain([first], file), delimiter=delimiter)
    header: list[str] = []
    with suppress(csv.Error):
        header = [cell.strip() for cell in next(reader, [])]
    return reader, header


def _is_text(cell: str) -> bool:
    """Return whether a cell was UTF-8: other bytes were read as halves of surrogates."""
    return cell.isascii() or not any("\udc80" <= character <= "\udcff" for character in cell)
