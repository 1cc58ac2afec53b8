"""How deeply a body is nested: quotes and lists in Markdown, elements in HTML. A depth above MOST_DEPTH is refused.

Parsers and everything that walks their trees need more time, or more of the stack, for each level. A reader sees no
difference after the first few. Headings with the same text are counted here too, since searching for a free id is just
as costly.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from publisher.core import patterns
from publisher.core.errors import PostError
from publisher.posts.text.prose import code_lines

MOST_DEPTH = 100
# How many headings may have the same text, as each of them tries the ids of those above it.
MOST_EQUAL_HEADINGS = 1_000

_MARKER = r">|(?:[-*+]|\d{1,9}[.)])(?=[ \t]|$)"
_MARKERS = patterns.compile(rf"(?:[ \t]*+(?:{_MARKER}))*+")
_LIST_ITEM = patterns.compile(r"(?:[-*+]|\d{1,9}[.)])(?=[ \t]|$)")
_RULE = patterns.compile(r"[ \t]*(?:[-*_][ \t]*)+$")
# Without such a line no quote or list can be that deep. A search for ^ would be tried at each character.
_MAYBE_DEEP = patterns.compile(r"\n[ \t>*+\-\d.)]{100}")
_HEADING = patterns.compile(r" {0,3}(?:#{1,6}(?=[ \t]|$)|(?:=+|-+)[ \t]*$)")
_TAG = patterns.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]*+)(?:[^<>\"']++|\"[^\"<]*+\"|'[^'<]*+'|[\"'])*+>")
_VOID = frozenset(("area", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"))


def require_shallow_markdown(body: str, first_line: int = 1) -> None:
    """Raise PostError for quotes or lists that are nested too deeply, and for too many equal headings.

    first_line  line of the file on which the body begins
    """
    if _MAYBE_DEEP.search(f"\n{body}"):
        for line, depth in _depths(body.split("\n")):
            if depth > MOST_DEPTH:
                raise PostError(
                    f"quotes or lists are nested more than {MOST_DEPTH} deep",
                    line=first_line + line,
                    hint="begin the line with fewer markers, or indent it less",
                )
    if body.count("\n") >= MOST_EQUAL_HEADINGS:
        _require_distinct_headings(body.split("\n"), first_line)


def _depths(lines: list[str]) -> Iterator[tuple[int, int]]:
    """Yield the index of each line that begins a quote or an item of a list, and how many of them it is inside."""
    columns: list[int] = []  # where the text of the list items around the line starts
    for number, (line, is_code) in enumerate(zip(lines, code_lines(lines), strict=True)):
        markers = _MARKERS.match(line)
        if is_code or not markers or not markers[0] or _RULE.match(line):
            continue
        count = len(re.findall(_MARKER, markers[0]))
        indent = len(markers[0]) - len(markers[0].lstrip(" \t"))
        while columns and indent < columns[-1]:
            columns.pop()
        yield number, len(columns) + count
        if _LIST_ITEM.match(line, indent):
            columns.append(indent + 2)


def _require_distinct_headings(lines: list[str], first_line: int) -> None:
    found: Counter[str] = Counter()
    for number, (line, is_code) in enumerate(zip(lines, code_lines(lines), strict=True)):
        if is_code or not _HEADING.match(line):
            continue
        text = line if line.lstrip().startswith("#") else lines[number - 1] if number else ""
        name = re.sub(r"[\W_]+", "", text.casefold())
        found[name] += 1
        if found[name] > MOST_EQUAL_HEADINGS:
            what = f"more than {MOST_EQUAL_HEADINGS:,} headings have the same text"
            raise PostError(what, line=first_line + number, hint="give them different texts, or make them paragraphs")


def require_shallow_html(html: str, written: str, first_line: int = 1) -> None:
    """Raise PostError for sanitised HTML whose elements are nested too deeply.

    written     the writer's text, in which the line is found
    first_line  line of the file on which that begins
    """
    if html.count("</") > MOST_DEPTH and _deep_at(html) is not None:
        offset = _deep_at(written)
        line = _deepest_line(written) if offset is None else written.count("\n", 0, offset)
        raise PostError(
            f"its HTML is nested more than {MOST_DEPTH} deep", line=first_line + line, hint="close the elements in it"
        )


def _deepest_line(written: str) -> int:
    """Return the index of the most deeply quoted or listed line, or else of the line with most emphasis characters."""
    lines = written.split("\n")
    depths = dict(_depths(lines))
    return max(range(len(lines)), key=lambda number: depths.get(number, 0) + sum(map(lines[number].count, "*_~[")))


def _deep_at(html: str) -> int | None:
    """Return the offset of the first tag that is nested too deeply; None if none is."""
    depth = 0
    for tag in _TAG.finditer(html):
        if tag[2].lower() not in _VOID:
            depth = max(0, depth - 1) if tag[1] else depth + 1
            if depth > MOST_DEPTH:
                return tag.start()
    return None
