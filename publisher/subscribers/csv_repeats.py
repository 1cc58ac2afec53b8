"""Finding topic choices in a file that repeat an earlier one, in constant memory."""

from __future__ import annotations

import tempfile
from array import array
from collections.abc import Iterable, Iterator
from hashlib import blake2b
from typing import IO


class Repeats:
    """Which topic choices in a file repeat an earlier one for the same person and newsletter: the first counts.

    For each choice, a hash is written to a temporary file, and one bit for each row and newsletter stays in memory. So
    memory use stays small for a file of any size, and a file means the same whether or not an earlier import of it was
    interrupted.
    """

    _PARTS = 64

    def __init__(self, newsletters: Iterable[str]) -> None:
        """Begin without choices. newsletters: the names of all newsletters."""
        self._columns = {name: column for column, name in enumerate(sorted(newsletters))}
        self._files: list[IO[bytes]] = []
        self._waiting = [array("Q") for _ in range(self._PARTS)]
        self._end = 0
        self._bits = bytearray()

    def add(self, person: str, newsletter: str, line: int) -> None:
        """Record the next choice in the file."""
        key = f"{person} {newsletter}".encode("utf-8", "surrogatepass")
        digest, place = int.from_bytes(blake2b(key, digest_size=8).digest(), "little"), self._place(newsletter, line)
        part = self._waiting[digest % self._PARTS]
        part.extend((digest, place))
        self._end = max(self._end, place + 1)
        if len(part) >= 4_096:
            self._flush(digest % self._PARTS)

    def settle(self) -> None:
        """Find the repeats, after the last choice was added."""
        self._bits = bytearray(self._end // 8 + 1)
        for number, part in enumerate(self._waiting):
            seen: set[int] = set()
            for digest, place in self._pairs(number, part):
                if digest in seen:
                    self._bits[place // 8] |= 1 << place % 8
                seen.add(digest)
        for file in self._files:
            file.close()
        self._files, self._waiting = [], []

    def repeats(self, newsletter: str, line: int) -> bool:
        """Return whether the choice of a newsletter's topics in a line repeats an earlier one."""
        place = self._place(newsletter, line)
        return place < self._end and bool(self._bits[place // 8] >> place % 8 & 1)

    def _place(self, newsletter: str, line: int) -> int:
        return line * len(self._columns) + self._columns[newsletter]

    def _flush(self, number: int) -> None:
        if not self._files:
            self._files = [tempfile.TemporaryFile() for _ in range(self._PARTS)]  # noqa: SIM115 - `settle` closes them
        self._waiting[number].tofile(self._files[number])
        self._waiting[number] = array("Q")

    def _pairs(self, number: int, waiting: array[int]) -> Iterator[tuple[int, int]]:
        pairs = array("Q")
        if self._files:
            self._files[number].seek(0)
            pairs.frombytes(self._files[number].read())
        pairs.extend(waiting)
        return zip(pairs[::2], pairs[1::2], strict=True)
