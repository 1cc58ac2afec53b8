"""A stylesheet as rules with their lines, by the CSS Syntax Module Level 3, as tinycss2 implements it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import tinycss2

from publisher.newsletters.letter.css.selector import Selector, selectors_of
from publisher.newsletters.letter.css.values import plain_value

DEEPEST = 60  # brackets in brackets; whoever follows more may run out of stack
_SAID = {  # tinycss2's words: ours
    "before {} block": "words with neither a : nor a { } behind them",
    "<ident> for declaration name": "it does not begin with the name of a property",
    "after declaration name": "no : stands behind the name of a property",
    "contains {} block": "a value holds a { } block",
}
_END = "--end--"
_HOLDS_RULES = {"media", "supports"}


@dataclass(frozen=True, slots=True)
class Declaration:
    """One property with its value, written as mail programs know it; line counts from 1."""

    name: str
    value: str
    important: bool
    line: int

    def css(self, *, important: bool | None = None) -> str:
        """Return it as CSS; `important` overrules what the writer said."""
        urgent = self.important if important is None else important
        return f"{self.name}: {self.value}{' !important' if urgent else ''}"


@dataclass(frozen=True, slots=True)
class Rule:
    """Selectors and what they give."""

    selectors: tuple[Selector, ...]
    declarations: tuple[Declaration, ...]
    line: int


@dataclass(frozen=True, slots=True)
class AtRule:
    """`@media` and the like: the rules in it, or its text where it holds none; keyword in lower case, without the @."""

    keyword: str
    prelude: str
    rules: tuple[Rule, ...]
    text: str
    line: int


@dataclass(frozen=True, slots=True)
class Mistake:
    """What a browser would skip: kind is "syntax", "selector", "nested", "declaration" or "unclosed"."""

    kind: str
    what: str
    line: int


@dataclass(frozen=True, slots=True)
class Sheet:
    """A whole stylesheet; its parts in the order written."""

    parts: tuple[Rule | AtRule, ...]
    mistakes: tuple[Mistake, ...]

    @property
    def rules(self) -> tuple[Rule, ...]:
        """The rules that stand in no at-rule."""
        return tuple(part for part in self.parts if isinstance(part, Rule))

    @property
    def at_rules(self) -> tuple[AtRule, ...]:
        return tuple(part for part in self.parts if isinstance(part, AtRule))


@lru_cache(maxsize=16)  # reading letter.css takes longer than a letter, and 50 variants share it
def read_sheet(css: str) -> Sheet:
    """Return the stylesheet; what cannot be read is a Mistake, and never an exception."""
    nodes = tinycss2.parse_component_value_list(css)
    line = unclosed(css)
    mistakes = [Mistake("unclosed", "", line)] if line else []
    deep = _too_deep(nodes)
    if deep:
        return Sheet((), (*mistakes, Mistake("syntax", f"brackets stand {DEEPEST} deep in each other", deep)))
    parts: list[Rule | AtRule] = []
    for node in tinycss2.parse_stylesheet(nodes, skip_comments=True, skip_whitespace=True):
        if node.type == "qualified-rule":
            parts.extend(_rule(node, mistakes))
        elif node.type == "at-rule":
            parts.append(_at_rule(node, mistakes))
        else:
            mistakes.append(Mistake("syntax", _in_words(node.message), node.source_line))
    return Sheet(tuple(parts), tuple(mistakes))


def read_declarations(css: str) -> tuple[Declaration, ...]:
    """Return what a style attribute says; what cannot be read is left out."""
    nodes = tinycss2.parse_component_value_list(css)
    return () if _too_deep(nodes) else tuple(_declarations(nodes, []))


def imports(css: str) -> Iterator[int]:
    """Yield the line of each @import, however it is spelt and wherever it stands, comments and strings excepted."""
    if "@" not in css:
        return
    for node, _ in _with_depth(tinycss2.parse_component_value_list(css, skip_comments=True)):
        if node.type == "at-keyword" and node.lower_value == "import":
            yield node.source_line


def _in_words(message: str) -> str:
    """What tinycss2 says of a mistake, for a person who writes CSS and no parser of it."""
    return next((words for said, words in _SAID.items() if said in message), message)


def _plain_selector(message: str) -> str:
    """What cssselect says, without the names and numbers of its tokens."""
    return re.sub(r"<\w+ ('.*?') at \d+>", r"\1", re.sub(r"<EOF at \d+>", "nothing", message))


def unclosed(css: str) -> int:
    """Return the line of the block, bracket, comment or url() that is open where the stylesheet ends; 0 for none."""
    # What is put behind it stands by itself, unless something open takes it in.
    end = tinycss2.parse_component_value_list(f"{css}\n{_END}")[-1]
    return 0 if end.type == "ident" and end.value == _END else int(end.source_line)


def _too_deep(nodes: Iterable[Any]) -> int:
    """The line on which brackets are nested too deep to be followed; 0 if they are not."""
    return next((node.source_line for node, depth in _with_depth(nodes) if depth >= DEEPEST), 0)


def _with_depth(nodes: Iterable[Any]) -> Iterator[tuple[Any, int]]:
    waiting = [(node, 0) for node in nodes][::-1]
    while waiting:
        node, depth = waiting.pop()
        yield node, depth
        inner = getattr(node, "content", None) or getattr(node, "arguments", None) or []
        waiting.extend((each, depth + 1) for each in reversed(inner))


def _rule(node: Any, mistakes: list[Mistake]) -> Iterator[Rule]:
    try:
        selectors = selectors_of(node.prelude)
    except ValueError as error:
        what = f"{tinycss2.serialize(node.prelude).strip() or 'nothing'}: {_plain_selector(str(error))}"
        mistakes.append(Mistake("selector", what, node.source_line))
        return
    declarations = tuple(_declarations(node.content, mistakes))
    if declarations:
        yield Rule(selectors, declarations, node.source_line)


def _declarations(content: list[Any], mistakes: list[Mistake]) -> Iterator[Declaration]:
    for node in tinycss2.parse_blocks_contents(content, skip_comments=True, skip_whitespace=True):
        if node.type == "declaration":
            name = node.name if node.name.startswith("--") else node.lower_name
            yield Declaration(name, plain_value(node.value), node.important, node.source_line)
        elif node.type == "error":
            mistakes.append(Mistake("declaration", _in_words(node.message), node.source_line))
        else:
            what = f"@{node.at_keyword}" if node.type == "at-rule" else tinycss2.serialize(node.prelude).strip()
            mistakes.append(Mistake("nested", what, node.source_line))


def _at_rule(node: Any, mistakes: list[Mistake]) -> AtRule:
    keyword = node.lower_at_keyword
    prelude = tinycss2.serialize(node.prelude).strip()
    rules: list[Rule] = []
    if keyword in _HOLDS_RULES and node.content is not None:
        for inner in tinycss2.parse_rule_list(node.content, skip_comments=True, skip_whitespace=True):
            if inner.type == "qualified-rule":
                rules.extend(_rule(inner, mistakes))
            elif inner.type == "at-rule":
                mistakes.append(Mistake("nested", f"@{inner.at_keyword} in @{keyword}", inner.source_line))
            else:
                mistakes.append(Mistake("syntax", _in_words(inner.message), inner.source_line))
    return AtRule(keyword, prelude, tuple(rules), node.serialize(), node.source_line)
