"""One table that maps every blog's spelling of a field to ours.

Keys are compared without case, hyphens, underscores and spaces. A dotted spelling looks inside a table
(`header.image`). The first spelling that holds something wins, so the order says who is believed.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from publisher.posts.frontmatter import Tree

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

# Switches: any of them that is off, or says draft, decides.
SWITCHES: dict[str, tuple[str, ...]] = {
    "draft": ("draft", "private"),
    "shown": ("published",),
    "state": ("status", "visibility"),
    "in_feeds": ("feed", "feeds", "infeeds", "infeed"),
    "in_newsletters": ("newsletter", "newsletters", "innewsletters", "innewsletter", "email"),
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

# Eleventy marks its collections with a tag; they are no subjects.
NO_TAGS = {"post", "posts", "all"}

_TRUE = {"true", "yes", "on", "1", "y"}
_FALSE = {"false", "no", "off", "0", "n"}
_HIDDEN_STATES = {"draft", "private", "hidden", "pending", "trash", "unlisted", "members", "paid"}


@lru_cache(maxsize=4096)
def fold(key: str) -> str:
    """Return a key as the table spells it."""
    return re.sub(r"[-_ ]", "", key).lower()


def _by_first_key() -> dict[str, list[tuple[str, int, tuple[str, ...]]]]:
    """The tables turned round: first key -> (our field, rank, keys below). A post has ten keys, the tables 170."""
    turned: dict[str, list[tuple[str, int, tuple[str, ...]]]] = {}
    for field, spellings in (*SPELLINGS.items(), *SWITCHES.items(), (_TAGS, TAG_KEYS)):
        for rank, spelling in enumerate(spellings):
            first, *below = spelling.split(".")
            turned.setdefault(first, []).append((field, rank, tuple(below)))
    return turned


_TAGS = "tags"
_BY_FIRST_KEY = _by_first_key()


class Metadata:
    """Front matter with folded keys, and the ways to ask it."""

    __slots__ = ("_known", "_switches", "_tags", "tree")

    def __init__(self, fields: dict[str, Tree], lines: dict[str, int]) -> None:
        """Sort the values of a parsed front matter under our fields; of two twin keys the earlier wins."""
        self.tree = _folded(fields)
        self._known: dict[str, tuple[Tree, int, int]] = {}
        self._switches: list[tuple[str, str]] = []
        self._tags: list[tuple[int, Tree]] = []
        line_of = {fold(key): line for key, line in lines.items()}
        for key, value in self.tree.items():
            for field, rank, below in _BY_FIRST_KEY.get(key, ()):
                found = _below(value, below) if below else value
                if found:
                    self._sort(field, rank, found, line_of.get(key, 1))

    def _sort(self, field: str, rank: int, value: Tree, line: int) -> None:
        if field == _TAGS:
            self._tags.append((rank, value))
        elif field in SWITCHES:
            if isinstance(value, str):
                self._switches.append((field, value.lower()))
        elif field == "published" and _is_bool(value):
            return
        elif field not in self._known or rank < self._known[field][2]:
            self._known[field] = (value, line, rank)

    def find(self, field: str) -> tuple[Tree, int]:
        """Return the value that is believed for one of our fields, and its line; (None, 1) if it is not there."""
        found = self._known.get(field)
        return (found[0], found[1]) if found else (None, 1)

    def text(self, field: str) -> str:
        """Return one of our fields as one line of text, "" where it is not there or is no text."""
        value, _ = self.find(field)
        if isinstance(value, list) and value and isinstance(value[0], str):
            value = value[0]
        return " ".join(value.split()) if isinstance(value, str) else ""

    def at(self, spelling: str) -> Tree:
        """Return the value at a dotted spelling, or None."""
        return _below(self.tree, tuple(spelling.split(".")))

    def is_draft(self) -> bool:
        """Return whether the writer says that nobody may see the post yet."""
        return any(
            (field == "draft" and value in _TRUE)
            or (field == "shown" and value in _FALSE)
            or (field == "state" and value in _HIDDEN_STATES)
            for field, value in self._switches
        )

    def wants(self, switch: str) -> bool:
        """Return False when the post hides itself: in_feeds, in_newsletters."""
        return not any(field == switch and value in _FALSE for field, value in self._switches)

    def tags(self) -> list[str]:
        """Return every tag and category in the order of TAG_KEYS, each once."""
        found: dict[str, None] = {}
        for rank, value in sorted(self._tags, key=lambda item: item[0]):
            for name in _names(value, words=TAG_KEYS[rank] in ("tags", "categories")):
                if name.lower() not in NO_TAGS:
                    found.setdefault(name)
        return list(found)


def _below(value: Tree, keys: tuple[str, ...]) -> Tree:
    for key in keys:
        if not isinstance(value, dict):
            return None
        value = value.get(key)
    return value


def _is_bool(value: Tree) -> bool:
    return isinstance(value, str) and value.lower() in (_TRUE | _FALSE) - {"0", "1"}


def _names(value: Tree, *, words: bool) -> list[str]:
    """The names in a tag value. One string holds many: by commas, or by spaces as Jekyll reads tags and categories."""
    if isinstance(value, list):
        return [name for item in value for name in ([" ".join(item.split())] if isinstance(item, str) else []) if name]
    if not isinstance(value, str):
        return []
    if "," in value or ";" in value:
        return [" ".join(part.split()) for part in re.split(r"[,;]", value) if part.strip()]
    return value.split() if words else [" ".join(value.split())]


def _folded(fields: dict[str, Tree]) -> dict[str, Tree]:
    folded: dict[str, Tree] = {}
    for key, value in fields.items():
        folded.setdefault(fold(key), _folded(value) if isinstance(value, dict) else value)
    return folded
