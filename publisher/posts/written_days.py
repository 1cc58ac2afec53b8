"""The day that the beginning of a text names as its date, found without parsing its front matter.

It is used for files that are not read as posts: files of other formats, and the files of a blog to be adopted.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

from publisher.core import patterns
from publisher.posts.permalinks import path_date

# How much of a file is searched.
_HEAD_BYTES = 4_096
_MOST_LINES = 100
# A field of YAML, TOML, JSON or reStructuredText, a header of Pelican, a `const` of JavaScript, a line of a notebook.
_FIELD = patterns.compile(
    r"[ \t]{0,12}(?:const |let |var |[:\"']|\.\. |#\+)?(\w[\w -]{0,20})[\"']?[ \t]{0,8}[:=][ \t]{0,8}(\S.{0,300})"
)
_DAY = patterns.compile(r"([1-9]\d{3})[-./](\d{1,2})[-./](\d{1,2})(?!\d)")
_NOT_IN_KEYS = str.maketrans("", "", "-_ ")
_FENCES = ("---", "+++")
# The spellings of posts.front_matter.field_names, which imports this module; and AsciiDoc's.
PUBLISHED = frozenset(
    """
    created createdat date datecreated datepublished posted pubdate publish published publishdate publisheddate
    publishedat revdate
    """.split()  # noqa: SIM905
)
_SWITCHES = frozenset(("true", "false", "yes", "no", "on", "off", "{", "[", "null", "~"))


def head_of(file: Path) -> str:
    """Return the beginning of a file, at most 4,096 bytes of it; "" if it cannot be read."""
    try:
        with file.open("rb") as opened:
            return opened.read(_HEAD_BYTES).decode("utf-8-sig", "replace").replace("\r\n", "\n")
    except OSError:
        return ""


def is_dated(head: str) -> bool:
    """Return whether the beginning of a text has a date in a place where a post may have its date."""
    return any(key != "path" or path_date(value) for key, value in _dates(head))


def newest_day(head: str) -> date | None:
    """Return the latest day that the beginning of a text gives as its date; None if it gives none."""
    return max(filter(None, (_day(key, value) for key, value in _dates(head))), default=None)


def _dates(head: str) -> Iterator[tuple[str, str]]:
    """Yield the (key, value) of each field, in front matter or the first lines, that may have the date of a post."""
    lines = head[:_HEAD_BYTES].lstrip().split("\n", _MOST_LINES)[:_MOST_LINES]
    fence = lines[0][:3] if lines[0][:3] in _FENCES else ""
    for line in lines[1:] if fence else lines:
        if fence and line.rstrip() == fence:
            return
        field = _FIELD.match(line)
        if field is None:
            continue
        key, value = field[1].translate(_NOT_IN_KEYS).lower(), field[2].partition("\\n")[0].strip(" \t\r,;\"'`<>[]")
        if (key in PUBLISHED or key == "path") and value and value.lower() not in _SWITCHES:
            yield key, value


def _day(key: str, value: str) -> date | None:
    if key == "path":
        return path_date(value)
    found = _DAY.match(value)
    try:
        return date(int(found[1]), int(found[2]), int(found[3])) if found else None
    except ValueError:
        return None
