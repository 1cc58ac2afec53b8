"""The look of the site's pages: the stylesheet, whose colours and fonts come from [theme], the logo, the icons and the
pictures for link previews."""

from __future__ import annotations

import hashlib
import re
from dataclasses import replace
from functools import lru_cache, partial
from typing import NamedTuple

from publisher.config import Config
from publisher.config.palette import Looks, looks_of
from publisher.core.file_names import is_file
from publisher.core.models import Output
from publisher.core.templates import Templates
from publisher.posts.cache_keys import hash_of, stamp_of
from publisher.posts.pictures import static_picture
from publisher.posts.social_card import VERSION as CARDS_VERSION
from publisher.posts.social_card import CardColours, CardText, draw_card

# theme.css is a template; the others are copied as they are.
_THEME = "pages/theme.css"
_SHEETS = ("pages/site.css", "pages/forms.css", "pages/highlight.css")

# Files in the static folder that become the icons of the site: rel and media type by name, the best one last.
_ICONS = {
    "apple-touch-icon.png": ("apple-touch-icon", "image/png"),
    "favicon.ico": ("icon", "image/x-icon"),
    "favicon.png": ("icon", "image/png"),
    "favicon.svg": ("icon", "image/svg+xml"),
}
DRAWN_ICON = "favicon.svg"
_FONT = "pages/card.ttf"

# Parts of a stylesheet without any effect: comments between rules, and repeated spaces. Strings stay.
_SPARE = re.compile(
    r"""("(?:[^"\\\n]|\\.)*+"?|'(?:[^'\\\n]|\\.)*+'?)|\s*+([{};])\s*+|(:)\s++|((?<![^\s{};])/\*(?:[^*]|\*(?!/))*+(?:\*/|\Z))|\s++"""
)


class Icon(NamedTuple):
    """An icon of the site for browsers. url: absolute."""

    url: str
    rel: str
    media_type: str


def look_of(config: Config) -> Looks:
    """Return the look of the site. A logo in the static folder gets its height, so that pages do not jump."""
    looks = looks_of(config.site_theme, config.site_url)
    if not looks.logo:
        return looks
    file = config.root / config.pages.static / config.theme.logo.removeprefix("/")
    return replace(looks, logo_height=_height(config, looks.logo, looks.logo_width, stamp_of(file)))


def icons_of(config: Config) -> tuple[Icon, ...]:
    """Return the icons in the static folder, or the one that a build draws if there is none."""
    folder = config.root / config.pages.static
    names = [name for name in _ICONS if is_file(folder / name)]
    if all(name not in names for name in _ICONS if name.startswith("favicon.")):
        names.append(DRAWN_ICON)
    return tuple(Icon(f"{config.site_url}/{name}", *_ICONS[name]) for name in names)


def drawn_icon(templates: Templates, looks: Looks, title: str) -> bytes:
    """Return the first letter of the site's title on its accent colour, as SVG."""
    letter = next((each for each in title if each.isalnum()), "")
    return templates.render("pages/favicon.svg", looks=looks, letter=letter.upper()).encode("utf-8", "replace")


class Card(NamedTuple):
    """A picture for link previews of a page that has none. path: its output path, which changes with its contents."""

    path: str
    text: CardText
    colours: CardColours

    def output(self) -> Output:
        """Return the output that draws the card."""
        return Output(self.path, self.path, partial(draw_card, self.text, self.colours))


def card_of(config: Config, looks: Looks, title: str, language: str) -> Card:
    """Return the card with this title. templates/pages/card.ttf is used as its font if the project has it."""
    own = config.root / "templates" / _FONT
    text = CardText(title, config.site.title, language, str(own) if is_file(own) else "")
    colours = CardColours(looks.light.paper, looks.light.text, looks.light.accent)
    shown = hash_of(str(CARDS_VERSION), title, config.site.title, language, repr(colours), stamp_of(own))
    return Card(f"assets/cards/{shown}.png", text, colours)


def stylesheet(templates: Templates, looks: Looks) -> str:
    """Return the whole stylesheet: the colours and fonts of the theme, then pages, forms, and the colours of code.

    Comments and indentation, which make up an eighth of the source, are removed.
    """
    return _without_spare("".join([templates.render(_THEME, looks=looks), *map(templates.source, _SHEETS)]))


@lru_cache(maxsize=4)  # the checks of a project, its builds and the web application make the same one again and again
def _without_spare(sheet: str) -> str:
    return _SPARE.sub(lambda found: found[1] or found[2] or found[3] or ("" if found[4] else " "), sheet)


def stylesheet_path(templates: Templates, looks: Looks) -> str:
    """Return the output path of the stylesheet. Its name changes with its content, so it can be cached forever.

    The stylesheet is not rendered to find its path.
    """
    sources = "".join(templates.source(name) for name in (_THEME, *_SHEETS))
    name = hashlib.blake2b(f"{looks}{sources}".encode("utf-8", "surrogatepass"), digest_size=5).hexdigest()
    return f"assets/site.{name}.css"


@lru_cache(maxsize=16)
def _height(config: Config, url: str, width: int, stamp: str) -> int:
    """Return the height of a logo of this width; 0 if it is unknown. stamp: the stamp of its file, for the cache."""
    found = static_picture(config, url) if stamp else None
    return max(1, round(width * found.height / found.width)) if found else 0
