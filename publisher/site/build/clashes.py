"""Outputs that want the same place: one a path, also where the file system knows no small and capital letters."""

from __future__ import annotations

from collections.abc import Sequence

from publisher.core.models import Output, Problem
from publisher.site.build.folder import parents


def without_clashes(outputs: Sequence[Output], shown: str, problems: list[Problem]) -> dict[str, Output]:
    """Return one output a path; the first wins. A static file replaces a page of its name without a word.

    A file cannot be a folder too, and names that differ in case alone are one file on many machines.
    shown is how the output folder is named in problems.
    """
    planned = {output.path: output for output in outputs}
    if len(planned) == len(outputs) and not _may_clash(planned):
        return planned
    planned = {}
    files: dict[str, Output] = {}
    folders: set[str] = set()
    for output in outputs:
        name = output.path.casefold()
        above = parents(name)
        taken = files.get(name) or next((files[folder] for folder in above if folder in files), None)
        if taken is None and name not in folders:
            planned[output.path] = files[name] = output
            folders.update(above)
        elif taken and _is_copy(taken) and _is_copy(output):
            planned[output.path] = output  # two files of the writer's: whoever made both knows the disk
        elif not (taken and _is_copy(taken) and taken.path == output.path):
            problems.append(_problem(shown, output, taken))
    return planned


def _may_clash(planned: dict[str, Output]) -> bool:
    names = {path.casefold() for path in planned}
    folders = {parent for folder in {name.rpartition("/")[0] for name in names} for parent in parents(f"{folder}/x")}
    return len(names) < len(planned) or not names.isdisjoint(folders)


def _is_copy(output: Output) -> bool:
    return output.key.startswith("copy:")


def _problem(shown: str, output: Output, taken: Output | None) -> Problem:
    if taken is None:
        message = "is a folder of other pages, and cannot be a file too"
    elif taken.path == output.path:
        message = "is what two pages want to be; the first one is kept"
    elif taken.path.casefold() == output.path.casefold():
        message = f"is, but for small and capital letters, the page {taken.path}; that one is kept"
    else:
        message = f"would be in a folder of the name of the file {taken.path}; that one is kept"
    return Problem(f"{shown}/{output.path}", 0, message, "give one post another permalink")
