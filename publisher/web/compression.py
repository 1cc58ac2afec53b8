"""Files compressed with gzip: which files, for which clients, and the results, so that a file is only compressed once.

Only files of the site are compressed. The pages of the application contain tokens, which could be guessed from the
length of a compressed page that also repeats what the request contained (BREACH).
"""

from __future__ import annotations

import asyncio
import gzip
import os
import re
from collections import OrderedDict
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from starlette.concurrency import run_in_threadpool

if TYPE_CHECKING:
    from starlette.types import Scope

# Smaller files fit into one packet anyway. Larger ones would take more than 30 ms of CPU time.
LEAST_BYTES = 600
MOST_BYTES = 1_000_000
_MOST_KEPT = 16_000_000
_LEVEL = 5
_TEXTS = re.compile(r"text/|application/(?:json|xml|javascript|wasm)|[^;]*\+(?:xml|json)", re.IGNORECASE)

_Key = tuple[str, int, int]


def is_compressible(media_type: str, size: int) -> bool:
    """Return whether files of this type and size are sent compressed."""
    return LEAST_BYTES <= size <= MOST_BYTES and _TEXTS.match(media_type) is not None


def accepts_gzip(scope: Scope) -> bool:
    """Return whether the client accepts gzip (RFC 9110, 12.5.3) for this request. Parts of files are not compressed."""
    values = [value.decode("latin-1") for name, value in scope["headers"] if name == b"accept-encoding"]
    if any(name == b"range" for name, _ in scope["headers"]):
        return False
    weights: dict[str, bool] = {}
    for each in ",".join(values)[:1_000].lower().split(","):
        coding, _, weight = each.partition(";")
        weights[coding.strip()] = re.fullmatch(r"\s*(?:q\s*=\s*0(?:\.0{0,3})?)\s*", weight) is None
    return weights.get("gzip", weights.get("x-gzip", weights.get("*", False)))


class GzipFiles:
    """The newest compressed files, kept in memory up to 16 MB. One file is compressed at a time."""

    def __init__(self) -> None:
        self._kept: OrderedDict[_Key, bytes] = OrderedDict()
        self._bytes = 0
        self._one_at_a_time = asyncio.Lock()

    async def content(self, path: str, status: os.stat_result) -> bytes | None:
        """Return a file compressed; None if it is no longer the one that `status` describes."""
        key = (path, status.st_mtime_ns, status.st_size)
        found = self._kept.get(key)
        if found is None:
            async with self._one_at_a_time:
                found = await run_in_threadpool(self._compress, key)
        else:
            with suppress(KeyError):  # dropped meanwhile
                self._kept.move_to_end(key)
        return found

    def _compress(self, key: _Key) -> bytes | None:
        if key in self._kept:  # another request has compressed it meanwhile
            return self._kept[key]
        path, modified, size = key
        with Path(path).open("rb") as file:
            status = os.fstat(file.fileno())
            if (status.st_mtime_ns, status.st_size) != (modified, size):
                return None
            content = gzip.compress(file.read(MOST_BYTES + 1), _LEVEL, mtime=0)
        self._kept[key] = content
        self._bytes += len(content)
        while self._bytes > _MOST_KEPT:
            _, oldest = self._kept.popitem(last=False)
            self._bytes -= len(oldest)
        return content
