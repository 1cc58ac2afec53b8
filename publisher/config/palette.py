"""Derives the design of the site and of emails from a theme: all colours of light and dark mode, and the fonts."""

from __future__ import annotations

import re
from functools import lru_cache
from urllib.parse import quote

from publisher.config.theme import ACCENT, Theme, grounds, is_dark, mixed, readable
from publisher.core.frozen import dataclass

COMFORT = 7.0  # contrast of links in dark mode if no colour is set

_FONTS = {
    "system": "-apple-system, BlinkMacSystemFont, Segoe UI, Roboto, Helvetica Neue, Arial, sans-serif",
    "sans": "Helvetica Neue, Helvetica, Arial, sans-serif",
    "serif": "Charter, Iowan Old Style, Georgia, Cambria, serif",
}
_OUTLOOK_SERIF, _OUTLOOK_SANS = "Georgia, serif", '"Segoe UI", Arial, sans-serif'

# Colours of code and of the marker, for light paper (False) and for dark (True).
_CODE = {
    False: {"word": "#94340c", "string": "#1d6336", "number": "#1d4fae", "name": "#6b2fa0", "out": "#a8261b"},
    True: {"word": "#f0a57c", "string": "#9bd0a3", "number": "#9dbcff", "name": "#d0a6f2", "out": "#ff9d92"},
}
_MARKER = {False: ("#fbe9a9", "#1f1d1a"), True: ("#6a5310", "#fff7df")}


@dataclass(frozen=True, slots=True)
class Code:
    """The colours of highlighted code. Comments have the palette's colour `muted`, and all other code has `text`."""

    word: str
    string: str
    number: str
    name: str
    out: str


@dataclass(frozen=True, slots=True)
class Palette:
    """The colours of one mode, light or dark.

    muted          secondary text, such as dates and the footer
    soft           quotations and footnotes
    line           thin lines
    border         borders of tables and quotations
    tint           the background of code
    marker         the background of highlighted words
    marker_text    the text colour of highlighted words
    """

    background: str
    paper: str
    text: str
    accent: str
    muted: str
    soft: str
    line: str
    border: str
    tint: str
    marker: str
    marker_text: str
    code: Code


@dataclass(frozen=True, slots=True)
class Looks:
    """The design of the site or of a newsletter, as its templates see it.

    font, title_font                  CSS font stacks
    outlook_font, outlook_title_font  font stacks for Outlook, which uses either the first font or Times
    logo                              the absolute URL of the logo, or ""
    logo_height                       its height on pages, where it is `logo_width` wide; 0 if it is unknown
    has_own_fonts                     whether the theme names a font other than the usual ones
    """

    light: Palette
    dark: Palette
    font: str
    title_font: str
    outlook_font: str
    outlook_title_font: str
    logo: str
    logo_width: int
    logo_height: int = 0
    has_own_fonts: bool = False


def looks_of(theme: Theme, site_url: str) -> Looks:
    """Return the design for a complete theme (see Config.newsletter_theme); `site_url` is the base of a logo's path."""
    light = _palette(
        theme.background, theme.paper, theme.text, theme.accent or _legible(ACCENT, theme.paper, theme.text)
    )
    accent = theme.dark_accent or _calm(light.accent, theme.dark_paper, theme.dark_text)
    return Looks(
        light=light,
        dark=_palette(theme.dark_background, theme.dark_paper, theme.dark_text, accent),
        font=_FONTS.get(theme.font, theme.font),
        title_font=_FONTS.get(theme.title_font, theme.title_font),
        outlook_font=_outlook(theme.font),
        outlook_title_font=_outlook(theme.title_font),
        logo=_address(theme.logo, site_url),
        logo_width=theme.logo_width,
        has_own_fonts=theme.font not in _FONTS or theme.title_font not in _FONTS,
    )


@lru_cache(maxsize=32)  # a project has few of them, and each build and each letter needs them
def _palette(background: str, paper: str, text: str, accent: str) -> Palette:
    tint = grounds(paper, text)[1]
    dark = is_dark(paper)
    marker, marker_text = _MARKER[dark]
    return Palette(
        background=background,
        paper=paper,
        text=text,
        accent=accent,
        muted=_legible(mixed(text, paper, 0.34), paper, text),
        soft=_legible(mixed(text, paper, 0.18), paper, text),
        line=mixed(paper, text, 0.13),
        border=mixed(paper, text, 0.25),
        tint=tint,
        marker=marker,
        marker_text=marker_text,
        code=Code(**{family: _legible(colour, paper, text) for family, colour in _CODE[dark].items()}),
    )


@lru_cache(maxsize=32)
def _calm(accent: str, paper: str, text: str) -> str:
    """Return an accent for dark paper: light enough to read, and mixed with the text colour to avoid glare."""
    return mixed(_legible(accent, paper, text, COMFORT), text, 0.2)


@lru_cache(maxsize=256)
def _legible(colour: str, paper: str, text: str, least: float = 4.5) -> str:
    return readable(colour, grounds(paper, text), least)


def _outlook(font: str) -> str:
    last = font.rpartition(",")[2].strip()
    return _OUTLOOK_SERIF if last == "serif" else _OUTLOOK_SANS


def _address(logo: str, site_url: str) -> str:
    if not logo or re.match(r"https?://", logo):
        return logo
    return f"{site_url}/{quote(logo.removeprefix('/'))}"
