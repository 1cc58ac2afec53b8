"""Texts of a letter that address each subscriber: {{ subscriber.name | default("friend") }} becomes a mark.

core.personal_syntax says what a writer can type, core.personal_marks what becomes of it; mail.message fills it in.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from lxml import etree

from publisher.config import Config
from publisher.core.errors import PostError, PublisherError
from publisher.core.personal_marks import DEEPEST, ELSE, END, for_everyone, is_personal
from publisher.core.personal_syntax import tags_in
from publisher.core.subscriber_fields import FieldKind
from publisher.newsletters.letter.html_tree import parse_fragment
from publisher.newsletters.letter.safe_text import without_marks
from publisher.posts.text.prose import masked

_BRANCHING = re.compile(r"@@publisher-(?:if-[a-z2-7]++|else|end)@@")
_BLOCK_TAG = re.compile(rf"(?m)^([ \t]*+(?:{_BRANCHING.pattern}[ \t]*+)++)$")


def known_fields(config: Config) -> dict[str, FieldKind]:
    """Return the fields of their own that subscribers have, and the kinds of their values."""
    return {each.name: FieldKind(each.kind) for each in config.fields}


def marked(
    text: str,
    known: Mapping[str, FieldKind],
    where: str,
    *,
    first_line: int = 0,
    language: str = "en",
    is_markdown: bool = True,
) -> str:
    """Return a text of the writer's in which what addresses each subscriber has become marks.

    known        the fields of their own that subscribers have (known_fields)
    where        the file or key that the text is from, for errors
    first_line   the line of the file on which it begins; 0 if it is not in a file
    language     the language in which dates are written
    is_markdown  whether it is Markdown, in whose code everything stays as typed, rather than plain text

    Characters that only look like a mark are disarmed. A condition on a line of its own gets a blank line before and
    after it (see line_before). Raises PublisherError for a tag that is wrong.
    """
    text = without_marks(text)
    try:
        tags = tags_in(text, known, language=language, is_code=masked(text) if is_markdown else "")
    except PostError as error:
        place = f"{where}:{first_line + error.line - 1}" if first_line else where
        raise PublisherError(error.message, where=place, hint=error.hint) from error
    pieces, last = [], 0
    for tag in tags:
        pieces += [text[last : tag.start], tag.marks]
        last = tag.end
    done = "".join([*pieces, text[last:]])
    return _BLOCK_TAG.sub(r"\n\1\n", done) if is_markdown and tags else done


def line_before(marked_text: str, line: int) -> int:
    """Return the line that a line of a marked text had before it was marked. Both count from 1."""
    lines = marked_text.split("\n")[: line - 1]
    return line - 2 * sum(_BLOCK_TAG.match(each) is not None for each in lines)


def require_whole_conditions(html: str, where: str) -> None:
    """Raise PublisherError unless each condition encloses whole elements, so that HTML stays valid without them."""
    if not is_personal(html):
        return
    open_in: list[object] = []
    for parent, mark in _branching(html):
        if mark == END and open_in and open_in[-1] is parent:
            open_in.pop()
        elif mark.startswith("@@publisher-if-") and len(open_in) <= DEEPEST:
            open_in.append(parent)
        elif mark != ELSE or not open_in or open_in[-1] is not parent:
            break
    else:
        if not open_in:
            return
    hint = "put {% if %}, {% else %} and {% endif %} on lines of their own, around whole paragraphs"
    raise PublisherError("a condition begins and ends in different parts of the text", where=where, hint=hint)


def _branching(html: str) -> Iterator[tuple[object, str]]:
    """Yield the marks of conditions in the order of the text, each with the element or attribute that it is in."""
    root = parse_fragment(html)
    for event, element in etree.iterwalk(root, events=("start", "end")):
        if event == "start":
            for value in element.attrib.values():
                place = object()
                yield from ((place, mark) for mark in _BRANCHING.findall(value))
            yield from ((element, mark) for mark in _BRANCHING.findall(element.text or ""))
        elif element is not root:
            parent = element.getparent()
            yield from ((parent, mark) for mark in _BRANCHING.findall(element.tail or ""))


__all__ = ["for_everyone", "known_fields", "line_before", "marked", "require_whole_conditions"]
