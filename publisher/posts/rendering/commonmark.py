"""Markdown as HTML that is not yet sanitised: GitHub's dialect as comrak reads it, with this program's additions.

In the posts room, only this module and typography use comrak. It is imported when the first text needs it.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import comrak

from publisher.posts.rendering import lone_tags
from publisher.posts.rendering.fences import with_fence_lines
from publisher.posts.rendering.lost_words import LostWords, with_all_cells
from publisher.posts.rendering.settled_tags import SettledHtml
from publisher.posts.text.comments import with_plain_ends
from publisher.posts.text.definitions import has_definitions, loosened
from publisher.posts.text.typography import finished, prepared


def settled_html(body: str, *, has_notes: bool = False) -> tuple[SettledHtml, list[LostWords]]:
    """Return a Markdown body as HTML, and the words that its parser would have lost in tables and at fences.

    No lone tag in the HTML hides the text after it, and quotes and dashes are typographic.
    has_notes  whether ^[words] is a footnote
    """
    lost: dict[int, LostWords] = {}

    def render(body: str, escape_html: bool = False) -> str:
        """Return the HTML of a body, with all cells of its tables."""
        return _markdown(with_all_cells(body, _placed_html, lost), escape_html, has_notes)

    body = prepared(with_plain_ends(body))
    is_whole = not lone_tags.may_swallow(body)
    settled = SettledHtml(render(body)) if is_whole else lone_tags.settle_markdown(body, render)
    settled.html, at_fences = with_fence_lines(settled.html, body, _placed_html, is_whole=is_whole)
    return settled, [*lost.values(), *at_fences]


def _placed_html(body: str) -> str:
    return str(comrak.render_markdown(body, *_options(escape_html=True, placed=True)))


def _markdown(body: str, escape_html: bool = False, has_notes: bool = False) -> str:
    """Return a prepared body as HTML. escape_html: whether HTML in it becomes text."""
    if has_definitions(body):
        body = loosened(body)
    return finished(comrak.render_markdown(body, *_options(escape_html, has_notes=has_notes)))


@cache
def _options(escape_html: bool = False, placed: bool = False, has_notes: bool = False) -> tuple[Any, Any, Any]:
    """Return comrak's options.

    They enable GitHub's dialect with footnotes, definition lists, alerts, smart quotes and heading ids, and emphasis in
    East Asian text.
    """
    extension, parse, render = comrak.ExtensionOptions(), comrak.ParseOptions(), comrak.RenderOptions()
    for name in ("strikethrough", "table", "autolink", "tasklist", "footnotes", "description_lists", "alerts"):
        setattr(extension, name, True)
    extension.inline_footnotes = has_notes
    extension.header_id_prefix = ""
    extension.cjk_friendly_emphasis = True  # emphasis next to full-width punctuation, where CommonMark sees none
    parse.smart = True
    render.full_info_string = True  # for captions
    render.unsafe_ = True  # nh3 sanitises it afterwards
    render.escape = escape_html
    render.sourcepos = parse.sourcepos_chars = placed
    return extension, parse, render
