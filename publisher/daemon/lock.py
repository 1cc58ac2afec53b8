"""A lock that allows only one running process per project folder.

Hosts that share a database each have a project folder of their own, so this lock does not affect them. The database
coordinates them.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from publisher.core.errors import ProjectError
from publisher.core.private_folder import make_private


def running(state_dir: Path) -> int:
    """Return the process id of the `publisher run` that is using this folder, or 0. Writes nothing."""
    try:
        with (state_dir / "run.lock").open(encoding="ascii") as file:
            try:
                # A shared lock, so that two commands that only check don't mistake each other for the process.
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return int(file.read().strip() or 0)
    except (OSError, ValueError):
        pass  # the process has never run here, or is just starting
    return 0


@contextmanager
def only_one(state_dir: Path) -> Iterator[None]:
    """Hold the lock while the `with` block runs. If the process dies, the kernel releases the lock.

    Raises ProjectError if another process holds the lock (the error includes its process id), or if the folder is not
    writable.
    """
    path = state_dir / "run.lock"
    try:
        make_private(state_dir)
        file = path.open("a+", encoding="ascii")
    except OSError as error:
        raise ProjectError(
            f"cannot create the lock: {error.strerror}", where=str(path), hint="make it writable"
        ) from error
    with file:
        try:
            _take(file)
        except BlockingIOError as error:
            file.seek(0)
            pid = file.read().strip()
            raise ProjectError(
                f"`publisher run` is already running here{f' (pid {pid})' if pid else ''}",
                where=str(state_dir.parent),
                hint="only one can run per project; `systemctl status` or `ps` shows it",
            ) from error
        file.truncate(0)
        file.write(f"{os.getpid()}\n")
        file.flush()
        yield


def _take(file: TextIO) -> None:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        time.sleep(0.1)  # `running` holds the lock for less time than this
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
