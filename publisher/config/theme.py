"""The look of the site and of emails: the table [theme], and whether its colours are readable.

[theme] applies to the site and to all emails; a newsletter's own theme overrides some of its keys. A key that a
newsletter's theme leaves out is taken from [theme], or else from DEFAULT. Colours are written as "#rrggbb"; contrast is
measured as in WCAG 2.2.
"""

from __future__ import annotations

import colorsys
from collections.abc import Iterator, Sequence
from dataclasses import fields
from typing import Annotated

from publisher.config import checks
from publisher.config.keys import Check, Doc
from publisher.core.frozen import dataclass

AA = 4.5
"""The contrast that WCAG 2.2, success criterion 1.4.3, requires for text."""

TINT = 0.055
"""The share of the text's colour in the background of code."""

_PARTS = ("accent", "background", "paper", "text")


@dataclass(frozen=True, slots=True, kw_only=True)
class Theme:
    """[theme]: the look of the site and of emails. Colours are #rrggbb; load.py converts other spellings."""

    accent: Annotated[str, Check(checks.colour), Doc("Colour of links. Default: #0a5a8a.")] = ""
    background: Annotated[str, Check(checks.colour), Doc("Colour around the email. Default: #f4f2ee.")] = ""
    paper: Annotated[str, Check(checks.colour), Doc("Colour behind the text. Default: #ffffff.")] = ""
    text: Annotated[str, Check(checks.colour), Doc("Colour of the text. Default: #1f1d1a.")] = ""
    dark_accent: Annotated[
        str,
        Check(checks.colour),
        Doc("Colour of links in dark mode. Default: `accent`, made light enough to be readable."),
    ] = ""
    dark_background: Annotated[
        str, Check(checks.colour), Doc("Colour around the email in dark mode. Default: #131211.")
    ] = ""
    dark_paper: Annotated[str, Check(checks.colour), Doc("Colour behind the text in dark mode. Default: #1d1b19.")] = ""
    dark_text: Annotated[str, Check(checks.colour), Doc("Colour of the text in dark mode. Default: #ebe7df.")] = ""
    font: Annotated[
        str,
        Check(checks.font),
        Doc("Font of the text: system, sans, serif, or names separated by commas. Default: system."),
    ] = ""
    title_font: Annotated[str, Check(checks.font), Doc("Font of titles, written like `font`. Default: serif.")] = ""
    logo: Annotated[str, Check(checks.picture), Doc("Picture in place of the name: a URL or a path under static/.")] = (
        ""
    )
    logo_width: Annotated[int, Check(checks.between(0, 536)), Doc("Width of the logo in pixels. Default: 120.")] = 0

    def over(self, below: Theme) -> Theme:
        """Return this theme with the keys that it leaves out taken from `below`."""
        return Theme(**{item.name: getattr(self, item.name) or getattr(below, item.name) for item in fields(self)})


COLOURS = tuple(item.name for item in fields(Theme) if item.name.removeprefix("dark_") in _PARTS)
"""The keys whose values are colours."""

ACCENT = "#0a5a8a"
"""The default colour of links; it is adjusted until it is readable on the paper."""

DEFAULT = Theme(
    background="#f4f2ee",
    paper="#ffffff",
    text="#1f1d1a",
    dark_background="#131211",
    dark_paper="#1d1b19",
    dark_text="#ebe7df",
    font="system",
    title_font="serif",
    logo_width=120,
)


def grounds(paper: str, text: str) -> tuple[str, str]:
    """Return the colours that text in an email appears on: the paper, and the background of code."""
    return paper, mixed(paper, text, TINT)


def unreadable(theme: Theme) -> Iterator[tuple[str, str, str]]:
    """Yield (key, message, hint) for each colour of a theme that has less contrast than WCAG's level AA requires.

    A theme in which all hints have been followed has no such colours.
    """
    whole = theme.over(DEFAULT)
    for mode in ("", "dark_"):
        paper, text = getattr(whole, f"{mode}paper"), getattr(whole, f"{mode}text")
        better = _nearest_text(text, paper)
        if least_contrast(better, grounds(paper, better)) < AA:
            message = (
                f"no text colour has the contrast that AA requires ({AA}) on both {paper} and the background of code"
            )
            yield f"{mode}paper", message, "choose a lighter or a darker colour"
            continue
        yield from _unreadable_on(paper, f"{mode}text", text, better, grounds(paper, text))
        if accent := getattr(whole, f"{mode}accent"):
            behind = grounds(paper, better)
            yield from _unreadable_on(paper, f"{mode}accent", accent, readable(accent, behind), behind)


def _unreadable_on(
    paper: str, key: str, colour: str, better: str, behind: tuple[str, str]
) -> Iterator[tuple[str, str, str]]:
    reached = least_contrast(colour, behind)
    if reached < AA:
        wrong = f"{colour} has a contrast of {reached:.2f} on {paper} and on code ({behind[1]}); AA requires {AA}"
        yield key, wrong, f'the nearest readable colour is {key} = "{better}"'


def _nearest_text(text: str, paper: str) -> str:
    """Return the nearest text colour that is readable on paper and code; it also determines the background of code."""
    for _ in range(10):
        behind = grounds(paper, text)
        if least_contrast(text, behind) >= AA:
            break
        text = readable(text, behind)
    return text


def contrast(one: str, other: str) -> float:
    """Return the contrast of two colours as in WCAG 2.2, from 1 (equal) to 21 (black on white)."""
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def least_contrast(colour: str, grounds: Sequence[str]) -> float:
    """Return the contrast of a colour with the background on which it is hardest to read."""
    return min(contrast(colour, ground) for ground in grounds)


def readable(colour: str, grounds: Sequence[str], least: float = AA) -> str:
    """Return the nearest colour of the same hue that has at least the contrast `least` with every background.

    The colour becomes lighter on dark backgrounds and darker on light ones. If no shade of the hue has enough contrast,
    the result is white or black.
    """
    hue, lightness, saturation = colorsys.rgb_to_hls(*(part / 255 for part in _parts(colour)))
    step = 0.01 if is_dark(grounds[0]) else -0.01
    found = colour
    while least_contrast(found, grounds) < least and 0 < lightness + step < 1:
        lightness += step
        found = _written([part * 255 for part in colorsys.hls_to_rgb(hue, lightness, saturation)])
    if least_contrast(found, grounds) >= least:
        return found
    return "#ffffff" if step > 0 else "#000000"


def is_dark(ground: str) -> bool:
    """Return whether a background is so dark that white text is easier to read on it than black text."""
    return contrast(ground, "#ffffff") > contrast(ground, "#000000")


def mixed(one: str, other: str, share: float) -> str:
    """Return the colour `one` mixed with a share (0 to 1) of the colour `other`."""
    pairs = zip(_parts(one), _parts(other), strict=True)
    return _written([a + (b - a) * share for a, b in pairs])


def _parts(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def _written(parts: Sequence[float]) -> str:
    return "#" + "".join(f"{min(255, max(0, round(part))):02x}" for part in parts)


def _luminance(colour: str) -> float:
    linear = [
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
        for part in (part / 255 for part in _parts(colour))
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
