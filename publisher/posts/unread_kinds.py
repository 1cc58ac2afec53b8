"""Files in the posts folder that are not read although their authors may expect it: one problem for each extension.

Pictures, data and the like are not mentioned.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from datetime import date
from functools import lru_cache
from pathlib import Path

from publisher.core.file_names import in_folder
from publisher.core.models import Problem, Severity
from publisher.posts.permalinks import day_of_path
from publisher.posts.written_days import head_of, newest_day

# The extensions of posts in the tools that docs/posts.md names, besides those of Markdown and HTML.
_TEXTS = (
    ".ad", ".adoc", ".asciidoc", ".htm", ".ipynb", ".org", ".pandoc", ".pdc", ".rmd", ".rest", ".textile", ".wiki",
    ".xhtml",
)  # fmt: skip
# Extensions of files that may be posts, but also templates, notes or other documents. They are never an error.
_PERHAPS = (
    ".doc", ".docx", ".ejs", ".haml", ".hbs", ".liquid", ".mustache", ".njk", ".odt", ".pug", ".rtf", ".swig", ".tex",
    ".text", ".txt", ".webc",
)  # fmt: skip
_ENDINGS = (*_TEXTS, *_PERHAPS)

_SHOWN = 3
# How many files are opened for the date in their front matter. If there are more, only the days in paths count.
_MOST_OPENED = 1_000
_ONE = "is not published: only Markdown (.md, .mdx, .qmd and so on), .rst and .html are read"


def is_unread_kind(name: str) -> bool:
    """Return whether a file that is not read may be a post, judging by its extension."""
    return name.lower().endswith(_ENDINGS)


def unread_kinds(paths: Iterable[str], posts: Collection[str], shown: str, folder: Path | None = None) -> list[Problem]:
    """Return a problem for each extension of files that are not read.

    paths   the files that are not read, relative to the posts folder
    posts   the files that are read
    shown   the posts folder's name in problems
    folder  the posts folder; None if no file may be opened
    The problem is an error if no file is read as a post, or if an unread file is newer than the posts by the date in
    its path or in its front matter, since the newest posts would be missing. Otherwise it is a warning.
    """
    by_ending: dict[str, list[str]] = {}
    for path in sorted(paths):
        by_ending.setdefault(path[path.rindex(".") :].lower(), []).append(path)
    if not by_ending:
        return []
    lasts = {ending: max(_days(files, folder), default=None) for ending, files in by_ending.items()}
    is_dated = any(last for ending, last in lasts.items() if ending in _TEXTS)
    newest = max(_days(posts, folder if is_dated else None), default=None)
    return [_problem(ending, files, posts, newest, lasts[ending], shown) for ending, files in sorted(by_ending.items())]


def _problem(
    ending: str, files: list[str], posts: Collection[str], newest: date | None, last: date | None, shown: str
) -> Problem:
    is_newer = bool(newest and last and last > newest)
    is_error = ending in _TEXTS and (not posts or is_newer)
    why = ", and newer than all posts" if is_error and is_newer else ""
    severity = Severity.ERROR if is_error else Severity.WARNING
    names = list(map(printable, files))
    if len(names) == 1:
        return Problem(in_folder(shown, names[0]), 0, _ONE + why, _hint("it"), severity)
    more = f" and {len(names) - _SHOWN:,} more" if len(names) > _SHOWN else ""
    what = f"{len(names):,} files end in {ending} and are not read{why}: {', '.join(names[:_SHOWN])}{more}"
    return Problem(shown, 0, what, _hint("them"), severity)


def _hint(them: str) -> str:
    return f"convert {them}, or move {them} out of the posts folder"


def _days(paths: Collection[str], folder: Path | None) -> Iterator[date]:
    """Yield the days in the paths of posts or, where a path has none, in the front matter."""
    days = {path: day_of_path(path) for path in paths}
    unnamed = [path for path, day in days.items() if day is None]
    if folder is not None and len(unnamed) <= _MOST_OPENED:
        days |= {path: _day_in(folder / path) for path in unnamed}
    yield from filter(None, days.values())


def _day_in(file: Path) -> date | None:
    try:
        found = file.stat()
    except (OSError, ValueError):
        return None
    return _read_day(file, found.st_mtime_ns, found.st_size)


@lru_cache(maxsize=2 * _MOST_OPENED)
def _read_day(file: Path, changed: int, size: int) -> date | None:
    """Return the day in the front matter of a file, which is read again once it has changed."""
    return newest_day(head_of(file))


def printable(name: str) -> str:
    """Return the name as UTF-8 text, with an escape for each invalid byte."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
