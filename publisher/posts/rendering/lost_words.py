"""Words that the Markdown parser would drop, which stay as text and are reported.

A footnote with two texts mixes the footnotes with the rest of the post, and a footnote that nothing refers to has no
place. All functions are pure, and keep the number of lines.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from html import escape, unescape
from typing import NamedTuple
from urllib.parse import unquote

from publisher.posts.text.comments import outside_code
from publisher.posts.text.prose import line_counter, masked


class LostWords(NamedTuple):
    """Words that have not the place that the writer meant.

    line      their line in the body, from 1
    message   what happens to them
    hint      how to fix it
    is_error  whether readers might not understand or not see them; otherwise it is only a warning
    """

    line: int
    message: str
    hint: str
    is_error: bool = True


_PREFIX = r"^[ \t>]*+(?:(?:[-*+]|\d{1,9}[.)])[ \t]++[ \t>]*+)*+"
# Means "[" in Markdown as well as in HTML.
_BRACKET = "&#91;"


def with_all_words(body: str) -> tuple[str, list[LostWords]]:
    """Return a Markdown body with the words as text that its parser would drop, and what was found."""
    found: list[LostWords] = []
    if "]:" in body:
        body = _without_second_notes(body, found)
    return body, found


# Footnotes

_NOTE = re.compile(rf"{_PREFIX}\[\^([^\[\]\s]{{1,100}})\]:", re.MULTILINE)
_NOTE_SIGN = re.compile(r"\[\^([^\[\]\s]{1,100})\](?!:)")
_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)
_NOTE_ID = re.compile(r'<li id="fn-([^"]+)"')


def _without_second_notes(body: str, found: list[LostWords]) -> str:
    """Return a body in which each footnote has one text; any other is text of the post."""
    names = [note[1].casefold() for note in _NOTE.finditer(body)] if "[^" in body else []
    if len(names) == len(set(names)):
        return body
    line_of = line_counter(body)
    first: dict[str, int] = {}
    pieces, last = [], 0
    for note in _NOTE.finditer(masked(body)):
        line = line_of(note.end())
        name = note[1].casefold()
        if name in first:
            message = f"the footnote [^{note[1]}] already has a text on line {first[name]}; this one is shown as is"
            found.append(LostWords(line, message, "give one of them another name, and refer to it in the text"))
            start = body.rindex("[^", 0, note.end())
            pieces += [body[last:start], _BRACKET]
            last = start + 1
        else:
            first[name] = line
    return "".join([*pieces, body[last:]])


def unseen_notes(body: str, html: str) -> set[str]:
    """Return the names of the footnotes in a body that are not in its HTML. Some may be in code or in comments."""
    if "[^" not in body or "]:" not in body:
        return set()
    shown = {unquote(unescape(name)).casefold() for name in _NOTE_ID.findall(html)}
    return {note[1] for note in _NOTE.finditer(body) if note[1].casefold() not in shown}


def lost_notes(prose: str, html: str, unseen: Collection[str]) -> Iterator[LostWords]:
    """Yield an error for each of these footnotes whose text no reader sees.

    prose  a file whose front matter and code are blank
    html   what became of its body, before it was sanitised
    """
    prose = _COMMENT.sub(_blank, prose)
    line_of, shown = line_counter(prose), outside_code(html)
    used = {sign[1].casefold() for sign in _NOTE_SIGN.finditer(prose)}
    for note in _NOTE.finditer(prose):
        if note[1] in unseen and f"[^{escape(note[1], quote=False)}]:" not in shown:
            if note[1].casefold() in used:
                what = f"the footnote [^{note[1]}] is only referred to where Markdown is not read, such as in HTML"
            else:
                what = f"nothing refers to the footnote [^{note[1]}]"
            hint = "write its sign where the footnote belongs, in a paragraph of Markdown"
            yield LostWords(line_of(note.end()), f"{what}, so readers don't see its text", hint)


def _blank(found: re.Match[str]) -> str:
    return re.sub(r"[^\n]", " ", found[0])
