"""The keys of caches. Output that was cached under one key is never used under another."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path

from publisher.posts.media_types import is_picture


def hash_of(*parts: str) -> str:
    """Return a short hash of the texts, for use in keys and digests."""
    return hashlib.blake2b("\0".join(parts).encode("utf-8", "surrogatepass"), digest_size=12).hexdigest()


def stamp_of(file: Path, settled_ns: int | None = None) -> str:
    """Return the size and time of a file, which change when its content does; "" if there is no such file.

    settled_ns: a time in nanoseconds. A file that changed then or later gets a stamp that no file has.
    """
    try:
        status = file.stat()
    except OSError:
        return ""
    if settled_ns is not None and max(status.st_mtime_ns, status.st_ctime_ns) >= settled_ns:
        return "may have been read before it changed"
    return f"{status.st_size}:{status.st_mtime_ns}"


def with_stamps(
    digests: Mapping[str, str], assets: Mapping[str, Iterable[tuple[str, str]]], root: Path
) -> dict[str, str]:
    """Return the digests of posts, which also change when a picture that a post shows changes.

    assets  the (site path, project path) of the files that a post shows, by its source
    """
    found = dict(digests)
    for source in digests.keys() & assets.keys():
        pictures = sorted({path for _, path in assets[source] if is_picture(path)})
        if pictures:
            found[source] = hash_of(digests[source], *(stamp_of(root / path) for path in pictures))
    return found


@cache
def code_key() -> str:
    """Return a hash of the names, sizes and times of the program's own files, since new code may make different output.

    The packages cli, mail and store are left out, since they make no cached output.
    """
    found = hashlib.blake2b(digest_size=8)
    for path, folders, names in os.walk(Path(__file__).parent.parent):
        folders[:] = sorted(f for f in folders if f not in ("__pycache__", "templates", "cli", "mail", "store"))
        for name in sorted(names):
            if name.endswith(".py"):
                status = os.stat(f"{path}/{name}")  # noqa: PTH116 - 300 files; pathlib takes three times as long
                found.update(f"{name}:{status.st_size}:{status.st_mtime_ns}".encode())
    return found.hexdigest()
