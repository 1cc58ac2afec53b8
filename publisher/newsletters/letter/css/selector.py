"""Selectors: which of them can be applied to a document that nobody moves a mouse over, and how heavy they are."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import cssselect
import tinycss2

# What an element is, not what happens to it. These can be told once and for all.
_STRUCTURAL = {"not", "is", "where", "root", "empty"} | {
    f"{place}-{kind}" for place in ("first", "last", "only", "nth", "nth-last") for kind in ("child", "of-type")
}
LONGEST = 200  # tokens in a selector; cssselect follows its parts by recursion
_TRANSLATOR = cssselect.GenericTranslator()


@dataclass(frozen=True, slots=True)
class Selector:
    """One selector, without commas at its top.

    text         as CSS, names of elements in lower case
    query        the same for premailer; "" where it stays a rule: states (:hover), parts (::before), and *
    specificity  Selectors Level 4, section 17: ids, then classes, attributes and pseudo-classes, then types
    needs        names of elements, and of classes as ".name", without which it reaches nothing in a document
    """

    text: str
    query: str
    specificity: tuple[int, int, int]
    needs: frozenset[str]


def selectors_of(prelude: list[Any]) -> tuple[Selector, ...]:
    """Return the selectors of a rule; raise ValueError, with the reason, for what is none."""
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
        raise ValueError("HTML knows no namespaces")
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
    except cssselect.SelectorError:  # what cssselect can parse and cannot ask, such as *:nth-of-type(2)
        return ""
    if ":" not in text:
        return text
    # premailer takes what follows the first colon for a state such as :hover and leaves it out, unless it
    # begins with :nth-child. Every element is the n-th child.
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
    """Names of elements in lower case, as they stand in the tree; classes and ids keep theirs."""
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
