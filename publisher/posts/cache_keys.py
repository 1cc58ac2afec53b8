"""The keys of caches. Output that was cached under one key is never used under another."""

from __future__ import annotations

import hashlib
import os
from functools import cache
from pathlib import Path


def hash_of(*parts: str) -> str:
    """Return a short hash of the texts, for use in keys and digests."""
    return hashlib.blake2b("\0".join(parts).encode("utf-8", "surrogatepass"), digest_size=12).hexdigest()


@cache
def code_key() -> str:
    """Return a hash of the names, sizes and times of the program's own files, since other code may make other output.

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
