"""The lock files and journals of workers, which show whether a worker is alive and which deliveries it handed over.

A worker is a process that sends deliveries. The kernel frees the lock of a process that dies, however it dies. So a
free lock means that the worker is dead, and its deliveries can be taken over at once instead of when their lease ends.
This works only on one machine: the name of a worker begins with the name of its machine, and the files of other
machines are left alone.

The ledger knows the rows that a dead worker had leased, which may be hundreds. The mail server can have received only a
few of them, one for each connection. So a worker appends a delivery's id to its journal before it writes the last line
of the message. This takes one write, without a database or fsync. If the process is killed, its journal is complete,
because the kernel has all the written data. If the machine stops, part of the journal may be lost. So the journal
begins with the id of the boot. After another boot, or on a system without boot ids (only Linux has them), it proves
nothing.
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
from publisher.core.private_folder import make_inside

SUFFIX = ".handed"

_BOOT = Path("/proc/sys/kernel/random/boot_id")
_RECORD = struct.Struct("<q")


@contextmanager
def working(folder: Path) -> Iterator[str]:
    """Hold a worker's lock while the block runs; yield the worker's name.

    folder: the folder of the lock files; it is created if needed. Raises ProjectError if it cannot be written.
    """
    name = f"{_host()}.{os.getpid()}.{secrets.token_hex(4)}"
    path = folder / f"{name}.lock"
    try:
        make_inside(folder)
        file = _lock_own(path)
    except OSError as error:
        raise ProjectError(
            f"the worker's lock cannot be made: {error.strerror}", where=str(folder), hint="make it writable"
        ) from error
    with file:
        yield name
        # A worker removes its lock file only if it ends well. Otherwise the file shows that it may have left leases.
        path.unlink(missing_ok=True)


@contextmanager
def dead_workers(folder: Path) -> Iterator[frozenset[str]]:
    """Yield the names of this machine's dead workers, and hold their locks while the block runs.

    Within the block, the caller takes over their deliveries. After the block, their lock files and journals are
    removed, unless the block raises.
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


class Journal:
    """The file in which a worker records the deliveries that it hands over."""

    def __init__(self, file: IO[bytes], path: Path) -> None:
        self._file = file
        self._path = path
        self._broken = ""

    def note(self, delivery_id: int) -> None:
        """Record that a delivery is about to be handed over.

        Raises TransportError if that fails. Then neither this delivery nor any other may be handed over.
        """
        if not self._broken:
            try:
                if self._file.write(_RECORD.pack(delivery_id)) == _RECORD.size:
                    return
                self._broken = "the disk took only a part of it"
            except OSError as error:
                self._broken = error.strerror or str(error)
        what = f"the worker's journal cannot be written: {self._broken}"
        raise TransportError(what, where=str(self._path), hint="free some disk space and run the command again")


@contextmanager
def journal(folder: Path, worker: str) -> Iterator[Journal]:
    """Create a journal for the block, and remove it afterwards if the block ends well.

    folder: the folder of the lock files. worker: the worker's name. Raises ProjectError if the file cannot be created.
    """
    path = folder / f"{worker}{SUFFIX}"
    try:
        file = path.open("xb", buffering=0)
        file.write(_boot_id() + b"\n")
    except OSError as error:
        what = f"the worker's journal cannot be made: {error.strerror}"
        raise ProjectError(what, where=str(path), hint="free some disk space, and make the folder writable") from error
    with file:
        yield Journal(file, path)
    path.unlink(missing_ok=True)


def handed_over(folder: Path, worker: str, among: Iterable[int]) -> frozenset[int] | None:
    """Return the ids of the deliveries that a dead worker may have handed over.

    among: the ids of the deliveries in question. Returns None if there is no journal, or it proves nothing.
    """
    try:
        boot, _, records = (folder / f"{worker}{SUFFIX}").read_bytes().partition(b"\n")
    except OSError:
        return None
    if not boot or boot != _boot_id():
        return None
    whole = len(records) // _RECORD.size * _RECORD.size  # the message of an incomplete record was not handed over
    return frozenset(among).intersection(number for (number,) in _RECORD.iter_unpack(records[:whole]))


def _boot_id() -> bytes:
    try:
        return _BOOT.read_bytes().strip()
    except OSError:
        return b""


def _host() -> str:
    return re.sub(r"[^A-Za-z0-9-]", "-", socket.gethostname())[:60] or "localhost"


def _lock_own(path: Path) -> IO[bytes]:
    """Create and lock a lock file, and return it.

    It is created again if another process has removed it in the meantime, because it was not locked yet.
    """
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
