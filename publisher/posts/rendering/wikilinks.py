"""Links by name, as Obsidian, Quartz and Foam write them: [[A note#A heading|words]] and ![[picture.png|300]].

They become links, pictures, sounds and films in Markdown. If the posts were written in Obsidian, an unknown name
becomes plain words, with a problem. In other posts, which may contain code or texts in brackets such as [[noreturn]]
and [[Feature #20182]], it stays as it is written.
"""

from __future__ import annotations

import posixpath
import re
from html import escape
from typing import Protocol
from urllib.parse import quote

from publisher.core import patterns
from publisher.posts.media_types import is_published, media_type_of
from publisher.posts.named_files import key_of_name, without_ending
from publisher.posts.places import Places
from publisher.posts.tags.expanded import Expanded, TagProblem
from publisher.posts.text.attribute_lists import size_mark
from publisher.posts.text.marks import prose_of
from publisher.posts.text.merge_tags import MERGE_TAG
from publisher.posts.text.prose import line_counter, masked
from publisher.posts.text.signs import Signs

_WIKILINK = patterns.compile(
    r"(!?)(?<![\[\\])(?<!\\!)\[\[([^\[\]\n|#\\]{0,300})(#[^\[\]\n|\\]{0,300})?(?:\\?\|([^\[\]\n]{0,500}))?\]\](?![(:]|\[(?!\[))"
)
_NOT_A_LINK = patterns.compile(r"_?TOC_?|[^#]{1,200} #\d.{0,200}|[\d\W]{0,300}", re.IGNORECASE)
_SIZE = patterns.compile(r"[ \t]*([0-9]{1,5})(?:x([0-9]{1,5}))?[ \t]*")
_SIGNS = patterns.compile(r"[\\`*_<>&~]")
_REFERENCE = patterns.compile(r"^ {0,3}\[([^\[\]\n]{1,200})\]:", re.MULTILINE)
_HEADING = patterns.compile(r"^ {0,3}#{1,6}[ \t]+(.{1,300})$", re.MULTILINE)
_ADDRESS = patterns.compile(r"https?://", re.IGNORECASE)
_NOT_OF_IDS = patterns.compile(r"[^\w\- ]")
# How many dead links of a post are reported.
_MOST = 100


class Names(Protocol):
    """Finds posts and files by their names. Each method returns the reference to write in the post, or ""."""

    def post(self, name: str) -> str:
        """Return the source of the post with a name, or ""."""

    def file(self, name: str) -> str:
        """Return the path of the file with a name, or ""."""


class NamesFrom:
    """The names that one post may use.

    needed     the targets on which the post depends; see Places.where
    has_pages  whether this program makes the pages of the site
    """

    def __init__(self, source: str, places: Places, needed: dict[str, None], *, has_pages: bool) -> None:
        self._base, self._places, self._needed = posixpath.dirname(source), places, needed
        self._has_pages = has_pages

    def post(self, name: str) -> str:
        """Return the reference to the post with a name, or ""."""
        return self._reference(name, self._places.named.post(name, self._base))

    def file(self, name: str) -> str:
        """Return the reference to the file with a name, or ""."""
        path = self._places.named.file(name, self._base)
        if path and not self._has_pages:  # the program that makes them keeps the file's place in the folder
            return f"/{quote(path)}"
        return self._reference(name, path)

    def _reference(self, name: str, path: str) -> str:
        self._needed[f"*/{key_of_name(without_ending(name).rpartition('/')[2])}"] = None
        return quote(posixpath.relpath(path, self._base or ".")) if path else ""


_BRACKETS = Signs("[[")


def has_wikilinks(body: str) -> bool:
    """Return whether a body may have links in two brackets. Most have none, and this is cheap."""
    return _BRACKETS.are_in(body) and _WIKILINK.search(body) is not None


def with_wikilinks(body: str, names: Names, *, all_are: bool) -> Expanded:
    """Return a Markdown body with Markdown in place of its links by name.

    names    finds posts and files by their names
    all_are  whether everything in two brackets is such a link, rather than only the names that exist
    """
    defined = {found[1].casefold() for found in _REFERENCE.finditer(body)} if "]:" in body else set()
    pieces, last = [], 0
    problems: list[TagProblem] = []
    places: set[str] | None = None
    view = masked(body)
    line_of = line_counter(body)
    for found in _WIKILINK.finditer(prose_of(view)):
        text, is_dead = _written(found, names, all_are=all_are)
        if text is not None and not all_are and not found[2].strip():
            places = _places(view) if places is None else places
            text = text if _id_of(found[3].rpartition("#")[2].strip()) in places else None
        if text is None or found[0][2:-2].casefold() in defined:
            continue
        pieces += [body[last : found.start()], text]
        last = found.end()
        if is_dead and len(problems) < _MOST:
            what = f"broken link: nothing has the name {found[2].strip()[:80]!r}"
            problems.append(TagProblem(line_of(found.start()), what, "write the name of a post's file"))
    return Expanded("".join([*pieces, body[last:]]), problems=tuple(problems))


def _written(found: re.Match[str], names: Names, *, all_are: bool) -> tuple[str | None, bool]:
    """Return a link as Markdown, or None if it is only text; and whether it leads nowhere."""
    is_embed, name = bool(found[1]), found[2].strip()
    heading, words = (found[3] or "").rpartition("#")[2].strip(), (found[4] or "").strip()
    if not name and not heading:
        return None, False
    if _ADDRESS.match(name):
        return f"[{words or _plain(name)}](<{name}>)", False
    if is_published(name):
        is_link = is_embed or all_are or names.file(name)
        return _media(name, words, names, is_embed=is_embed) if is_link else (None, False)
    shown = words or _plain(
        heading if not name else name.rpartition("/")[2] + (f" > {heading}" if _is_place(heading) else "")
    )
    reference = names.post(name) if name else ""
    if reference or not name:
        place = f"#{_id_of(heading)}" if _is_place(heading) else ""
        return f"[{shown}]({reference}{place})", False
    inside = found[0].removeprefix("!")
    is_text = MERGE_TAG.fullmatch(inside) or _NOT_A_LINK.fullmatch(inside[2:-2])
    return (shown, True) if all_are and not is_text else (None, False)


def _places(view: str) -> set[str]:
    """Return the ids of the headings of a body."""
    return {_id_of(found[1].strip().rstrip("#").strip()) for found in _HEADING.finditer(view)}


def _is_place(heading: str) -> bool:
    """Return whether a link leads to a heading. Links to other blocks of a note lead to the note as a whole."""
    return bool(heading) and not heading.startswith("^")


def _media(name: str, words: str, names: Names, *, is_embed: bool) -> tuple[str, bool]:
    """Return a picture, a sound or a film, or the link to a file. A dead link is reported like any other."""
    reference = names.file(name) or quote(name)
    stem = posixpath.splitext(name.rpartition("/")[2])[0]
    kind = media_type_of(name).partition("/")[0]
    if not is_embed or kind not in ("image", "audio", "video"):
        return f"[{words or _plain(name.rpartition('/')[2])}]({reference})", False
    if kind != "image":
        return f'<{kind} controls src="{escape(reference)}"></{kind}>', False
    last = words.rpartition("|")[2]
    size = _SIZE.fullmatch(last)
    alt = (words.rpartition("|")[0] if size else words).strip() or stem
    return f"![{_plain(alt)}]({reference}){size_mark(size[1], size[2] or '') if size else ''}", False


def _plain(words: str) -> str:
    return _SIGNS.sub(r"\\\g<0>", words)


def _id_of(heading: str) -> str:
    """Return the id that a heading gets."""
    return quote(_NOT_OF_IDS.sub("", heading.lower()).replace(" ", "-"))
