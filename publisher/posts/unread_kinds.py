"""Files in the posts folder that their authors may take for posts, and that are not read: one problem for each ending.

Pictures, data and the like are not mentioned.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from datetime import date

from publisher.core.file_names import in_folder
from publisher.core.models import Problem, Severity
from publisher.posts.permalinks import file_date, name_of, path_date

# What the tools that docs/posts.md names read as posts, besides Markdown and HTML.
_TEXTS = (
    ".ad", ".adoc", ".asciidoc", ".htm", ".ipynb", ".org", ".pandoc", ".pdc", ".rmd", ".rest", ".textile", ".wiki",
    ".xhtml",
)  # fmt: skip
# What may be a post, but also a template, a note or a document of another kind. It is never an error.
_PERHAPS = (
    ".doc", ".docx", ".ejs", ".haml", ".hbs", ".liquid", ".mustache", ".njk", ".odt", ".pug", ".rtf", ".swig", ".tex",
    ".text", ".txt", ".webc",
)  # fmt: skip
_ENDINGS = (*_TEXTS, *_PERHAPS)

_SHOWN = 3
_ONE = "is not published: only Markdown (.md, .mdx, .qmd and so on), .rst and .html are read"


def is_unread_kind(name: str) -> bool:
    """Return whether a file that is not read may be a post, by its ending."""
    return name.lower().endswith(_ENDINGS)


def unread_kinds(paths: Iterable[str], posts: Collection[str], shown: str) -> list[Problem]:
    """Return a problem for each ending of files that are not read.

    paths  these files, relative to the posts folder
    posts  the files that are read
    shown  the posts folder's name in problems
    It is an error if there is no other post, or if one of these is newer than the others by the date in its name, since
    old posts would be news. Else it is a warning.
    """
    by_ending: dict[str, list[str]] = {}
    for path in sorted(paths):
        by_ending.setdefault(path[path.rindex(".") :].lower(), []).append(path)
    if not by_ending:
        return []
    newest = max(_days(posts), default=None)
    return [_problem(ending, files, posts, newest, shown) for ending, files in sorted(by_ending.items())]


def _problem(ending: str, files: list[str], posts: Collection[str], newest: date | None, shown: str) -> Problem:
    last = max(_days(files), default=None)
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


def _days(paths: Iterable[str]) -> Iterator[date]:
    """Yield the days that paths of posts name."""
    for path in paths:
        dated = file_date(name_of(path)[1])
        day = dated[0] if dated else path_date(path.rpartition("/")[0])
        if day:
            yield day


def printable(name: str) -> str:
    """Return the name as UTF-8 text, with an escape for each invalid byte."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
