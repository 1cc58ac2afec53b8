"""The names of front matter fields in every blog tool, and a class that finds fields by our own names.

Keys are compared without case, hyphens, underscores and spaces. A dotted spelling such as `header.image` refers to a
key inside a table. The first spelling with a value is used, so the order in the tables below matters.
"""

from __future__ import annotations

import re
from functools import lru_cache

from publisher.core.errors import PostError
from publisher.posts.post_file import Tree
from publisher.posts.switches import (
    FALSE,
    HIDDEN_STATES,
    SWITCHES,
    TRUE,
    is_switched,
    meant,
    near_keys,
    why_unclear,
    word_of,
)

SPELLINGS: dict[str, tuple[str, ...]] = {
    "id": ("id", "guid"),
    "title": ("title",),
    "slug": ("slug",),
    "permalink": ("permalink", "url", "path"),
    # Jekyll, Eleventy, Pelican, Zola: date. Hugo: publishDate wins over date. Ghost: published_at.
    "published": (
        "publishdate",
        "publisheddate",
        "publishedat",
        "datepublished",
        "pubdate",
        "date",
        "published",
        "createdat",
        "created",
        "datecreated",
        "posted",
    ),
    "updated": (
        "updated",
        "modified",
        "lastmod",
        "lastmodifiedat",
        "lastmodified",
        "updatedat",
        "dateupdated",
        "datemodified",
        "modifieddate",
        "updateddate",
    ),
    "expires": ("expirydate", "expires", "expireson", "expiry", "unpublishdate"),
    "language": ("lang", "language", "locale"),
    "excerpt": (
        "excerpt",
        "summary",
        "description",
        "customexcerpt",
        "subtitle",
        "abstract",
        "extra.summary",
        "extra.description",
    ),
    "separator": ("excerptseparator",),
    "authors": (
        "authors",
        "author",
        "byline",
        "taxonomies.authors",
        "extra.author",
        "extra.authors",
        "params.author",
        "primaryauthor",
    ),
    "image": (
        "image",
        "images",
        "cover",
        "coverimage",
        "header.image",
        "header.overlayimage",
        "header.teaser",
        "featureimage",
        "featuredimage",
        "heroimage",
        "hero",
        "banner",
        "teaser",
        "thumbnail",
        "ogimage",
        "socialimage",
        "extra.image",
        "extra.cover",
        "extra.banner",
        "extra.ogimage",
        "params.image",
        "params.images",
        "params.cover",
    ),
    "image_alt": (
        "imagealt",
        "header.alt",
        "featureimagealt",
        "coveralt",
        "coverimagealt",
        "cover.alt",
        "heroalt",
        "extra.imagealt",
    ),
    "image_caption": (
        "imagecaption",
        "header.caption",
        "featureimagecaption",
        "covercaption",
        "cover.caption",
        "header.imagedescription",
        "extra.imagecaption",
    ),
    "audio": ("audio", "enclosure", "enclosures", "podcast", "episode", "audiourl", "mp3"),
}

TAG_KEYS = (
    "tags",
    "tag",
    "categories",
    "category",
    "taxonomies.tags",
    "taxonomies.categories",
    "extra.tags",
    "topics",
)

# Eleventy uses these tags for its collections; they are not topics.
NO_TAGS = {"post", "posts", "all"}


@lru_cache(maxsize=4096)
def fold(key: str) -> str:
    """Return a key in the spelling of the tables: in lower case, without hyphens, underscores and spaces."""
    return re.sub(r"[-_ ]", "", key).lower()


# A place where a field may be: the key as it was written, the folded keys below it, and the spelling.
Place = tuple[str, tuple[str, ...], str]

_TAGS = "tags"
_NOWHERE: tuple[Place, ...] = ()


def _by_first_key() -> dict[str, list[tuple[str, int, str]]]:
    """Return the tables inverted, as first key -> list of (our field, rank, spelling).

    A lookup by key is faster, since a post has about ten keys and the tables have 170.
    """
    turned: dict[str, list[tuple[str, int, str]]] = {}
    for field, spellings in (*SPELLINGS.items(), *SWITCHES.items(), (_TAGS, TAG_KEYS)):
        for rank, spelling in enumerate(spellings):
            turned.setdefault(spelling.partition(".")[0], []).append((field, rank, spelling))
    return turned


_BY_FIRST_KEY = _by_first_key()


@lru_cache(maxsize=1024)
def _places(
    keys: tuple[str, ...],
) -> tuple[dict[str, str], dict[str, tuple[Place, ...]], tuple[tuple[str, tuple[str, ...]], ...]]:
    """Return tables for a post's keys: folded key -> key as written, our field -> its places, and likely misspellings.

    A likely misspelling is an unknown key, with the known keys that are near it. The best place comes first. If two
    keys are equal when folded, the first counts. The result is cached because the posts of a blog use only a few sets
    of keys.
    """
    written: dict[str, str] = {}
    for key in keys:
        written.setdefault(fold(key), key)
    found: dict[str, list[tuple[int, Place]]] = {}
    for folded, key in written.items():
        for field, rank, spelling in _BY_FIRST_KEY.get(folded, ()):
            place = (key, tuple(spelling.split(".")[1:]), spelling)
            found.setdefault(field, []).append((rank, place))
    unknown = [(key, near_keys(folded)) for folded, key in written.items() if folded not in _BY_FIRST_KEY]
    places = {field: tuple(place for _, place in sorted(ranked)) for field, ranked in found.items()}
    return written, places, tuple((key, near) for key, near in unknown if near)


class FrontMatter:
    """Front matter, or a table in it, whose fields can be found by our names, whatever their keys are."""

    __slots__ = ("_fields", "_lines", "_near", "_places", "_written")

    def __init__(self, fields: dict[str, Tree], lines: dict[str, int]) -> None:
        """Keep the values of parsed front matter, and the lines of their keys."""
        self._fields, self._lines = fields, lines
        self._written, self._places, self._near = _places(tuple(fields))

    def _at(self, place: Place) -> Tree:
        key, below, _ = place
        value = self._fields[key]
        return _below(value, below) if below else value

    def find(self, field: str) -> tuple[Tree, int]:
        """Return the value of one of our fields and its line; (None, 1) if the field has no value."""
        for place in self._places.get(field, _NOWHERE):
            value = self._at(place)
            if value and not (field == "published" and _is_bool(value)):
                return value, self._lines.get(place[0], 1)
        return None, 1

    def key(self, field: str) -> str:
        """Return the key, as it is written, at which `find` finds the value of a field; "" if there is no value."""
        return next((place[0] for place in self._places.get(field, _NOWHERE) if self._at(place)), "")

    def text(self, field: str) -> str:
        """Return one of our fields as a single line of text; "" if it is missing or not text."""
        if field not in self._places:
            return ""
        value, _ = self.find(field)
        if isinstance(value, list) and value and isinstance(value[0], str):
            value = value[0]
        return " ".join(value.split()) if isinstance(value, str) else ""

    def at(self, spelling: str) -> Tree:
        """Return the value of a key or dotted spelling, or None if it is missing."""
        first, *below = spelling.split(".")
        key = self._written.get(first)
        return None if key is None else self._at((key, tuple(below), spelling))

    def is_draft(self) -> bool:
        """Return whether the front matter marks the post as a draft or as hidden."""
        return self._says("draft", TRUE) or self._says("shown", FALSE) or self._says("state", HIDDEN_STATES)

    def wants(self, switch: str) -> bool:
        """Return whether the post should appear in feeds ("in_feeds") or newsletters ("in_newsletters")."""
        return not self._says(switch, FALSE)

    def _says(self, switch: str, words: frozenset[str]) -> bool:
        return any(word_of(self._at(place)) in words for place in self._places.get(switch, _NOWHERE))

    def refuse_unclear(self) -> None:
        """Raise PostError, with the line, if a switch has a value whose meaning is not known."""
        for switch in SWITCHES:
            for place in self._places.get(switch, _NOWHERE):
                why = why_unclear(switch, place[0], self._at(place))
                if why:
                    raise PostError(why[0], line=self._lines.get(place[0], 1), hint=why[1])

    def likely_typos(self) -> list[tuple[str, str, int]]:
        """Return each key that is probably a misspelled switch or date, the key that is meant, and its line."""
        found = [(key, meant(near, self._fields[key]), self._lines.get(key, 1)) for key, near in self._near]
        return [(key, known, line) for key, known, line in found if known]

    def tags(self) -> list[str]:
        """Return all tags and categories in the order of TAG_KEYS, without duplicates."""
        found: dict[str, None] = {}
        for place in self._places.get(_TAGS, _NOWHERE):
            for name in _names(self._at(place), words=place[2] in ("tags", "categories")):
                if name.lower() not in NO_TAGS:
                    found.setdefault(name)
        return list(found)


def _below(value: Tree, keys: tuple[str, ...]) -> Tree:
    for key in keys:
        if not isinstance(value, dict):
            return None
        value = next((inner for name, inner in value.items() if fold(name) == key), None)
    return value


def _is_bool(value: Tree) -> bool:
    return isinstance(value, str) and is_switched(value)


def _names(value: Tree, *, words: bool) -> list[str]:
    """Return the names in the value of a tag field.

    A string may contain several names separated by commas or semicolons.

    words  whether spaces also separate names, as in Jekyll's tags
    """
    if isinstance(value, list):
        # Ghost exports its tags as tables with a name.
        items = [item.get("name") if isinstance(item, dict) else item for item in value]
        return [" ".join(item.split()) for item in items if isinstance(item, str) and item.strip()]
    if not isinstance(value, str):
        return []
    if "," in value or ";" in value:
        return [" ".join(part.split()) for part in re.split(r"[,;]", value) if part.strip()]
    return value.split() if words else [" ".join(value.split())]


def first_text(table: FrontMatter, *spellings: str) -> str:
    """Return the text of the first of these keys that has any, on one line; "" if no key has text."""
    for spelling in spellings:
        value = table.at(spelling)
        if isinstance(value, str) and value.strip():
            return " ".join(value.split())
    return ""
