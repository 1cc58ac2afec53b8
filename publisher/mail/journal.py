"""What a worker has handed over: a file beside its lock, for whoever takes its deliveries over.

The ledger knows which rows a dead worker had leased, some hundreds; a server can have got a few of them, one a
connection. So a delivery's id is appended here before its message's last line is written: one write, no
database, no fsync.

A process that is killed loses nothing of it, since what was written is the kernel's by then. A machine that
stops may. So the file begins with the name of the boot it belongs to, and after another boot it proves nothing.
The same holds where the system does not name its boots (only Linux does).
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
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
