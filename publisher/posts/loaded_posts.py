"""The complete posts of an archive, each of which is loaded when it is first used.

A build of a large site uses each post twice: when it plans the post's page, and when it makes the page. In between, it
keeps only what other pages show of the post, so that 100,000 complete posts are never in memory together.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, overload

from publisher.core.models import Post

if TYPE_CHECKING:
    from publisher.posts.sources.item_post import SourceSite

# How many posts are loaded at once by an iteration over all of them.
_AT_ONCE = 500


class LoadedPosts(Sequence[Post]):
    """The public posts, newest first.

    most  how many loaded posts are kept, the latest ones; None for all
    """

    def __init__(self, sources: list[str], read: Callable[[list[str]], Iterable[Post]]) -> None:
        """Load nothing. read: reads posts from the index, by their sources."""
        self._sources, self._read = sources, read
        self._loaded: OrderedDict[str, Post] = OrderedDict()
        self.most: int | None = None

    def load(self, sources: Iterable[str]) -> list[Post]:
        """Return posts in the order of `sources`, which may include posts that are not public."""
        wanted = list(sources)
        found = {source: self._loaded[source] for source in wanted if source in self._loaded}
        missing = [source for source in wanted if source not in found]
        if missing:
            fresh = {post.source: post for post in self._read(missing)}
            self._loaded |= fresh
            while self.most is not None and len(self._loaded) > self.most:
                self._loaded.popitem(last=False)
            found |= fresh
        return [found[source] for source in wanted]

    def each(self, sources: Sequence[str]) -> Iterator[Post]:
        """Yield posts in the order of `sources`, and load a few hundred at a time."""
        for start in range(0, len(sources), _AT_ONCE):
            yield from self.load(sources[start : start + _AT_ONCE])

    def __len__(self) -> int:
        return len(self._sources)

    @overload
    def __getitem__(self, index: int) -> Post: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Post]: ...
    def __getitem__(self, index: int | slice) -> Post | Sequence[Post]:
        if isinstance(index, slice):
            return self.load(self._sources[index])
        source = self._sources[index]
        return self._loaded[source] if source in self._loaded else self.load([source])[0]

    def __iter__(self) -> Iterator[Post]:
        return self.each(self._sources)


def at_moment(
    post: Post,
    now: datetime,
    site: SourceSite | None,
    translations: tuple[tuple[str, str], ...],
    also_from: tuple[str, ...] = (),
    also_ids: tuple[str, ...] = (),
) -> Post:
    """Return a post as it is at the moment `now`, with its site, its translations and its copies.

    site  the site of its source; None for a file
    """
    if post.updated > now:  # otherwise feed readers would show a future change as the newest
        post = replace(post, updated=post.published)
    if site:
        post = replace(post, from_title=site.title, from_url=site.url)
    if translations:
        post = replace(post, translations=translations)
    if also_from or also_ids:
        post = replace(post, also_from=also_from, also_ids=also_ids)
    return post
