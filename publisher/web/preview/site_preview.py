"""The site as a build would write it now. All files are planned together, but each is only generated on demand."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from functools import cached_property
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from publisher.config import Config
from publisher.core.frozen import dataclass
from publisher.core.models import Output, Post, RenderedPost, UnreadablePostError
from publisher.core.templates import Templates
from publisher.posts.markup import BrokenPost, Renderer
from publisher.posts.pictures import PublishedFiles
from publisher.publishing.wiring import web_copies
from publisher.site.build.copied_files import assets, static_files
from publisher.site.build.site_files import plan_site
from publisher.site.feeds.feed_list import feeds_of
from publisher.site.feeds.items import PostSource

if TYPE_CHECKING:
    from publisher.posts.archive import Archive
    from publisher.site.feeds.feed_list import Feed
    from publisher.site.feeds.items import Item
    from publisher.site.web_versions import WebVersion

# The number of entries of a feed to show. The source view shows all entries.
SHOWN_ENTRIES = 20


@dataclass(frozen=True, slots=True)
class FeedListing:
    """A feed in the list of feeds.

    files  its files, as pairs of a format and a path in the site
    items  its newest entries
    """

    feed: Feed
    files: tuple[tuple[str, str], ...]
    items: Sequence[Item] = ()


class SitePreview:
    """The pages and feeds of an archive. Only the thread that created it may use it."""

    def __init__(self, config: Config, archive: Archive) -> None:
        self._config, self._archive = config, archive
        self._renderer = Renderer(archive, config)
        self._all_rendered = False

    def render(self, post: Post) -> RenderedPost:
        """Render a post. If that fails, mark the post as broken and raise UnreadablePostError."""
        try:
            return self._renderer.render(post)
        except BrokenPost as broken:
            self._archive.mark_broken(broken.problem, broken.source, lasting=broken.lasting)
            raise UnreadablePostError(broken.source, broken.problem) from broken

    def paths(self, posts: Sequence[Post]) -> frozenset[str]:
        """Return the paths of all files that a build writes.

        posts  the posts whose pictures are included; other pictures of posts are omitted
        """
        shown = (site_path for post in posts for site_path, _ in self.render(post).assets)
        return frozenset((*self._outputs, *shown))

    def file(self, path: str) -> bytes | None:
        """Return the content of the file at a path of the site; None if a build does not write it.

        For the path of a folder, return its index.html, and for a path such as p, p.html.
        """
        for name in (path, f"{path.rstrip('/')}/index.html".lstrip("/"), f"{path}.html"):
            if name in self._outputs:
                return self._outputs[name].make()
        return self._post_file(path)

    def missing(self) -> bytes:
        """Return the site's own 404 page, with links that lead into the preview.

        The links are absolute, because the page may be served at any depth, and so they are rewritten.
        """
        base = f"{urlsplit(self._config.site_url).path}/"
        found = self._outputs["404.html"].make() if self.has("404.html") else b"There is no such file."
        return found.replace(f'="{base}'.encode(), b'="/site/')

    def has(self, path: str) -> bool:
        """Return whether a build writes a file with this path, other than a picture of a post."""
        return path in self._outputs

    def feeds(self) -> list[FeedListing]:
        """Return all feeds, without their entries."""
        formats = self._config.feeds.formats
        return [FeedListing(feed, tuple((kind, feed.path(kind)) for kind in formats)) for feed in self._feeds]

    def feed(self, folder: str) -> FeedListing | None:
        """Return the feed in a folder of the site with its newest entries; None if the folder has no feed.

        folder  the path of the folder, or "" for the main feed
        """
        found = next((each for each in self.feeds() if each.feed.folder == folder), None)
        if found is None:
            return None
        items = found.feed.source.items(found.feed.keys[:SHOWN_ENTRIES])
        return FeedListing(found.feed, found.files, items)

    def pages(self) -> list[tuple[str, str]]:
        """Return the pages that can be chosen, as (title, path): the main pages of the site, then the newest posts."""
        fixed = (("Index", ""), ("Archive", "archive/"), ("Tags", "tags/"), ("Newsletter", "editions/"))
        more = (("Subscribe", "subscribe/"), ("Feeds", "feeds/"))
        own = [(title, path) for title, path in (*fixed, *more) if self.has(f"{path}index.html")]
        newest = [post for post in self._archive.posts[:12] if not post.is_elsewhere]
        return [*own, *((post.title, post.permalink.lstrip("/")) for post in newest)]

    def _post_file(self, path: str) -> bytes | None:
        """Return a file that is shown in a post, such as a picture; None if no post shows it.

        If the file is not found at first, all posts are rendered to find the files that they show.
        """
        self._renderer.remember()
        wanted = [pair for pair in self._archive.assets() if pair[0] == path]
        if not wanted and not self._all_rendered:
            self._all_rendered = True
            for post in self._archive.posts:
                with suppress(UnreadablePostError):
                    self.render(post)
            return self._post_file(path)
        return next((output.make() for output in assets(PublishedFiles(self._config), wanted)), None)

    @cached_property
    def _templates(self) -> Templates:
        return Templates(self._config.root / "templates")

    @cached_property
    def _web_versions(self) -> Sequence[WebVersion]:
        return web_copies(self._config, self._archive.now).load()

    @cached_property
    def _feeds(self) -> list[Feed]:
        source = PostSource(self._config, self._archive, self.render)
        return list(feeds_of(self._config, self._archive, source, self._web_versions))

    @cached_property
    def _outputs(self) -> dict[str, Output]:
        config = self._config
        static = static_files(config).outputs
        planned = plan_site(config, self._archive, self.render, self._templates, static, self._web_versions)
        found: dict[str, Output] = {}
        for output in planned:
            found.setdefault(output.path, output)
        return found
