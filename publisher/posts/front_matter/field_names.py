"""The names of front matter fields in every blog tool, and a class that finds fields by our own names.

Keys are compared without case, hyphens, underscores and spaces. A dotted spelling such as `header.image` refers to a
key inside a table. The first spelling with a value is used, so the order in the tables below matters.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import cache, lru_cache
from itertools import islice
from typing import NamedTuple

from publisher.core.errors import PostError
from publisher.posts.front_matter.episode_names import EPISODE_SPELLINGS
from publisher.posts.front_matter.misspelled import Misspelled, hides_elsewhere, may_hide_elsewhere, meant, near_keys
from publisher.posts.front_matter.switches import FALSE, SWITCHES, hiding_words, is_switched, why_unclear, word_of
from publisher.posts.post_file import Tree
from publisher.posts.text.excerpt import decoded

SPELLINGS: dict[str, tuple[str, ...]] = {
    "id": ("id", "guid"),
    "title": ("title",),
    "slug": ("slug",),
    "permalink": ("permalink", "url", "path"),
    "aliases": ("aliases", "alias", "redirectfrom"),
    "redirect_to": ("redirectto",),
    # The page elsewhere on which the post was published; a whole URL as permalink is one, too. Other tools write
    # canonical_url into posts that have a page there as well as here.
    "canonical": ("canonical", "canonicalurl"),
    "republish": ("republish",),
    # The page elsewhere that a link post is about; a whole URL as `url` is one, too.
    "external_url": ("externalurl", "externallink", "linkurl", "linkedurl", "link", "bookmarkof"),
    # Jekyll, Eleventy, Pelican, Zola: date. MkDocs: date.created. Hugo: publishDate wins over date. Ghost:
    # published_at.
    "published": (
        "publishdate",
        "publisheddate",
        "publishedat",
        "datepublished",
        "pubdate",
        "date.created",
        "date",
        "published",
        "createdat",
        "created",
        "datecreated",
        "posted",
        "publish",
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
        "date.updated",
        "update",
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
    **EPISODE_SPELLINGS,
}

TAG_KEYS = ("tags", "tag", "categories", "category", "taxonomies.tags", "taxonomies.categories", "extra.tags", "topics")

# Eleventy uses these tags for its collections; they are not topics.
NO_TAGS = {"post", "posts", "all"}


@lru_cache(maxsize=4096)
def fold(key: str) -> str:
    """Return a key in the spelling of the tables: in lower case, without hyphens, underscores and spaces."""
    if not key.isascii():  # letters of double width, and invisible characters
        key = "".join(c for c in unicodedata.normalize("NFKC", key) if unicodedata.category(c) not in ("Cf", "Mn"))
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
    for field, spellings in _ALL:
        for rank, spelling in enumerate(spellings):
            turned.setdefault(spelling.partition(".")[0], []).append((field, rank, spelling))
    return turned


_ALL = (*SPELLINGS.items(), *SWITCHES.items(), (_TAGS, TAG_KEYS))
_BY_FIRST_KEY = _by_first_key()


@cache
def _spellings(first: str = "") -> tuple[tuple[str, str], ...]:
    """Return (field, key) for all keys of the tables; with `first`, for all keys that may be in the table of that name.

    The name of such a table is itself among the keys, with "" for the field.
    """
    pairs = [(field, spelling.split(".")) for field, spellings in _ALL for spelling in spellings]
    if first:
        return tuple((field, parts[1]) for field, parts in pairs if parts[0] == first and len(parts) > 1)
    return tuple((field if len(parts) == 1 else "", parts[0]) for field, parts in pairs)


# How many unknown keys of a post are compared with the keys of the tables.
_MOST_UNKNOWN = 100


@lru_cache(maxsize=1024)
def _near(folded: str, first: str = "") -> tuple[tuple[str, str], ...]:
    """Return the (field, key) pairs of which an unknown key may be a misspelling. first: see _spellings."""
    return tuple(near_keys(folded, _spellings(first)))


class Keys(NamedTuple):
    """The properties of the keys of a post or a table, whatever their values are.

    written  the keys as they are written, by folded key
    places   the places of our fields, the best first
    near     keys that are similar to keys of fields: the key, and the (field, key) pairs that may be meant
    hiding   keys that may hide a post in some other tool, as (key, folded key)
    tables   keys whose values may be tables with fields
    twice    pairs of keys that are equal when folded; the first counts
    """

    written: dict[str, str]
    places: dict[str, tuple[Place, ...]]
    near: tuple[tuple[str, tuple[tuple[str, str], ...]], ...]
    hiding: tuple[tuple[str, str], ...]
    tables: tuple[str, ...]
    twice: tuple[tuple[str, str], ...]


@lru_cache(maxsize=1024)
def keys_of(keys: tuple[str, ...]) -> Keys:
    """Return the properties of a post's keys. Cached because the posts of a blog use only a few sets of keys."""
    written: dict[str, str] = {}
    twice = []
    found: dict[str, list[tuple[int, Place]]] = {}
    unknown: list[tuple[str, str]] = []
    for key in keys:
        folded = fold(key)
        if written.setdefault(folded, key) != key:
            twice.append((written[folded], key))
            continue
        places = list(_places_of(key, folded))
        for field, rank, place in places:
            found.setdefault(field, []).append((rank, place))
        if not places:
            unknown.append((key, folded))
    near = ((key, _near(folded)) for key, folded in unknown[:_MOST_UNKNOWN])
    return Keys(
        written,
        {field: tuple(place for _, place in sorted(each)) for field, each in found.items()},
        tuple((key, pairs) for key, pairs in near if pairs),
        tuple((key, folded) for key, folded in unknown if may_hide_elsewhere(folded)),
        tuple(key for folded, key in written.items() if _spellings(folded))[:_MOST_UNKNOWN],
        tuple(twice),
    )


def _places_of(key: str, folded: str) -> Iterator[tuple[str, int, Place]]:
    """Yield (field, rank, place) for a key: build, whose table may contain the field, or `build.list` as one key."""
    for field, rank, spelling in _BY_FIRST_KEY.get(folded.partition(".")[0], ()):
        if "." not in folded:
            yield field, rank, (key, tuple(spelling.split(".")[1:]), spelling)
        elif spelling == folded:
            yield field, rank, (key, (), spelling)


class FrontMatter:
    """Front matter, or a table in it, whose fields can be found by our names, whatever their keys are."""

    __slots__ = ("_fields", "_keys", "_lines")

    def __init__(self, fields: dict[str, Tree], lines: dict[str, int]) -> None:
        """Keep the values of parsed front matter, and the lines of their keys."""
        self._fields, self._lines = fields, lines
        self._keys = keys_of(tuple(fields))

    def _at(self, place: Place) -> Tree:
        key, below, _ = place
        value = self._fields[key]
        return _below(value, below) if below else value

    def find(self, field: str) -> tuple[Tree, int]:
        """Return the value and the line of one of our fields; (None, 1) if it has no value."""
        for place in self._keys.places.get(field, _NOWHERE):
            value = self._at(place)
            if value and not (field == "published" and _is_bool(value)) and not _is_remark(place, value):
                return value, self._lines.get(place[0], 1)
        return None, 1

    def has(self, field: str) -> bool:
        """Return whether any key is a spelling of this field, whatever its value is."""
        return field in self._keys.places

    def key(self, field: str) -> str:
        """Return the key, as it is written, with the value of a field that `find` returns; "" if there is no value."""
        return next((place[0] for place in self._keys.places.get(field, _NOWHERE) if self._at(place)), "")

    def all(self, field: str) -> list[tuple[str, Tree, int]]:
        """Return every value of one of our fields as (key as written, value, line), the best spelling first."""
        places = self._keys.places.get(field)
        if places is None:  # most fields of most posts
            return []
        found = [(place[0], self._at(place), self._lines.get(place[0], 1)) for place in places]
        return [each for each in found if each[1]]

    def text(self, field: str) -> str:
        """Return one of our fields as a single line of text; "" if it is missing or not text."""
        if field not in self._keys.places:
            return ""
        value, _ = self.find(field)
        if isinstance(value, list) and value and isinstance(value[0], str):
            value = value[0]
        return " ".join(value.split()) if isinstance(value, str) else ""

    def at(self, spelling: str) -> Tree:
        """Return the value of a key or dotted spelling, or None if it is missing."""
        first, *below = spelling.split(".")
        key = self._keys.written.get(first)
        return None if key is None else self._at((key, tuple(below), spelling))

    def is_draft(self) -> bool:
        """Return whether the front matter marks the post as a draft, as hidden, or as having no page."""
        return any(map(self._says, ("draft", "shown", "state"))) or self._has_password() or self._has_no_page()

    def _has_password(self) -> bool:
        """Return whether the post has a password, as in WordPress and Hexo, for which no page or feed here can ask."""
        value = self.at("password") if "password" in self._keys.written else None
        return bool(value) and word_of(value) not in FALSE

    def _has_no_page(self) -> bool:
        """Return whether the permalink is `false`, which makes Eleventy write no page."""
        value = self.at("permalink") if "permalink" in self._keys.written else None
        return isinstance(value, str) and word_of(value) in FALSE

    @property
    def is_listed(self) -> bool:
        """Whether the post appears on pages that list posts, in feeds and in newsletters, if it is not a draft."""
        return not (self._says("not_listed") or self._says("listed"))

    def wants(self, switch: str) -> bool:
        """Return whether a listed post should appear: "in_feeds", "in_newsletters", or on a "page" of its own."""
        return not self._says(switch)

    def _says(self, switch: str) -> bool:
        """Return whether a switch hides the post or keeps it out of something."""
        for place in self._keys.places.get(switch, _NOWHERE):
            value = self._at(place)
            # Eleventy takes the names of the collections, too.
            if word_of(value) in hiding_words(switch) or (
                isinstance(value, list) and value and place[2].startswith("eleventy")
            ):
                return True
        return False

    def refuse_unclear(self) -> None:
        """Raise PostError, with the line, if a switch has a value whose meaning is not known."""
        for switch in SWITCHES:
            for place in self._keys.places.get(switch, _NOWHERE):
                why = why_unclear(switch, place[0], place[2], self._at(place))
                if why:
                    raise PostError(why[0], line=self._lines.get(place[0], 1), hint=why[1])

    def misspelled(self) -> Iterator[tuple[Misspelled, int]]:
        """Yield each key that is probably misspelled, also within tables, and its line."""
        for key, near in self._keys.near:
            value = self._fields[key]
            found = meant([pair for pair in near if pair[0]], key, value)
            if found is None and isinstance(value, dict):
                found = _meant_table(key, {first for field, first in near if not field}, value)
            if found:
                yield found, self._lines.get(key, 1)
        for key in self._keys.tables:
            value, inner = self._fields[key], _spellings(fold(key))
            if isinstance(value, dict):
                for name, item in islice(value.items(), _MOST_UNKNOWN):
                    folded = fold(name)
                    near = () if any(folded == known for _, known in inner) else _near(folded, fold(key))
                    if found := meant(near, f"{key}.{name}", item):
                        known = f"{fold(key)}.{found.known}"
                        yield found._replace(known=known), self._lines.get(name, self._lines.get(key, 1))

    def hidden_elsewhere(self) -> Iterator[tuple[str, int]]:
        """Yield each key that hides the post in some other tool, but not here, and its line."""
        for key, folded in self._keys.hiding:
            if hides_elsewhere(folded, self._fields[key]):
                yield key, self._lines.get(key, 1)

    def twice(self) -> Iterator[tuple[str, str, int, int]]:
        """Yield each pair of keys that are the same key in two spellings, with their lines. The first one counts."""
        for first, second in self._keys.twice:
            yield first, second, self._lines.get(first, 1), self._lines.get(second, 1)

    def tags(self) -> list[str]:
        """Return all tags and categories in the order of TAG_KEYS, without duplicates."""
        found: dict[str, None] = {}
        for place in self._keys.places.get(_TAGS, _NOWHERE):
            for name in map(decoded, _names(self._at(place), words=place[2] in ("tags", "categories"))):
                if name.lower() not in NO_TAGS:
                    found.setdefault(name)
        return list(found)


def fields_of(key: str) -> set[str]:
    """Return our names for the fields that a key may mean. key: prefixed with its table, as in build.list."""
    folded = ".".join(map(fold, key.split(".")))
    return {field for field, spellings in _ALL if folded in spellings}


def can_hide(key: str) -> bool:
    """Return whether a key is a switch, or a date that says when a post is public. key: see fields_of."""
    return fold(key) == "password" or not fields_of(key).isdisjoint({"published", "expires", *SWITCHES})


def _below(value: Tree, keys: tuple[str, ...]) -> Tree:
    for key in keys:
        if not isinstance(value, dict):
            return None
        value = next((inner for name, inner in value.items() if fold(name) == key), None)
    return value


def _meant_table(key: str, tables: set[str], value: dict[str, Tree]) -> Misspelled | None:
    """Return the field that a misspelled table means, judging by the keys in it; None if no table has such keys."""
    for table in sorted(tables):
        inner = {name: field for field, name in _spellings(table)}
        if found := next((name for name in value if fold(name) in inner), ""):
            return Misspelled(f"{key}.{found}", f"{table}.{fold(found)}", inner[fold(found)], value[found])
    return None


def _is_remark(place: Place, value: Tree) -> bool:
    """Return whether a key `update` contains words about the update instead of its date."""
    return place[2] == "update" and not (isinstance(value, str) and value[:1].isdigit())


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
    value = decoded(value)  # before its semicolons separate names
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
