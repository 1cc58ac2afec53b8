"""Names of files in either Unicode form: é may be one character or two, and both mean the same file."""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path


def composed(name: str) -> str:
    """Return a name in the composed form (NFC), in which two spellings of the same name are equal."""
    return name if name.isascii() else unicodedata.normalize("NFC", name)


def is_project(folder: str) -> bool:
    """Return whether a folder named in publisher.toml is the project itself."""
    return folder in (".", "./")


def in_folder(folder: str, path: str) -> str:
    """Return the project-relative path of `path` in a folder, which may be the project itself (".")."""
    return path if is_project(folder) else f"{folder}/{path}"


def out_of_folder(folder: str, path: str) -> str:
    """Return a project-relative path relative to a folder instead; the same path if it is not in that folder."""
    return path if is_project(folder) else path.removeprefix(f"{folder}/")


def is_file(path: Path) -> bool:
    """Return whether a path is a file; False for a path that is too long for any file."""
    return os.path.isfile(path)  # noqa: PTH113 - pathlib raises OSError for such a path


def existing(root: Path, path: str) -> str:
    """Return the path, relative to `root`, as the file system spells it: macOS and some archives decompose accents.

    A path that exists is returned unchanged, and so is one that exists in neither form.
    """
    if path.isascii() or os.path.lexists(root / path):
        return path
    found = Path()
    for part in Path(path).parts:
        found /= part if os.path.lexists(root / found / part) else _names_in(root / found).get(composed(part), part)
    return found.as_posix() if os.path.lexists(root / found) else path


def _names_in(folder: Path) -> Mapping[str, str]:
    try:
        return _names(str(folder), folder.stat().st_mtime_ns)
    except (OSError, ValueError):
        return {}


@lru_cache(maxsize=32)
def _names(folder: str, changed: int) -> Mapping[str, str]:
    """Return the non-ASCII names in a folder, by their composed form. changed: the folder's time, for the cache."""
    names = sorted(entry.name for entry in os.scandir(folder) if not entry.name.isascii())
    return {composed(name): name for name in names}
