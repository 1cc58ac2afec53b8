"""The title that the text of a post gives it: its first heading, or the first words of a short note.

The title is the text of that line as readers see it, so the line is rendered like a body, and its tags are then
removed. All functions are pure, and look only at the beginning of a text.
"""

from __future__ import annotations

import re

from publisher.core import patterns
from publisher.core.characters import shorten
from publisher.core.errors import PostError
from publisher.posts.text.encoding import without_controls
from publisher.posts.text.excerpt import shown_words
from publisher.posts.text.nesting import require_shallow_markdown
from publisher.posts.text.tex import TakenOut, take_out
from publisher.posts.text.tool_comments import may_have_tool_comments, without_tool_comments

# A heading that may be a title; a longer line is not.
_LONGEST_HEADING = 2_000
# How long the Markdown of a note may be, and a name that is made from its first words.
_LONGEST_NOTE = 1_000
_LINE = 60
# Most headings have none of the characters that Markdown, typography or HTML change.
_PLAIN = patterns.compile(r"(?:[^\W_]|[ ,;?!()/’“”])*+", re.ASCII)
_CLOSING_SIGNS = patterns.compile(r"(?<=[ \t])#+[ \t]*$")
_DEFINITION = patterns.compile(r"^ {0,3}\[([^\[\]\n]{1,200})\]:[ \t]*\S.*$", re.MULTILINE)
# The attributes of a heading in other tools, which are not for readers.
_ATTRIBUTES = patterns.compile(r"\{:?[ \t]*+(?:[#.][\w-]|[\w-]++=)[^{}]*+\}$")
_NOTE_MARK = patterns.compile(r"\[\^[^\[\]\s]{1,100}\]")
_BLOCK_OF_CODE = patterns.compile(r"<pre\b.*?(?:</pre>|\Z)", re.DOTALL)
_LINE_END = patterns.compile(r"<br\b[^<>]*>|</(?:p|li|dt|dd|td|th|div|blockquote)>")


def title_in(body: str) -> tuple[str, bool]:
    """Return the title that a body gives, and whether that is a heading; "" if it gives none."""
    heading = first_heading(body)
    return (heading, True) if heading else (first_words(body), False)


def first_heading(body: str) -> str:
    """Return the text of a level-one heading at the beginning of the body; "" if there is no such heading."""
    text = _heading(body)
    if may_have_tool_comments(text):
        text = without_tool_comments(text).text.strip()
    if not text or _PLAIN.fullmatch(text):
        return " ".join(text.split())
    taken = take_out(_NOTE_MARK.sub("", _ATTRIBUTES.sub("", text).rstrip()))
    labels = {found[1].casefold(): found[0] for found in _DEFINITION.finditer(body)} if "][" in text else {}
    used = [each for label, each in labels.items() if f"[{label}]" in text.casefold()]
    html = _html("\n\n".join([f"# {taken.body}", *used]))
    return _as_written(taken, shown_words(html.partition("</h1>")[0]))


def _heading(body: str) -> str:
    """Return the Markdown of the heading, without its markers."""
    first, _, second = body.lstrip()[:_LONGEST_HEADING].partition("\n")
    if len(first) == _LONGEST_HEADING:
        return ""
    if marked := re.match(r"#[ \t]+(?=\S)(.*)", first):
        return marked[1].rstrip(" \t")
    if re.match(r"=+[ \t]*(?:\n|$)", second) and first[:1] not in "#>*`|-":
        return _CLOSING_SIGNS.sub(r"\\\g<0>", first)
    return ""


def first_words(body: str) -> str:
    """Return the first words of a note, about one line; "" for a text that is longer than a note, or has no words."""
    body = body.strip()
    if len(body) > _LONGEST_NOTE:
        return ""
    if may_have_tool_comments(body):
        body = without_tool_comments(body).text
    taken = take_out(body)
    try:
        require_shallow_markdown(taken.body)
    except PostError:  # the error is reported for its body
        return ""
    html = _BLOCK_OF_CODE.sub("\n", _html(taken.body))
    if re.search(r"<h[1-6]\b", html):
        return ""
    lines = (shown_words(line) for line in _LINE_END.sub("\n", html).split("\n"))
    first = next((line for line in lines if re.search(r"[^\W_]", line)), "")
    return shorten(_as_written(taken, first), _LINE)


def _as_written(taken: TakenOut, words: str) -> str:
    return " ".join(without_controls(taken.as_written(words))[0].split())


def _html(text: str) -> str:
    """Return Markdown as safe HTML, without the URLs in it."""
    from publisher.posts.rendering.commonmark import settled_html  # not needed for the titles of most posts

    html = settled_html(text)[0].html
    if "<" not in text:
        return html
    from publisher.posts.rendering.allowed_html import sanitise  # not at the top: few titles have markup

    return sanitise(html, lambda tag, reference: reference)
