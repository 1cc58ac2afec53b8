"""Markdown of other editors and tools, converted to syntax that our Markdown parser knows.

Tags that have to be run, such as those of Liquid, are in posts.tags.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

from publisher.core import patterns
from publisher.posts.rendering.wikilinks import Names, has_wikilinks, with_wikilinks
from publisher.posts.tags.expanded import Expanded
from publisher.posts.text import containers, markdown_in_html, marks
from publisher.posts.text.prose import cut

# The name of a block of an Obsidian note, for links to it, which no reader sees there.
_BLOCK_ID = patterns.compile(r"(?:(?<=\S)[ \t]|^)\^[A-Za-z0-9-]{1,60}[ \t]*$", re.MULTILINE)


# Pandoc's attribute list after a fence, whose first class is the language.
_FENCE_LIST = patterns.compile(
    r"^((?: {0,3}>){0,9} {0,3}(?:`{3,30}|~{3,30}))[ \t]*\{[ \t]*\.([A-Za-z][\w+-]*+)([^{}\n]*+)\}", re.MULTILINE
)
_FENCE = patterns.compile(r"(?: {0,3}>){0,9} {0,3}(`{3,30}|~{3,30})")


class OtherSyntax(NamedTuple):
    """A body in the Markdown that our parser knows.

    expanded       the body, its lines, and its problems
    has_notes      whether it has inline notes, as in ^[a note]
    abbreviations  the explanations of abbreviations, to be added to the HTML of the body
    """

    expanded: Expanded
    has_notes: bool = False
    abbreviations: Mapping[str, str] = {}


def with_other_syntax(body: str, names: Names | None = None, *, tool: str = "") -> OtherSyntax:
    """Return a Markdown body with the syntax of other editors as our parser reads it.

    names  finds posts and files by their names; without it, links in two brackets stay text
    tool   the tool that the posts were written for, or ""
    """
    expanded = Expanded(body)
    if names and has_wikilinks(body):
        expanded = expanded.then(lambda text: with_wikilinks(text, names, all_are=tool == "obsidian"))
    if tool == "obsidian" and "^" in body:
        expanded = expanded.then(lambda text: Expanded(cut(text, _BLOCK_ID)))
    if "{." in body and _FENCE_LIST.search(body):
        expanded = expanded.then(lambda text: Expanded(_with_languages(text)))
    if markdown_in_html.has_markdown_in_html(body):
        expanded = expanded.then(markdown_in_html.with_markdown_read)
    if containers.has_containers(body):
        expanded = expanded.then(containers.as_alerts)
    if not marks.may_have_marks(body):
        return OtherSyntax(expanded)
    marked = marks.marked(expanded.text)
    return OtherSyntax(expanded.then(lambda _: Expanded(marked.body)), marked.has_notes, marked.abbreviations)


def _with_languages(body: str) -> str:
    """Return a body in which each fence's attribute list, which may contain a title, begins with the language."""
    lines, opened = body.split("\n"), ""
    for number, line in enumerate(lines):
        fence = _FENCE.match(line)
        if not fence:
            continue
        if not opened:
            opened = fence[1]
            lines[number] = _FENCE_LIST.sub(lambda found: _language_first(*found.groups()), line)
        elif fence[1].startswith(opened) and not line[fence.end() :].strip():
            opened = ""
    return "\n".join(lines)


def _language_first(fence: str, language: str, rest: str) -> str:
    return f"{fence}{language} {{{rest}}}" if "=" in rest else f"{fence}{language}"
