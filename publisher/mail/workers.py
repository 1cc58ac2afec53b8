"""Who is alive: a worker holds a lock on a file of its own for as long as it lives.

The kernel frees the lock of a process that dies, however it dies; so a free lock means a dead worker, and its
deliveries can be taken over at once instead of when their lease lapses. That holds on one machine: worker
names start with the machine's, and the files of others are left alone.
"""

from __future__ import annotations

import fcntl
import os
import re
import secrets
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO

from publisher.core.errors import ProjectError
from publisher.mail.journal import SUFFIX as JOURNAL


@contextmanager
def working(folder: Path) -> Iterator[str]:
    """Be a worker for as long as the block runs; gives the worker's name.

    folder: where the lock files are, made if missing. Raises ProjectError where it cannot be written.
    """
    name = f"{_host()}.{os.getpid()}.{secrets.token_hex(4)}"
    path = folder / f"{name}.lock"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        file = _lock_own(path)
    except OSError as error:
        raise ProjectError(
            f"the worker's lock cannot be made: {error.strerror}", where=str(folder), hint="make it writable"
        ) from error
    with file:
        yield name
        # Only a worker that ends well takes its file away; any other leaves it, as the sign of its leases.
        path.unlink(missing_ok=True)


@contextmanager
def dead_workers(folder: Path) -> Iterator[frozenset[str]]:
    """Give the names of this machine's workers that are dead, their locks held meanwhile.

    Their locks and journals are removed after the block, unless it raises: whoever takes their deliveries over is then
    done.
    """
    with ExitStack() as locks:
        dead = {}
        for path in sorted(folder.glob(f"{_host()}.*.lock")):
            if file := _lock_if_free(path):
                dead[path] = locks.enter_context(file)
        yield frozenset(path.name.removesuffix(".lock") for path in dead)
        for path in dead:
            path.with_suffix(JOURNAL).unlink(missing_ok=True)
            path.unlink(missing_ok=True)


def _host() -> str:
    return re.sub(r"[^A-Za-z0-9-]", "-", socket.gethostname())[:60] or "localhost"


def _lock_own(path: Path) -> IO[bytes]:
    """Return the file, locked. One just made may be taken for a dead worker's and removed: make it anew."""
    while True:
        file = path.open("wb")
        fcntl.flock(file, fcntl.LOCK_EX)
        try:
            if os.fstat(file.fileno()).st_ino == path.stat().st_ino:
                return file
        except FileNotFoundError:
            pass
        file.close()


def _lock_if_free(path: Path) -> IO[bytes] | None:
    try:
        file = path.open("rb")
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        return None
    return file
