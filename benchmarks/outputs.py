"""Compares the output of two programs for the same posts, because doing less must not count as being faster."""

from __future__ import annotations

import html
import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

_ATOM = "{http://www.w3.org/2005/Atom}"
_CONTENT = "{http://purl.org/rss/1.0/modules/content/}encoded"
_WORDS_MAY_DIFFER = 0.02


@dataclass(frozen=True, slots=True)
class FeedFile:
    """One RSS or Atom file: its titles in order, and the number of words of each entry."""

    kind: str
    titles: tuple[str, ...]
    content_words: tuple[int, ...]
    summary_words: tuple[int, ...]


def read_feeds(folder: Path) -> list[FeedFile]:
    """Return every RSS and Atom file below `folder`; other XML files are skipped."""
    feeds = [_read(path) for path in sorted(folder.rglob("*.xml"))]
    return [feed for feed in feeds if feed is not None]


def differences(ours: list[FeedFile], theirs: list[FeedFile], entries: int) -> list[str]:
    """Return, in sentences, how the outputs differ; an empty list if both did the same work.

    They must have the same number of feeds of each kind with the same titles in the same order, `entries` in each, full
    texts of the same length (within 2 %), and a summary everywhere.
    """
    found = []
    mine, other = (Counter((feed.kind, feed.titles) for feed in feeds) for feeds in (ours, theirs))
    if mine != other:
        found.append(f"{len(ours)} feeds against {len(theirs)}, {sum((mine & other).values())} of them alike")
    for side, feeds in (("ours", ours), ("theirs", theirs)):
        found += _shortcomings(side, feeds, entries)
    return found + _unlike_texts(_lengths(ours), _lengths(theirs))


def _lengths(feeds: list[FeedFile]) -> dict[str, int]:
    return {t: words for feed in feeds for t, words in zip(feed.titles, feed.content_words, strict=True)}


def _unlike_texts(ours: dict[str, int], theirs: dict[str, int]) -> list[str]:
    titles = sorted(t for t in ours.keys() & theirs.keys() if not _alike(ours[t], theirs[t]))
    if not titles:
        return []
    first = titles[0]
    return [f"{len(titles)} texts differ, {first!r}: {ours[first]} words against {theirs[first]}"]


def _shortcomings(side: str, feeds: list[FeedFile], entries: int) -> list[str]:
    found = []
    if short := [feed for feed in feeds if len(feed.titles) != entries]:
        found.append(f"{side}: {len(short)} of {len(feeds)} feeds have not {entries} entries")
    if empty := [feed for feed in feeds if min(feed.content_words, default=0) < 100]:
        found.append(f"{side}: {len(empty)} feeds lack full texts")
    if mute := [feed for feed in feeds if min(feed.summary_words, default=0) < 5]:
        found.append(f"{side}: {len(mute)} feeds lack summaries")
    return found


def _alike(first: int, second: int) -> bool:
    return abs(first - second) <= _WORDS_MAY_DIFFER * max(first, second)


def _read(path: Path) -> FeedFile | None:
    root = ElementTree.parse(path).getroot()
    if root.tag == "rss":
        return _feed("rss", root.findall("./channel/item"), ("title", _CONTENT, "description"))
    if root.tag == f"{_ATOM}feed":
        names = (f"{_ATOM}title", f"{_ATOM}content", f"{_ATOM}summary")
        return _feed("atom", root.findall(f"{_ATOM}entry"), names)
    return None


def _feed(kind: str, items: list[ElementTree.Element], names: tuple[str, str, str]) -> FeedFile:
    title, content, summary = names
    return FeedFile(
        kind,
        tuple(item.findtext(title, "") for item in items),
        tuple(count_words(item.findtext(content, "")) for item in items),
        tuple(count_words(item.findtext(summary, "")) for item in items),
    )


def count_words(markup: str) -> int:
    """Return the number of words of HTML without its tags."""
    return len(re.findall(r"\w+", html.unescape(re.sub(r"<[^>]*>", " ", markup))))
