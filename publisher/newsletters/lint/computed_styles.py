"""A composed letter taken apart once, for all that look at it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from lxml import etree
from lxml import html as lxml_html

from publisher.core.newsletter_models import Letter
from publisher.newsletters.lint.rules import Declaration, Rule, declarations_of, rules_of

Element = Any  # lxml ships no types


@dataclass(frozen=True)
class Sheet:
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
    def _parsed(self) -> tuple[list[Rule], list[str]]:
        return rules_of(self.kept)

    @property
    def rules(self) -> list[Rule]:
        """The rules of the <style> blocks."""
        return self._parsed[0]

    @property
    def bare(self) -> list[str]:
        """The at-rules of the <style> blocks that hold nothing."""
        return self._parsed[1]

    @cached_property
    def styles(self) -> dict[Element, tuple[Declaration, ...]]:
        """What each element's style attribute declares."""
        made: dict[str, tuple[Declaration, ...]] = {}
        found = {}
        for element in self.elements:
            style = element.get("style", "")
            if style not in made:
                made[style] = declarations_of(style)
            found[element] = made[style]
        return found

    def inline_declarations(self) -> Iterator[Declaration]:
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
