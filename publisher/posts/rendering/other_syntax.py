"""Markdown of other editors and tools, which becomes what our parser of Markdown knows.

Tags that have to be run, such as those of Liquid, are in posts.tags.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from publisher.posts.tags.expanded import Expanded
from publisher.posts.text import containers, markdown_in_html, marks


class OtherSyntax(NamedTuple):
    """A body in the Markdown that our parser knows.

    expanded       the body, its lines, and what is wrong with it
    has_notes      whether it has notes in a line, as in ^[a note]
    abbreviations  the explanations of abbreviations, which the HTML of the body should have
    """

    expanded: Expanded
    has_notes: bool = False
    abbreviations: Mapping[str, str] = {}


def with_other_syntax(body: str) -> OtherSyntax:
    """Return a Markdown body with the syntax of other editors as our parser reads it."""
    expanded = Expanded(body)
    if markdown_in_html.has_markdown_in_html(body):
        expanded = expanded.then(markdown_in_html.with_markdown_read)
    if containers.has_containers(body):
        expanded = expanded.then(containers.as_alerts)
    if not marks.may_have_marks(body):
        return OtherSyntax(expanded)
    marked = marks.marked(expanded.text)
    return OtherSyntax(expanded.then(lambda _: Expanded(marked.body)), marked.has_notes, marked.abbreviations)
