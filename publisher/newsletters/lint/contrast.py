"""Whether every text of the letter can be read on its background, light and dark: computed, as a browser would.

What cannot be known here is believed: text on a picture or a gradient, and colours of values that are not understood.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from publisher.newsletters.letter.finding import Finding
from publisher.newsletters.lint.cascade import Cascade
from publisher.newsletters.lint.codes import found
from publisher.newsletters.lint.colours import Colour, colour_of, contrast
from publisher.newsletters.lint.letter_context import Case
from publisher.newsletters.lint.rules import Declaration

ENOUGH, ENOUGH_FOR_LARGE = 4.5, 3.0  # WCAG 2.2, 1.4.3, level AA
_LARGE, _LARGE_BOLD = 24.0, 18.66  # pixels: 18 and 14 points
_UNSEEN = frozenset({"head", "style", "script", "title", "template"})
_SCALED = {"h1": 2.0, "h2": 1.5, "h3": 1.17, "h5": 0.83, "h6": 0.67, "small": 0.83}
_BOLD = frozenset({"h1", "h2", "h3", "h4", "h5", "h6", "b", "strong", "th"})
_UNITS = {"px": 1.0, "pt": 4 / 3}

Element = Any  # lxml ships no types


class Look(NamedTuple):
    """How an element is shown: a colour of None is not known."""

    colour: Colour | None
    behind: Colour | None
    size: float
    bold: bool
    written: str  # the colour as the letter's CSS says it


# What browsers give a link that has no colour of its own, in light and in dark mode.
_LINKS = {False: Colour(0x00, 0x00, 0xEE), True: Colour(0x9E, 0x9E, 0xFF)}
_WHITE = Look(Colour(0, 0, 0), Colour(255, 255, 255), 16.0, False, "black")
_NIGHT = Look(Colour(255, 255, 255), Colour(0x12, 0x12, 0x12), 16.0, False, "white")


def first_look(*, dark: bool) -> Look:
    """Return what a page looks like before any style."""
    return _NIGHT if dark else _WHITE


def contrast_findings(case: Case) -> Iterator[Finding]:
    """Yield each pair of colours that is too faint, once in light and once in dark mode."""
    seen: set[tuple[str, str]] = set()
    yield from _mode(case, "contrast", Cascade(case.sheet, dark=False), seen)
    dark = Cascade(case.sheet, dark=True)
    if dark.has_rules:
        yield from _mode(case, "contrast-dark", dark, seen)


def _mode(case: Case, code: str, cascade: Cascade, seen: set[tuple[str, str]]) -> Iterator[Finding]:
    for text, look in shown_texts(case.sheet.tree, cascade, first_look(dark=cascade.dark)):
        if look.colour is None or look.behind is None:
            continue
        colour = look.colour.over(look.behind)
        pair = (str(colour), str(look.behind))
        large = look.size >= _LARGE or (look.bold and look.size >= _LARGE_BOLD)
        needed = ENOUGH_FOR_LARGE if large else ENOUGH
        ratio = contrast(colour, look.behind)
        if ratio >= needed or pair in seen:
            continue
        seen.add(pair)
        yield found(
            code,
            case.places.of_colour(look.written, dark=code == "contrast-dark"),
            f"{_shown(text)} is {pair[0]} on {pair[1]}: {ratio:.1f} to 1, and {needed:g} are needed",
        )


def _shown(text: str) -> str:
    words = " ".join(text.split())
    return repr(words if len(words) <= 40 else f"{words[:39]}…")


def shown_texts(tree: Element, cascade: Cascade, first: Look) -> Iterator[tuple[str, Look]]:
    """Yield every text that is shown with its look, in the order of the document."""
    stack = [(tree, first)]
    while stack:
        element, outer = stack.pop()
        if not isinstance(element.tag, str) or element.tag in _UNSEEN:
            continue
        declared = cascade.of(element)
        if _is_hidden(declared):
            continue
        look = _look(element, declared, outer, _LINKS[cascade.dark])
        for text in (element.text, *(child.tail for child in element)):
            if text and any(char.isalnum() for char in text):
                yield text, look
        stack.extend((child, look) for child in reversed(element))


def _is_hidden(declared: dict[str, Declaration]) -> bool:
    hiding = {"display": "none", "visibility": "hidden", "opacity": "0"}
    return any(name in declared and declared[name].value.lower() == value for name, value in hiding.items())


def _look(element: Element, declared: dict[str, Declaration], outer: Look, link: Colour) -> Look:
    colour, written = outer.colour, outer.written
    if element.tag == "a" and element.get("href"):
        colour, written = link, str(link)
    if "color" in declared and declared["color"].value.lower() not in ("inherit", "currentcolor"):
        written = declared["color"].value
        colour = colour_of(written)
    size = _size(declared["font-size"].value, outer.size) if "font-size" in declared else None
    weight = declared["font-weight"].value.lower() if "font-weight" in declared else ""
    return Look(
        colour,
        _behind(element, declared, outer.behind),
        size or outer.size * _SCALED.get(element.tag, 1.0),
        _is_bold(weight) if weight else outer.bold or element.tag in _BOLD,
        written,
    )


def _behind(element: Element, declared: dict[str, Declaration], outer: Colour | None) -> Colour | None:
    for name in ("background-image", "background"):
        if name in declared and re.search(r"url\(|gradient\(", declared[name].value, re.IGNORECASE):
            return None
    value = element.get("bgcolor", "")
    for name in ("background", "background-color"):  # the cascade has left the later one only
        if name in declared:
            value = declared[name].value
    if not value or value.lower() in ("none", "inherit", "initial", "unset"):
        return outer
    colour = colour_of(value)
    if colour is None or (colour.alpha < 1 and outer is None):
        return None
    return colour if colour.alpha == 1 else colour.over(outer or colour)


def _size(value: str, outer: float) -> float | None:
    match = re.fullmatch(r"(\d*\.?\d+)(px|pt|em|rem|%)", value.strip().lower())
    if not match:
        return None
    number, unit = float(match[1]), match[2]
    if unit in _UNITS:
        return number * _UNITS[unit]
    return number * {"em": outer, "rem": 16.0, "%": outer / 100}[unit]


def _is_bold(weight: str) -> bool:
    return weight in ("bold", "bolder") or (weight.isdecimal() and int(weight) >= 700)
