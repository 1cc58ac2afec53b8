"""Which files are posts: a walk over the folder that reads no file."""

from __future__ import annotations

import errno
import os
from pathlib import Path

from publisher.model import Problem

ENDINGS = (".md", ".markdown", ".mdown", ".html")

# A novel has half a megabyte. Beyond this a file is a data dump with the wrong ending.
MOST_BYTES = 5_000_000

# Jekyll's folders of posts; every other name with an underscore is a partial, a layout or a section page.
_POST_FOLDERS = ("_posts", "_drafts")


# What tells a changed file from an unchanged one without reading it: (size, mtime in nanoseconds).
Stamp = tuple[int, int]


def scan(folder: Path, shown: str) -> tuple[dict[str, Stamp], list[Problem]]:
    """Walk `folder`; return the post files by relative POSIX path, and what could not be walked.

    shown is how the folder is named in problems. Names that begin with a dot or an underscore are no posts
    (_posts and _drafts excepted). Links are followed; one that leads back into a folder above is a problem.
    """
    found: dict[str, Stamp] = {}
    problems: list[Problem] = []
    pending: list[tuple[str, str, tuple[tuple[int, int], ...]]] = [(str(folder), "", ())]
    while pending:
        path, prefix, above = pending.pop()
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
            with os.scandir(path) as entries:
                pending.extend(_sort(entries, prefix, (*above, here), found, problems, shown))
        except OSError as error:
            problems.append(Problem(f"{shown}/{prefix}".rstrip("/"), 0, f"cannot be read: {error.strerror}"))
    problems.sort(key=lambda problem: problem.path)
    return found, problems


def _sort(
    entries: os._ScandirIterator[str],
    prefix: str,
    above: tuple[tuple[int, int], ...],
    found: dict[str, Stamp],
    problems: list[Problem],
    shown: str,
) -> list[tuple[str, str, tuple[tuple[int, int], ...]]]:
    """Put the files of one folder into `found`; return the folders to walk next."""
    folders = []
    for entry in entries:
        name = entry.name
        if name[0] in "._" and name not in _POST_FOLDERS:
            continue
        if name.endswith(ENDINGS) or name.lower().endswith(ENDINGS):
            try:
                status = entry.stat()
            except OSError as error:
                problems.append(Problem(f"{shown}/{prefix}{name}", 0, *_unreadable(error)))
                continue
            found[prefix + name] = (status.st_size, status.st_mtime_ns)
        elif entry.is_dir():
            folders.append((entry.path, f"{prefix}{name}/", above))
    return folders


def _unreadable(error: OSError) -> tuple[str, str]:
    if error.errno == errno.ELOOP:
        return "is a link that leads back to itself", "remove the link"
    if error.errno == errno.ENOENT:
        return "is a link to a file that is not there", "remove the link"
    return f"cannot be read: {error.strerror}", ""
