"""A feed as the checks see it: one kind of object for every format."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

KINDS = ("rss", "atom", "json")
KIND_NAMES = {"rss": "RSS", "atom": "Atom", "json": "JSON Feed"}


@dataclass(frozen=True, slots=True)
class Attached:
    """A file that belongs to an entry; length is -1 if the feed does not give one."""

    url: str
    length: int
    media_type: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry; html is the longest text, summary the other one."""

    id: str = ""
    title: str = ""
    link: str = ""
    dates: tuple[datetime, ...] = ()
    summary: str = ""
    html: str = ""
    authors: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    language: str = ""
    images: tuple[str, ...] = ()
    attached: tuple[Attached, ...] = ()


@dataclass(frozen=True, slots=True)
class Feed:
    """One feed file. path is relative to the output folder; broken says why strict parsers reject it."""

    path: str
    kind: str
    data: bytes
    broken: str = ""
    own: str = ""
    hubs: tuple[str, ...] = ()
    image: str = ""
    older: str = ""
    updated: datetime | None = None
    entries: tuple[Entry, ...] = ()

    def entry(self, mark: str, title: str = "") -> Entry | None:
        """Return the entry with this title, or with this mark in its text."""
        for entry in self.entries:
            if (title and entry.title == title) or mark in entry.html or mark in entry.summary:
                return entry
        return None


def polled_feeds(feeds: Iterable[Feed]) -> list[Feed]:
    """Return the feeds that readers poll: all but the archive documents, to which other feeds link."""
    older = {urlsplit(feed.older).path.lstrip("/") for feed in feeds}
    return [feed for feed in feeds if feed.path not in older]


def main_feeds(feeds: Iterable[Feed]) -> dict[str, Feed]:
    """Return the feed of the whole site for each kind: the longest, or in a tie the one with the shortest path."""
    ranked = sorted(polled_feeds(feeds), key=lambda feed: (len(feed.entries), -len(feed.path)))
    found = {feed.kind: feed for feed in ranked}
    return {kind: found[kind] for kind in KINDS if kind in found}
