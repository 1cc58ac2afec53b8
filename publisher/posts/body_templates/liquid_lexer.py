"""The tokens of Liquid in a text: its texts and its tags, and which tags are closed by another. It takes linear time.

python-liquid's own lexer searches for the end of a tag, of raw and of comment from each beginning to the end of the
text. Here each search is bounded, or done only once. An incomplete tag is text, as in "{{ and }}".
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from liquid.token import TOKEN_CONTENT, TOKEN_EXPRESSION, TOKEN_OUTPUT, TOKEN_TAG, Token

from publisher.core import patterns

# Longer tags are text. The pattern never backtracks, so each character is read once for each "{".
_OUTPUT = patterns.compile(
    r"""\{\{(?P<left>-?)(?P<expr>\s{0,20}+["']\{[{%]["']\s{0,20}+|(?:(?!-?\}\}|\{\{|\{%)[\s\S]){0,2000}+)"""
    r"""(?P<right>-?)\}\}"""
)
_TAG = patterns.compile(
    r"\{%(?P<left>-?)\s*+(?P<name>\w++|#)(?P<expr>(?:(?!-?%\}|\{%)[\s\S]){0,5000}+)(?P<right>-?)%\}"
)
_BEGIN = patterns.compile(r"\{[{%]")
# The character after {{ in a shortcode of Hugo, which is not an output of Liquid and is run later.
_SHORTCODE = ("<", "%")
_END_RAW = patterns.compile(r"\{%-?\s*+endraw\s*+-?%\}")
_COMMENT = patterns.compile(r"\{%-?\s*+(?P<end>end)?comment\b(?:(?!-?%\}|\{%)[\s\S]){0,2000}+(?P<right>-?)%\}")


# Words of Liquid that are the name of a field after a dot, as in page.empty.
_FIELD = patterns.compile(
    r"""("[^"]*+(?:"|\Z)|'[^']*+(?:'|\Z))|(?<=[\w\]])\.(and|as|blank|cols|contains|continue|else|empty|false|for|if|in|limit|nil|not|null"""
    r"""|offset|or|required|reversed|true|with)\b(?!-)"""
)


class _Hidden(NamedTuple):
    """The part that a tag hides: where it ends, where the text continues, and whether the blanks there are dropped."""

    end: int
    next: int
    strips: bool


class LiquidText:
    """A text with Liquid, and its tags.

    source    the text
    is_block  whether the tag that begins at an offset has an end tag of its own name, as {% note %} has {% endnote %}
    ends      the end of the tag that begins at an offset
    unclosed  the offsets of {% raw %} and {% comment %} that are never closed, and are treated as text
    tokens    the tokens for python-liquid's parser; comments have none
    """

    def __init__(self, source: str, as_text: frozenset[int] = frozenset()) -> None:
        """Read the text. as_text: the offsets of tags to treat as text, because they cannot be read."""
        self.source = source
        self.is_block: dict[int, bool] = {}
        self.ends: dict[int, int] = {}
        self.unclosed: list[int] = []
        self._as_text = as_text
        self._never: set[str] = set()  # the names of tags that have no end after this point
        self.tokens = list(self._read())
        self._note_blocks()

    def _read(self) -> Iterator[Token]:
        source, place, start, strips = self.source, 0, 0, False
        while opening := _BEGIN.search(source, place):
            begin = opening.start()
            place = begin + 2
            is_text = begin in self._as_text or source[begin + 2 : begin + 3] in _SHORTCODE
            match = None if is_text else (_OUTPUT if opening[0] == "{{" else _TAG).match(source, begin)
            if match is None:
                continue
            hidden = self._hidden(match)
            if hidden is None:
                self.unclosed.append(begin)
                continue
            yield from self._text(start, begin, strips, bool(match["left"]))
            yield from self._inside(match, hidden)
            start, place, strips = hidden.next, hidden.next, hidden.strips
        yield from self._text(start, len(source), strips, False)

    def _hidden(self, match: re.Match[str]) -> _Hidden | None:
        """Return the part that a tag hides, which is empty for most tags; None if the tag's end is missing."""
        name = match["name"] if "name" in match.re.groupindex else ""
        if name not in ("raw", "comment") or (name == "raw" and match["expr"].strip()):
            return _Hidden(match.end(), match.end(), bool(match["right"]))
        closing = None
        if name not in self._never:
            closing = _END_RAW.search(self.source, match.end()) if name == "raw" else self._end_of_comment(match.end())
        if closing is None:
            self._never.add(name)
            return None
        return _Hidden(closing.start(), closing.end(), name == "comment" and bool(closing["right"]))

    def _end_of_comment(self, place: int) -> re.Match[str] | None:
        depth = 1
        for found in _COMMENT.finditer(self.source, place):
            depth += -1 if found["end"] else 1
            if not depth:
                return found
        return None

    def _text(self, start: int, end: int, strips_left: bool, strips_right: bool) -> Iterator[Token]:
        """Yield the token of a text, without the blanks that the tags around it drop."""
        text = self.source[start:end]
        if strips_left:
            start += len(text) - len(text.lstrip())
            text = text.lstrip()
        if strips_right:
            text = text.rstrip()
        if text:
            yield Token(TOKEN_CONTENT, text, start, self.source)

    def _inside(self, match: re.Match[str], hidden: _Hidden) -> Iterator[Token]:
        """Yield the tokens of a tag or an output, or the text of a raw block."""
        begin, words = match.start(), match["expr"]
        self.ends[begin] = hidden.next
        name = match["name"] if "name" in match.re.groupindex else ""
        if name in ("comment", "#"):
            return
        if hidden.end > match.end() or name == "raw":
            yield from self._text(match.end(), hidden.end, bool(match["right"]), False)
            return
        if not name and not words.strip():
            return
        yield Token(TOKEN_TAG, name, begin, self.source) if name else Token(TOKEN_OUTPUT, match[0], begin, self.source)
        if words.strip() and not name.startswith("end"):
            start = match.start("expr") + len(words) - len(words.lstrip())
            yield Token(TOKEN_EXPRESSION, _with_fields(words.strip()), start, self.source)

    def _note_blocks(self) -> None:
        """Note which tags have an end tag of their own name. Tags nearer to the end are paired first."""
        waiting: dict[str, int] = {}
        for token in reversed(self.tokens):
            if token.kind != TOKEN_TAG:
                continue
            if token.value.startswith("end") and len(token.value) > 3:
                waiting[token.value[3:]] = waiting.get(token.value[3:], 0) + 1
            elif waiting.get(token.value):
                waiting[token.value] -= 1
                self.is_block[token.start_index] = True


def _with_fields(words: str) -> str:
    """Return an expression in which no field can be mistaken for a word of Liquid."""
    return _FIELD.sub(lambda found: found[1] or f'["{found[2]}"]', words) if "." in words else words
