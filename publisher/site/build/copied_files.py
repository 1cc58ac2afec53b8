"""Files that a build copies unchanged: the static folder, and the pictures and sounds that posts show.

They are not in `site_files`, because every build needs this module, and a build with nothing to do must not import
the feeds and pages.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path

from publisher.core.errors import ProjectError
from publisher.core.models import Output


def static_files(folder: Path) -> list[Output]:
    """Return an output for every file under the static folder, including hidden files such as .nojekyll."""
    found = []
    for path, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted(names):
            file = Path(path, name)
            if file.is_file():
                found.append(_copy(file.relative_to(folder).as_posix(), file))
    return found


def assets(root: Path, wanted: Iterable[tuple[str, str]]) -> Iterator[Output]:
    """Yield an output for each file that posts show, given as (path in the site, path in the project).

    Missing files and links that lead out of the project are skipped.
    """
    inside = root.resolve()
    for site_path, project_path in wanted:
        file = root / project_path
        if file.is_file() and file.resolve().is_relative_to(inside):
            yield _copy(site_path, file)


def is_copy(output: Output) -> bool:
    """Return whether an output is a copy of a file in the project, rather than a generated file."""
    return output.key.startswith("copy:")


def stamps(root: Path, paths: Iterable[str]) -> dict[str, str]:
    """Return a stamp (size and time) for each of these files, by path; "" for a file that does not exist."""
    found = {}
    for path in paths:
        try:
            status = (root / path).stat()
            found[path] = f"{status.st_size}:{status.st_mtime_ns}"
        except OSError:
            found[path] = ""
    return found


def _copy(path: str, file: Path) -> Output:
    status = file.stat()
    return Output(path, f"copy:{status.st_size}:{status.st_mtime_ns}", partial(_read, file))


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise ProjectError(f"cannot be read: {error.strerror}", where=str(file)) from error
