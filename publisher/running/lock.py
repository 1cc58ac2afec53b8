"""One process a project's folder. Hosts that share a database have a folder each, and the record keeps them apart."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from publisher.errors import ProjectError


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
            f"the lock cannot be made: {error.strerror}", where=str(path), mend="make it writable"
        ) from error
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            file.seek(0)
            pid = file.read().strip()
            raise ProjectError(
                f"`publisher run` is at work here already{f', as process {pid}' if pid else ''}",
                where=str(state_dir.parent),
                mend="one a folder is enough; `systemctl status` or `ps` shows it",
            ) from error
        file.truncate(0)
        file.write(f"{os.getpid()}\n")
        file.flush()
        yield
