"""The entries of an old feed: the ids, addresses and times under which readers know posts that another tool published.

`publisher adopt --feed` writes them into old-feed.tsv next to publisher.toml: a file that belongs in the repository,
since each machine that builds the site needs it. A line has the path of a post in the posts folder, its id, its path on
the site and its time; the last two may be empty. Deleting a line gives its post its own id again.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from publisher.core.errors import ProjectError
from publisher.posts.cache_keys import hash_of

ENTRIES_FILE = "old-feed.tsv"

_HEADER = (
    "# What readers know from the old feed (publisher adopt --feed). Commit this file; without it, they see the posts "
    "again.\n# post\tid\tpath\tpublished\n"
)
# A feed has at most 20,000 items (see posts.sources.feed_document), and the entries may come from two or three feeds.
_MOST_BYTES = 20_000_000
# How far the time in a feed may be from the date in the file for the same day, in any two time zones.
_SAME_DAY = timedelta(hours=26)


class OldEntry(NamedTuple):
    """An entry of the old feed, for the post in the file `source`.

    id         as the feed wrote it
    path       the path of its page, if the post would otherwise have a different one; else ""
    published  the time that the feed gave; None if it gave none
    """

    source: str
    id: str
    path: str = ""
    published: datetime | None = None

    def moment(self, written: datetime) -> datetime:
        """Return the time in the old feed or, if the post has a new day, `written`, the time in the post's file."""
        if self.published is None or abs(self.published - written) > _SAME_DAY:
            return written
        return self.published

    @property
    def line(self) -> str:
        """The entry as a line of the file."""
        moment = self.published.astimezone(UTC).isoformat().replace("+00:00", "Z") if self.published else ""
        return "\t".join((self.source, self.id, self.path, moment)).rstrip("\t")


@dataclass(frozen=True)
class OldEntries:
    """The entries in old-feed.tsv. They are parsed at the first look-up. Equal objects have the same text."""

    text: bytes = field(default=b"", repr=False)
    digest: str = ""

    @classmethod
    def of(cls, root: Path) -> OldEntries:
        """Return the entries of the project in this folder, if any. Raises ProjectError if the file is unreadable."""
        try:
            # os.open takes a third of the time of open(), and most projects have no such file.
            handle = os.open(root / ENTRIES_FILE, os.O_RDONLY | getattr(os, "O_BINARY", 0))
        except FileNotFoundError:
            return _NONE
        except OSError as error:
            raise ProjectError(f"cannot be read: {error.strerror}", where=ENTRIES_FILE) from error
        with os.fdopen(handle, "rb") as file:
            text = file.read(_MOST_BYTES + 1)
        if len(text) > _MOST_BYTES:
            raise ProjectError("is too large to be read", where=ENTRIES_FILE, hint="delete lines that are not needed")
        return cls(text, hash_of(text.hex()))

    @cached_property
    def by_source(self) -> Mapping[str, OldEntry]:
        """The entries by the path of the post. Raises ProjectError, with the line, if one cannot be read."""
        return {each.source: each for each in self.by_line.values()}

    @cached_property
    def by_line(self) -> Mapping[int, OldEntry]:
        """The entries by line number. Raises ProjectError, with the line, if one cannot be read."""
        try:
            lines = self.text.decode("utf-8-sig").split("\n")
        except UnicodeDecodeError as error:
            raise ProjectError("is not UTF-8", where=ENTRIES_FILE, hint="save it as UTF-8") from error
        return {number: _entry(line, number) for number, line in enumerate(lines, 1) if line.strip() and line[0] != "#"}

    def get(self, source: str) -> OldEntry | None:
        """Return the entry of a post; None if the old feed did not have it."""
        return self.by_source.get(source) if self.text else None

    def with_more(self, entries: Iterable[OldEntry]) -> bytes:
        """Return the content of the file with more entries. Existing entries stay as they are."""
        before = self.text or _HEADER.encode()
        more = "".join(f"{each.line}\n" for each in entries if each.source not in self.by_source)
        return before + (b"" if before.endswith(b"\n") else b"\n") + more.encode("utf-8", "replace")


_NONE = OldEntries()


def _entry(line: str, number: int) -> OldEntry:
    cells = [cell.strip() for cell in line.split("\t")]
    source, post_id, path, moment, *rest = cells + [""] * (4 - len(cells))
    if not source or not post_id or rest or (path and path[0] != "/"):
        raise ProjectError(
            "does not consist of a post, an id, a path and a time, separated by tabs",
            where=f"{ENTRIES_FILE}:{number}",
            hint="correct the line, or delete it",
        )
    published = None
    if moment:
        with suppress(ValueError):
            published = datetime.fromisoformat(moment)
        if published is None or published.utcoffset() is None:
            raise ProjectError(
                f"{moment!r} is not a time with a time zone",
                where=f"{ENTRIES_FILE}:{number}",
                hint="write it like 2026-11-24T08:30:00Z",
            )
    return OldEntry(source, post_id, path, published)
