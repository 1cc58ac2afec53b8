"""The addresses of the standalone pages, by their files. Links from posts need only the addresses, not the texts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from functools import lru_cache

from publisher.config import Config
from publisher.core.file_names import composed
from publisher.core.models import Post
from publisher.posts.adopted_entries import OldEntries
from publisher.posts.cache_keys import hash_of
from publisher.posts.post_file import Entry, PostSettings
from publisher.posts.scan import Scan, scan_pages

# /about/ for pages/about.md, and /team/ada/ for pages/team/ada.md.
_PATTERN = "/{folder}/{slug}/"


def page_config(config: Config) -> Config:
    """Return the configuration in which the posts folder is the folder of pages."""
    return replace(config, posts=replace(config.posts, folder=config.pages.folder, permalink=_PATTERN))


def page_settings(config: Config) -> PostSettings:
    """Return the settings for reading pages. config: from page_config()."""
    return replace(PostSettings.of(config), needs_date=False, published_id=lambda _: "", old=OldEntries())


def page_heads(config: Config, found: Scan) -> Iterator[Entry]:
    """Read the front matter of the pages that scan_pages() has found. config: from page_config()."""
    from publisher.posts.head import read_file  # a project without pages saves its 0.02 s

    folder, settings = f"{config.root / config.posts.folder}/", page_settings(config)
    return (read_file(folder, source, found.found[source], settings, 0) for source in sorted(found.found))


def public_pages(config: Config, now: datetime) -> list[Post]:
    """Return the pages that are public at a moment, without their texts, sorted by path."""
    found = scan_pages(config)
    pages = _pages(config, _state(config, found)) if found else ()
    return [page for page in pages if page.published <= now and not (page.expires and page.expires <= now)]


def page_permalinks(config: Config, now: datetime) -> dict[str, str]:
    """Return the permalinks of the public pages by the paths of their files in the project (in composed Unicode)."""
    return {composed(f"{config.pages.folder}/{page.source}"): page.permalink for page in public_pages(config, now)}


def _state(config: Config, found: Scan) -> str:
    """Return a text that changes with the files of the pages, and with the defaults in their tool's files."""
    return hash_of(repr(found), page_settings(page_config(config)).for_posts(found).inherited)


@lru_cache(maxsize=4)
def _pages(config: Config, state: str) -> tuple[Post, ...]:
    """Return the pages. state: the key of the cache, which changes with the files of the pages."""
    del state
    found = scan_pages(config)
    heads = page_heads(page_config(config), found) if found else ()
    return tuple(parsed.post for _, _, _, parsed in heads if parsed.post)
