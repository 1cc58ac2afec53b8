"""The list of a site's feeds, with the paths of their files and the keys of their entries; no post is read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from urllib.parse import quote

from publisher.config import Config, FeedName
from publisher.core.frozen import dataclass
from publisher.core.i18n import own_name
from publisher.posts.archive import Archive
from publisher.site.feeds.items import EditionSource, ItemSource, PostSource
from publisher.site.web_versions import WebVersion

MEDIA_TYPES = {"rss": "application/rss+xml", "atom": "application/atom+xml", "json": "application/feed+json"}
OPML_FILE = "feeds.opml"
_NAMES = {"rss": ("feed", "xml"), "atom": ("atom", "xml"), "json": ("feed", "json")}


@dataclass(frozen=True, slots=True)
class Feed:
    """A feed, which is published in every configured format.

    folder  folder of its files, relative to the site: "" or "tags/ruby/"
    id      permanent tag URI (RFC 4151), which does not change with the domain
    page    absolute URL of the page that shows the same entries
    keys    keys of its entries, newest first
    source  makes the Item for each key
    names   other names of the current document; the first one in a format replaces the usual name
    group   its group in lists of feeds: "site", "tags", "authors" or "newsletters"
    label   its name within that group
    """

    folder: str
    id: str
    title: str
    description: str
    page: str
    language: str
    keys: Sequence[str]
    source: ItemSource
    group: str
    label: str
    names: tuple[FeedName, ...] = ()

    @property
    def has_description(self) -> bool:
        """Whether the description adds something to the title. RSS requires one anyway; other formats leave it out."""
        return self.description not in ("", self.title)

    def path(self, kind: str, number: int = 0) -> str:
        """Return the path in the URL of a document, relative to the site.

        kind    format of the document: "rss", "atom" or "json"
        number  number of an archive document, from 1; 0 for the current document
        """
        own = (name.path for name in self.names if name.kind == kind and not number)
        return next(own, f"{self.folder}{file_name(kind, number)}")

    def files(self, formats: Sequence[str], number: int = 0) -> Iterator[FeedName]:
        """Yield every name of a document, with the path of its file. formats: the formats of all feeds of the site."""
        yield from self.names if not number else ()
        for kind in formats:
            path = f"{self.folder}{file_name(kind, number)}"
            yield FeedName(path, kind, path)


def file_name(kind: str, number: int = 0) -> str:
    """Return the file name of a document, such as feed.xml, atom.xml or feed.json, or feed-3.xml in the archive."""
    name, ending = _NAMES[kind]
    return f"{name}-{number}.{ending}" if number else f"{name}.{ending}"


def feeds_of(
    config: Config, archive: Archive, posts: PostSource, editions: Sequence[WebVersion] = ()
) -> Iterator[Feed]:
    """Yield the main feed, then one for each other language, each tag, each author, and each newsletter with editions.

    Tags and authors are sorted by slug. If a site has only one author, there is no feed for that author, because it
    would be the same as the main feed.
    """
    maker = _Maker(config, posts)
    site = config.site
    main = archive.in_language(site.language) if site.languages else archive.in_feeds()
    yield maker.feed("", site.title, site.description or site.title, main, "site", site.title)
    yield from _languages(config, archive, maker)
    if config.feeds.per_tag:
        by_tag = archive.by_tag()
        for tag in archive.tags():
            if tag.slug in by_tag:
                about = f"Posts about {tag.name} from {site.title}"
                yield maker.feed(f"tags/{tag.slug}/", tag.name, about, by_tag[tag.slug], "tags", tag.name)
    if config.feeds.per_author:
        authors = archive.by_author()
        for slug, (name, sources) in sorted(authors.items()) if len(authors) > 1 else ():
            yield maker.feed(f"authors/{slug}/", name, f"Posts by {name} from {site.title}", sources, "authors", name)
    if config.feeds.editions:
        yield from _newsletters(config, maker, editions)


def _languages(config: Config, archive: Archive, maker: _Maker) -> Iterator[Feed]:
    for language in config.site.all_languages[1:]:
        sources = archive.in_language(language)
        if sources:
            yield maker.in_language(language, sources)


def _newsletters(config: Config, maker: _Maker, editions: Sequence[WebVersion]) -> Iterator[Feed]:
    for newsletter in config.newsletters:
        source = EditionSource(config, newsletter.name, editions)
        if source.keys:
            title = config.newsletter_title(newsletter)
            yield Feed(
                folder=f"editions/{newsletter.name}/",
                id=maker.id(f"editions/{newsletter.name}/"),
                title=title,
                description=newsletter.description or f"Every edition of {title}",
                page=feed_url(config, f"editions/{newsletter.name}/" if config.pages.enabled else ""),
                language=config.newsletter_language(newsletter),
                keys=source.keys,
                source=source,
                group="newsletters",
                label=title,
            )


class _Maker:
    """Makes the feeds of posts, which share the site's title, language and source of entries."""

    def __init__(self, config: Config, posts: PostSource) -> None:
        self._config, self._posts = config, posts

    def id(self, folder: str) -> str:
        """Return the permanent id of the feed in a folder."""
        return f"tag:{self._posts.authority}:feed" + (f":{quote(folder)}" if folder else "")

    def in_language(self, language: str, keys: Sequence[str]) -> Feed:
        """Return the feed of the posts in a language other than the site's usual one.

        It has the main feed's other names in its own folder, like index.xml and fr/index.xml in Hugo.
        """
        name, site, others = own_name(language), self._config.site, self._config.feeds.other_names
        folder, taken = site.language_folder(language), {other.path for other in others}
        names = (each._replace(path=f"{folder}{each.path}", file=f"{folder}{each.file}") for each in others)
        made = self.feed(folder, name, site.description or site.title, keys, "site", name)
        return replace(made, language=language, names=tuple(each for each in names if each.path not in taken))

    def feed(self, folder: str, title: str, about: str, keys: Sequence[str], group: str, label: str) -> Feed:
        """Return the feed in a folder."""
        config = self._config
        return Feed(
            folder=folder,
            id=self.id(folder),
            title=f"{config.site.title}: {title}" if folder else title,
            description=about,
            page=feed_url(config, folder if config.pages.enabled and group != "authors" else ""),
            language=config.site.language,
            keys=keys,
            source=self._posts,
            group=group,
            label=label,
            names=() if folder else config.feeds.other_names,
        )


def feed_url(config: Config, path: str) -> str:
    """Return the absolute URL of a path in the output folder."""
    return f"{config.site_url}/{quote(path, safe='/._~-')}"


def feed_links(config: Config, feed: Feed) -> list[tuple[str, str, str]]:
    """Return the (title, absolute URL, media type) of a feed in each configured format."""
    return [(feed.title, feed_url(config, feed.path(kind)), MEDIA_TYPES[kind]) for kind in config.feeds.formats]


def site_image(config: Config) -> str:
    """Return the absolute URL of the site's picture, or "" if it has none."""
    image = config.site.image
    if not image or image.startswith(("http://", "https://")):
        return image
    return feed_url(config, image.lstrip("/").removeprefix(f"{config.pages.static}/"))
