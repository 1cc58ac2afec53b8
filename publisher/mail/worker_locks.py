"""The lock files of workers, which on one machine show immediately that a worker is dead.

A worker is a process that sends deliveries. The kernel frees the lock of a process that dies, however it dies. So a
free lock means that the worker is dead, and its deliveries can be taken over immediately instead of when its lease
ends. This works only on one machine: the name of a worker begins with the name of its machine, and the files of other
machines are left alone. The database records what the worker had handed over (see store/workers.py).
"""

from __future__ import annotations

import os
import re
import secrets
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from publisher.core.atomic_write import locked_file, taken
from publisher.core.errors import ProjectError
from publisher.core.private_folder import make_inside


@contextmanager
def working(folder: Path) -> Iterator[str]:
    """Hold a worker's lock while the block runs; yield the worker's name.

    folder: the folder of the lock files; it is created if needed. Raises ProjectError if it cannot be written.
    """
    name = f"{_host()}.{os.getpid()}.{secrets.token_hex(4)}"
    path = folder / f"{name}.lock"
    try:
        make_inside(folder)
        file = locked_file(path)
    except OSError as error:
        raise ProjectError(
            f"the worker's lock cannot be made: {error.strerror}", where=str(folder), hint="make it writable"
        ) from error
    with file:
        yield name
        # A worker removes its lock file only if it ends normally. Otherwise the file shows that it may have left
        # leases.
        path.unlink(missing_ok=True)


@contextmanager
def dead_workers(folder: Path) -> Iterator[frozenset[str]]:
    """Yield the names of this machine's dead workers, and hold their locks while the block runs.

    Within the block, the caller takes over their deliveries. After the block, their lock files are removed, unless the
    block raises.
    """
    with ExitStack() as locks:
        dead = list[Path]()
        for path in sorted(folder.glob(f"{_host()}.*.lock")):
            with suppress(BlockingIOError, FileNotFoundError):
                locks.enter_context(taken(path))
                dead.append(path)
        yield frozenset(path.name.removesuffix(".lock") for path in dead)
        for path in dead:
            path.with_suffix(".handed").unlink(missing_ok=True)  # older versions had such files
            path.unlink(missing_ok=True)


def _host() -> str:
    return re.sub(r"[^A-Za-z0-9-]", "-", socket.gethostname())[:60] or "localhost"
