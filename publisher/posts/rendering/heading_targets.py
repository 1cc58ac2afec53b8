"""The targets of links to headings in the HTML of a body: ids as the blog's tool makes them, or as links write them."""

from __future__ import annotations

import re
from collections.abc import Collection
from html import escape, unescape
from urllib.parse import unquote

from publisher.config import Tool
from publisher.core import patterns
from publisher.posts.blog_tools.heading_ids import heading_ids, is_meant

_HEADING = patterns.compile(r"<h([1-6])(?: id=\"([^\"<>]*)\")?>")
_NUMBER = patterns.compile(r"-\d{1,4}$")
_TAG = patterns.compile(r"<[^<>]*>")
_TARGET = patterns.compile(r"\b(?:id|name)=\"([^\"]*)\"")
# A body has few of either. Any more stay as they are.
_MOST_HEADINGS = 2_000
_MOST_FRAGMENTS = 200


def with_targets(fragment: str, tool: Tool, wanted: Collection[str]) -> str:
    """Return the HTML of a body in which links to its own headings have targets.

    With a tool, headings that have an id get the tool's id. A heading that a link names as another tool spells it
    (#what-s-next for "What's next") gets a second target.

    wanted  the names after # in links to the post itself
    """
    if "<h" not in fragment or not (tool or wanted):
        return fragment
    if tool:
        found = _headings(fragment)
        ids = heading_ids(tool, [text for _, text in found])
        fragment = _with_ids(fragment, found, ids) if ids else fragment
    known = targets_in(fragment) if wanted else ()
    missing = [name for name in wanted if name and name not in known][:_MOST_FRAGMENTS]
    return _with_second_targets(fragment, missing) if missing else fragment


def targets_in(fragment: str) -> set[str]:
    """Return the names to which links can lead in the HTML of a body, both as written and decoded."""
    written = {unescape(each) for each in _TARGET.findall(fragment)}
    return written | {unquote(each) for each in written if "%" in each}


def _headings(fragment: str) -> list[tuple[re.Match[str], str]]:
    """Return the opening tags of the headings, with their texts as readers see them."""
    found = []
    for match in _HEADING.finditer(fragment):
        end = fragment.find(f"</h{match[1]}>", match.end(), match.end() + 10_000)
        inside = fragment[match.end() : end] if end >= 0 else ""
        found.append((match, unescape(_TAG.sub("", inside)).strip()))
        if len(found) == _MOST_HEADINGS:
            break
    return found


def _with_ids(fragment: str, headings: list[tuple[re.Match[str], str]], ids: list[str]) -> str:
    pieces, last = [], 0
    for (match, text), name in zip(headings, ids, strict=True):
        # An id that its writer gave to a heading in HTML stays.
        if match[2] and name and is_meant(_NUMBER.sub("", unescape(match[2])), _NUMBER.sub("", text)):
            pieces += [fragment[last : match.start()], f'<h{match[1]} id="{escape(name)}">']
            last = match.end()
    return "".join([*pieces, fragment[last:]])


def _with_second_targets(fragment: str, missing: list[str]) -> str:
    """Return the HTML with a target for each name that only one heading may mean."""
    headings = _headings(fragment)
    places: dict[int, str] = {}
    for name in missing:
        meant = [match for match, text in headings if is_meant(name, text)]
        if len(meant) == 1:
            places[meant[0].end()] = places.get(meant[0].end(), "") + f'<a id="{escape(name)}"></a>'
    pieces, last = [], 0
    for place, target in sorted(places.items()):
        pieces += [fragment[last:place], target]
        last = place
    return "".join([*pieces, fragment[last:]])
