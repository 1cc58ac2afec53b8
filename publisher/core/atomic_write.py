"""Write a file completely or not at all, even if the process is stopped half-way."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


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
    except BaseException:
        part.unlink(missing_ok=True)
        raise
