"""The table about the feeds of other sites: [[sources]]."""

from __future__ import annotations

from typing import Annotated, Literal

from publisher.config import checks
from publisher.config.keys import Check, Doc
from publisher.core.frozen import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemFilter:
    """[sources.include] or [sources.exclude]: the items to take or to leave out. An item matches if any value does."""

    categories: Annotated[tuple[str, ...], Doc("Names of categories or tags.")] = ()
    authors: Annotated[tuple[str, ...], Doc("Names of authors.")] = ()
    title_words: Annotated[tuple[str, ...], Doc("Words or phrases of the title.")] = ()

    def __bool__(self) -> bool:
        return bool(self.categories or self.authors or self.title_words)


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceConfig:
    """[[sources]]: the feed of another site, whose items become posts."""

    name: Annotated[
        str, Check(checks.source_name), Doc("Short and permanent: used in commands and in `newsletters.sources`.")
    ]
    url: Annotated[str, Check(checks.feed_address), Doc("Address of the feed: RSS, Atom or JSON Feed.")]
    title: Annotated[str, Doc("Name that readers see. Default: the title of the feed.")] = ""
    content: Annotated[
        Literal["feed", "excerpt"], Doc("Take the whole text from the feed, or only an excerpt of it.")
    ] = "feed"
    include: Annotated[ItemFilter, Doc("Take only the items that match. Empty takes all items.")] = ItemFilter()
    exclude: Annotated[ItemFilter, Doc("Leave out the items that match.")] = ItemFilter()
    max_items: Annotated[
        int, Check(checks.between(1, 20_000)), Doc("How many of the feed's newest items are looked at.")
    ] = 1_000
    republish: Annotated[
        bool, Doc("Whether the items get pages on this site; otherwise links lead to where they were published.")
    ] = False
    user: Annotated[str, Doc("User name, if the feed asks for one.")] = ""
    password_file: Annotated[str, Doc("File that contains the password.")] = ""
    allow_private: Annotated[
        bool, Doc("Whether the feed may be on this machine or in a private network, which is refused otherwise.")
    ] = False
