"""A composed letter taken apart once, for all that look at it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from lxml import etree
from lxml import html as lxml_html

from publisher.core.newsletter_models import Letter

_COMMENT = re.compile(r"/\*.*?(?:\*/|\Z)", re.DOTALL)
_PIECE = re.compile(r""""(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|[{};]|[^"'{};]+|["']""", re.DOTALL)
_HOLDS_RULES = ("@media", "@supports", "@layer", "@container", "@document")
_IMPORTANT = re.compile(r"\s*!\s*important\s*$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Property:
    """One `name: value` of CSS, its name in lower case."""

    name: str
    value: str
    important: bool = False


@dataclass(frozen=True, slots=True)
class KeptRule:
    """One rule with what stands around it: conditions are at-rules, the outermost first.

    selector  of an at-rule that holds declarations itself, such as @font-face, its own words
    """

    conditions: tuple[str, ...]
    selector: str
    declarations: tuple[Property, ...]


def declarations_of(style: str) -> tuple[Property, ...]:
    """Return what a style attribute or the inside of a rule declares; what is no declaration is left out."""
    return tuple(_declarations("".join(part) for part in _statements(style)))


def rules_of(css: str) -> tuple[list[KeptRule], list[str]]:
    """Return the rules of a stylesheet in their order, and its at-rules that hold no block, such as @import.

    Never fails: what is not closed ends with the sheet.
    """
    rules: list[KeptRule] = []
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


def _close(heads: list[str], bodies: list[list[str]], rules: list[KeptRule]) -> None:
    if not heads:
        return  # one bracket too many
    head, body = heads.pop(), bodies.pop()
    if not head.lower().startswith(_HOLDS_RULES):
        rules.append(KeptRule(tuple(heads), head, tuple(_declarations(body))))


def _statements(style: str) -> Iterator[list[str]]:
    part: list[str] = []
    for piece in re.findall(r"""\([^()]*\)|"[^"]*"|'[^']*'|;|[^;("']+|["'(]""", style):
        if piece == ";":
            yield part
            part = []
        else:
            part.append(piece)
    yield part


def _declarations(parts: Iterator[str] | list[str]) -> Iterator[Property]:
    for part in parts:
        name, colon, value = part.partition(":")
        name = name.strip().lower()
        if colon and name and value.strip() and re.fullmatch(r"-{0,2}[a-z][\w-]*", name):
            shown = _IMPORTANT.sub("", value.strip())
            yield Property(name, shown, shown != value.strip())


Element = Any  # lxml ships no types


@dataclass(frozen=True)
class ParsedLetter:
    """A letter's HTML as a tree, and its CSS: in style attributes, and in the <style> blocks that stay."""

    letter: Letter

    @cached_property
    def tree(self) -> Element:
        """The whole document."""
        parser = lxml_html.HTMLParser(huge_tree=True, encoding="utf-8")
        try:
            return lxml_html.document_fromstring(self.letter.html.encode("utf-8", "replace"), parser=parser)
        except etree.ParserError:  # nothing in it that could be shown
            return lxml_html.document_fromstring(b"<html></html>", parser=parser)

    @cached_property
    def elements(self) -> list[Element]:
        """Every element, in the order of the document."""
        return [element for element in self.tree.iter() if isinstance(element.tag, str)]

    @cached_property
    def kept(self) -> str:
        """The text of all <style> blocks, those in conditional comments aside: only Outlook reads these."""
        return "\n".join(style.text or "" for style in self.tree.iter("style"))

    @cached_property
    def _parsed(self) -> tuple[list[KeptRule], list[str]]:
        return rules_of(self.kept)

    @property
    def rules(self) -> list[KeptRule]:
        """The rules of the <style> blocks."""
        return self._parsed[0]

    @property
    def bare(self) -> list[str]:
        """The at-rules of the <style> blocks that hold nothing."""
        return self._parsed[1]

    @cached_property
    def styles(self) -> dict[Element, tuple[Property, ...]]:
        """What each element's style attribute declares."""
        made: dict[str, tuple[Property, ...]] = {}
        found = {}
        for element in self.elements:
            style = element.get("style", "")
            if style not in made:
                made[style] = declarations_of(style)
            found[element] = made[style]
        return found

    def inline_declarations(self) -> Iterator[Property]:
        """Yield every declaration of a style attribute."""
        seen = set()
        for declarations in self.styles.values():
            for declaration in declarations:
                if declaration not in seen:
                    seen.add(declaration)
                    yield declaration

    def hidden(self, element: Element) -> bool:
        """Return whether the element or one around it is not shown."""
        while element is not None:
            if any(d.name == "display" and d.value == "none" for d in self.styles.get(element, ())):
                return True
            element = element.getparent()
        return False
