"""The CSS that stays in a letter, as rules: enough of CSS to know what stands where, and nothing more."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_COMMENT = re.compile(r"/\*.*?(?:\*/|\Z)", re.DOTALL)
_PIECE = re.compile(r""""(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|[{};]|[^"'{};]+|["']""", re.DOTALL)
_HOLDS_RULES = ("@media", "@supports", "@layer", "@container", "@document")
_IMPORTANT = re.compile(r"\s*!\s*important\s*$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Declaration:
    """One `name: value` of CSS, its name in lower case."""

    name: str
    value: str
    important: bool = False


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule with what stands around it: conditions are at-rules, the outermost first.

    selector  of an at-rule that holds declarations itself, such as @font-face, its own words
    """

    conditions: tuple[str, ...]
    selector: str
    declarations: tuple[Declaration, ...]


def declarations_of(style: str) -> tuple[Declaration, ...]:
    """Return what a style attribute or the inside of a rule declares; what is no declaration is left out."""
    return tuple(_declarations("".join(part) for part in _statements(style)))


def rules_of(css: str) -> tuple[list[Rule], list[str]]:
    """Return the rules of a stylesheet in their order, and its at-rules that hold no block, such as @import.

    Never fails: what is not closed ends with the sheet.
    """
    rules: list[Rule] = []
    bare: list[str] = []
    heads: list[str] = []
    bodies: list[list[str]] = [[]]
    run = ""
    for piece in _PIECE.findall(_COMMENT.sub(" ", css)):
        if piece == "{":
            heads.append(" ".join(run.split()))
            bodies.append([])
        elif piece == "}":
            bodies[-1].append(run)
            _close(heads, bodies, rules)
        elif piece == ";":
            bodies[-1].append(run)
        else:
            run += piece
            continue
        run = ""
    while heads:
        _close(heads, bodies, rules)
    bare += [" ".join(part.split()) for part in bodies[0] if part.strip().startswith("@")]
    return rules, bare


def _close(heads: list[str], bodies: list[list[str]], rules: list[Rule]) -> None:
    if not heads:
        return  # one bracket too many
    head, body = heads.pop(), bodies.pop()
    if not head.lower().startswith(_HOLDS_RULES):
        rules.append(Rule(tuple(heads), head, tuple(_declarations(body))))


def _statements(style: str) -> Iterator[list[str]]:
    part: list[str] = []
    for piece in re.findall(r"""\([^()]*\)|"[^"]*"|'[^']*'|;|[^;("']+|["'(]""", style):
        if piece == ";":
            yield part
            part = []
        else:
            part.append(piece)
    yield part


def _declarations(parts: Iterator[str] | list[str]) -> Iterator[Declaration]:
    for part in parts:
        name, colon, value = part.partition(":")
        name = name.strip().lower()
        if colon and name and value.strip() and re.fullmatch(r"-{0,2}[a-z][\w-]*", name):
            shown = _IMPORTANT.sub("", value.strip())
            yield Declaration(name, shown, shown != value.strip())
