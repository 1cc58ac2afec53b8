"""Where the entries of feeds come from: the archive of posts, or the editions of a newsletter."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from publisher.config import Config
from publisher.core.models import Author, Post, RenderedPost
from publisher.posts.archive import Archive
from publisher.posts.entry import Settings
from publisher.site.feeds.item import Item, post_item
from publisher.site.feeds.text import edition_html, plain_lines
from publisher.site.feeds.weight import item_weight

if TYPE_CHECKING:
    from publisher.core.newsletter_models import Edition


class Source(Protocol):
    """Tells what an entry depends on before it is made, and makes it."""

    def digest(self, key: str) -> str:
        """Return what changes whenever the entry may change; cheap."""
        ...

    def weights(self, keys: Sequence[str]) -> list[int]:
        """Return for each key at least as many bytes as its entry has in any format; cheap when asked again."""
        ...

    def items(self, keys: Sequence[str]) -> list[Item]:
        """Make the entries, in the order of `keys`; each is made once, however many feeds show it."""
        ...


class PostSource:
    """Entries of posts; the keys are the posts' paths."""

    def __init__(self, config: Config, archive: Archive, render: Callable[[Post], RenderedPost]) -> None:
        self._config, self._archive, self._render = config, archive, render
        self._authority = Settings.of(config).authority
        self._made: dict[str, Item] = {}
        self._kind = f"{config.feeds.content}{'+markdown' * config.feeds.markdown}"
        self._weights: dict[str, int] | None = None

    def digest(self, key: str) -> str:
        return self._archive.digest(key)

    def weights(self, keys: Sequence[str]) -> list[int]:
        if self._weights is None:
            self._weights = self._archive.weights(self._kind)
        known = self._weights
        fresh: dict[str, int] = {}
        try:
            for key in keys:
                if key not in known:
                    known[key] = fresh[key] = item_weight(self.items([key])[0])
        finally:
            # A body that cannot be read ends this; the others need not be rendered again to be weighed.
            if fresh:
                self._archive.keep_weights(self._kind, fresh)
        return [known[key] for key in keys]

    def items(self, keys: Sequence[str]) -> list[Item]:
        missing = [key for key in keys if key not in self._made]
        for post in self._archive.load(missing):
            full = self._config.feeds.content == "full"
            markdown = self._markdown(post.source) if self._config.feeds.markdown else ""
            self._made[post.source] = post_item(self._render(post), self._authority, full=full, markdown=markdown)
        return [self._made[key] for key in keys]

    def _markdown(self, source: str) -> str:
        return self._archive.body(source, fix_encoding=self._config.posts.fix_encoding)


@dataclass(frozen=True, slots=True)
class EditionCopy:
    """An edition with its letter for everybody: html is the web copy, a whole document."""

    edition: Edition
    html: str


class EditionSource:
    """Entries of one newsletter's editions; the keys are their slots."""

    def __init__(self, config: Config, name: str, copies: Sequence[EditionCopy]) -> None:
        self._config = config
        self._copies = {copy.edition.slot: copy for copy in copies if copy.edition.newsletter == name}
        self.keys = [copy.edition.slot for copy in copies if copy.edition.newsletter == name]

    def digest(self, key: str) -> str:
        edition = self._copies[key].edition
        return f"{edition.id}:{edition.slot}:{edition.dated.isoformat()}"

    def weights(self, keys: Sequence[str]) -> list[int]:
        return [self._weight(self._copies[key]) for key in keys]

    def _weight(self, copy: EditionCopy) -> int:
        """The weight of the whole letter: taking its layout off, as the entry does, takes longer than writing it."""
        from dataclasses import replace

        bare = self._item(EditionCopy(copy.edition, "<html></html>"))
        return item_weight(replace(bare, html=copy.html if self._config.feeds.content == "full" else ""))

    def items(self, keys: Sequence[str]) -> list[Item]:
        return [self._item(self._copies[key]) for key in keys]

    def _item(self, copy: EditionCopy) -> Item:
        from urllib.parse import quote

        edition, config = copy.edition, self._config
        newsletter = config.newsletter(edition.newsletter)
        person = config.site.author
        authority = Settings.of(config).authority
        titles = ", ".join(post.title for post in edition.posts)
        return Item(
            id=f"tag:{authority}:edition:{edition.newsletter}:{quote(edition.slot, safe='')}",
            url=config.site_url + quote(edition.path),
            title=plain_lines(edition.subject),
            published=edition.dated.replace(microsecond=0),
            updated=edition.dated.replace(microsecond=0),
            summary=plain_lines(titles) or plain_lines(edition.subject),
            html=edition_html(copy.html) if config.feeds.content == "full" else "",
            language=config.newsletter_language(newsletter) if newsletter else config.site.language,
            authors=(Author(person.name or config.site.title, person.email, person.url),),
        )
