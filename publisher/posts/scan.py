"""Which files are posts: a walk through the folder that opens no file."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from publisher.core.models import Problem

ENDINGS = (".md", ".markdown", ".mdown", ".html")

# A novel has half a megabyte. A larger file than this is a data dump with the wrong ending.
MOST_BYTES = 5_000_000

# Jekyll's folders of posts. Any other name with an underscore is a partial, a layout or a section page.
_POST_FOLDERS = ("_posts", "_drafts")

# What shows that a file has changed without reading it: (size, mtime in nanoseconds).
Stamp = tuple[int, int]


def scan(folder: Path, shown: str, project: Path | None = None) -> tuple[dict[str, Stamp], list[Problem]]:
    """Walk through `folder`; return the stamps of post files by relative POSIX path, and the problems.

    shown    how the folder is named in problems
    project  the folder that symbolic links may lead to, besides `folder` itself
    Names that begin with a dot or an underscore are skipped, except _posts and _drafts. Symbolic links are followed,
    but one that leads to a folder above itself or out of the project is a problem.
    """
    found: dict[str, Stamp] = {}
    problems: list[Problem] = []
    links = _Links(folder, project or folder)
    pending: list[tuple[str, tuple[tuple[int, int], ...]]] = [("", _around(folder))]
    while pending:
        prefix, above = pending.pop()
        path = f"{folder}/{prefix}"
        try:
            key = os.stat(path)
            here = (key.st_dev, key.st_ino)
            if here in above:
                problems.append(
                    Problem(
                        f"{shown}/{prefix.rstrip('/')}",
                        0,
                        "is a link to a folder above itself",
                        "remove the link",
                    )
                )
                continue
            with _entries(path) as entries:
                pending.extend(_sort(entries, prefix, (*above, here), found, problems, shown, links))
        except OSError as error:
            problems.append(Problem(f"{shown}/{prefix}".rstrip("/"), 0, *_not_walked(error)))
    problems.sort(key=lambda problem: problem.path)
    return found, problems


class _Links:
    """Knows which links leave the project. Only links are resolved, since resolving takes longer than the walk."""

    def __init__(self, folder: Path, project: Path) -> None:
        self._folder = folder
        self._inside = tuple({f"{os.path.realpath(path)}".rstrip(os.sep) + os.sep for path in (folder, project)})

    def lead_out(self, name: str) -> bool:
        """Return whether a link in the folder leads to something outside. A broken link does not."""
        real = os.path.realpath(f"{self._folder}/{name}")
        return os.path.exists(real) and not f"{real}{os.sep}".startswith(self._inside)


def _around(folder: Path) -> tuple[tuple[int, int], ...]:
    """Return the folders above the posts folder: a link to the project would turn the built pages into posts."""
    around = []
    for parent in folder.resolve().parents:
        with suppress(OSError):
            key = os.stat(parent)
            around.append((key.st_dev, key.st_ino))
    return tuple(around)


@contextmanager
def _entries(path: str) -> Iterator[os._ScandirIterator[str]]:
    """Open os.scandir with a file descriptor if possible: then the system need not resolve the path of each file."""
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


def _sort(
    entries: os._ScandirIterator[str],
    prefix: str,
    above: tuple[tuple[int, int], ...],
    found: dict[str, Stamp],
    problems: list[Problem],
    shown: str,
    links: _Links,
) -> list[tuple[str, tuple[tuple[int, int], ...]]]:
    """Put the files of one folder into `found`; return the folders to walk next."""
    folders = []
    for entry in entries:
        name = entry.name
        if name[0] in "._" and name not in _POST_FOLDERS:
            continue
        is_named_so = name.lower().endswith(ENDINGS)
        if entry.is_symlink() and links.lead_out(prefix + name):
            problems += _outside(entry, is_named_so, f"{shown}/{_printable(prefix + name)}")
            continue
        try:
            status = entry.stat() if is_named_so else None
            is_folder = entry.is_dir() if status is None else stat.S_ISDIR(status.st_mode)
        except OSError as error:
            problems.append(Problem(f"{shown}/{prefix}{_printable(name)}", 0, *_unreadable(error)))
            continue
        if is_folder:
            folders.append((f"{prefix}{name}/", above))
        elif status and stat.S_ISREG(status.st_mode) and _is_utf8(prefix, name):
            found[prefix + name] = (status.st_size, status.st_mtime_ns)
        elif status:
            problems.append(Problem(f"{shown}/{_printable(prefix + name)}", 0, *_strange(status)))
    return folders


def _is_utf8(prefix: str, name: str) -> bool:
    """Return whether the name of a file is UTF-8."""
    return name.isascii() or _printable(prefix + name) == prefix + name


def _outside(entry: os.DirEntry[str], is_named_so: bool, shown: str) -> list[Problem]:
    """Return the problem of a link out of the project, if there might be posts behind it."""
    what = "is a link to something outside the project, so it is not published"
    hint = "copy that into the project, or remove the link"
    return [Problem(shown, 0, what, hint)] if is_named_so or entry.is_dir() else []


def _printable(name: str) -> str:
    """Return the name as UTF-8 text, with an escape for each byte that isn't."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def _strange(status: os.stat_result) -> tuple[str, str]:
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
