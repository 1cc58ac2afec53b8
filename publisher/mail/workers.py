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
import struct
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO

from publisher.core.errors import ProjectError, TransportError

SUFFIX = ".handed"

_BOOT = Path("/proc/sys/kernel/random/boot_id")
_RECORD = struct.Struct("<q")


class Journal:
    """One worker's file; see the module."""

    def __init__(self, file: IO[bytes], path: Path) -> None:
        self._file = file
        self._path = path
        self._broken = ""

    def note(self, delivery_id: int) -> None:
        """Write down that a delivery is about to be handed over; raise TransportError where that fails.

        Then it must not be handed over, and no other either.
        """
        if not self._broken:
            try:
                if self._file.write(_RECORD.pack(delivery_id)) == _RECORD.size:
                    return
                self._broken = "a part of it was not taken"
            except OSError as error:
                self._broken = error.strerror or str(error)
        what = f"what is handed over cannot be written down: {self._broken}"
        raise TransportError(what, where=str(self._path), hint="make room and run it again")


@contextmanager
def journal(folder: Path, worker: str) -> Iterator[Journal]:
    """Keep a journal for as long as the block runs; only a block that ends well takes its file away.

    folder: of the workers' locks. Raises ProjectError where the file cannot be made.
    """
    path = folder / f"{worker}{SUFFIX}"
    try:
        file = path.open("xb", buffering=0)
        file.write(_boot() + b"\n")
    except OSError as error:
        what = f"the worker's journal cannot be made: {error.strerror}"
        raise ProjectError(what, where=str(path), hint="make room, and the folder writable") from error
    with file:
        yield Journal(file, path)
    path.unlink(missing_ok=True)


def handed_over(folder: Path, worker: str, among: Iterable[int]) -> frozenset[int] | None:
    """Return which of these deliveries a dead worker may have handed over; None where nothing can be known."""
    try:
        boot, _, records = (folder / f"{worker}{SUFFIX}").read_bytes().partition(b"\n")
    except OSError:
        return None
    if not boot or boot != _boot():
        return None
    whole = len(records) // _RECORD.size * _RECORD.size  # what was cut off was not handed over
    return frozenset(among).intersection(number for (number,) in _RECORD.iter_unpack(records[:whole]))


def _boot() -> bytes:
    try:
        return _BOOT.read_bytes().strip()
    except OSError:
        return b""


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
            path.with_suffix(SUFFIX).unlink(missing_ok=True)
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
