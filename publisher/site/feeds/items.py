"""The entries of feeds, which are the same for every format: their sources, contents and weights."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Protocol
from urllib.parse import quote

from publisher.config import Config
from publisher.core import patterns
from publisher.core.frozen import dataclass
from publisher.core.models import Author, Enclosure, Episode, Image, Post, RenderedPost
from publisher.posts.archive import Archive
from publisher.posts.published import authority_of
from publisher.site.feeds.feed_text import directed, edition_html, feed_html, fitting_pictures, plain_lines, xml_text
from publisher.site.web_versions import WebVersion


@dataclass(frozen=True, slots=True)
class Item:
    """An entry of a feed. Its texts contain only characters that XML allows.

    id        a URI, which Atom requires
    guid      the id for RSS and JSON, exactly as an old feed wrote it
    title     "" for a post without a title
    label     a name for a post without a title, for Atom, which requires one
    html      the full text; "" in a feed of summaries
    external_url  the page elsewhere that a link post is about; "" for other entries
    summary   plain text, never empty
    markdown  the Markdown source of the post; "" unless feeds.markdown is set
    """

    id: str
    url: str
    title: str
    published: datetime
    updated: datetime
    summary: str
    html: str
    language: str
    authors: tuple[Author, ...] = ()
    tags: tuple[str, ...] = ()
    image: Image | None = None
    enclosures: tuple[Enclosure, ...] = ()
    episode: Episode | None = None
    external_url: str = ""
    markdown: str = ""
    label: str = ""
    guid: str = ""

    @property
    def short(self) -> Item:
        """The entry without its full text, for a feed in which the text does not fit."""
        return replace(self, html="", markdown="")

    @property
    def distinct_updated(self) -> datetime:
        """The time `updated`, with a fraction of a second derived from the id.

        Posts that appear at the same moment, such as translations, must not share an atom:updated, because RFC 4287
        section 4.1.1 allows that only for copies of one entry.
        """
        return self.updated.replace(microsecond=0) + _fraction(self.id)


@lru_cache(maxsize=4096)
def _fraction(item_id: str) -> timedelta:
    """Return a fraction of a second that depends on an id. Cached because an entry is in many feeds."""
    return timedelta(microseconds=int.from_bytes(hashlib.blake2b(item_id.encode(), digest_size=4).digest()) % 1_000_000)


# How many posts are loaded at a time.
_AT_ONCE = 20

# Formats that no other program reads as Markdown.
_OTHER_FORMATS = (".mdx", ".qmd", ".rst")


class ItemSource(Protocol):
    """A source that makes entries from their keys. It knows their digests and weights without making them."""

    def digest(self, key: str) -> str:
        """Return a string that changes whenever the entry may change. This is cheap."""
        ...

    def weights(self, keys: Sequence[str]) -> list[int]:
        """Return an upper bound for the bytes of the entry of each key, in the largest format.

        Calling it again for the same keys is cheap.
        """
        ...

    def items(self, keys: Sequence[str]) -> list[Item]:
        """Return the entries in the order of `keys`."""
        ...


class PostSource:
    """A source of entries for posts, whose keys are paths. Each entry is made once, however many feeds show it."""

    def __init__(
        self,
        config: Config,
        archive: Archive,
        render: Callable[[Post], RenderedPost],
        expect: Callable[[Iterable[Post]], None] | None = None,
    ) -> None:
        """Store how to render. expect: receives the posts to be rendered next, so that rendering can start early."""
        self._config, self._archive, self._render, self._expect = config, archive, render, expect
        self.authority = archive.settings.authority
        self._made: dict[str, Item] = {}
        self._kind = f"{config.feeds.content}{'+markdown' * config.feeds.markdown}"
        self._weights: dict[str, int] | None = None

    def digest(self, key: str) -> str:
        """Return a digest of everything that determines the post in a feed."""
        return self._archive.digest(key)

    def known_weights(self) -> dict[str, int]:
        """Return the weights that are known without rendering a post, by key."""
        if self._weights is None:
            self._weights = self._archive.weights(self._kind)
        return self._weights

    def weights(self, keys: Sequence[str]) -> list[int]:
        """Return the weight of each post in a feed, in bytes."""
        known = self.known_weights()
        self._expect_entries([key for key in keys if key not in known])
        fresh: dict[str, int] = {}
        try:
            for key in keys:
                if key not in known:
                    known[key] = fresh[key] = item_weight(self.items([key])[0])
        finally:
            # An unreadable body ends the loop. The weights so far are kept, so that no post is rendered again for them.
            if fresh:
                self._archive.keep_weights(self._kind, fresh)
        return [known[key] for key in keys]

    def weigh(self, rendered: RenderedPost) -> None:
        """Record the weight of a post, so that it is not rendered again just to be weighed. Its entry is not kept."""
        self.known_weights()[rendered.post.source] = item_weight(self._item(rendered))

    def keep_weights(self) -> None:
        """Store the weights that are known."""
        self._archive.keep_weights(self._kind, self.known_weights())

    def items(self, keys: Sequence[str]) -> list[Item]:
        """Return the posts as items. Posts that have no item yet are rendered first."""
        missing = [key for key in keys if key not in self._made]
        self._expect_entries(missing)
        for post in self._archive.load(missing):
            self._made[post.source] = self._item(self._render(post))
        return [self._made[key] for key in keys]

    def _item(self, rendered: RenderedPost) -> Item:
        config, post = self._config, rendered.post
        markdown = self._markdown(post.source) if config.feeds.markdown and not post.from_source else ""
        return post_item(
            rendered,
            self.authority,
            full=config.feeds.content == "full",
            markdown=markdown,
            feed_language=config.site.language,
            is_old=self._archive.settings.old.get(post.source) is not None,
        )

    def _expect_entries(self, keys: Sequence[str]) -> None:
        if self._expect is not None and len(keys) > 1:
            starts = range(0, len(keys), _AT_ONCE)
            self._expect(post for start in starts for post in self._archive.load(keys[start : start + _AT_ONCE]))

    def _markdown(self, source: str) -> str:
        if source.lower().endswith(_OTHER_FORMATS):
            return ""
        from publisher.posts.front_matter.parsing import markdown_of  # not at the top: few feeds have Markdown

        return markdown_of(self._archive.read(source), fix_encoding=self._config.posts.fix_encoding)


def post_item(
    rendered: RenderedPost,
    authority: str,
    *,
    full: bool,
    markdown: str = "",
    feed_language: str = "",
    is_old: bool = False,
) -> Item:
    """Return the entry of a post.

    authority      the authority of tag URIs, such as "example.org,2024"
    full           whether the entry has the full text
    markdown       the Markdown source of the post, if it should be in the entry
    feed_language  the language of the feed, which may differ from the post's
    is_old         whether its id is from an old feed. Feed readers know that id, so it is only changed if a format
                   requires it
    """
    post = rendered.post
    title = xml_text(post.title)
    return Item(
        id=entry_id(post.id, authority, is_old=is_old),
        guid=xml_text(post.id) if is_old else "",
        url=post.url,
        title=title if post.has_title else "",
        label=title,
        published=post.published,
        updated=post.updated,
        summary=xml_text(rendered.excerpt) or title,
        html=directed(feed_html(fitting_pictures(rendered)), post.language, feed_language) if full else "",
        language=post.language,
        authors=tuple(Author(xml_text(a.name), xml_text(a.email), xml_text(a.url)) for a in post.authors),
        tags=tuple(xml_text(tag.name) for tag in post.tags),
        image=_fitting_image(rendered),
        enclosures=post.enclosures,
        episode=replace(post.episode, title=xml_text(post.episode.title)) if post.episode else None,
        external_url=post.external_url,
        markdown=xml_text(markdown),
    )


def _fitting_image(rendered: RenderedPost) -> Image | None:
    image = rendered.post.image
    found = rendered.picture(image.url) if image else None
    return replace(image, url=found.fitting) if image and found else image


# A URI that every feed reader accepts (RFC 3986), with a scheme that needs no resolving.
_URI = patterns.compile(r"(?:tag:|urn:[A-Za-z0-9][A-Za-z0-9-]+:|https?://)[A-Za-z0-9!#$%&'()*+,./:;=?@_~-]+")


# Any other URI or IRI (RFC 3987), which an old feed may have had.
_IRI = patterns.compile(r"[A-Za-z][A-Za-z0-9+.-]*+:[^\s<>\"{}|\\^`]+")


def entry_id(written: str, authority: str, *, is_old: bool = False) -> str:
    """Return the id of a post for feeds. Atom requires a URI, so any other id becomes part of a tag URI (RFC 4151).

    is_old  whether the id is from an old feed, which may have had any kind of URI
    """
    written = xml_text(written)
    is_uri = _URI.fullmatch(written) or (is_old and _IRI.fullmatch(written))
    return written if is_uri else f"tag:{authority}:id:{quote(written, safe='')}"


class EditionSource:
    """A source of entries for the editions of a newsletter. Their keys are slots (scheduled times)."""

    def __init__(self, config: Config, name: str, copies: Sequence[WebVersion]) -> None:
        self._config = config
        # Editions for subscribers who chose a different frequency have the same posts.
        own = [copy for copy in copies if copy.edition.newsletter == name and not copy.edition.frequency]
        self._copies = {copy.edition.slot: copy for copy in own}
        self.keys = list(self._copies)

    def digest(self, key: str) -> str:
        """Return a digest of everything that determines the edition in a feed."""
        edition = self._copies[key].edition
        return f"{edition.id}:{edition.slot}:{edition.dated.isoformat()}:{self._config.editions_url}"

    def weights(self, keys: Sequence[str]) -> list[int]:
        """Return the weight of each edition in a feed, in bytes."""
        return [self._weight(self._copies[key]) for key in keys]

    def _weight(self, copy: WebVersion) -> int:
        """Return the weight of an entry with its whole web version, because removing the layout would take too long."""
        bare = self._item(WebVersion(copy.edition, "<html></html>"))
        return item_weight(replace(bare, html=copy.html if self._config.feeds.content == "full" else ""))

    def items(self, keys: Sequence[str]) -> list[Item]:
        """Return the editions as items."""
        return [self._item(self._copies[key]) for key in keys]

    def _item(self, copy: WebVersion) -> Item:
        edition, config = copy.edition, self._config
        newsletter = config.newsletter(edition.newsletter)
        person = config.site.author
        authority = authority_of(config)
        titles = ", ".join(post.title for post in edition.posts if post.url)
        language = config.newsletter_language(newsletter) if newsletter else config.site.language
        html = edition_html(copy.html) if config.feeds.content == "full" else ""
        return Item(
            id=f"tag:{authority}:edition:{edition.newsletter}:{quote(edition.slot, safe='')}",
            url=config.editions_url + quote(edition.path),
            title=plain_lines(edition.subject),
            published=edition.dated.replace(microsecond=0),
            updated=edition.dated.replace(microsecond=0),
            summary=plain_lines(titles) or plain_lines(edition.subject),
            html=directed(html, language, language),
            language=language,
            authors=(Author(person.name, person.email, person.url),) if person.name else (),
        )


# Upper bounds for the bytes of field names, tags and dates around an entry, an author, a tag, an enclosure, an episode,
# a transcript, and a picture's texts.
_ENTRY, _PERSON, _TAG, _ENCLOSURE, _EPISODE, _TRANSCRIPT, _IMAGE = 900, 120, 40, 250, 400, 60, 80


def item_weight(item: Item) -> int:
    """Return an upper bound for the bytes of an entry in the largest of RSS, Atom and JSON Feed."""
    image = item.image
    texts = [item.id, item.url, item.label, item.title, item.title, item.summary, item.language, item.external_url]
    texts += [text for author in item.authors for text in (author.name, author.email, author.url)]
    texts += item.tags
    texts += [text for each in item.enclosures for text in (each.url, each.media_type)]
    texts += [image.url, image.url, image.url, image.alt, image.caption] if image else []
    fixed = _ENTRY + _PERSON * len(item.authors) + _TAG * len(item.tags) + _ENCLOSURE * len(item.enclosures)
    fixed += _IMAGE if image else 0
    if item.episode:
        texts += [
            item.episode.title,
            item.episode.chapters,
            *(text for pair in item.episode.transcripts for text in pair),
        ]
        fixed += _EPISODE + _TRANSCRIPT * len(item.episode.transcripts)
    # Without full text, a JSON Feed entry has the summary twice: as the required content_text, and as summary.
    content = markup_weight(item.html or item.summary)
    return fixed + sum(map(text_weight, filter(None, texts))) + content + text_weight(item.markdown)


def text_weight(text: str) -> int:
    """Return an upper bound for the bytes of a text that is escaped twice, where & may become &#x26;amp;."""
    size = len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))
    marks = text.count("&") + text.count("<") + text.count(">")
    return size + 9 * marks + 5 * sum(map(text.count, '"\\\n\t'))


def markup_weight(html: str) -> int:
    """Return an upper bound for the bytes of a full text, as CDATA in RSS, escaped in Atom, or quoted in JSON."""
    size = len(html) if html.isascii() else len(html.encode("utf-8", "surrogatepass"))
    section = 12 * html.count("]]>")
    escaped = 4 * html.count("&") + 3 * (html.count("<") + html.count(">"))
    return size + max(section, escaped, sum(map(html.count, '"\\\n\t')))
