"""Pictures for link previews, drawn with Pillow for pages that have no picture: the title, on the colours of the theme.

The available fonts depend on the machine. The first that has all characters of the title is used; if none has, the card
shows the site's name, or just the colours. A project may bring its own font.
"""

from __future__ import annotations

import io
import os
import unicodedata
from collections.abc import Iterator
from functools import cache, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from publisher.config.theme import mixed
from publisher.core.characters import shorten
from publisher.core.i18n import direction

if TYPE_CHECKING:
    from PIL.ImageDraw import ImageDraw
    from PIL.ImageFont import FreeTypeFont

SIZE = (1200, 630)
VERSION = 1
"""It is part of the names of all cards. A new number makes builds draw all of them again."""

_MARGIN, _LINES, _LONGEST = 90, 4, 140
_TITLE_SIZES = (84, 72, 60, 50)
_NAME_SIZE, _BAND = 36, 24
_INK, _QUIET, _ACCENT = 240, 160, 255
_FOLDERS = ("/usr/share/fonts", "/usr/local/share/fonts", "~/.local/share/fonts", "~/.fonts", "/System/Library/Fonts",
            "/Library/Fonts", "C:/Windows/Fonts")  # fmt: skip
# By preference: bold serif fonts like those of titles, then others with more characters.
_FILES = (
    "NotoSerif-Bold.ttf", "DejaVuSerif-Bold.ttf", "LiberationSerif-Bold.ttf", "Georgia Bold.ttf", "georgiab.ttf",
    "NotoSans-Bold.ttf", "DejaVuSans-Bold.ttf", "LiberationSans-Bold.ttf", "Arial Bold.ttf", "arialbd.ttf",
    "NotoNaskhArabic-Bold.ttf", "NotoSansArabic-Bold.ttf", "NotoSerifHebrew-Bold.ttf", "NotoSansHebrew-Bold.ttf",
    "NotoSansCJK-Bold.ttc", "NotoSerifCJK-Bold.ttc", "ヒラギノ角ゴシック W6.ttc", "YuGothB.ttc", "msyhbd.ttc",
    "malgunbd.ttf", "NotoSansDevanagari-Bold.ttf", "NotoSansThai-Bold.ttf",
)  # fmt: skip
_OF_PILLOW = "the font in Pillow, which only covers English"


class CardText(NamedTuple):
    """The text of a card.

    name      the name of the site
    language  the language of the title
    font      the path of the project's own font, or ""
    """

    title: str
    name: str
    language: str
    font: str = ""


class CardColours(NamedTuple):
    """The colours of a card, as #rrggbb."""

    paper: str
    ink: str
    accent: str


@lru_cache(maxsize=64)
def draw_card(text: CardText, colours: CardColours) -> bytes:
    """Return a card as PNG. Equal arguments give the same picture on the same machine."""
    from PIL import Image, ImageDraw  # not at the top: Pillow takes long to load, and only new cards need it

    width, height = SIZE
    image = Image.new("L", SIZE, 0)  # how much ink there is; the colours come from the palette
    draw = ImageDraw.Draw(image)
    rtl = direction(text.language) == "rtl"
    lines, font = _fitted(shorten(_writable(text.title), _LONGEST), text.font)
    if font:
        top = (height - _BAND - len(lines) * font.size * 1.2) / 2 - 20
        for number, line in enumerate(lines):
            _write(draw, line, top + number * font.size * 1.2, font, _INK, rtl=rtl)
    name = shorten(_writable(text.name), _LONGEST // 2)
    if small := _font(name, text.font, _NAME_SIZE):
        _write(draw, name, height - _MARGIN - _NAME_SIZE, small, _QUIET if font else _INK, rtl=rtl)
    image = image.point([round(level / 16) * 16 if level < _INK else _INK for level in range(256)])
    ImageDraw.Draw(image).rectangle((0, 0, width, _BAND), fill=_ACCENT)
    image.putpalette(_palette(colours))
    data = io.BytesIO()
    image.save(data, "PNG", compress_level=6)
    return data.getvalue()


def _palette(colours: CardColours) -> list[int]:
    """Return the colour of each amount of ink, as the numbers red, green and blue; the last one is the accent."""
    shades = [mixed(colours.paper, colours.ink, min(level / _INK, 1)) for level in range(_ACCENT)]
    return [int(shade[at : at + 2], 16) for shade in (*shades, colours.accent) for at in (1, 3, 5)]


def _writable(text: str) -> str:
    """Return a text in one line, without emoji and other characters that text fonts do not have."""
    kept = "".join(sign for sign in text if unicodedata.category(sign) not in ("So", "Sk", "Co", "Cn", "Cs"))
    return " ".join(kept.replace("\ufe0f", "").replace("\u200d", "").split())


def _write(draw: ImageDraw, line: str, top: float, font: FreeTypeFont, ink: int, *, rtl: bool) -> None:
    edge = SIZE[0] - _MARGIN if rtl else _MARGIN
    draw.text((edge, top), line, font=font, fill=ink, anchor="ra" if rtl else "la")


def _fitted(title: str, own: str) -> tuple[list[str], FreeTypeFont | None]:
    """Return the lines of a title and the largest font in which they are few enough; no lines if there is no font."""
    lines: list[str] = []
    font = None
    for size in _TITLE_SIZES:
        font = _font(title, own, size)
        if font is None or not title:
            return [], None
        lines = _wrapped(title, font)
        if len(lines) <= _LINES:
            return lines, font
    return [*lines[: _LINES - 1], shorten(lines[_LINES - 1], len(lines[_LINES - 1]) - 1)], font


def _wrapped(title: str, font: FreeTypeFont) -> list[str]:
    lines = [""]
    for unit in _units(title):
        if lines[-1].strip() and font.getlength((lines[-1] + unit).rstrip()) > SIZE[0] - 2 * _MARGIN:
            lines.append("")
        lines[-1] += unit
    return [line.strip() for line in lines]


def _units(title: str) -> Iterator[str]:
    """Yield the units that stay together in a line: words with the space after them, or single wide characters."""
    unit = ""
    for sign in title:
        unit += sign
        if sign.isspace() or unicodedata.east_asian_width(sign) in "WF" or len(unit) > _LONGEST // 6:
            yield unit
            unit = ""
    yield unit


def _font(text: str, own: str, size: int) -> FreeTypeFont | None:
    """Return the first font that has all characters of a text; None if there is none."""
    signs = frozenset(sign for sign in text if not sign.isspace() and unicodedata.category(sign) not in ("Cf", "Mn"))
    return next(
        (_load(path, size) for path in (own, *_installed(), _OF_PILLOW) if path and _has_all(path, signs)), None
    )


@lru_cache(maxsize=256)
def _has_all(path: str, signs: frozenset[str]) -> bool:
    try:
        font = _load(path, 20)
        missing = bytes(font.getmask("\U0010fffd"))
        return all(bytes(font.getmask(sign)) != missing for sign in signs)
    except OSError:
        return False


@lru_cache(maxsize=32)
def _load(path: str, size: int) -> FreeTypeFont:
    from PIL import ImageFont  # not at the top: Pillow takes long to load, and only new cards need it

    if path != _OF_PILLOW:
        return ImageFont.truetype(path, size)
    font = ImageFont.load_default(size)
    if isinstance(font, ImageFont.FreeTypeFont):
        return font
    raise OSError("Pillow was built without FreeType")


@cache
def _installed() -> tuple[str, ...]:
    """Return the paths of the installed fonts that may be used, by preference."""
    found: dict[str, str] = {}
    for folder in _FOLDERS:
        for where, _, names in os.walk(Path(folder).expanduser()):
            found |= {name: f"{where}/{name}" for name in names if name in _FILES and name not in found}
    return tuple(found[name] for name in _FILES if name in found)
