"""The data types for sources: the feed of another site as it was read, before it is known which items are new."""

from __future__ import annotations

from datetime import datetime

from publisher.core.frozen import dataclass
from publisher.core.models import Author, Enclosure, Episode, Image, require_aware


@dataclass(frozen=True, slots=True)
class FeedItem:
    """An item of a feed, in the form that every kind of feed shares. Texts are clean, and URLs absolute.

    guid        the item's id in the feed (RSS <guid>, Atom <id>, JSON Feed id); "" if it has none
    link        the item's page; "" if it has none
    title       plain text; "" if it has none
    html        the whole text as safe HTML; "" if the feed has only a summary
    summary     plain text; "" if there is none
    categories  the names of its categories or tags, in the feed's order, without duplicates
    published   when it was published according to the feed; None if the feed doesn't say, or if the date can't be
                parsed
    image       the picture that represents it
    """

    guid: str
    link: str
    title: str
    html: str = ""
    summary: str = ""
    authors: tuple[Author, ...] = ()
    categories: tuple[str, ...] = ()
    published: datetime | None = None
    updated: datetime | None = None
    image: Image | None = None
    enclosures: tuple[Enclosure, ...] = ()
    episode: Episode | None = None
    language: str = ""

    def __post_init__(self) -> None:
        require_aware("published", self.published)
        require_aware("updated", self.updated)


@dataclass(frozen=True, slots=True)
class FeedPace:
    """What a feed says about how often it should be fetched.

    minutes     the least number of minutes between two fetches (RSS <ttl>, sy:updatePeriod); 0 if not given
    skip_hours  the hours of the day, in UTC, in which nothing changes (RSS <skipHours>)
    skip_days   the days of the week, Monday being 0, in UTC, on which nothing changes (RSS <skipDays>)
    """

    minutes: int = 0
    skip_hours: frozenset[int] = frozenset()
    skip_days: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class FeedDocument:
    """A feed as it was read: the data about the feed itself, and its items in its own order.

    kind         "rss", "atom" or "json"
    link         the page that the feed belongs to
    url          its own address, according to the feed (rel=self, feed_url); "" if it names none
    hub          the WebSub hub that it names; "" if there is none
    icon         a picture of the site; "" if it names none
    problems     the faults in it, although it could be read: one phrase for each, to follow "the feed"
    """

    kind: str
    title: str
    link: str
    items: tuple[FeedItem, ...]
    description: str = ""
    language: str = ""
    url: str = ""
    hub: str = ""
    icon: str = ""
    pace: FeedPace = FeedPace()
    problems: tuple[str, ...] = ()
