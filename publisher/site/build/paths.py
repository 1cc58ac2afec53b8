"""Which files a build writes, without making any: what a link into the site can lead to."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from publisher.config import Config
from publisher.core.models import RenderedPost
from publisher.core.templates import Templates
from publisher.posts.archive import Archive
from publisher.site.build.files import static_files
from publisher.site.build.plan import plan_site


def built_paths(config: Config, archive: Archive, posts: Iterable[RenderedPost]) -> frozenset[str]:
    """Return the paths, relative to the output, of all files that a build writes, but for copies of editions.

    posts  whose pictures and sounds count; of others nobody knows them before they are rendered
    """

    def never(post: object) -> RenderedPost:
        raise AssertionError("planning renders nothing")

    # No post links to a page of a feed's archive; where that is cut, only rendering tells.
    config = replace(config, feeds=replace(config.feeds, archives=False))
    static = static_files(config.root / config.pages.static)
    planned = plan_site(config, archive, never, Templates(config.root / "templates"), static, (), "")
    return frozenset((*(each.path for each in planned), *(path for post in posts for path, _ in post.assets)))
