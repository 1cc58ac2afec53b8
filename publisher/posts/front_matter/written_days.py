"""The days that a file's path and the beginning of its text name, found without parsing its front matter.

Files that are not read as posts, or not yet, are told by them: those of other formats, and a blog's that is adopted.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date
from pathlib import Path

from publisher.core import patterns
from publisher.posts.front_matter.dates import parse_date
from publisher.posts.front_matter.field_names import SPELLINGS, fold
from publisher.posts.permalinks import file_date, name_of, path_date

# How much of a file is searched.
_HEAD_BYTES = 4_096
_MOST_LINES = 100
# A field of YAML, TOML, JSON or reStructuredText, a header of Pelican, a `const` of JavaScript, a line of a notebook.
_FIELD = patterns.compile(
    r"[ \t]{0,12}(?:const |let |var |[:\"']|\.\. |#\+)?(\w[\w -]{0,20})[\"']?[ \t]{0,8}[:=][ \t]{0,8}(\S.{0,300})"
)
_WEEKDAY = patterns.compile(r"(?<=\d) [A-Z][a-z]{1,2}\b")  # Org's dates end in one
_FENCES = ("---", "+++")
# AsciiDoc calls it revdate.
_KEYS = frozenset(("revdate", *(key for spelling in SPELLINGS["published"] for key in spelling.split("."))))
_SWITCHES = frozenset(("true", "false", "yes", "no", "on", "off", "{", "[", "null", "~"))


def head_of(file: Path) -> str:
    """Return the beginning of a file, at most 4,096 bytes of it; "" if it cannot be read."""
    try:
        with file.open("rb") as opened:
            return opened.read(_HEAD_BYTES).decode("utf-8-sig", "replace").replace("\r\n", "\n")
    except OSError:
        return ""


def day_of_path(path: str) -> date | None:
    """Return the day that the path of a post names, in its file's name or in its folders; None if there is none."""
    dated = file_date(name_of(path)[1])
    return dated[0] if dated else path_date(path.rpartition("/")[0])


def is_dated(head: str) -> bool:
    """Return whether the beginning of a text has a date where one of a post's may be."""
    return any(key != "path" or path_date(value) for key, value in _dates(head))


def newest_day(head: str) -> date | None:
    """Return the latest day that the beginning of a text gives as its date; None if it gives none."""
    return max(filter(None, (_day(key, value) for key, value in _dates(head))), default=None)


def _dates(head: str) -> Iterator[tuple[str, str]]:
    """Yield the (key, value) of each field that may have the date of a post: its front matter's, or its first lines'."""
    lines = head[:_HEAD_BYTES].lstrip().split("\n", _MOST_LINES)[:_MOST_LINES]
    fence = lines[0][:3] if lines[0][:3] in _FENCES else ""
    for line in lines[1:] if fence else lines:
        if fence and line.rstrip() == fence:
            return
        field = _FIELD.match(line)
        if field is None:
            continue
        key, value = fold(field[1]), field[2].partition("\\n")[0].strip(" \t\r,;\"'`<>[]")
        if (key in _KEYS or key == "path") and value and value.lower() not in _SWITCHES:
            yield key, value


def _day(key: str, value: str) -> date | None:
    if key == "path":
        return path_date(value)
    try:
        return parse_date(_WEEKDAY.sub("", value), UTC).date()
    except ValueError:
        return None
