"""Settings that are written in JavaScript or TypeScript, as far as they are plain values. Nothing is run.

Strings, numbers, lists, objects, constants and calls with such arguments are read; a function, a condition or a
variable that comes from elsewhere is not. A call, such as defineConfig({...}), stands for its first argument that can
be read. The text comes from outside: everything is bounded.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cached_property
from typing import NamedTuple

from publisher.posts.blog_tools.data_files import Data

_MOST_TOKENS = 200_000
_MOST_STEPS = 200_000
_DEEPEST = 30
_LONGEST = 10_000
_MOST_ITEMS = 2_000

_TOKEN = re.compile(
    r"[ \t\r\n]++"
    r"|(?P<comment>//[^\n]*+|/\*)"
    r"""|(?P<string>"(?:[^"\\\n]|\\[^\n]|\\\n)*+"|'(?:[^'\\\n]|\\[^\n]|\\\n)*+'|`(?:[^`\\]|\\.)*+`)"""
    r"|(?P<number>\d[\w.]*+)"
    r"|(?P<name>[A-Za-z_$][\w$]*+)"
    r"|(?P<sign>\.\.\.|=>|\|\||\?\?|\?\.|[^\s\w])"
    r"|.",
    re.DOTALL,
)
_PATTERN = re.compile(r"/(?:[^/\\\n\[]|\\.|\[(?:[^\]\\\n]|\\.){0,80}+\]){1,200}+/[a-z]{0,8}")
_ESCAPE = re.compile(r"\\(u[0-9A-Fa-f]{4}|x[0-9A-Fa-f]{2}|\n|.)", re.DOTALL)
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "\n": "", "b": "", "f": "", "v": "", "0": ""}
_CLOSES = {"(": ")", "[": "]", "{": "}"}
_ENDS = (",", ")", "]", "}", ";", "")
_WORDS: dict[str, Data] = {"true": True, "false": False, "null": None, "undefined": None}
_TYPED = ("as", "satisfies")
_NO = (None, False, "")


class _Token(NamedTuple):
    kind: str
    text: str
    is_first: bool = False


class Script:
    """A file in JavaScript or TypeScript."""

    def __init__(self, text: str) -> None:
        self._tokens = _tokens(text)
        self._closing = _closing(self._tokens)
        self._steps = 0

    @cached_property
    def constants(self) -> dict[str, Data]:
        """The values of constants and variables, as far as they can be read."""
        found: dict[str, Data] = {}
        for at, token in enumerate(self._tokens):
            if token.text in ("const", "let", "var") and token.kind == "name":
                name = self._at(at + 1).text
                begin = self._assigned(at + 2)
                if begin and name not in found and (value := self._value(begin, found, 0)[0]) is not None:
                    found[name] = value
        return found

    @property
    def exported(self) -> Data:
        """The default export of the file; None if it cannot be read, for example because it is a function."""
        for at in range(len(self._tokens)):
            texts = [self._at(at + each).text for each in range(4)]
            if texts[:2] == ["export", "default"]:
                return self._value(at + 2, self.constants, 0)[0]
            if texts == ["module", ".", "exports", "="]:
                return self._value(at + 4, self.constants, 0)[0]
        return None

    def returned(self) -> Iterator[dict[str, Data]]:
        """Yield each object that a function returns."""
        for at, token in enumerate(self._tokens):
            if token.kind == "name" and token.text == "return" and self._at(at + 1).text == "{":
                value = self._value(at + 1, self.constants, 0)[0]
                if isinstance(value, dict):
                    yield value

    def calls(self, name: str) -> Iterator[list[Data]]:
        """Yield the arguments of each call of a function or method."""
        for at, token in enumerate(self._tokens):
            if token.kind == "name" and token.text == name and self._at(at + 1).text == "(":
                yield self._items(at + 1, self.constants, 0)

    def _at(self, index: int) -> _Token:
        return self._tokens[index] if index < len(self._tokens) else _Token("", "")

    def _assigned(self, at: int) -> int:
        """Return where the value of a constant begins, given where the constant's name ends; 0 if it has no value."""
        for index in range(at, min(at + 30, len(self._tokens))):
            if self._tokens[index].text == "=":
                return index + 1
            if self._tokens[index].text in (";", "=>", "const", "let", "of", "in"):
                return 0
        return 0

    def _value(self, at: int, known: dict[str, Data], depth: int) -> tuple[Data, int]:
        """Return the value of the expression that begins here, None if it cannot be read, and where it ends."""
        self._steps += 1
        if depth > _DEEPEST or self._steps > _MOST_STEPS:
            return None, self._end(at)
        value, end = self._single(at, known, depth)
        while (sign := self._at(end).text) not in _ENDS:
            if sign in _TYPED:
                return value, self._end(end)
            if self._at(end).is_first and self._at(end).kind == "name":
                return value, end  # a statement that ended without a semicolon
            if sign in ("||", "??", "+"):
                other, end = self._single(end + 1, known, depth + 1)
                value = _joined(value, other) if sign == "+" else other if value in _NO else value
                continue
            return None, self._end(end)
        return value, end

    def _single(self, at: int, known: dict[str, Data], depth: int) -> tuple[Data, int]:
        token = self._at(at)
        if token.text == "{":
            return self._object(at, known, depth), self._after(at)
        if token.text == "[":
            return self._items(at, known, depth), self._after(at)
        if token.text == "(" and self._at(self._after(at)).text != "=>":
            return self._value(at + 1, known, depth + 1)[0], self._after(at)
        if token.kind == "string":
            return _unquoted(token.text, known), at + 1
        if token.kind == "number":
            return _number(token.text), at + 1
        if token.text in ("await", "new"):
            return self._single(at + 1, known, depth)
        if token.kind == "name" and token.text not in ("function", "async", "class"):
            return self._named(at, known, depth)
        return None, self._after(at) if token.text in _CLOSES else at + 1

    def _named(self, at: int, known: dict[str, Data], depth: int) -> tuple[Data, int]:
        """Return the value of a constant, one of its members, or a call."""
        name = self._at(at).text
        value = _WORDS.get(name, known.get(name))
        at += 1
        while (sign := self._at(at).text) in (".", "?.", "("):
            if sign == "(":
                given = [each for each in self._items(at, known, depth + 1) if each is not None]
                value, at = (given[0] if given else None), self._after(at)
            else:
                value = value.get(self._at(at + 1).text) if isinstance(value, dict) else None
                at += 2
        return value, at

    def _items(self, at: int, known: dict[str, Data], depth: int) -> list[Data]:
        """Return the values between two brackets."""
        found: list[Data] = []
        last = self._after(at) - 1
        at += 1
        while at < last:
            spread = self._at(at).text == "..."
            value, at = self._value(at + spread, known, depth + 1)
            found += value[:_MOST_ITEMS] if spread and isinstance(value, list) else [] if spread else [value]
            del found[_MOST_ITEMS:]
            at += 1
        return found

    def _object(self, at: int, known: dict[str, Data], depth: int) -> dict[str, Data]:
        found: dict[str, Data] = {}
        last = self._after(at) - 1
        at += 1
        while at < last:
            token, following = self._at(at), self._at(at + 1).text
            if token.text == "...":
                value, at = self._value(at + 1, known, depth + 1)
                found |= value if isinstance(value, dict) else {}
            elif following == ":" and token.kind in ("name", "string", "number"):
                key = str(_unquoted(token.text, known)) if token.kind == "string" else token.text
                found[key], at = self._value(at + 2, known, depth + 1)
            else:
                if following in (",", "}") and token.kind == "name":
                    found[token.text] = known.get(token.text)
                at = self._end(at)
                at -= self._at(at).text in ("{", "(")
            at += 1
        return found

    def _after(self, at: int) -> int:
        return self._closing.get(at, len(self._tokens)) + 1

    def _end(self, at: int) -> int:
        """Return where an expression ends, whatever is in it."""
        return self._ends[at] if at < len(self._ends) else len(self._tokens)

    @cached_property
    def _ends(self) -> list[int]:
        """For each token, the end of the expression that contains it."""
        last = len(self._tokens)
        found = [last] * (last + 1)
        for at in range(last - 1, -1, -1):
            token = self._tokens[at]
            if token.kind == "sign" and token.text in _CLOSES:
                found[at] = found[min(self._after(at), last)]
            else:
                found[at] = at if token.text in _ENDS else found[at + 1]
        return found


def _joined(first: Data, second: Data) -> Data:
    """Return two texts joined; None for other values, and for a text that keeps growing because it refers to itself."""
    both = first + second if isinstance(first, str) and isinstance(second, str) else None
    return both if both is not None and len(both) <= _LONGEST else None


def _tokens(text: str) -> list[_Token]:
    """Return the tokens of a text, without comments; at most 200,000 of them."""
    found: list[_Token] = []
    at, is_first = 0, True
    while at < len(text) and len(found) < _MOST_TOKENS:
        if text[at] == "/" and _may_be_pattern(found) and (pattern := _PATTERN.match(text, at)) and text[at + 1] != "*":
            found.append(_Token("pattern", pattern[0]))
            at = pattern.end()
            continue
        match = _TOKEN.match(text, at)
        if match is None:
            break
        at = match.end()
        if match.lastgroup == "comment":
            if match[0] == "/*":
                closed = text.find("*/", at)
                at = closed + 2 if closed >= 0 else len(text)
        elif match.lastgroup:
            found.append(_Token(match.lastgroup, match[0], is_first))
        is_first = not match.lastgroup and (is_first or "\n" in match[0])
    return found


def _may_be_pattern(before: list[_Token]) -> bool:
    """Return whether a slash begins a regular expression, and not a division or a comment."""
    return (
        not before
        or (before[-1].kind == "sign" and before[-1].text not in (")", "]", "}"))
        or before[-1].text == "return"
    )


def _closing(tokens: list[_Token]) -> dict[int, int]:
    """Return, for each opening bracket, the index of its closing bracket."""
    found: dict[int, int] = {}
    open_ones: list[int] = []
    for at, token in enumerate(tokens):
        if token.kind != "sign":
            continue
        if token.text in _CLOSES:
            open_ones.append(at)
        elif token.text in (")", "]", "}") and open_ones:
            found[open_ones.pop()] = at
    return found


def _unquoted(token: str, known: dict[str, Data]) -> str | None:
    """Return the text of a string; None for a template whose values are not known."""
    text = token[1:-1]
    if token[0] == "`" and "${" in text:
        parts = re.split(r"\$\{([^{}]{0,100})\}", text)
        values = [part if index % 2 == 0 else known.get(part.strip()) for index, part in enumerate(parts)]
        if not all(isinstance(value, str) for value in values):
            return None
        text = "".join(map(str, values))
        if len(text) > _LONGEST:
            return None
    return _ESCAPE.sub(_character, text)


def _character(found: re.Match[str]) -> str:
    code = found[1]
    return chr(int(code[1:], 16)) if code[0] in "ux" and len(code) > 1 else _ESCAPES.get(code, code)


def _number(text: str) -> Data:
    try:
        return int(text[:20].replace("_", ""))
    except ValueError:
        return None
