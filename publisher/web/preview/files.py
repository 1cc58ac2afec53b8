"""What the preview depends on, and whether it changed: every file by its path, size and time."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from publisher.config import CONFIG_FILE, Config
from publisher.store.location import sqlite_path

# Before a configuration could be read.
_USUAL = (CONFIG_FILE, "posts", "templates", "letters", "static")


def usual_files(root: Path) -> tuple[Path, ...]:
    """Return what a project usually consists of; not all of it needs to be there."""
    return tuple(root / name for name in _USUAL)


def files_of(config: Config) -> tuple[Path, ...]:
    """Return the files and folders on which the preview of a project depends, also those that are not there yet.

    Of the record it is the file alone: what stands beside it comes and goes with every reader.
    """
    folders = (CONFIG_FILE, config.posts.folder, "templates", "letters", config.pages.static)
    record = sqlite_path(config.database.url, config.root)
    return (*(config.root / name for name in folders), *([record] if record else []))


def state_of(paths: Iterable[Path]) -> str:
    """Return what changes whenever a file under one of the paths is written, added, moved or removed.

    5 us a file. Files that begin with a dot or end with "~" are an editor's, and do not count.
    """
    stamps = sorted(stamp for path in paths for stamp in _stamps(str(path)))
    return hashlib.blake2b("\n".join(stamps).encode("utf-8", "surrogateescape"), digest_size=12).hexdigest()


def _stamps(path: str) -> Iterator[str]:
    waiting = [path]
    while waiting:
        current = waiting.pop()
        try:
            with os.scandir(current) as entries:
                for entry in entries:
                    if entry.name.startswith(".") or entry.name.endswith("~"):
                        continue
                    if entry.is_dir(follow_symlinks=False):  # a link may lead to where it stands
                        waiting.append(entry.path)
                        continue
                    with suppress(OSError):
                        yield _stamp(entry.path, entry.stat())
        except NotADirectoryError:
            with suppress(OSError):
                yield _stamp(current, Path(current).stat())
        except OSError:
            continue  # gone between two looks, or not there yet


def _stamp(path: str, status: os.stat_result) -> str:
    return f"{path}\0{status.st_size}\0{status.st_mtime_ns}\0{status.st_ino}"
