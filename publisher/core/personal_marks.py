"""Marks in a letter: for what is known about its recipient, and for parts that only some recipients get.

A mark is a placeholder that contains everything needed to fill it in: a letter waits in the database, and another
process may send it. So the name of the field, the text for people without a value, and the rule of a condition are in
the placeholder itself, as the base32 of their JSON. Such a word passes through Markdown, HTML and URLs unchanged.

    value   the value of a field
    part    the same within a URL
    if      the beginning of a part for some recipients, up to `else` or `end`

While a letter is composed, its marks are sealed: they begin with a word that no text from outside can know, so that
text that looks like a mark can be disarmed, and the marks of the writer stay.
"""

from __future__ import annotations

import base64
import json
import operator as operators
import re
import secrets
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from functools import lru_cache
from html import escape
from itertools import cycle
from typing import Any
from urllib.parse import quote

from publisher.core import patterns
from publisher.core.frozen import dataclass
from publisher.core.i18n import civil_date
from publisher.core.subscriber_fields import FieldKind, FieldValue

ELSE = "@@publisher-else@@"
END = "@@publisher-end@@"

# What every subscriber has, besides the project's own fields. No one lacks an address.
BUILT_IN = {"name": FieldKind.TEXT, "address": FieldKind.TEXT}

# A condition: ("has", field), ("is", field, operator, value), ("not", rule), ("and", rule, ...), ("or", rule, ...)
Rule = tuple[Any, ...]
# What is known about a recipient: the project's own fields, `name` and `address`.
Person = Mapping[str, FieldValue]

_OPENING = "@@publisher-"
_SEALED = f"@@p{secrets.token_hex(8)}-"
_SEALED_MARK = patterns.compile(r"@@p[0-9a-f]{16}-[a-z2-7-]++@@")
_PERSONAL = patterns.compile(r"@@publisher-(?:(?:value|part|if)-[a-z2-7]++|else|end)@@")
_CUT = patterns.compile(
    r"(@@publisher-(?:(?:value|part|if)-[a-z2-7]++|else|end|unsubscribe|preferences|name|address)@@)"
)
_BRANCHING = r"@@publisher-(?:if-[a-z2-7]++|else|end)@@"
_ALONE_IN_PARAGRAPH = patterns.compile(rf"<p>\s*+((?:{_BRANCHING}\s*+)++)</p>\n?")
_ALONE_ON_LINE = patterns.compile(rf"(?m)^[ \t]*+((?:{_BRANCHING})++)[ \t]*+\n(?:[ \t]*+\n)?")
_IN_HTML_URL = patterns.compile(r"""(?:href|src)=(?:"[^"<>]*+"|'[^'<>]*+')""")
_IN_TEXT_URL = patterns.compile(r"https?://[^\s<>\"]++")

# Characters for private use that stand for marks while a text is shortened.
_FIRST_STAND_IN = 0x100000
_MOST_SHORTENED = 200_000

# How deeply conditions can be nested; each `elif` is one more level.
DEEPEST = 30


@dataclass(frozen=True, slots=True)
class FieldMark:
    """The value of a field in a letter.

    default   the text for recipients who lack a value
    language  the language in which a date is written
    in_url    whether the value is a part of a URL, and is escaped for that
    """

    field: str
    default: str = ""
    kind: FieldKind = FieldKind.TEXT
    language: str = "en"
    in_url: bool = False

    def __str__(self) -> str:
        kind = "part" if self.in_url else "value"
        return f"{_OPENING}{kind}-{_encoded([self.field, self.default, self.kind.value, self.language])}@@"

    def text(self, person: Person) -> str:
        """Return the value for a recipient, on one line, or else the default. It is not escaped for HTML."""
        shown = self._shown(person.get(self.field)) or self.default
        return quote(shown, safe="") if self.in_url else shown

    def _shown(self, value: FieldValue | None) -> str:
        if not isinstance(value, str | bool | int | float):
            return ""
        if isinstance(value, str):
            return self._written(_one_line(value))
        if isinstance(value, bool):
            return "yes" if value else "no"
        return f"{value:g}" if isinstance(value, float) and value.is_integer() else str(value)

    def _written(self, value: str) -> str:
        return _written_date(value, self.language) if self.kind is FieldKind.DATE and not self.in_url else value


@dataclass(frozen=True, slots=True)
class MarkedText:
    """A text cut at its marks: texts[0] marks[0] texts[1] marks[1] ... texts[-1]."""

    texts: tuple[str, ...]
    marks: tuple[str | Fork, ...]

    def filled(self, person: Person, value: Callable[[str], str]) -> str:
        """Return the text for a recipient. value: returns the value of a mark."""
        parts = [self.texts[0]]
        for mark, text in zip(self.marks, self.texts[1:], strict=True):
            if isinstance(mark, Fork):
                parts.append((mark.then if holds(mark.rule, person) else mark.otherwise).filled(person, value))
            else:
                parts.append(value(mark))
            parts.append(text)
        return "".join(parts)

    def __str__(self) -> str:
        """Return the original text, before it was cut."""
        marks = (*map(str, self.marks), "")
        return "".join(piece for pair in zip(self.texts, marks, strict=True) for piece in pair)


@dataclass(frozen=True, slots=True)
class Fork:
    """A place at which recipients for whom a rule holds get one text, and the others a different one.

    mark  the mark that it begins with, by which equal rules are found
    """

    mark: str
    rule: Rule
    then: MarkedText
    otherwise: MarkedText

    def __str__(self) -> str:
        return f"{self.mark}{self.then}{ELSE}{self.otherwise}{END}"


def if_mark(rule: Rule) -> str:
    """Return the mark that begins a part for the recipients for whom a rule holds. The part needs an END."""
    return f"{_OPENING}if-{_encoded(rule)}@@"


@lru_cache(maxsize=512)
def field_mark(mark: str) -> FieldMark | None:
    """Return the field that a mark stands for; None if it is a mark of a different kind."""
    kind, _, payload = mark.removeprefix(_OPENING).removesuffix("@@").partition("-")
    if kind not in ("value", "part"):
        return None
    name, default, of, language = _decoded(payload)
    return FieldMark(name, default, FieldKind(of), language, in_url=kind == "part")


def sealed(text: str) -> str:
    """Return a text with its marks sealed. Text that looked like a mark must be disarmed before marking."""
    return text.replace(_OPENING, _SEALED)


def unsealed(text: str) -> str:
    """Return a text with marks in place of sealed ones."""
    return text.replace(_SEALED, _OPENING)


def is_sealed(text: str) -> bool:
    """Return whether a text contains sealed marks."""
    return _SEALED in text


def with_whole_marks(change: Callable[[str], str], text: str) -> str:
    """Return the result of a function that shortens a text with sealed marks, which counts each as one character.

    No mark is cut, and a condition ends at the end of the text if its own end is cut off. If the text is nothing but
    one condition, each of its branches is shortened separately.
    """
    if not is_sealed(text):
        return change(text)
    if fork := _only_fork(unsealed(text[:_MOST_SHORTENED])):
        sides = (with_whole_marks(change, sealed(str(side))) for side in (fork.then, fork.otherwise))
        return sealed(f"{fork.mark}{ELSE.join(sides)}{END}")
    marks: list[str] = []

    def put_aside(found: re.Match[str]) -> str:
        """Keep a sealed mark, and return the character that stands for it."""
        if not is_sealed(found[0]):
            return found[0]
        marks.append(found[0])
        return chr(_FIRST_STAND_IN + len(marks) - 1)

    short = change(_SEALED_MARK.sub(put_aside, text[:_MOST_SHORTENED]))
    stand_ins = {_FIRST_STAND_IN + number: mark for number, mark in enumerate(marks)}
    done = short.translate(stand_ins)
    return done + sealed(END) * (done.count(f"{_SEALED}if-") - done.count(sealed(END)))


def field_marks(text: str) -> list[str]:
    """Return the marks of fields in a text, including the marks in its conditions."""
    return [mark for mark in _PERSONAL.findall(text) if field_mark(mark)]


def is_personal(text: str) -> bool:
    """Return whether a text depends on the fields of its recipient."""
    return _OPENING in text and _PERSONAL.search(text) is not None


def cut(text: str) -> MarkedText:
    """Return a text cut at its marks. An END without a beginning is dropped; the end of the text counts as an END."""
    if _OPENING not in text:
        return MarkedText((text,), ())
    pieces = zip(cycle((False, True)), _CUT.split(text), strict=False)
    return _cut_until_end(pieces, nested=False)[0]


def _only_fork(text: str) -> Fork | None:
    """Return the condition that a text consists of; None if there is anything else in it."""
    tree = cut(text) if text.startswith(f"{_OPENING}if-") else None
    only = tree.marks[0] if tree and len(tree.marks) == 1 and not any(tree.texts) else None
    return only if isinstance(only, Fork) else None


def filled(text: str, person: Person, escape: Callable[[str], str] = str) -> str:
    """Return a text for one recipient, in which this module's marks are replaced by values passed through `escape`.

    Other marks, such as the one for the unsubscribe link, stay.
    """

    def value(mark: str) -> str:
        """Return the person's value for a mark, or the mark itself if it is not a field's mark."""
        field = field_mark(mark)
        return escape(field.text(person)) if field else mark

    return cut(text).filled(person, value) if is_personal(text) else text


def filled_html(html: str, person: Person) -> str:
    """Return HTML for one recipient, with this module's marks replaced by escaped values."""

    def value(mark: str) -> str:
        """Return the person's value for a mark as HTML, or the mark itself if it is not a field's mark."""
        field = field_mark(mark)
        return escape(field.text(person)) if field else mark

    return cut(html).filled(person, value) if is_personal(html) else html


def for_everyone(text: str) -> str:
    """Return a text for a reader about whom nothing is known, such as a visitor to the web version."""
    return filled(text, {})


def with_all_branches(text: str) -> str:
    """Return a text with all parts that only some recipients get, and with the defaults of its fields."""

    def shown(found: re.Match[str]) -> str:
        """Return the default of a field, or its name."""
        field = field_mark(found[0])
        return (field.default or field.field) if field else ""

    return _PERSONAL.sub(shown, text) if _OPENING in text else text


def holds(rule: Rule, person: Person) -> bool:
    """Return whether a rule holds for a recipient. A missing value differs from every value."""
    return test_of(rule)(person)


def test_of(rule: Rule) -> Callable[[Person], bool]:
    """Return a function that, like `holds`, tests a rule on a recipient, but is faster for many recipients."""
    match rule:
        case ("has", name):
            return lambda person: bool(person.get(name))
        case ("not", inner):
            test = test_of(inner)
            return lambda person: not test(person)
        case ("and", *rules):
            tests = [test_of(each) for each in rules]
            return lambda person: all(test(person) for test in tests)
        case ("or", *rules):
            tests = [test_of(each) for each in rules]
            return lambda person: any(test(person) for test in tests)
        case ("is", name, operator, wanted):
            compare, other = _COMPARE[operator], _comparable(wanted)
            return lambda person: _compares(_comparable(person.get(name)), compare, other)
    raise ValueError(f"{rule!r} is not a rule")


_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "==": operators.eq,
    "!=": operators.ne,
    "<": operators.lt,
    "<=": operators.le,
    ">": operators.gt,
    ">=": operators.ge,
}


def surely_has(rule: Rule, truth: bool = True) -> frozenset[str]:
    """Return the fields that a recipient is certain to have if a rule is true for them, or if it is false."""
    match rule:
        case ("has", name):
            return frozenset({name} if truth else ())
        case ("is", name, operator, _):
            return frozenset({name} if truth is (operator != "!=") else ())
        case ("not", inner):
            return surely_has(inner, not truth)
        case (("and" | "or") as joint, *rules):
            found = [surely_has(each, truth) for each in rules]
            return frozenset.union(*found) if truth is (joint == "and") else frozenset.intersection(*found)
    return frozenset()


def unwrapped(html: str) -> str:
    """Return HTML in which conditions that were alone in a paragraph are between paragraphs."""
    return _ALONE_IN_PARAGRAPH.sub(r"\1", html) if _OPENING in html else html


def without_lone_lines(text: str) -> str:
    """Return plain text in which a condition on a line of its own adds no line."""
    return _ALONE_ON_LINE.sub(r"\1", text) if _OPENING in text else text


def escaped_in_html(html: str) -> str:
    """Return HTML in which the fields within URLs are marked as such."""
    return _IN_HTML_URL.sub(lambda found: _in_url(found[0]), html) if _OPENING in html else html


def escaped_in_text(text: str) -> str:
    """Return plain text in which the fields within URLs are marked as such."""
    return _IN_TEXT_URL.sub(lambda found: _in_url(found[0]), text) if _OPENING in text else text


def _in_url(url: str) -> str:
    return url.replace(f"{_OPENING}value-", f"{_OPENING}part-")


def _cut_until_end(pieces: Iterator[tuple[bool, str]], *, nested: bool = True) -> tuple[MarkedText, str]:
    """Return the pieces up to the mark that ends them, and that mark; "" at the end of the text."""
    texts: list[str] = [""]
    marks: list[str | Fork] = []
    for is_mark, piece in pieces:
        if not is_mark:
            texts[-1] += piece
        elif piece in (ELSE, END):
            if nested:
                return MarkedText(tuple(texts), tuple(marks)), piece
        else:
            marks.append(_fork(piece, pieces) if piece.startswith(f"{_OPENING}if-") else piece)
            texts.append("")
    return MarkedText(tuple(texts), tuple(marks)), ""


def _fork(mark: str, pieces: Iterator[tuple[bool, str]]) -> Fork:
    rule = _as_rule(_decoded(mark.removeprefix(f"{_OPENING}if-").removesuffix("@@")))
    then, last = _cut_until_end(pieces)
    otherwise = _cut_until_end(pieces)[0] if last == ELSE else MarkedText(("",), ())
    return Fork(mark, rule, then, otherwise)


@lru_cache(maxsize=512)
def _written_date(value: str, language: str) -> str:
    try:
        return civil_date(date.fromisoformat(value), language)
    except ValueError:
        return value


def _as_rule(value: Any) -> Any:
    return tuple(map(_as_rule, value)) if isinstance(value, list) else value


def _compares(one: Any, compare: Callable[[Any, Any], bool], other: Any) -> bool:
    if one is None or type(one) is not type(other):
        return compare is operators.ne
    return compare(one, other)


def _comparable(value: FieldValue | None) -> Any:
    """Return a value as it is compared: case makes no difference, and all numbers are of one type."""
    if isinstance(value, str):
        return _one_line(value).casefold()
    if isinstance(value, bool):
        return value
    return float(value) if isinstance(value, int | float) else None


def _one_line(value: str) -> str:
    if value.isprintable():
        return " ".join(value.split()) if " " in value else value
    return " ".join("".join(c if c.isprintable() else " " for c in value).split())


def _encoded(value: Any) -> str:
    data = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")
    return base64.b32encode(data).decode("ascii").rstrip("=").lower()


def _decoded(payload: str) -> Any:
    padded = payload.upper() + "=" * (-len(payload) % 8)
    return json.loads(base64.b32decode(padded))
