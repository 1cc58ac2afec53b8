"""Write a file completely or not at all, even if the process is stopped half-way."""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

# Errors where hard links are impossible: on FAT, on network drives, or with a kernel that forbids them.
_NO_HARD_LINKS = (errno.EPERM, errno.EACCES, errno.EOPNOTSUPP, errno.ENOSYS)


@contextmanager
def replacing(target: Path, part: Path | None = None) -> Iterator[Path]:
    """Yield the path of a temporary file, which replaces `target` when the block ends.

    A reader of `target` sees either the old content or the new, never half of it. If the block raises, `target` stays
    unchanged and the temporary file is removed. A process that is killed leaves the temporary file behind. To find it
    later, pass its path as `part`, which must be on the same file system.

    Raises OSError if the file cannot be replaced. Nothing is fsynced: after a power cut, either the old or the new
    content may be there.
    """
    if part is None:
        part = target.with_name(f"{target.name}.{os.getpid()}-{threading.get_ident()}.part")
    try:
        yield part
        part.replace(target)
    except BaseException:  # Ctrl-C too must leave no partial file
        part.unlink(missing_ok=True)
        raise


def write_new(target: Path, data: bytes) -> bool:
    """Write a file completely unless a file with that name exists; return whether it was written.

    The folders above it are created. Raises OSError if the file cannot be written.
    """
    if os.path.lexists(target):
        return False
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f".{target.name[:100]}.{os.getpid()}-{threading.get_ident()}.part")
    try:
        part.write_bytes(data)
        return put_new(part, target)
    finally:
        part.unlink(missing_ok=True)


def is_running(process: str) -> bool:
    """Return whether a process with this number exists, so that a temporary file named after it is in use."""
    try:
        os.kill(int(process), 0)
    except (ProcessLookupError, ValueError, OverflowError):
        return False
    except OSError:
        return True  # the process belongs to another user
    return True


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
