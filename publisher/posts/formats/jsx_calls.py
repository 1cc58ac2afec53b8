"""JSX in a text of MDX: elements and expressions, with their values. The module mdx converts them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import NamedTuple

from publisher.core import patterns
from publisher.posts.shortcodes.shortcode_calls import MOST_CALLS, Escaped, ShortcodeCall, ShortcodeTag, Value, paired
from publisher.posts.text.prose import fenced_lines, without_inline_code
from publisher.posts.text.tex import without_formulas

# The names of calls that are not components: an expression, a fragment, and what precedes the name of an HTML element.
EXPRESSION, FRAGMENT, ELEMENT = "{", "<>", "<"

_START = patterns.compile(r"[<{]")
_CLOSE = patterns.compile(r"</\s{0,20}([A-Za-z][\w.-]{0,100}|)\s{0,20}>")
_OPEN = patterns.compile(r"<(?:([A-Za-z][\w.-]{0,100})(?=[\s/>])|>)")
_NAME = patterns.compile(r"\s{0,500}+([A-Za-z_:@][\w:.@-]{0,100})(?:\s{0,50}+=\s{0,50}+)?+")
_TEXT = patterns.compile(r"\"([^\"]{0,5000})\"|'([^']{0,5000})'")
_END = patterns.compile(r"\s{0,500}+(/?)\s{0,50}+>")
_SPACE = patterns.compile(r"\s{0,500}+")
# Braces that are not expressions: an id after a heading, and attributes.
_NOT_CODE = patterns.compile(r"\{(?:#[\w-]{1,100}|[.:][^{}\n]{0,200})\}")
_DIRECTIVE = patterns.compile(r"^[ \t>]{0,40}:{2,30}[^\n]*$", re.MULTILINE)
_VOID = frozenset("area base br col embed hr img input link meta source track wbr".split())  # noqa: SIM905
# The longest expression, and how much is read in all to find where expressions end, in multiples of the text's length.
_LONGEST, _MOST_READ = 20_000, 5


def code_view(text: str) -> str:
    """Return a text of MDX with blanks for code and formulas. In MDX, text that is indented is not code."""
    lines = text.split("\n")
    blank = (" " * len(line) if code else line for line, code in zip(lines, fenced_lines(lines), strict=True))
    return without_inline_code(without_formulas("\n".join(blank)))


def calls_of(text: str, imported: Mapping[str, str]) -> list[ShortcodeCall | Escaped]:
    """Return the elements and expressions in a text of MDX, in order, each with those inside it.

    imported  the paths of the files that the post imports, by the names that it gives them
    """
    return paired(islice(_Scanner(text, imported).tags(), MOST_CALLS))


class _Element(NamedTuple):
    """The opening tag of an element: where it ends, its values, and whether it closes itself."""

    end: int
    named: dict[str, Value]
    is_single: bool


class _Scanner:
    """A text while its elements are being found."""

    def __init__(self, text: str, imported: Mapping[str, str]) -> None:
        self._text, self._imported = text, imported
        self._view = _DIRECTIVE.sub(lambda found: found[0].replace("{", " "), code_view(text))
        self._left = _MOST_READ * len(text) + _LONGEST

    def tags(self) -> Iterator[ShortcodeTag]:
        """Yield the components and expressions of the text, in their order."""
        last = 0
        for found in _START.finditer(self._view):
            if found.start() >= last and self._view[found.start() - 1 : found.start()] != "\\":
                tag = self._expression(found.start()) if found[0] == "{" else self._tag(found.start())
                if tag:
                    yield tag
                    last = tag.call.end

    def _expression(self, start: int) -> ShortcodeTag | None:
        end = -1 if _NOT_CODE.match(self._view, start) else self._end_of_braces(start)
        if end < 0:
            return None
        call = ShortcodeCall(start, end, EXPRESSION, is_markdown=False)
        code = self._text[start + 1 : end - 1].strip()
        value = value_of(code, self._imported)
        call.positional = [code] if value is None else [code, value]
        return ShortcodeTag(call, None, is_single=True)

    def _tag(self, start: int) -> ShortcodeTag | None:
        if closing := _CLOSE.match(self._view, start):
            name = _called(closing[1])
            return ShortcodeTag(ShortcodeCall(start, closing.end(), name, is_markdown=False), name, is_single=False)
        opening = _OPEN.match(self._view, start)
        if not opening:
            return None
        name = opening[1] or ""
        element = self._element(opening.end()) if name else _Element(opening.end(), {}, False)
        if element is None:
            return None
        call = ShortcodeCall(start, element.end, _called(name), is_markdown=False, named=element.named)
        return ShortcodeTag(call, None, element.is_single or name in _VOID)

    def _element(self, place: int) -> _Element | None:
        named: dict[str, Value] = {}
        while not (end := _END.match(self._text, place)):
            space = _SPACE.match(self._text, place)
            place = space.end() if space else place
            if self._text[place : place + 1] == "{":  # {...props}
                place = self._end_of_braces(place)
                if place < 0:
                    return None
                continue
            name = _NAME.match(self._text, place)
            if not name or len(named) > 200:
                return None
            place = self._attribute(name, named)
            if place < 0:
                return None
        return _Element(end.end(), named, end[1] == "/")

    def _attribute(self, name: re.Match[str], named: dict[str, Value]) -> int:
        """Note the value of an attribute; return where it ends, or -1."""
        place = name.end()
        if not name[0].rstrip().endswith("="):
            named[name[1]] = True
            return place
        if text := _TEXT.match(self._text, place):
            named[name[1]] = text[1] if text[1] is not None else text[2]
            return text.end()
        end = self._end_of_braces(place) if self._text[place : place + 1] == "{" else -1
        if end >= 0:
            value = value_of(self._text[place + 1 : end - 1].strip(), self._imported)
            if value is not None:
                named[name[1]] = value
        return end

    def _end_of_braces(self, start: int) -> int:
        """Return where the expression that begins at a brace ends; -1 if it doesn't."""
        depth, quote = 0, ""
        for place in range(start, min(start + _LONGEST, len(self._text))):
            self._left -= 1
            char = self._text[place]
            if self._left < 0:
                return -1
            if quote:
                quote = "" if char == quote and self._text[place - 1] != "\\" else quote
            elif char in "\"'`" and depth and not self._text[place - 1].isalnum():
                quote = char
            elif char == "{":
                depth += 1
            elif char == "}":
                depth -= 1
                if not depth:
                    return place + 1
        return -1


def _called(name: str) -> str:
    return name if name[:1].isupper() else f"{ELEMENT}{name}" if name else FRAGMENT


_REQUIRED = patterns.compile(r"require\(\s{0,20}[\"']([^\"'\n]{1,500})[\"']\s{0,20}\)(?:\.default)?")
_STRING = patterns.compile(r"\"((?:\\.|[^\"\\\n])*+)\"|'((?:\\.|[^'\\\n])*+)'|`((?:\\.|[^`\\$])*+)`", re.DOTALL)
_NUMBER = patterns.compile(r"-?\d{1,15}(?:\.\d{1,15})?", re.ASCII)
_IDENTIFIER = patterns.compile(r"([A-Za-z_$][\w$]{0,100})(?:\.src|\.default)?", re.ASCII)
_ESCAPED = patterns.compile(r"\\(.)", re.DOTALL)


def value_of(code: str, imported: Mapping[str, str]) -> Value | None:
    """Return the value of an expression that need not be run; None for any other."""
    if string := _STRING.fullmatch(code):
        text = next(each for each in string.groups() if each is not None)
        return _ESCAPED.sub(lambda found: "\n" if found[1] == "n" else found[1], text)
    if code in ("true", "false"):
        return code == "true"
    if _NUMBER.fullmatch(code):
        return code
    if required := _REQUIRED.fullmatch(code):
        return required[1]
    name = _IDENTIFIER.fullmatch(code)
    return imported.get(name[1]) if name else None
