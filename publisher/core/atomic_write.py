"""Write a file completely or not at all, even if the process is stopped half-way.

Until it is complete, a file has a temporary name next to its target: it begins with a dot and ends in .part. Its
process holds a lock on it, which the kernel frees when the process ends, however it ends. So a file with a free lock
was left by a process that was killed, and `remove_left` removes it. No number of a process is compared: another process
can have the same number, and in a container, processes outside it cannot be seen.
"""

from __future__ import annotations

import errno
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

# Errors where hard links are impossible: on FAT, on network drives, or with a kernel that forbids them.
_NO_HARD_LINKS = (errno.EPERM, errno.EACCES, errno.EOPNOTSUPP, errno.ENOSYS)

_ENDING = ".part"

# The name, after that of its writer, of the file whose lock protects all temporary files of a Parts.
_SHARED_LOCK = "lock"


@contextmanager
def replacing(target: Path, mode: int = 0o666) -> Iterator[Path]:
    """Yield the path of an empty temporary file, which replaces `target` when the block ends.

    A reader of `target` sees either the old content or the new, never half of it. If the block raises, `target` stays
    unchanged. mode: the file's permissions, of which the umask removes some.

    Raises OSError if the file cannot be replaced. Nothing is fsynced: after a power cut, either the old or the new
    content may be there.
    """
    with temporary(target, mode) as part:
        yield part
        part.replace(target)


def write_new(target: Path, data: bytes) -> bool:
    """Write a file completely unless a file with that name exists; return whether it was written.

    The folders above it are created. Raises OSError if the file cannot be written.
    """
    if os.path.lexists(target):
        return False
    target.parent.mkdir(parents=True, exist_ok=True)
    with temporary(target) as part:
        part.write_bytes(data)
        return put_new(part, target)


@contextmanager
def temporary(target: Path, mode: int = 0o666) -> Iterator[Path]:
    """Yield the path of an empty temporary file next to `target`, which is removed at the end if it is still there."""
    part = target.with_name(f".{target.name[:40]}.{_token()}{_ENDING}")
    with locked_file(part, mode):
        try:
            yield part
        finally:  # also after Ctrl-C
            part.unlink(missing_ok=True)


def put_new(part: Path, target: Path) -> bool:
    """Put a file in place at `target` unless a file with that name exists; return whether it was put there.

    The caller removes `part`, which may still be there. Raises OSError if that fails.
    """
    try:
        os.link(part, target)  # unlike rename, link fails if another process was quicker
    except FileExistsError:
        return False
    except OSError as error:
        if error.errno not in _NO_HARD_LINKS:
            raise
        if os.path.lexists(target):
            return False
        part.replace(target)
    return True


class Parts:
    """The temporary files of one writer of very many files. They are in one folder, and protected by one lock."""

    def __init__(self, folder: Path, begin: str) -> None:
        """Take the folder, which need not exist yet, and what the names of the files begin with."""
        self._names, self._begin = f"{folder}/{begin}", ""
        self._lock: BinaryIO | None = None

    def path(self, name: int | str) -> str:
        """Return the path of a temporary file. The first call locks them all; raises OSError if that fails."""
        if self._lock is None:
            self._begin = f"{self._names}{_token()}-"
            self._lock = locked_file(Path(f"{self._begin}{_SHARED_LOCK}{_ENDING}"))
        return f"{self._begin}{name}{_ENDING}"

    def close(self) -> None:
        """End the protection. The caller has removed the files, or moved them to where they belong."""
        if self._lock is not None:
            with self._lock:
                Path(self._lock.name).unlink(missing_ok=True)
            self._lock = None


@contextmanager
def temporary_folder(folder: Path, begin: str) -> Iterator[Path]:
    """Yield a new folder in `folder` that only its owner can read; at the end it is removed with all that is in it.

    begin  what its name begins with
    """
    parts = Parts(folder, begin)
    made = Path(parts.path("folder"))
    try:
        made.mkdir(0o700)
        yield made
    finally:
        _remove_folder(made)
        parts.close()


def is_temporary(name: str, begin: str = "") -> bool:
    """Return whether a file with this name may be a temporary file. begin: what the names of these begin with."""
    return name.startswith(begin) and name.endswith(_ENDING)


def remove_left(folder: Path, begin: str = "") -> None:
    """Remove the temporary files and folders that killed processes have left in a folder, which may be missing.

    begin  what their names begin with
    """
    names = list[str]()
    with suppress(OSError):
        names += [name for name in os.listdir(folder) if is_temporary(name, begin)]  # noqa: PTH208 - names alone
    # The shared locks last: without them, nobody would know whether a folder is in use.
    for name in sorted(names, key=lambda name: name.endswith(f"-{_SHARED_LOCK}{_ENDING}")):
        path = folder / name
        shared = folder / f"{name.rpartition('-')[0]}-{_SHARED_LOCK}{_ENDING}"
        with suppress(OSError), taken(shared if shared.exists() else path):  # unless its process is running
            if path.is_dir() and not path.is_symlink():
                _remove_folder(path)
            else:
                path.unlink()


def locked_file(path: Path, mode: int = 0o666) -> BinaryIO:
    """Create a file and open it for writing. It is locked until it is closed or the process ends.

    mode: its permissions, of which the umask removes some. Raises OSError if it exists or cannot be created. On a disk
    without locks, it is not locked, and `taken` never takes it.
    """
    while True:
        file = open(path, "xb", opener=lambda name, flags: os.open(name, flags, mode))  # noqa: SIM115
        with suppress(OSError):
            fcntl.flock(file, fcntl.LOCK_EX)
        if os.fstat(file.fileno()).st_nlink:
            return file
        file.close()  # another process removed it before it was locked


def taken(path: Path) -> BinaryIO:
    """Open and lock a file whose process has ended, so that nobody else takes it until it is closed.

    Raises BlockingIOError if the process may be running, and other OSErrors if the file is gone or cannot be opened.
    """
    file = os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW), "rb")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        file.close()
        raise BlockingIOError(error.errno, error.strerror, str(path)) from error
    return file


def _remove_folder(path: Path) -> None:
    from shutil import rmtree  # not at the top: few processes make such a folder

    rmtree(path, ignore_errors=True)


def _token() -> str:
    return os.urandom(6).hex()
