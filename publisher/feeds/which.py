"""Which feeds a site has, and what each holds. Pure, and quick: it is asked on every build."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote

from publisher.config.keys import Config
from publisher.model import Tag
from publisher.posts.archive import Archive
from publisher.posts.entry import Settings

FILES = {
    "rss": ("feed.xml", "application/rss+xml"),
    "atom": ("atom.xml", "application/atom+xml"),
    "json": ("feed.json", "application/feed+json"),
}


@dataclass(frozen=True, slots=True)
class Feed:
    """One machine-readable list of posts, in every format that is wanted.

    folder   site-relative folder of its files, "" or "tags/ruby/"
    id       permanent (RFC 4151); the same whatever the domain
    page     absolute address of the page that shows the same posts
    sources  the posts it may hold, newest first
    """

    folder: str
    id: str
    title: str
    description: str
    page: str
    sources: Sequence[str]

    def path(self, kind: str) -> str:
        """Return the file of one format, relative to the output folder."""
        return self.folder + FILES[kind][0]


def feeds_of(config: Config, archive: Archive) -> list[Feed]:
    """Return the main feed, then one for every tag by slug."""
    authority = Settings.of(config).authority
    site = config.site
    main = Feed(
        "",
        f"tag:{authority}:feed",
        site.title,
        site.description or site.title,
        f"{config.site_url}/",
        archive.in_feeds(),
    )
    if not config.feeds.per_tag:
        return [main]
    by_tag = archive.by_tag()
    return [
        main,
        *(_tag_feed(tag, by_tag[tag.slug], config, authority) for tag in archive.tags() if tag.slug in by_tag),
    ]


def _tag_feed(tag: Tag, sources: Sequence[str], config: Config, authority: str) -> Feed:
    folder = f"tags/{tag.slug}/"
    title = f"{config.site.title}: {tag.name}"
    return Feed(
        folder,
        f"tag:{authority}:feed:{quote(folder)}",
        title,
        f"Posts about {tag.name} from {config.site.title}",
        feed_url(config, folder),
        sources,
    )


def feed_url(config: Config, path: str) -> str:
    """Return the absolute address of a file or folder of the site."""
    return f"{config.site_url}/{quote(path, safe='/._~-')}"


def feed_links(config: Config, folder: str, title: str) -> list[tuple[str, str, str]]:
    """Return (title, absolute address, media type) of one feed in every format that is written."""
    return [(title, feed_url(config, folder + FILES[kind][0]), FILES[kind][1]) for kind in config.feeds.formats]
