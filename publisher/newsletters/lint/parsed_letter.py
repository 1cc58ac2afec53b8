"""Parses a composed letter once for all rules: its HTML tree, its style attributes, and its <style> blocks.

The small CSS parser here never fails. Unlike css_parser, it recognises at-rules inside at-rules, because Gmail drops
a <style> block that contains them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cached_property

from lxml.etree import ParserError

from publisher.core.frozen import dataclass
from publisher.core.newsletter_models import Letter
from publisher.newsletters.letter.html_tree import Element, parse_document

_COMMENT = re.compile(r"/\*.*?(?:\*/|\Z)", re.DOTALL)
_PIECE = re.compile(r""""(?:\\.|[^"\\])*+(?:"|\Z)|'(?:\\.|[^'\\])*+(?:'|\Z)|[{};]|[^"'{};]+|["']""", re.DOTALL)
_HOLDS_RULES = ("@media", "@supports", "@layer", "@container", "@document")
_IMPORTANT = re.compile(r"!\s*+important$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Property:
    """One declaration `name: value` of CSS, with the name in lower case."""

    name: str
    value: str
    important: bool = False


@dataclass(frozen=True, slots=True)
class KeptRule:
    """One rule of a <style> block.

    conditions  the at-rules around the rule, outermost first
    selector    the selector, or the at-rule itself if it contains declarations, as @font-face does
    """

    conditions: tuple[str, ...]
    selector: str
    declarations: tuple[Property, ...]


@dataclass(frozen=True)
class ParsedLetter:
    """A letter's HTML as a tree, and the CSS in its style attributes and <style> blocks."""

    letter: Letter

    @cached_property
    def tree(self) -> Element:
        """The whole document."""
        html = self.letter.html.encode("utf-8", "replace").decode()
        try:
            return parse_document(html)
        except ParserError:  # the document has no element
            return parse_document("<html></html>")

    @cached_property
    def elements(self) -> list[Element]:
        """Every element, in document order."""
        return [element for element in self.tree.iter() if isinstance(element.tag, str)]

    @cached_property
    def kept(self) -> str:
        """The text of all <style> blocks, except those in Outlook's conditional comments."""
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
        """The at-rules in <style> blocks that have no { } block of their own, such as @import."""
        return self._parsed[1]

    @cached_property
    def styles(self) -> dict[Element, tuple[Property, ...]]:
        """The declarations of each element's style attribute."""
        read: dict[str, tuple[Property, ...]] = {}
        styles = {}
        for element in self.elements:
            style = element.get("style", "")
            if style not in read:
                read[style] = declarations_of(style)
            styles[element] = read[style]
        return styles

    def inline_declarations(self) -> Iterator[Property]:
        """Yield the declarations of all style attributes, each once."""
        seen = set()
        for declarations in self.styles.values():
            for declaration in declarations:
                if declaration not in seen:
                    seen.add(declaration)
                    yield declaration


def declarations_of(style: str) -> tuple[Property, ...]:
    """Return the declarations of a style attribute; invalid declarations are skipped."""
    return tuple(_declarations("".join(part) for part in _statements(style)))


def rules_of(css: str) -> tuple[list[KeptRule], list[str]]:
    """Return the rules of a stylesheet in order, and its at-rules without a block, such as @import.

    Parsing never fails: a block that is not closed ends where the stylesheet ends.
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
            shown = _IMPORTANT.sub("", value.strip()).rstrip()
            yield Property(name, shown, shown != value.strip())
