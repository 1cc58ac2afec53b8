"""One process a project's folder. Hosts that share a database have a folder each, and the record keeps them apart."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from publisher.core.errors import ProjectError


def running(state_dir: Path) -> int:
    """Return the process that is at work in this folder, 0 where none is. Writes nothing."""
    try:
        with (state_dir / "run.lock").open(encoding="ascii") as file:
            try:
                # Shared, so that two who only look never see each other.
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return int(file.read().strip() or 0)
    except (OSError, ValueError):
        pass  # it never ran here, or begins just now
    return 0


@contextmanager
def only_one(state_dir: Path) -> Iterator[None]:
    """Be the only one for as long as the block runs; the kernel frees the lock of a process that dies.

    Raises ProjectError where another one runs, with its process number, or where the folder cannot be written.
    """
    path = state_dir / "run.lock"
    try:
        state_dir.mkdir(mode=0o700, exist_ok=True)
        file = path.open("a+", encoding="ascii")
    except OSError as error:
        raise ProjectError(
            f"the lock cannot be made: {error.strerror}", where=str(path), hint="make it writable"
        ) from error
    with file:
        try:
            _take(file)
        except BlockingIOError as error:
            file.seek(0)
            pid = file.read().strip()
            raise ProjectError(
                f"`publisher run` is at work here already{f', as process {pid}' if pid else ''}",
                where=str(state_dir.parent),
                hint="one a folder is enough; `systemctl status` or `ps` shows it",
            ) from error
        file.truncate(0)
        file.write(f"{os.getpid()}\n")
        file.flush()
        yield


def _take(file: TextIO) -> None:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        time.sleep(0.1)  # who only looks, see `running`, holds it for no longer than that
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
