"""Write a file whole or not at all, whatever stops the process half-way."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def replacing(target: Path, part: Path | None = None) -> Iterator[Path]:
    """Yield a path to write the new content of `target` to; when the block ends, that file takes the place of `target`.

    A reader of `target` sees the old content or the new, never half of it. If the block raises, `target` stays as it
    was and the new file is removed. A process that is killed leaves the new file behind; to find it later, name it
    with `part`, which must be on the same file system.

    Raises OSError where the file cannot be replaced. Nothing is fsynced: after a power cut either content may be there.
    """
    if part is None:
        part = target.with_name(f"{target.name}.{os.getpid()}-{threading.get_ident()}.part")
    try:
        yield part
        part.replace(target)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
