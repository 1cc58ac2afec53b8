"""Colours as CSS writes them, and how well one is read on another (WCAG 2.2, 1.4.3)."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple


class Colour(NamedTuple):
    """Red, green and blue from 0 to 255, and how much of it covers what is behind, from 0 to 1."""

    red: float
    green: float
    blue: float
    alpha: float = 1.0

    def over(self, behind: Colour) -> Colour:
        """Return what is seen of this colour on another that covers all."""
        red, green, blue = (
            self.alpha * front + (1 - self.alpha) * back for front, back in zip(self[:3], behind[:3], strict=True)
        )
        return Colour(red, green, blue)

    def __str__(self) -> str:
        return "#" + "".join(f"{round(part):02x}" for part in self[:3])


_FUNCTION = re.compile(r"(rgba?|hsla?)\(([^()]*)\)", re.IGNORECASE)
_NUMBER = re.compile(r"([+-]?[\d.]+(?:e[+-]?\d+)?)(%|deg|turn|rad|grad)?", re.IGNORECASE)


@lru_cache(maxsize=512)
def colour_of(value: str) -> Colour | None:
    """Return the colour that a CSS value names; None for what is none, or none that can be known here."""
    text = value.strip().lower()
    if text == "transparent":
        return Colour(0, 0, 0, 0)
    if text.startswith("#"):
        return _hex(text[1:])
    if function := _FUNCTION.fullmatch(text):
        return _function(function[1], _NUMBER.findall(function[2]))
    return _named(text)


def _hex(digits: str) -> Colour | None:
    if not re.fullmatch(r"[0-9a-f]{3,4}|[0-9a-f]{6}|[0-9a-f]{8}", digits):
        return None
    wide = "".join(2 * digit for digit in digits) if len(digits) < 6 else digits
    parts = [int(wide[at : at + 2], 16) for at in range(0, len(wide), 2)]
    return Colour(parts[0], parts[1], parts[2], parts[3] / 255 if len(parts) > 3 else 1.0)


def _function(name: str, parts: list[tuple[str, str]]) -> Colour | None:
    import colorsys

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
    from cssutils.css import ColorValue  # premailer brings it; its table is that of CSS Color 3

    return dict(ColorValue.COLORS)


def _named(name: str) -> Colour | None:
    if not name.isalpha():
        return None
    parts = _names().get(name)
    return Colour(*parts) if parts else None


def contrast(one: Colour, other: Colour) -> float:
    """Return the contrast of two colours that cover all, from 1 to 21 (WCAG 2.2, contrast ratio)."""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: Colour) -> float:
    red, green, blue = (_linear(part / 255) for part in colour[:3])
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(part: float) -> float:
    return part / 12.92 if part <= 0.04045 else float(((part + 0.055) / 1.055) ** 2.4)
