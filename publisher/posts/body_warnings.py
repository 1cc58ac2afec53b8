"""What is doubtful in a body, and only `publisher check` tells: dropped tags, no alt texts, dead fragments."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from publisher.core.models import Problem
from publisher.posts.allowed_html import dropped_tags, has_safe_scheme

if TYPE_CHECKING:
    from publisher.posts.prose import LineFinder

Doubt = tuple[int, str, str]  # line of the file, what, how to mend


def doubts(
    raw: str, clean: str, places: LineFinder, fragments: Iterable[str], told: Iterable[Problem]
) -> Iterator[Doubt]:
    """Yield what is doubtful in a body.

    raw        its HTML before it was sanitised, and `clean` after
    fragments  names in the post that its own links lead to
    told       problems that are known already, and not told twice
    """
    yield from _dropped(raw, places, " ".join(problem.message for problem in told))
    yield from _unsafe(raw, places)
    yield from _without_alt(clean, places)
    targets = set(re.findall(r'\b(?:id|name)="([^"]*)"', clean))
    for name in fragments:
        if name not in targets and name != "top":
            what = f"the link #{name} leads to no place in this post"
            yield places.line_of(f"#{name}"), what, "link to a heading, or put an id there"
    yield from _doubtful_marks(places.prose)


def _dropped(raw: str, places: LineFinder, told: str) -> Iterator[Doubt]:
    for name in dropped_tags(raw):
        if f"<{name}" not in told:  # MDX is told
            hint = "put it into backticks if readers shall see it"
            yield places.line_of(f"<{name}"), f"the HTML tag <{name}> is taken out", hint


def _unsafe(raw: str, places: LineFinder) -> Iterator[Doubt]:
    for reference in re.findall(r'\b(?:href|src)="([a-zA-Z][\w+.-]*:[^"]*)"', raw):
        if not has_safe_scheme(reference, "img"):
            what = f"the address {reference[:60]!r} is taken out: not one of the web"
            yield places.line_of(reference), what, "write it with https://"


def _without_alt(clean: str, places: LineFinder) -> Iterator[Doubt]:
    for tag in re.findall(r"<img\b[^>]*>", clean):
        if not re.search(r'\balt="[^"]+"', tag):
            source = re.search(r'\bsrc="([^"]*)"', tag)
            name = source[1].rpartition("/")[2] if source else "?"
            what = f"the picture {name} has no alt text"
            yield places.line_of(name), what, "say in words what it shows: ![words](picture)"


def _doubtful_marks(prose: str) -> Iterator[Doubt]:
    from publisher.posts.prose import line_at

    for match in re.finditer(r"\]\(\(", prose):
        yield line_at(prose, match.start()), "a link is written with two brackets: ]((", "write [text](address)"
    for match in re.finditer(r"\S```+[ \t]*$", prose, re.MULTILINE):
        what = "the fence ``` at the end of a line opens no code block"
        yield line_at(prose, match.start()), what, "put it on a line of its own"
