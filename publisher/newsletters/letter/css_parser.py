"""Parses CSS into rules with line numbers, following CSS Syntax Level 3 as tinycss2 implements it.

Selectors are parsed by cssselect. Nothing here fetches anything or knows about HTML. Values are returned in a form
that old email clients also understand.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Any

import cssselect
import tinycss2

from publisher.core.frozen import dataclass

DEEPEST = 60  # nested brackets; more might exhaust the stack
_MESSAGES = {  # part of tinycss2's message -> our message
    "before {} block": "text followed by neither : nor { }",
    "<ident> for declaration name": "it does not start with the name of a property",
    "after declaration name": "there is no : after the name of the property",
    "contains {} block": "a value contains a { } block",
}
# Pseudo-classes that depend only on the document, and not on what the reader does with it.
_STRUCTURAL = {"not", "is", "where", "root", "empty"} | {
    f"{place}-{kind}" for place in ("first", "last", "only", "nth", "nth-last") for kind in ("child", "of-type")
}
LONGEST = 200  # tokens in a selector; cssselect is recursive
_TRANSLATOR = cssselect.GenericTranslator()
_COLOURS = {"rgb", "rgba", "hsl", "hsla"}
_END = "--end--"
_HOLDS_RULES = {"media", "supports"}
# Strings, URLs without quotes, and escapes, in which no comment begins; then comments.
_COMMENT = re.compile(
    r"""("(?:[^"\\\n]++|\\(?s:.))*+"?|'(?:[^'\\\n]++|\\(?s:.))*+'?|\burl\([ \t\n]*+(?!["'])[^)\\]*+\)?|\\(?s:.))"""
    r"|/\*(?:[^*]++|\*(?!/))*+(?:\*/)?",
    re.IGNORECASE,
)
_BLANK_LINES = re.compile(r"\n(?:[ \t]*+\n)++")
_IN_A_NAME = re.compile(r"[\w%-]")


@dataclass(frozen=True, slots=True)
class Declaration:
    """One property with its value, in a form that email clients understand; lines are counted from 1."""

    name: str
    value: str
    important: bool
    line: int

    def css(self, *, important: bool | None = None) -> str:
        """Return the declaration as CSS; `important` overrides whether it is marked `!important`."""
        urgent = self.important if important is None else important
        return f"{self.name}: {self.value}{' !important' if urgent else ''}"


@dataclass(frozen=True, slots=True)
class Selector:
    """One selector of a rule's list.

    text         the selector as CSS, with names of elements in lower case
    query        the selector for premailer; "" if it cannot be inlined: states (:hover), parts (::before), and *
    specificity  the numbers of ids; of classes, attributes and pseudo-classes; and of types (Selectors Level 4,
                 section 17)
    needs        the elements, and the classes as ".name", without which the selector matches nothing in a document
    """

    text: str
    query: str
    specificity: tuple[int, int, int]
    needs: frozenset[str]


@dataclass(frozen=True, slots=True)
class StyleRule:
    """A style rule: selectors, and the declarations for the elements that they match."""

    selectors: tuple[Selector, ...]
    declarations: tuple[Declaration, ...]
    line: int


@dataclass(frozen=True, slots=True)
class AtRule:
    """An at-rule such as `@media`, with the rules inside it.

    keyword  in lower case, without the @
    prelude  the text between the keyword and the block, such as a condition
    rules    the rules inside `@media` or `@supports`; empty for other at-rules
    text     the whole at-rule as CSS
    """

    keyword: str
    prelude: str
    rules: tuple[StyleRule, ...]
    text: str
    line: int


@dataclass(frozen=True, slots=True)
class Mistake:
    """A piece of CSS that a browser would ignore.

    kind  "syntax", "selector", "nested", "declaration" or "unclosed"
    what  the piece of CSS, or the reason
    """

    kind: str
    what: str
    line: int


@dataclass(frozen=True, slots=True)
class Stylesheet:
    """A whole stylesheet, with its parts in the order in which they were written."""

    parts: tuple[StyleRule | AtRule, ...]
    mistakes: tuple[Mistake, ...]

    @property
    def rules(self) -> tuple[StyleRule, ...]:
        """The rules that are not inside an at-rule."""
        return tuple(part for part in self.parts if isinstance(part, StyleRule))

    @property
    def at_rules(self) -> tuple[AtRule, ...]:
        """The rules such as @media, in order."""
        return tuple(part for part in self.parts if isinstance(part, AtRule))


def without_comments(css: str) -> str:
    """Return CSS without its comments, and without the blank lines that they leave.

    A comment that separates two names or numbers becomes a space.
    """
    if "/*" not in css:
        return css

    def replaced(found: re.Match[str]) -> str:
        """Return the replacement of a comment: a space if it separates two words."""
        if found[1] is not None:
            return found[0]
        before, after = css[max(0, found.start() - 1) : found.start()], css[found.end() : found.end() + 2]
        parts = _IN_A_NAME.match(before) and _IN_A_NAME.match(after)
        return " " if parts or (before.isdigit() and after[:1] == "." and after[1:].isdigit()) else ""

    return _BLANK_LINES.sub("\n", _COMMENT.sub(replaced, css))


@lru_cache(maxsize=16)  # parsing letter.css takes longer than the rest of a letter, and 50 variants share it
def read_sheet(css: str) -> Stylesheet:
    """Parse a stylesheet; CSS that cannot be parsed becomes a Mistake and never raises an exception."""
    nodes = tinycss2.parse_component_value_list(css)
    line = unclosed(css)
    mistakes = [Mistake("unclosed", "", line)] if line else []
    deep = _too_deep(nodes)
    if deep:
        return Stylesheet((), (*mistakes, Mistake("syntax", f"brackets are nested {DEEPEST} levels deep", deep)))
    parts: list[StyleRule | AtRule] = []
    for node in tinycss2.parse_stylesheet(nodes, skip_comments=True, skip_whitespace=True):
        if node.type == "qualified-rule":
            parts.extend(_style_rule(node, mistakes))
        elif node.type == "at-rule":
            parts.append(_read_at_rule(node, mistakes))
        else:
            mistakes.append(Mistake("syntax", _in_words(node.message), node.source_line))
    return Stylesheet(tuple(parts), tuple(mistakes))


def read_declarations(css: str) -> tuple[Declaration, ...]:
    """Parse a style attribute; invalid declarations are skipped."""
    nodes = tinycss2.parse_component_value_list(css)
    return () if _too_deep(nodes) else tuple(_declarations(nodes, []))


@lru_cache(maxsize=32)
def imports(css: str) -> tuple[int, ...]:
    """Return the line of each @import, however it is spelt, except in comments and strings."""
    if "@" not in css:
        return ()
    nodes = _with_depth(tinycss2.parse_component_value_list(css, skip_comments=True))
    return tuple(node.source_line for node, _ in nodes if node.type == "at-keyword" and node.lower_value == "import")


def _in_words(message: str) -> str:
    """Reword a message of tinycss2 for people who write CSS rather than parsers."""
    return next((words for said, words in _MESSAGES.items() if said in message), message)


def _plain_selector(message: str) -> str:
    """Return a message of cssselect without the names and positions of tokens."""
    return re.sub(r"<\w+ ('.{0,100}?') at \d+>", r"\1", re.sub(r"<EOF at \d+>", "nothing", message))


@lru_cache(maxsize=32)
def unclosed(css: str) -> int:
    """Return the line of a block, bracket, comment or url() that is never closed; 0 if all are closed."""
    # A word added at the end becomes a token of its own, unless an open block or comment swallows it.
    end = tinycss2.parse_component_value_list(f"{css}\n{_END}")[-1]
    return 0 if end.type == "ident" and end.value == _END else int(end.source_line)


def _too_deep(nodes: Iterable[Any]) -> int:
    """Return the first line on which brackets are nested too deeply, or 0."""
    return next((node.source_line for node, depth in _with_depth(nodes) if depth >= DEEPEST), 0)


def _with_depth(nodes: Iterable[Any]) -> Iterator[tuple[Any, int]]:
    waiting = [(node, 0) for node in nodes][::-1]
    while waiting:
        node, depth = waiting.pop()
        yield node, depth
        inner = getattr(node, "content", None) or getattr(node, "arguments", None) or []
        waiting.extend((each, depth + 1) for each in reversed(inner))


def _style_rule(node: Any, mistakes: list[Mistake]) -> Iterator[StyleRule]:
    try:
        selectors = _selectors(node.prelude)
    except ValueError as error:
        what = f"{tinycss2.serialize(node.prelude).strip() or 'nothing'}: {_plain_selector(str(error))}"
        mistakes.append(Mistake("selector", what, node.source_line))
        return
    declarations = tuple(_declarations(node.content, mistakes))
    if declarations:
        yield StyleRule(selectors, declarations, node.source_line)


def _declarations(content: list[Any], mistakes: list[Mistake]) -> Iterator[Declaration]:
    for node in tinycss2.parse_blocks_contents(content, skip_comments=True, skip_whitespace=True):
        if node.type == "declaration":
            name = node.name if node.name.startswith("--") else node.lower_name
            yield Declaration(name, _plain_value(node.value), node.important, node.source_line)
        elif node.type == "error":
            mistakes.append(Mistake("declaration", _in_words(node.message), node.source_line))
        else:
            what = f"@{node.at_keyword}" if node.type == "at-rule" else tinycss2.serialize(node.prelude).strip()
            mistakes.append(Mistake("nested", what, node.source_line))


def _read_at_rule(node: Any, mistakes: list[Mistake]) -> AtRule:
    keyword = node.lower_at_keyword
    prelude = tinycss2.serialize(node.prelude).strip()
    rules: list[StyleRule] = []
    if keyword in _HOLDS_RULES and node.content is not None:
        for inner in tinycss2.parse_rule_list(node.content, skip_comments=True, skip_whitespace=True):
            if inner.type == "qualified-rule":
                rules.extend(_style_rule(inner, mistakes))
            elif inner.type == "at-rule":
                mistakes.append(Mistake("nested", f"@{inner.at_keyword} in @{keyword}", inner.source_line))
            else:
                mistakes.append(Mistake("syntax", _in_words(inner.message), inner.source_line))
    return AtRule(keyword, prelude, tuple(rules), node.serialize(), node.source_line)


def _selectors(prelude: list[Any]) -> tuple[Selector, ...]:
    """Return the selectors of a rule; raises ValueError with the reason if one is invalid."""
    parts: list[list[Any]] = [[]]
    for token in prelude:
        if token.type == "literal" and token.value == ",":
            parts.append([])
        elif token.type != "comment":
            parts[-1].append(token)
    return tuple(_selector(part) for part in parts)


def _selector(tokens: list[Any]) -> Selector:
    tokens = _lower_case(_stripped(tokens))
    text = tinycss2.serialize(tokens)
    if len(tokens) > LONGEST:
        raise ValueError(f"it has more than {LONGEST} parts")
    if _named_space(tokens):
        raise ValueError("HTML has no namespaces")
    try:
        parsed = cssselect.parse(text)[0]
    except cssselect.SelectorError as error:
        raise ValueError(str(error)) from error
    weight = parsed.specificity()
    query = _query(tokens, text, parsed) if weight > (0, 0, 0) else ""
    return Selector(text, query, weight, frozenset(_needs(tokens)))


def _named_space(tokens: list[Any]) -> bool:
    return any(
        each == "|"
        or (each.type == "function" and _named_space(each.arguments))
        or (each.type == "[] block" and _named_space(each.content))
        for each in tokens
    )


def _needs(tokens: list[Any]) -> Iterator[str]:
    before = ""
    for token in tokens:
        if token.type == "ident" and before != ":":
            yield before + token.value if before == "." else token.value
        before = token.value if token.type == "literal" else ""


def _query(tokens: list[Any], text: str, parsed: Any) -> str:
    if parsed.pseudo_element or not _pseudo_classes(tokens) <= _STRUCTURAL:
        return ""
    try:
        _TRANSLATOR.selector_to_xpath(parsed)
    except cssselect.SelectorError:  # cssselect can parse *:nth-of-type(2), but not translate it
        return ""
    if ":" not in text:
        return text
    # premailer treats what follows the first colon as a state such as :hover and drops it, unless it starts with
    # :nth-child. Every element is the n-th child, so this changes nothing else.
    named = bool(tokens) and (tokens[0].type == "ident" or tokens[0] == "*")
    first, rest = (tokens[:1], tokens[1:]) if named else ([], tokens)
    return f"{tinycss2.serialize(first)}:nth-child(n){tinycss2.serialize(rest)}"


def _stripped(tokens: list[Any]) -> list[Any]:
    start, end = 0, len(tokens)
    while start < end and tokens[start].type == "whitespace":
        start += 1
    while end > start and tokens[end - 1].type == "whitespace":
        end -= 1
    return tokens[start:end]


def _lower_case(tokens: list[Any]) -> list[Any]:
    """Put names of elements in lower case, as in the HTML tree; classes and ids are left as they are."""
    before = ""
    for token in tokens:
        if token.type == "ident" and before not in (".", ":"):
            token.value = token.lower_value
        elif token.type == "function":
            _lower_case(token.arguments)
        before = token.value if token.type == "literal" else ""
    return tokens


def _pseudo_classes(tokens: list[Any]) -> set[str]:
    found, before = set(), ""
    for token in tokens:
        if before == ":" and token.type in ("ident", "function"):
            found.add(token.lower_value if token.type == "ident" else token.lower_name)
        if token.type == "function":
            found |= _pseudo_classes(token.arguments)
        before = token.value if token.type == "literal" else ""
    return found


def _plain_value(tokens: list[Any]) -> str:
    """Return a value with its colours in the syntax of CSS Color Level 3: `rgba(0, 0, 0, 0.5)`, not `rgb(0 0 0 / 50%)`.

    Comments and surrounding spaces are removed; everything else is left as it is.
    """
    return "".join(_plain(token) for token in tokens if token.type != "comment").strip()


def _plain(token: Any) -> str:
    if token.type == "function":
        if token.lower_name in _COLOURS:
            return _colour(token)
        return f"{token.name}({_plain_value(token.arguments)})"
    if token.type == "() block":
        return f"({_plain_value(token.content)})"
    if token.type == "hash" and len(token.value) in (4, 8):
        return _hash(token.value)
    return str(token.serialize())


def _colour(function: Any) -> str:
    """Write a colour with commas instead of spaces and a slash; a colour with var() or calc() is left as it is."""
    parts = [t for t in function.arguments if t.type not in ("whitespace", "comment")]
    numbers = [t for t in parts if t.type in ("number", "percentage", "dimension")]
    signs = [t.value for t in parts if t.type == "literal"]
    if len(numbers) + len(signs) != len(parts) or signs not in ([], ["/"]) or len(numbers) != 3 + len(signs):
        return str(function.serialize())
    name = function.lower_name[:3]
    channels = [t.serialize() for t in numbers[:3]]
    if not signs:
        return f"{name}({', '.join(channels)})"
    alpha = numbers[3].value / 100 if numbers[3].type == "percentage" else numbers[3].value
    return f"{name}a({', '.join(channels)}, {alpha:g})"


def _hash(digits: str) -> str:
    """Write #rrggbbaa or #rgba as rgba(), because Outlook and older clients do not know them."""
    wide = digits if len(digits) == 8 else "".join(digit * 2 for digit in digits)
    try:
        red, green, blue, alpha = bytes.fromhex(wide)
    except ValueError:
        return f"#{digits}"
    return f"rgba({red}, {green}, {blue}, {alpha / 255:.3g})"
