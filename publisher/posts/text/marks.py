"""Highlighted words, inline notes, and abbreviations.

==words== and ^[a note] come from Obsidian and Pandoc, *[HTML]: from kramdown and PHP Markdown Extra.

Look-alikes such as a == b, x^[1] and [^a-z] stay text.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from html import escape
from typing import NamedTuple

from publisher.core import patterns
from publisher.posts.text.attribute_lists import with_sizes
from publisher.posts.text.prose import masked
from publisher.posts.text.signs import Signs

# How many abbreviations of a post are explained, and how long an explanation may be.
_MOST = 100
_LONGEST = 300

# Letters of scripts with spaces between words, where such a character inside a word marks nothing.
_LETTER = r"A-Za-z0-9_\u00c0-\u1fff"
_MARK = patterns.compile(rf"(?<![=\\{_LETTER}])==(?=[^\s=])[^=\n]{{1,500}}(?<=[^\s=])==(?![={_LETTER}])")
_NOTE = patterns.compile(
    r"(?<![\\^\[])\^\[(?=[^\[\]]{0,200}?[^\W\d_])"
    r"((?:[^\[\]\n]|\n(?![ \t]*\n)|\[[^\[\]\n]{0,300}\]){2,2000})\](?![(\[:])"
)
_LIKE_NOTE = patterns.compile(r"\^(?=\[)")
# A character class of a regular expression, and what may follow one.
_CLASS = patterns.compile(r"(?:[a-z]-[a-z]|[A-Z]-[A-Z]|[0-9]-[0-9]|\\[A-Za-z]|[\W_])+")
_REPEATED = patterns.compile(r"\+|\{\d|[*?]?\$")
# Parts that are not prose: attributes of tags, the addresses and titles of links, and the descriptions of pictures.
_NOT_PROSE = patterns.compile(
    r"<[A-Za-z](?:[^<>\"']|\"[^\"]{0,1000}\"|'[^']{0,1000}')*+>"
    r"|(?<=!\[)(?:[^\[\]\n]|\[\[[^\[\]\n]{0,300}\]\]){1,500}(?=\][(\[])"
    r"|(?<=\]\()[^()\n]{1,1000}(?=\))"
)
_IN_WORD = patterns.compile(r"[\w\])]")
_SIGNS = Signs("==", "^[", "*[")
_ABBREVIATION = patterns.compile(r"^ {0,3}\*\[([^\[\]\n]{1,100})\]:(?:[ \t]+(.*))?$", re.MULTILINE)
# Elements whose text is not the writer's prose, or is explained already; and tags.
_SKIPPED = patterns.compile(
    r"<(code|pre|kbd|samp|script|style|abbr|math|textarea|title|svg)\b[^<>]*>.*?(?:</\1>|\Z)|<[^<>]*>",
    re.DOTALL | re.IGNORECASE,
)


class Marked(NamedTuple):
    """A body with its marked words as HTML.

    has_notes      whether it has inline notes for its parser; text that only looks like a note is escaped
    abbreviations  the explanations, by the abbreviation; their lines are blank
    """

    body: str
    has_notes: bool = False
    abbreviations: Mapping[str, str] = {}


def may_have_marks(body: str) -> bool:
    """Return whether a body may have any of these marks. Most have none, and this is cheap."""
    return _SIGNS.are_in(body) and (
        ("==" in body and _MARK.search(body) is not None)
        or ("^[" in body and _NOTE.search(body) is not None)
        or ("*[" in body and "]:" in body)
    )


def prose_of(view: str) -> str:
    """Return a text in which attributes, addresses and descriptions are masked with a neutral character."""
    if not any(sign in view for sign in ("](", "![", "</", "/>", "='", '="')):
        return view
    return _NOT_PROSE.sub(lambda found: re.sub(r"[^\n]", "\0", found[0]), view)


def marked(body: str) -> Marked:
    """Convert marked words in a Markdown body to HTML, mark its notes for the parser, and remove its abbreviations."""
    view = masked(body)
    prose = prose_of(view)
    changes: list[tuple[int, int, str]] = []
    for found in _MARK.finditer(prose) if "==" in view else ():
        start, end = found.span()
        changes += [(start, start + 2, "<mark>"), (end - 2, end, "</mark>")]
    notes = {found.start() for found in _NOTE.finditer(prose) if _is_note(found)} if "^[" in view else set()
    if notes:
        likely = (found.start() for found in _LIKE_NOTE.finditer(view))
        changes += [(place, place + 1, "&#94;") for place in likely if place not in notes]
    explained: dict[str, str] = {}
    for found in _ABBREVIATION.finditer(view) if "*[" in view and "]:" in view else ():
        explained.setdefault(found[1].strip(), with_sizes(found[2] or "").strip()[:_LONGEST])
        changes.append((*found.span(), ""))
    if not changes and not notes:
        return Marked(body)
    pieces, last = [], 0
    for start, end, text in sorted(changes):
        pieces += [body[last:start], text]
        last = end
    return Marked("".join([*pieces, body[last:]]), bool(notes), dict(list(explained.items())[:_MOST]))


def _is_note(found: re.Match[str]) -> bool:
    """Return whether ^[...] is a note. After a word, as in x^[1], it is only a note if it contains several words.

    A character class of a regular expression, as in ^[a-z], is not a note, nor is a word followed by a character such
    as +.
    """
    is_word = len(found[1].split()) == 1
    if _CLASS.fullmatch(found[1]) or (is_word and _REPEATED.match(found.string, found.end())):
        return False
    before = found.string[max(found.start() - 1, 0) : found.start()]
    return not _IN_WORD.match(before) or not is_word


def with_abbreviations(fragment: str, explained: Mapping[str, str]) -> str:
    """Return HTML in which each abbreviation in its prose is an <abbr> with its explanation."""
    known = {escape(name, quote=False): words for name, words in explained.items() if words}
    if not known:
        return fragment
    names = "|".join(re.escape(name) for name in sorted(known, key=len, reverse=True))
    pattern = re.compile(rf"(?<![\w&])(?:{names})(?!\w)")

    def explain(text: str) -> str:
        """Return a text with each abbreviation explained."""
        return pattern.sub(lambda found: f'<abbr title="{escape(known[found[0]])}">{found[0]}</abbr>', text)

    pieces, last = [], 0
    for skipped in _SKIPPED.finditer(fragment):
        pieces += [explain(fragment[last : skipped.start()]), skipped[0]]
        last = skipped.end()
    return "".join([*pieces, explain(fragment[last:])])
