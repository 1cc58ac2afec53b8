"""Inflation of compressed answers, in pieces, so that a small answer never becomes a huge one.

A kilobyte of gzip can hold a megabyte, and a kilobyte of brotli far more. So each step asks the library for a bounded
piece of the result, and the total is limited too.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from io import BytesIO
from typing import Protocol

ENCODINGS = "gzip, deflate, br"
_PIECE = 256 * 1024
# A gzip file may consist of several members; nobody writes a feed in this many.
_MOST_MEMBERS = 1_000
_MOST_LAYERS = 2


class BadBodyError(ValueError):
    """The body of an answer is too large, or does not match its headers. The message is for the user."""


class _Layer(Protocol):
    def pieces(self, data: bytes) -> Iterator[bytes]:
        """Yield the decompressed bytes, in pieces of a limited size."""

    def is_complete(self) -> bool:
        """Whether the end of the compressed data has come."""


class Inflater:
    """Undoes the content encodings of one answer.

    encodings  the value of the header Content-Encoding, in lower case
    limit      the largest number of bytes that the result may have
    """

    def __init__(self, encodings: str, limit: int) -> None:
        names = [name.strip() for name in encodings.lower().split(",")]
        names = [name for name in names if name not in ("", "identity", "none", "utf-8")]
        if len(names) > _MOST_LAYERS or any(name not in _LAYERS for name in names):
            raise BadBodyError(f"is compressed as {encodings[:40]!r}, which was not asked for")
        self._layers: list[_Layer] = [_LAYERS[name]() for name in reversed(names)]
        self._limit = limit
        self._result = BytesIO()  # returns what it has without a copy
        self.size = 0

    def add(self, data: bytes) -> Iterator[int]:
        """Add bytes that have arrived, in steps; yield the size of the result after each. All steps must be taken.

        Raises BadBodyError if the result is too large or the data is damaged.
        """
        for piece in self._through(data, 0):
            self.size += len(piece)
            if self.size > self._limit:
                raise BadBodyError(f"is larger than {self._limit / 1_000_000:g} MB")
            self._result.write(piece)
            yield self.size

    def result(self) -> bytes:
        """Return all decompressed bytes. Raise BadBodyError if the end is missing."""
        if self.size and not all(layer.is_complete() for layer in self._layers):
            raise BadBodyError("ends in the middle of its compressed data")
        return self._result.getvalue()

    def _through(self, data: bytes, depth: int) -> Iterator[bytes]:
        if depth == len(self._layers):
            yield data
            return
        for piece in self._layers[depth].pieces(data):
            yield from self._through(piece, depth + 1)


class _Zlib:
    """Inflates gzip with all of its members, and deflate in both of its forms (RFC 9110 section 8.4.1.2)."""

    def __init__(self, *, is_gzip: bool) -> None:
        self._is_gzip = is_gzip
        self._wbits = zlib.MAX_WBITS | (16 if is_gzip else 0)
        self._engine = zlib.decompressobj(self._wbits)
        self._members = 1
        self._begun = False
        self._ended_with_junk = False

    def pieces(self, data: bytes) -> Iterator[bytes]:
        """Yield the decompressed bytes, in pieces of a limited size."""
        if not self._begun and data:
            self._begun = True
            if not self._is_gzip and (data[0] & 0x0F) != zlib.DEFLATED:
                self._engine = zlib.decompressobj(-zlib.MAX_WBITS)  # without the header that the standard demands
        while data and not self._ended_with_junk:
            if self._engine.eof and not self._next_member(data):
                return
            try:
                piece = self._engine.decompress(data, _PIECE)
            except zlib.error as error:
                raise BadBodyError("is damaged: its compressed data can't be read") from error
            data = self._engine.unconsumed_tail or self._engine.unused_data
            if piece:
                yield piece

    def _next_member(self, data: bytes) -> bool:
        """Begin the next member of a gzip file; return False if what follows is padding, which is skipped."""
        if not self._is_gzip or data[:1] != b"\x1f":
            self._ended_with_junk = True
            return False
        self._members += 1
        if self._members > _MOST_MEMBERS:
            raise BadBodyError(f"consists of more than {_MOST_MEMBERS:,} compressed parts")
        self._engine = zlib.decompressobj(self._wbits)
        return True

    def is_complete(self) -> bool:
        """Whether the end of the compressed data has come."""
        return self._engine.eof


class _Brotli:
    def __init__(self) -> None:
        import brotli  # few servers send it

        self._brotli, self._engine = brotli, brotli.Decompressor()

    def pieces(self, data: bytes) -> Iterator[bytes]:
        """Yield the decompressed bytes, in pieces of a limited size."""
        while not self._engine.is_finished():
            try:
                piece = self._engine.process(data, output_buffer_limit=_PIECE)
            except self._brotli.error as error:
                raise BadBodyError("is damaged: its compressed data can't be read") from error
            data = b""
            if piece:
                yield piece
            if not piece and self._engine.can_accept_more_data():
                return

    def is_complete(self) -> bool:
        """Whether the end of the compressed data has come."""
        return bool(self._engine.is_finished())


_LAYERS: dict[str, Callable[[], _Layer]] = {
    "gzip": lambda: _Zlib(is_gzip=True),
    "x-gzip": lambda: _Zlib(is_gzip=True),
    "deflate": lambda: _Zlib(is_gzip=False),
    "br": _Brotli,
}
