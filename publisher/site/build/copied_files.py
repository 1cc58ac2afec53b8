"""Files that a build copies as they are: the static folder, and the pictures and sounds that posts show.

Apart from site_files, because every build asks for them: a build with nothing to do imports no feed and no page.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path

from publisher.core.errors import ProjectError
from publisher.core.models import Output


def static_files(folder: Path) -> list[Output]:
    """Return every file under the static folder, sorted by path, including hidden ones such as .nojekyll."""
    found = []
    for path, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted(names):
            file = Path(path, name)
            if file.is_file():
                found.append(_copy(file.relative_to(folder).as_posix(), file))
    return found


def assets(root: Path, wanted: Iterable[tuple[str, str]]) -> Iterator[Output]:
    """Yield a copy of each file that posts show, given as (path in the site, path in the project).

    Missing files are skipped, and so are links that lead out of the project.
    """
    inside = root.resolve()
    for site_path, project_path in wanted:
        file = root / project_path
        if file.is_file() and file.resolve().is_relative_to(inside):
            yield _copy(site_path, file)


def is_copy(output: Output) -> bool:
    """Return whether an output copies a file of the project, rather than making one."""
    return output.key.startswith("copy:")


def stamps(root: Path, paths: Iterable[str]) -> dict[str, str]:
    """Return by path the size and time of files of the project; "" for a file that does not exist."""
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
