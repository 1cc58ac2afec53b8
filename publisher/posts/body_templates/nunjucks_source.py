"""The Nunjucks in a text, as the source of a Jinja2 template, whose syntax is nearly the same.

Tags get delimiters that no text contains, so that all other text is unchanged. Each line of the text begins with a mark
that passes through the template and says where a line of the result comes from. Tags that Jinja2 lacks become calls
that run the owner's template or the tool's own tag. All of it takes linear time.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator
from typing import NamedTuple

from publisher.core import patterns

# Delimiters of tags, outputs and line marks in the source for Jinja2. No text contains such characters.
TAG, END_TAG, OUT, END_OUT, MARK, END_MARK = "\x0e%", "%\x0f", "\x0e{", "}\x0f", "\x0e", "\x0f"

_BEGIN = patterns.compile(r"\{[{%#]")
_OUTPUT = patterns.compile(r"\{\{(?P<left>-?)(?P<expr>(?:(?!-?\}\}|\{\{|\{%)[\s\S]){0,2000}+)(?P<right>-?)\}\}")
_TAGGED = patterns.compile(
    r"\{%(?P<left>-?)\s*+(?P<name>\w++)(?P<expr>(?:(?!-?%\}|\{%)[\s\S]){0,5000}+)(?P<right>-?)%\}"
)
_END_RAW = patterns.compile(r"\{%-?\s*+end(?:raw|verbatim)\s*+-?%\}")
_END_COMMENT = patterns.compile(r"-?#\}")
_OTHER_NAMES = {"elseif": "elif", "asyncEach": "for", "asyncAll": "for", "endeach": "endfor", "endall": "endfor"}
# Tags of Jinja2 that are closed by another, and those that may be inside them.
_CLOSED = frozenset(("if", "for", "macro", "filter", "call", "set"))
_INSIDE = {"elif": ("if",), "else": ("if", "for")}
_ALONE = frozenset(("include", "import", "from"))
# Strings, and the operators of JavaScript that Python writes differently.
_SIGNS = patterns.compile(
    r"""("(?:[^"\\]++|\\.)*+(?:"|\Z)|'(?:[^'\\]++|\\.)*+(?:'|\Z))|(===)|(!==)|(&&)|(\|\|)|(!(?!=))|\b(null|undefined)\b""",
    re.DOTALL,
)
_PYTHON = ("", "", "==", "!=", " and ", " or ", " not ", "none")


class Piece(NamedTuple):
    """A tag or an output of the text.

    name     its name; "" for an output, "raw" for text in which nothing is run, "comment" for a comment
    words    the words after the name
    start, end    its offsets in the text
    inner    the offsets of the text between {% raw %} and its end
    strips   whether the blanks before and after it are dropped
    """

    name: str
    words: str
    start: int
    end: int
    inner: tuple[int, int] = (0, 0)
    strips: tuple[bool, bool] = (False, False)


# Takes the name and the converted words of a piece; returns whether Jinja2 can read it.
Reads = Callable[[str, str], bool]


class NunjucksText:
    """A text with Nunjucks, converted to a template of Jinja2.

    pieces   the outputs and the tags that are not Jinja2's own, by their numbers in the template
    refused  the tags that cannot be read, and stay as text
    """

    def __init__(
        self,
        text: str,
        code: str,
        reads: Reads,
        *,
        first: int = 0,
        has_lines: bool = True,
        as_text: Collection[int] = (),
    ) -> None:
        """Read the text.

        code       the text with blanks for code in which nothing is run; the text itself if it is run everywhere
        first      the number of the first piece
        has_lines  whether lines get marks; the lines of an include do not
        as_text    the offsets of tags to treat as text, because they cannot be run
        """
        self.text, self._code, self._reads, self._first, self._has_lines = text, code, reads, first, has_lines
        self._as_text = as_text
        self.pieces: list[Piece] = []
        self.refused: list[Piece] = []
        parts = [piece for piece in self._read() if self._can_be_read(piece)]
        self._parts, self._blocks = self._closed(parts)

    def source(self) -> str:
        """Return the source for Jinja2."""
        made: list[str] = []
        place, strips, open_calls = 0, False, list[str]()
        for piece in self._parts:
            made.append(self._between(place, piece.start, strips, piece.strips[0]))
            made.append(self._converted(piece, open_calls))
            place, strips = piece.end, piece.strips[1]
        return "".join((*made, self._between(place, len(self.text), strips, False)))

    def _read(self) -> Iterator[Piece]:
        place, never = 0, set[str]()
        while opening := _BEGIN.search(self._code, place):
            start = opening.start()
            piece = self._comment(start, never) if opening[0] == "{#" else self._tag(opening, never)
            place = piece.end if piece else start + 2
            if piece:
                yield piece

    def _comment(self, start: int, never: set[str]) -> Piece | None:
        closing = None if "comment" in never else _END_COMMENT.search(self.text, start + 2)
        if closing is None:
            never.add("comment")
            return None
        return Piece("comment", "", start, closing.end())

    def _tag(self, opening: re.Match[str], never: set[str]) -> Piece | None:
        start = opening.start()
        match = (_OUTPUT if opening[0] == "{{" else _TAGGED).match(self.text, start)
        is_shortcode = opening[0] == "{{" and self.text[start + 2 : start + 3] in (
            "<",
            "%",
        )  # Hugo's, which is run later
        if match is None or is_shortcode:
            return None
        name = "" if opening[0] == "{{" else _OTHER_NAMES.get(match["name"], match["name"])
        strips = bool(match["left"]), bool(match["right"])
        if name not in ("raw", "verbatim") or match["expr"].strip():
            return Piece(name, match["expr"].strip(), start, match.end(), strips=strips)
        closing = None if "raw" in never else _END_RAW.search(self.text, match.end())
        if closing is None:
            never.add("raw")
            return None
        return Piece("raw", "", start, closing.end(), (match.end(), closing.start()))

    def _can_be_read(self, piece: Piece) -> bool:
        """Return whether a piece is one that Jinja2 can read, or a tag that it need not read."""
        name = piece.name
        if name == "" and not piece.words:
            return False
        is_own = name == "" or name in _CLOSED or name in _ALONE or name == "elif"
        if piece.start not in self._as_text and (not is_own or self._reads(name, in_python(piece.words))):
            return True
        self.refused.append(piece)
        return False

    def _closed(self, parts: list[Piece]) -> tuple[list[Piece], frozenset[int]]:
        """Return the pieces without Jinja2's tags that lack a partner, and the offsets of the other blocks."""
        others = {piece.name for piece in parts} - _CLOSED
        closable = {name for name in others if f"end{name}" in others}
        while True:
            counts = _counts(parts, closable)
            bad = _unpaired(parts, closable, counts)
            if not bad:
                return parts, frozenset(start for start, is_closed in counts.items() if is_closed)
            self.refused += [piece for piece in parts if piece.start in bad]
            parts = [piece for piece in parts if piece.start not in bad]

    def _converted(self, piece: Piece, open_calls: list[str]) -> str:
        name, words = piece.name, in_python(piece.words)
        if name == "raw":
            return self._marked(self.text[slice(*piece.inner)], piece.inner[0])
        if name == "comment":
            return ""
        if name == "":
            number = self._numbered(piece)
            return f"{OUT} start_({number}) {END_OUT}{OUT} ({words}) | out_({number}) {END_OUT}"
        is_own = name in _CLOSED or name in _ALONE or name in _INSIDE or (name[:3] == "end" and name[3:] in _CLOSED)
        if is_own:
            return f"{TAG} {name} {words} {END_TAG}"
        if name.startswith("end") and open_calls and open_calls[-1] == name[3:]:
            open_calls.pop()
            return f"{TAG} endcall {END_TAG}"
        number = self._numbered(piece)
        given = f", {words}" if words and self._reads("args", words) else ""
        if piece.start in self._blocks:
            open_calls.append(name)
            return f"{TAG} call tag_({number}{given}) {END_TAG}"
        return f"{OUT} tag_({number}{given}) {END_OUT}"

    def _numbered(self, piece: Piece) -> int:
        self.pieces.append(piece)
        return self._first + len(self.pieces) - 1

    def _between(self, start: int, end: int, strips_left: bool, strips_right: bool) -> str:
        text = self.text[start:end]
        if strips_left:
            start += len(text) - len(text.lstrip())
            text = text.lstrip()
        return self._marked(text.rstrip() if strips_right else text, start)

    def _marked(self, text: str, start: int) -> str:
        """Return a text with the line number in front of each line."""
        if not self._has_lines or not text:
            return text
        first = self._line_of(start)
        lines = text.split("\n")
        return "\n".join(f"{MARK}{first + number}{END_MARK}{line}" for number, line in enumerate(lines))

    def _line_of(self, offset: int) -> int:
        if offset < self._counted[0]:
            self._counted = (0, 1)
        line = self._counted[1] + self.text.count("\n", self._counted[0], offset)
        self._counted = (offset, line)
        return line

    _counted = (0, 1)  # an offset, and its line


def _unpaired(parts: list[Piece], closable: set[str], counts: dict[int, bool]) -> set[int]:
    """Return the offsets of the tags that are never closed or opened, or are in the wrong place."""
    opened: list[Piece] = []
    bad: set[int] = set()
    for piece in parts:
        name = piece.name
        if (name in _CLOSED and not (name == "set" and "=" in piece.words)) or counts.get(piece.start):
            opened.append(piece)
        elif name in _INSIDE:
            bad |= set() if opened and opened[-1].name in _INSIDE[name] else {piece.start}
        elif name.startswith("end") and name[3:] in _CLOSED | closable:
            if opened and opened[-1].name == name[3:]:
                opened.pop()
            else:
                bad.add(piece.start)
    return bad | {piece.start for piece in opened}


def _counts(parts: list[Piece], closable: set[str]) -> dict[int, bool]:
    """Return whether each tag is closed by an end tag of its name. Tags nearer to the end are paired first."""
    waiting: dict[str, int] = {}
    found: dict[int, bool] = {}
    for piece in reversed(parts):
        if piece.name.startswith("end") and piece.name[3:] in closable:
            waiting[piece.name[3:]] = waiting.get(piece.name[3:], 0) + 1
        elif piece.name in closable:
            found[piece.start] = waiting.get(piece.name, 0) > 0
            waiting[piece.name] = max(0, waiting.get(piece.name, 0) - 1)
    return found


def in_python(words: str) -> str:
    """Return an expression of JavaScript with the operators of Python."""

    def sign(found: re.Match[str]) -> str:
        """Return the operator in Jinja2's spelling, or a text as it is."""
        return found[0] if found[1] is not None else _PYTHON[found.lastindex or 0]

    return _SIGNS.sub(sign, words)
