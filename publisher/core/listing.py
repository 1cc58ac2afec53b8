"""The files of a project as one walk finds them.

No file is opened. A walk costs more than everything else in a build with nothing to do, so its entries are kept until a
caller takes them or the same folder is walked again.
"""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from operator import itemgetter
from pathlib import Path

# A file system's clock moves in ticks of a few milliseconds. A file younger than this when it is looked at may change
# again within the same tick, and still have the same time and size.
TICK_NS = 20_000_000

# A project with more files than this is not listed: something else is in its folder.
_MOST_FILES = 1_000_000

# An entry of a folder: its name, its size in bytes, and its mtime and ctime in nanoseconds.
Row = tuple[str, int, int, int]

# The bits of a mode that say what kind of file it is.
_KIND = 0o170000

# What the latest walk found in each folder, until it is taken: the names of all folders in it, and its rows.
_kept: dict[str, tuple[set[str], list[Row]]] = {}


class Listing:
    """All files and folders below a folder at one moment.

    rows   the path of each folder, and a row for everything in it
    plain  whether there is nothing but readable folders and plain files; if not, the rows are not complete
    """

    def __init__(self, root: str, leave_out: Collection[str] = ()) -> None:
        """Walk through `root`. leave_out: paths, relative to it, of folders to skip."""
        self.rows: list[tuple[str, list[Row]]] = []
        self.plain, self._newest, self._began = True, 0, time.time_ns()
        _kept.clear()
        pending, seen = [""], 0
        while pending and self.plain:
            path = pending.pop()
            pending += sorted(self._read(root, path, leave_out))
            seen += len(self.rows[-1][1]) if self.rows else 0
            self.plain = self.plain and seen <= _MOST_FILES
        if not self.plain:
            _kept.clear()

    @property
    def is_settled(self) -> bool:
        """Whether any file that changes after the walk is certain to get a different modification time."""
        return self.plain and self._newest < self._began - TICK_NS

    def _read(self, root: str, path: str, leave_out: Collection[str]) -> list[str]:
        """Add the row of one folder; return the paths of the folders in it that should be entered."""
        folder = f"{root}/{path}" if path else root
        found, folders, names = list[Row](), list[str](), set[str]()
        try:
            with opened(folder) as entries:
                for entry in entries:
                    status = entry.stat(follow_symlinks=False)
                    if status.st_mode & _KIND != stat.S_IFREG:
                        self.plain = self.plain and stat.S_ISDIR(status.st_mode)
                        names.add(entry.name)
                        inside = f"{path}/{entry.name}" if path else entry.name
                        if inside in leave_out:
                            continue
                        folders.append(inside)
                    found.append((entry.name, status.st_size, status.st_mtime_ns, status.st_ctime_ns))
        except OSError:
            self.plain = False
            return []
        found.sort()
        self._newest = max(self._newest, max(map(itemgetter(3), found), default=0))
        self.rows.append((path, found))
        _kept[folder] = names, found
        return folders


def kept_rows(folder: str) -> tuple[set[str], list[Row]] | None:
    """Return what the latest walk found in a folder, but only once: the names of all folders in it, and its rows.

    The result is None if the walk did not enter this folder, or found anything but folders and plain files.
    """
    return _kept.pop(folder.rstrip("/"), None)


def forget() -> None:
    """Forget what the latest walk found, unless a caller has already taken it."""
    _kept.clear()


@contextmanager
def opened(folder: str) -> Iterator[Iterable[os.DirEntry[str]]]:
    """Open os.scandir, with a file descriptor if possible, so that the system need not resolve each file's path."""
    if os.scandir not in os.supports_fd:
        with os.scandir(folder) as entries:
            yield entries
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        with os.scandir(handle) as entries:
            yield entries
    finally:
        os.close(handle)


def shipped_folder() -> Path:
    """Return the folder of the shipped templates, which is inside an installed package but next to it in a checkout."""
    package = Path(__file__).parent.parent
    inside = package / "templates"
    return inside if inside.is_dir() else package.parent / "templates"
