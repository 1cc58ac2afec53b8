"""The search for post files, which walks the posts folder without opening a file."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from publisher.core.models import Problem

ENDINGS = (".md", ".markdown", ".mdown", ".html")

# A novel has half a megabyte. A file larger than this is a data dump with the wrong ending.
MOST_BYTES = 5_000_000

# Jekyll's folders of posts. Any other name with an underscore is a partial, a layout or a section page.
_POST_FOLDERS = ("_posts", "_drafts")

# (size, mtime in nanoseconds) of a file, which show whether it has changed without reading it.
Stamp = tuple[int, int]

# The device and inode of a folder, whatever paths lead to it.
_Inode = tuple[int, int]


def scan(folder: Path, shown: str, project: Path | None = None) -> tuple[dict[str, Stamp], list[Problem]]:
    """Walk through `folder`; return the stamps of post files by relative POSIX path, and the problems sorted by path.

    shown    the folder's name in problems
    project  a folder besides `folder` itself that symbolic links may lead to
    Names that begin with a dot or an underscore are skipped, except _posts and _drafts. Symbolic links are followed,
    but a link to a folder above itself or out of the project is a problem.
    """
    walk = _Walk(folder, shown, project or folder)
    pending = [("", _inodes_above(folder))]
    while pending:
        pending += walk.read(*pending.pop())
    return walk.found, sorted(walk.problems, key=lambda problem: problem.path)


class _Walk:
    """The files and problems that a walk has found so far.

    Paths are relative to the posts folder; those of folders end in a slash.
    """

    def __init__(self, folder: Path, shown: str, project: Path) -> None:
        self.found: dict[str, Stamp] = {}
        self.problems: list[Problem] = []
        self._folder, self._shown = folder, shown
        self._inside = tuple({f"{os.path.realpath(path)}".rstrip(os.sep) + os.sep for path in (folder, project)})

    def read(self, path: str, above: tuple[_Inode, ...]) -> list[tuple[str, tuple[_Inode, ...]]]:
        """Note the files in one folder; return its subfolders, each with the inodes of the folders above it."""
        try:
            here = _inode(f"{self._folder}/{path}")
            if here in above:
                self._report(path.rstrip("/"), "is a link to a folder above itself", "remove the link")
                return []
            with _entries(f"{self._folder}/{path}") as entries:
                return [(name, (*above, here)) for name in self._sort(entries, path)]
        except OSError as error:
            self._report(path.rstrip("/"), *_not_walked(error))
            return []

    def _sort(self, entries: os._ScandirIterator[str], folder: str) -> list[str]:
        folders = []
        for entry in entries:
            name = entry.name
            if name[0] in "._" and name not in _POST_FOLDERS:
                continue
            path = folder + name
            has_ending = name.lower().endswith(ENDINGS)
            if entry.is_symlink() and self._leads_out(path):
                self._report_outside(path, might_be_posts=has_ending or entry.is_dir())
                continue
            try:
                status = entry.stat() if has_ending else None
                is_folder = entry.is_dir() if status is None else stat.S_ISDIR(status.st_mode)
            except OSError as error:
                self._report(path, *_unreadable(error))
                continue
            if is_folder:
                folders.append(f"{path}/")
            elif status and stat.S_ISREG(status.st_mode) and (path.isascii() or _printable(path) == path):
                self.found[path] = (status.st_size, status.st_mtime_ns)
            elif status:
                self._report(path, *_odd(status))
        return folders

    def _leads_out(self, path: str) -> bool:
        """Return whether a symbolic link leads to a file or folder outside the project. A broken link does not.

        Call this only for links, since resolving a path is slow.
        """
        real = os.path.realpath(f"{self._folder}/{path}")
        return os.path.exists(real) and not f"{real}{os.sep}".startswith(self._inside)

    def _report_outside(self, path: str, *, might_be_posts: bool) -> None:
        if might_be_posts:
            what = "is a link to something outside the project, so it is not published"
            self._report(path, what, "copy its target into the project, or remove the link")

    def _report(self, path: str, message: str, hint: str) -> None:
        self.problems.append(Problem(f"{self._shown}/{_printable(path)}".rstrip("/"), 0, message, hint))


def _inodes_above(folder: Path) -> tuple[_Inode, ...]:
    """Return the inodes of the folders above the posts folder, so that a link to one of them is reported.

    Through a link to the project, for example, the built pages would become posts.
    """
    above = []
    for parent in folder.resolve().parents:
        with suppress(OSError):
            above.append(_inode(str(parent)))
    return tuple(above)


def _inode(path: str) -> _Inode:
    status = os.stat(path)
    return status.st_dev, status.st_ino


@contextmanager
def _entries(path: str) -> Iterator[os._ScandirIterator[str]]:
    """Open os.scandir, with a file descriptor if possible, so that the system need not resolve each file's path."""
    if os.scandir not in os.supports_fd:
        with os.scandir(path) as entries:
            yield entries
        return
    handle = os.open(path, os.O_RDONLY)
    try:
        with os.scandir(handle) as entries:
            yield entries
    finally:
        os.close(handle)


def _printable(name: str) -> str:
    """Return the name as UTF-8 text, with an escape for each invalid byte."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def _odd(status: os.stat_result) -> tuple[str, str]:
    if stat.S_ISREG(status.st_mode):
        return "has a name that is not UTF-8", "rename it"
    return "is not a regular file", "move it out of the posts folder"


def _unreadable(error: OSError) -> tuple[str, str]:
    if error.errno == errno.ELOOP:
        return "is a link that leads back to itself", "remove the link"
    if error.errno == errno.ENOENT:
        return "is a link to a file that doesn't exist", "remove the link"
    return f"cannot be read: {error.strerror}", "fix its permissions"


def _not_walked(error: OSError) -> tuple[str, str]:
    if error.errno == errno.ENOTDIR:
        return "is a file, not a folder", "move it away"
    hint = "create the folder, or set posts.folder" if error.errno == errno.ENOENT else "fix its permissions"
    return f"cannot be read: {error.strerror}", hint
