"""Which declaration wins for an element: its style attribute against the rules that stayed (CSS Cascade 4)."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from publisher.newsletters.lint.computed_styles import Sheet
from publisher.newsletters.lint.rules import Declaration, Rule

Element = Any  # lxml ships no types
_BACKGROUNDS = ("background", "background-color")


class Cascade:
    """The letter's rules in one mode, as of a wide screen: rules of max-width play no part."""

    def __init__(self, sheet: Sheet, *, dark: bool) -> None:
        self.dark = dark
        self._styles = sheet.styles
        # By element: (specificity, number of the rule, declaration).
        self._matched: dict[Element, list[tuple[tuple[int, ...], int, Declaration]]] = {}
        self.has_rules = False
        for number, rule in enumerate(sheet.rules):
            if self._applies(rule, dark):
                self._match(sheet.tree, number, rule)

    def of(self, element: Element) -> dict[str, Declaration]:
        """Return the declaration of each property that wins; the later one of background and its colour only."""
        found = sorted(self._matched.get(element, ()), key=lambda entry: entry[:2])
        sheet = [declaration for _, _, declaration in found]
        inline = self._styles.get(element, ())
        layers = (
            [each for each in sheet if not each.important],
            [each for each in inline if not each.important],
            [each for each in sheet if each.important],
            [each for each in inline if each.important],
        )
        winners: dict[str, Declaration] = {}
        for layer in layers:
            for declaration in layer:
                if declaration.name in _BACKGROUNDS:
                    for name in _BACKGROUNDS:
                        winners.pop(name, None)
                winners[declaration.name] = declaration
        return winners

    def _applies(self, rule: Rule, dark: bool) -> bool:
        conditions = " ".join(rule.conditions).replace(" ", "").lower()
        if rule.selector.startswith("@") or "width" in conditions or "print" in conditions:
            return False
        if "prefers-color-scheme" not in conditions:
            return not conditions
        is_dark = "prefers-color-scheme:dark" in conditions
        self.has_rules |= is_dark and dark
        return is_dark == dark

    def _match(self, tree: Element, number: int, rule: Rule) -> None:
        for specificity, find in _selectors(rule.selector):
            for element in find(tree):
                entries = self._matched.setdefault(element, [])
                entries.extend((specificity, number, declaration) for declaration in rule.declarations)


@lru_cache(maxsize=512)
def _selectors(text: str) -> list[tuple[tuple[int, ...], Any]]:
    """Return (specificity, finder) of each selector of a list; none of a list that is not understood."""
    import cssselect
    from lxml.etree import XPath

    translator = cssselect.HTMLTranslator()
    try:
        return [
            (selector.specificity(), XPath(translator.selector_to_xpath(selector)))
            for selector in cssselect.parse(text)
            if selector.pseudo_element is None
        ]
    except cssselect.SelectorError:
        return []
