"""Files that are copied: the static folder, and the pictures and sounds that posts show."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path

from publisher.core.errors import ProjectError
from publisher.core.models import Output


def static_files(folder: Path) -> list[Output]:
    """Return every file under the static folder, by path; hidden ones such as .nojekyll too."""
    found = []
    for path, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted(names):
            file = Path(path, name)
            if file.is_file():
                found.append(_copy(file.relative_to(folder).as_posix(), file))
    return found


def assets(root: Path, wanted: Iterable[tuple[str, str]]) -> Iterator[Output]:
    """Yield the files of the project that posts show: (site path, path in the project). What is not there, is not.

    A link that leads out of the project is not followed.
    """
    inside = root.resolve()
    for site_path, project_path in wanted:
        file = root / project_path
        if file.is_file() and file.resolve().is_relative_to(inside):
            yield _copy(site_path, file)


def _copy(path: str, file: Path) -> Output:
    status = file.stat()
    return Output(path, f"copy:{status.st_size}:{status.st_mtime_ns}", partial(_read, file))


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise ProjectError(f"cannot be read: {error.strerror}", where=str(file)) from error


def stamps(root: Path, paths: Iterable[str]) -> dict[str, str]:
    """Return what tells a changed file of the project from an unchanged one, "" for a file that is not there."""
    found = {}
    for path in paths:
        try:
            status = (root / path).stat()
            found[path] = f"{status.st_size}:{status.st_mtime_ns}"
        except OSError:
            found[path] = ""
    return found
