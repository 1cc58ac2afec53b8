"""Everything that rendering a body needs to know about its post and the archive, to be sent to a child process.

A child that is a new interpreter would otherwise load the archive and its database.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

from publisher.core.file_names import composed
from publisher.posts.cache_keys import hash_of, stamp_of
from publisher.posts.named_files import NamedFiles
from publisher.posts.permalinks import is_feed, is_page_of_site
from publisher.posts.post_file import PostSettings
from publisher.posts.scan import is_item
from publisher.posts.urls import has_file


class WrittenPost(NamedTuple):
    """The data, besides its file, on which rendering a post's body depends. The fields are those of Post.

    text         the text to render instead of the file, which has an error; None to read the file
    is_personal  whether it is sent by email only, and can address each subscriber
    """

    source: str
    url: str
    title: str
    excerpt: str
    excerpt_separator: str
    files: tuple[tuple[str, str], ...]
    text: bytes | None = None
    is_personal: bool = False


class Places:
    """Where the public posts of an archive are, and what else is on the site.

    folder      the posts folder
    permalinks  the permalink of each post, by source path; the whole URL if its page is elsewhere
    others      the permalinks of files in other folders, by their composed path in the project: for posts, the
                standalone pages; for pages, the posts
    earlier     the earlier paths of posts, from which the site redirects to them
    by_email    the sources of the posts that are sent by email only, so that no link can lead to them
    """

    def __init__(
        self,
        folder: Path,
        permalinks: Mapping[str, str],
        settings: PostSettings,
        others: Mapping[str, str],
        earlier: frozenset[str] = frozenset(),
        by_email: frozenset[str] = frozenset(),
    ) -> None:
        self._earlier, self.by_email = earlier, by_email
        self.folder, self.permalinks, self.others = folder, permalinks, others
        self._root, self._static, self._has_pages = settings.root, settings.places, settings.has_pages
        self._stems: dict[str, list[str]] | None = None
        self._composed: dict[str, str] | None = None
        self._pages: frozenset[str] | None = None
        self._named: NamedFiles | None = None
        self._written = settings.written

    def source_of(self, path: str) -> str | None:
        """Return the source of the public post at a path, which may be in another Unicode form; else None."""
        if path in self.permalinks:
            return path
        if self._composed is None:
            self._composed = {composed(source): source for source in self.permalinks if not source.isascii()}
        return self._composed.get(composed(path))

    def has(self, path: str) -> bool:
        """Return whether the site has a page or a feed at a path from its root, or the project a file to publish."""
        if self._pages is None:
            gone = {self.permalinks[source] for source in self.by_email if source in self.permalinks}
            self._pages = (frozenset(self.permalinks.values()) - gone) | self._earlier
        folder = f"{path.rstrip('/')}/"
        if not self._pages.isdisjoint((path, folder, f"{path}.html", path.removesuffix("index.html"))):
            return True
        if is_feed(path) or (self._has_pages and is_page_of_site(path)):
            return True
        return has_file(self._root, self._static, path)

    def where(self, target: str) -> str:
        """Return where the target of a link is, as a text that changes when the target moves; "" if it does not exist.

        target  the source of a post, or a path from the root of the site; after "../", a path from the root of the
                project; after "./", the path of a file that is part of the post, where the text changes with the file's
                content; after "*/", the key of a name
        """
        if target.startswith("./"):
            return stamp_of(self._root / target[2:])
        if target.startswith("*/"):
            return self.named.all_of(target[2:])
        if target.startswith("../"):
            return self.others.get(target[3:], "")
        if target.startswith("/"):
            return str(self.has(target))
        return self.permalinks.get(target, "") + (" by email" if target in self.by_email else "")

    def with_links(self, digests: Mapping[str, str], links: Mapping[str, Iterable[str]]) -> dict[str, str]:
        """Return the digests of posts, which also change when the targets of their links move.

        links  the targets in each post, as `where` takes them; "*" stands for a list of all posts
        """
        found, all_posts = dict(digests), ""
        for source, targets in links.items():
            if source in digests:
                if "*" in targets:
                    all_posts = all_posts or hash_of(*digests.values())
                found[source] = hash_of(digests[source], *(all_posts if t == "*" else self.where(t) for t in targets))
        return found

    @property
    def named(self) -> NamedFiles:
        """The public posts, the pages and the files in the posts folder, by name."""
        if self._named is None:
            top = self.folder.relative_to(self._root).as_posix() if self.folder.is_relative_to(self._root) else "."
            pages = [posixpath.relpath(path, top) for path in self.others]
            sources = [source for source in self.permalinks if not is_item(source)]
            written = frozenset(posixpath.relpath(path, top) for path in self._written)
            self._named = NamedFiles(self.folder, sources, pages, written)
        return self._named

    def by_stem(self) -> dict[str, list[str]]:
        """Return the sources of the public posts, by file name without the extension, in composed Unicode."""
        if self._stems is None:
            self._stems = {}
            for source in self.permalinks:
                stem = composed(source.rpartition("/")[2].rpartition(".")[0])
                self._stems.setdefault(stem, []).append(source)
        return self._stems
