"""Feed readers that fetch for many people, and say for how many: Feedly, NewsBlur, Inoreader, Feedbin and others.

There is no standard for it. All that is known write "42 subscribers" (some "readers") somewhere behind their name:

    Feedly/1.0 (+http://www.feedly.com/fetcher.html; 42 subscribers; like FeedFetcher-Google)
    NewsBlur Feed Fetcher - 12 subscribers - http://www.newsblur.com/site/1/x (Mozilla/5.0 ...)
    Feedbin feed-id:1373711 - 142 subscribers
    Mozilla/5.0 (compatible; theoldreader.com; 3 subscribers; feed-id=0123)
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_COUNT = re.compile(r"(?<![\w.,-])(\d{1,3}(?:,\d{3})+|\d{1,9})\s+(?:subscriber|reader)s?\b", re.IGNORECASE)
_COMPATIBLE = re.compile(r"^Mozilla/[\d.]+ \((?:compatible|[^;()]+); *", re.IGNORECASE)
_NAME_ENDS = re.compile(r"/|[;()]| [-–](?: |$)| feed-id|\s*\+?https?:| \d", re.IGNORECASE)
_LONGEST_AGENT, _LONGEST_NAME = 500, 40
# Nobody's feed has more; a larger number is a joke.
_MOST = 100_000_000


@dataclass(frozen=True, slots=True)
class Announced:
    """What a feed reader says: its name as one knows it, and for how many it fetches."""

    reader: str
    subscribers: int


def announced(user_agent: str) -> Announced | None:
    """Return what a user agent says of its subscribers; None where it says nothing of them."""
    agent = user_agent[:_LONGEST_AGENT]
    count = _COUNT.search(agent)
    if count is None:
        return None
    number = int(count[1].replace(",", ""))
    name = _name(agent[: count.start()])
    return Announced(name, number) if name and number <= _MOST else None


def _name(before: str) -> str:
    """The reader's name out of what stands before the number: letters of any script, digits and a few marks."""
    bare = _COMPATIBLE.sub("", before.strip(), count=1)
    bare = _NAME_ENDS.split(bare, maxsplit=1)[0]
    plain = "".join(c for c in bare if c.isalnum() or c in " .-_!&'")
    short = re.sub(r"\s+(feed ?fetcher|bot)$", "", " ".join(plain.split()), flags=re.IGNORECASE)
    return short.strip(" .-_")[:_LONGEST_NAME]
