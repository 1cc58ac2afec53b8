"""Checks that all text is readable on its background, in light and dark mode (WCAG 2.2, success criterion 1.4.3).

Colours are computed as a browser would compute them. Text is assumed to be readable if its contrast is unknown: on a
picture or a gradient, or if a colour is written in an unknown form.
"""

from __future__ import annotations

import colorsys
import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any, NamedTuple

import cssselect
from cssutils.css import ColorValue
from lxml.etree import XPath

from publisher.newsletters.letter.html_tree import Element
from publisher.newsletters.lint.finding_codes import Finding, found
from publisher.newsletters.lint.letter_context import LintContext
from publisher.newsletters.lint.parsed_letter import KeptRule, ParsedLetter, Property

ENOUGH, ENOUGH_FOR_LARGE = 4.5, 3.0  # level AA
_LARGE, _LARGE_BOLD = 24.0, 18.66  # pixels: 18 and 14 points
_INVISIBLE = frozenset({"head", "style", "script", "title", "template"})
_SCALED = {"h1": 2.0, "h2": 1.5, "h3": 1.17, "h5": 0.83, "h6": 0.67, "small": 0.83}
_BOLD = frozenset({"h1", "h2", "h3", "h4", "h5", "h6", "b", "strong", "th"})
_UNITS = {"px": 1.0, "pt": 4 / 3}

_FUNCTION = re.compile(r"(rgba?|hsla?)\(([^()]*)\)", re.IGNORECASE)
_NUMBER = re.compile(r"([+-]?[\d.]+(?:e[+-]?\d+)?)(%|deg|turn|rad|grad)?", re.IGNORECASE)
_BACKGROUNDS = ("background", "background-color")


class Colour(NamedTuple):
    """Red, green and blue from 0 to 255, and opacity from 0 to 1."""

    red: float
    green: float
    blue: float
    alpha: float = 1.0

    def over(self, behind: Colour) -> Colour:
        """Return the colour that results when this colour is laid over an opaque one."""
        red, green, blue = (
            self.alpha * front + (1 - self.alpha) * back for front, back in zip(self[:3], behind[:3], strict=True)
        )
        return Colour(red, green, blue)

    def __str__(self) -> str:
        return "#" + "".join(f"{round(part):02x}" for part in self[:3])


class TextStyle(NamedTuple):
    """The style of a text: its colour, the colour behind it, its size in pixels and its weight.

    A colour that is not known is None.
    """

    colour: Colour | None
    behind: Colour | None
    size: float
    bold: bool
    written: str  # the colour as it is written in the CSS of the letter


# The colours of links that browsers use by default, in light (False) and in dark mode (True).
_LINKS = {False: Colour(0x00, 0x00, 0xEE), True: Colour(0x9E, 0x9E, 0xFF)}
_WHITE = TextStyle(Colour(0, 0, 0), Colour(255, 255, 255), 16.0, False, "black")
_NIGHT = TextStyle(Colour(255, 255, 255), Colour(0x12, 0x12, 0x12), 16.0, False, "white")


def initial_style(*, dark: bool) -> TextStyle:
    """Return the style of text on a page without any CSS."""
    return _NIGHT if dark else _WHITE


def contrast_findings(context: LintContext) -> Iterator[Finding]:
    """Yield each pair of colours with too little contrast, first in light mode, then in dark mode."""
    seen: set[tuple[str, str]] = set()
    yield from _mode(context, "contrast", Cascade(context.parsed, dark=False), seen)
    dark = Cascade(context.parsed, dark=True)
    if dark.has_rules:
        yield from _mode(context, "contrast-dark", dark, seen)


def _mode(context: LintContext, code: str, cascade: Cascade, seen: set[tuple[str, str]]) -> Iterator[Finding]:
    for text, style in visible_texts(context.parsed.tree, cascade, initial_style(dark=cascade.dark)):
        if style.colour is None or style.behind is None:
            continue
        colour = style.colour.over(style.behind)
        pair = (str(colour), str(style.behind))
        large = style.size >= _LARGE or (style.bold and style.size >= _LARGE_BOLD)
        needed = ENOUGH_FOR_LARGE if large else ENOUGH
        ratio = contrast(colour, style.behind)
        if ratio >= needed or pair in seen:
            continue
        seen.add(pair)
        yield found(
            code,
            context.locator.of_colour(style.written, dark=code == "contrast-dark"),
            f"{_quoted(text)} is {pair[0]} on {pair[1]}: {ratio:.1f} to 1, but {needed:g} to 1 is required",
        )


def _quoted(text: str) -> str:
    words = " ".join(text.split())
    return repr(words if len(words) <= 40 else f"{words[:39]}…")


def visible_texts(tree: Element, cascade: Cascade, first: TextStyle) -> Iterator[tuple[str, TextStyle]]:
    """Yield every visible text with its style, in document order."""
    stack = [(tree, first)]
    while stack:
        element, outer = stack.pop()
        if not isinstance(element.tag, str) or element.tag in _INVISIBLE:
            continue
        declared = cascade.of(element)
        if _is_hidden(declared):
            continue
        style = _style_of(element, declared, outer, _LINKS[cascade.dark])
        for text in (element.text, *(child.tail for child in element)):
            if text and any(char.isalnum() for char in text):
                yield text, style
        stack.extend((child, style) for child in reversed(element))


def _is_hidden(declared: dict[str, Property]) -> bool:
    hiding = {"display": "none", "visibility": "hidden", "opacity": "0"}
    return any(name in declared and declared[name].value.lower() == value for name, value in hiding.items())


def _style_of(element: Element, declared: dict[str, Property], outer: TextStyle, link: Colour) -> TextStyle:
    colour, written = outer.colour, outer.written
    if element.tag == "a" and element.get("href"):
        colour, written = link, str(link)
    if "color" in declared and declared["color"].value.lower() not in ("inherit", "currentcolor"):
        written = declared["color"].value
        colour = colour_of(written)
    size = _size(declared["font-size"].value, outer.size) if "font-size" in declared else None
    weight = declared["font-weight"].value.lower() if "font-weight" in declared else ""
    return TextStyle(
        colour,
        _behind(element, declared, outer.behind),
        size or outer.size * _SCALED.get(element.tag, 1.0),
        _is_bold(weight) if weight else outer.bold or element.tag in _BOLD,
        written,
    )


def _behind(element: Element, declared: dict[str, Property], outer: Colour | None) -> Colour | None:
    for name in ("background-image", "background"):
        if name in declared and re.search(r"url\(|gradient\(", declared[name].value, re.IGNORECASE):
            return None
    value = element.get("bgcolor", "")
    for name in ("background", "background-color"):  # the cascade has left only the later one
        if name in declared:
            value = declared[name].value
    if not value or value.lower() in ("none", "inherit", "initial", "unset"):
        return outer
    colour = colour_of(value)
    if colour is None or (colour.alpha < 1 and outer is None):
        return None
    return colour if colour.alpha == 1 else colour.over(outer or colour)


def _size(value: str, outer: float) -> float | None:
    match = re.fullmatch(r"(\d++(?:\.\d+)?|\.\d+)(px|pt|em|rem|%)", value.strip().lower())
    if not match:
        return None
    number, unit = float(match[1]), match[2]
    if unit in _UNITS:
        return number * _UNITS[unit]
    return number * {"em": outer, "rem": 16.0, "%": outer / 100}[unit]


def _is_bold(weight: str) -> bool:
    return weight in ("bold", "bolder") or (weight.isdecimal() and int(weight) >= 700)


class Cascade:
    """Determines the declarations that apply to each element in light or dark mode (CSS Cascade 4).

    They come from its style attribute and from the rules in <style> blocks. Rules with a condition on the width are
    ignored, because the screen is assumed to be wide.
    """

    def __init__(self, sheet: ParsedLetter, *, dark: bool) -> None:
        self.dark = dark
        self._styles = sheet.styles
        # For each element: (specificity, number of the rule, declaration).
        self._matched: dict[Element, list[tuple[tuple[int, ...], int, Property]]] = {}
        self.has_rules = False
        for number, rule in enumerate(sheet.rules):
            if self._applies(rule, dark):
                self._match(sheet.tree, number, rule)

    def of(self, element: Element) -> dict[str, Property]:
        """Return the winning declaration of each property; of background and background-color, only the later one."""
        found = sorted(self._matched.get(element, ()), key=lambda entry: entry[:2])
        sheet = [declaration for _, _, declaration in found]
        inline = self._styles.get(element, ())
        layers = (
            [each for each in sheet if not each.important],
            [each for each in inline if not each.important],
            [each for each in sheet if each.important],
            [each for each in inline if each.important],
        )
        winners: dict[str, Property] = {}
        for layer in layers:
            for declaration in layer:
                if declaration.name in _BACKGROUNDS:
                    for name in _BACKGROUNDS:
                        winners.pop(name, None)
                winners[declaration.name] = declaration
        return winners

    def _applies(self, rule: KeptRule, dark: bool) -> bool:
        conditions = " ".join(rule.conditions).replace(" ", "").lower()
        if rule.selector.startswith("@") or "width" in conditions or "print" in conditions:
            return False
        if "prefers-color-scheme" not in conditions:
            return not conditions
        is_dark = "prefers-color-scheme:dark" in conditions
        self.has_rules |= is_dark and dark
        return is_dark == dark

    def _match(self, tree: Element, number: int, rule: KeptRule) -> None:
        for specificity, find in _finders(rule.selector):
            for element in find(tree):
                entries = self._matched.setdefault(element, [])
                entries.extend((specificity, number, declaration) for declaration in rule.declarations)


@lru_cache(maxsize=512)
def _finders(text: str) -> list[tuple[tuple[int, ...], Any]]:
    """Return (specificity, finder) for each selector in a list; an empty list if it cannot be parsed."""
    translator = cssselect.HTMLTranslator()
    try:
        return [
            (selector.specificity(), XPath(translator.selector_to_xpath(selector)))
            for selector in cssselect.parse(text)
            if selector.pseudo_element is None
        ]
    except cssselect.SelectorError:
        return []


@lru_cache(maxsize=512)
def colour_of(value: str) -> Colour | None:
    """Return the colour of a CSS value; None if it is not a colour, or is written in an unknown form."""
    text = value.strip().lower()
    if text == "transparent":
        return Colour(0, 0, 0, 0)
    if text.startswith("#"):
        return _hex(text[1:])
    if function := _FUNCTION.fullmatch(text):
        return _functional(function[1], _NUMBER.findall(function[2]))
    return _named(text)


def _hex(digits: str) -> Colour | None:
    if not re.fullmatch(r"[0-9a-f]{3,4}|[0-9a-f]{6}|[0-9a-f]{8}", digits):
        return None
    wide = "".join(2 * digit for digit in digits) if len(digits) < 6 else digits
    parts = [int(wide[at : at + 2], 16) for at in range(0, len(wide), 2)]
    return Colour(parts[0], parts[1], parts[2], parts[3] / 255 if len(parts) > 3 else 1.0)


def _functional(name: str, parts: list[tuple[str, str]]) -> Colour | None:
    if len(parts) not in (3, 4):
        return None
    try:
        numbers = [float(number) for number, _ in parts]
    except ValueError:
        return None
    alpha = numbers[3] / (100 if parts[3][1] == "%" else 1) if len(parts) > 3 else 1.0
    if name.startswith("hsl"):
        red, green, blue = colorsys.hls_to_rgb(numbers[0] / 360 % 1, numbers[2] / 100, numbers[1] / 100)
        return Colour(255 * red, 255 * green, 255 * blue, _within(alpha, 1))
    red, green, blue = (
        _within(number * (2.55 if unit == "%" else 1), 255)
        for number, (_, unit) in zip(numbers[:3], parts[:3], strict=True)
    )
    return Colour(red, green, blue, _within(alpha, 1))


def _within(number: float, most: float) -> float:
    return max(0.0, min(most, number))


@lru_cache(maxsize=1)
def _names() -> dict[str, tuple[int, int, int, float]]:
    return dict(ColorValue.COLORS)  # the names of CSS Color 3; premailer depends on cssutils


def _named(name: str) -> Colour | None:
    if not name.isalpha():
        return None
    parts = _names().get(name)
    return Colour(*parts) if parts else None


def contrast(one: Colour, other: Colour) -> float:
    """Return the contrast ratio of two opaque colours, from 1 to 21."""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: Colour) -> float:
    red, green, blue = (_linear(part / 255) for part in colour[:3])
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(part: float) -> float:
    return part / 12.92 if part <= 0.04045 else float(((part + 0.055) / 1.055) ** 2.4)
