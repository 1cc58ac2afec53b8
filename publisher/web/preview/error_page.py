"""What went wrong, as lines for a person: never a traceback."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from publisher.core.errors import ConfigError, PublisherError
from publisher.core.models import Problem
from publisher.web.preview.snapshot import NotThereError


@dataclass(frozen=True, slots=True)
class Line:
    """One thing to mend: where is "path:line" relative to the project, "" for no such place."""

    where: str
    message: str
    hint: str


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why there is nothing to show, or not all of it. comes_back: whether mending a file helps."""

    title: str
    lines: tuple[Line, ...]
    comes_back: bool = True


def trouble_of(error: Exception, root: Path) -> Trouble:
    """Return an error in words; one that should not have happened says so."""
    if isinstance(error, ConfigError):
        return Trouble("The settings cannot be read", tuple(_line(each, root) for each in error.mistakes))
    if isinstance(error, NotThereError):
        return Trouble("Nothing is here", (_line(error, root),), comes_back=False)
    if isinstance(error, PublisherError):
        return Trouble("This cannot be shown yet", (_line(error, root),))
    first = " ".join(str(error).split())[:300]
    said = f"this should not have happened: {type(error).__name__}" + (f": {first}" if first else "")
    return Trouble("Something is wrong with the preview", (Line("", said, "please report it"),), comes_back=False)


def left_out(problems: tuple[Problem, ...]) -> Trouble | None:
    """Return what keeps posts out, in words; None if nothing does."""
    if not problems:
        return None
    files = len({problem.path for problem in problems})
    title = "One file is left out" if files == 1 else f"{files} files are left out"
    return Trouble(title, tuple(Line(p.where, p.message, p.hint) for p in problems))


def _line(error: PublisherError, root: Path) -> Line:
    return Line(error.where.removeprefix(f"{root}/"), error.message, error.hint)
