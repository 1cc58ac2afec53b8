"""Standalone pages, such as About and Imprint: the Markdown files of the folder `pages`.

They have the front matter of posts, but need no date, and are in no feed, list or newsletter. There are only a few of
them, so they are read and rendered for every build, and nothing about them is stored.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from datetime import datetime
from functools import lru_cache

from publisher.config import Config
from publisher.core.file_names import composed, in_folder
from publisher.core.frozen import dataclass
from publisher.core.models import Problem, RenderedPost
from publisher.posts.archive import Archive
from publisher.posts.cache_keys import hash_of
from publisher.posts.clashes import asset_clashes, resolve_clashes
from publisher.posts.index import Index
from publisher.posts.index_rows import to_row
from publisher.posts.last_versions import LastVersions
from publisher.posts.markup import BrokenPost, Renderer
from publisher.posts.page_heads import page_config, page_heads, page_settings
from publisher.posts.scan import Scan, scan_pages


@dataclass(frozen=True, slots=True)
class StandalonePages:
    """The standalone pages of a project.

    pages        the rendered pages, sorted by path
    problems     errors of pages that are left out, and warnings
    next_change  when the next page appears or expires; None if there is no such time
    """

    pages: tuple[RenderedPost, ...] = ()
    problems: tuple[Problem, ...] = ()
    next_change: datetime | None = None

    @property
    def assets(self) -> list[tuple[str, str]]:
        """The files that the pages show, as (site path, project path), without duplicates."""
        return sorted({pair for page in self.pages for pair in page.assets})


NO_PAGES = StandalonePages()


def standalone_pages(config: Config, posts: Archive) -> StandalonePages:
    """Return the standalone pages of a project, as they are at the moment of its archive of posts.

    A page with an error is left out. Links to the files of posts lead to the pages of those posts.
    """
    found = scan_pages(config)
    if not found:
        return NO_PAGES
    permalinks = posts.places.permalinks
    settings = repr(page_settings(page_config(config)).for_posts(found))
    state = hash_of(repr(found), settings, *permalinks, *permalinks.values())
    return _read(config, posts.now, _Around(state, found, permalinks))


@dataclass(frozen=True)
class _Around:
    """The files of the pages, and the permalinks of the posts. state: a hash of both."""

    state: str
    found: Scan = field(compare=False)
    posts: Mapping[str, str] = field(compare=False)


@lru_cache(maxsize=4)
def _read(config: Config, now: datetime, around: _Around) -> StandalonePages:
    """Read and render all pages; a build needs them more than once."""
    here = page_config(config)
    settings, folder = page_settings(here), here.root / here.posts.folder
    index = Index(None, around.state)
    index.update(map(to_row, page_heads(here, around.found)), ())
    rows, clashes, _ = resolve_clashes(index.rows(), settings.folder)
    problems = [*around.found.problems, *clashes.values(), *(problem for _, problem in index.problems())]
    posts = {composed(in_folder(config.posts.folder, source)): permalink for source, permalink in around.posts.items()}
    archive = Archive(folder, index, rows, problems, now, settings, LastVersions(here), posts)
    pages, renderer = [], Renderer(archive, here, inspect=True)
    for post in sorted(archive.posts, key=lambda post: post.source):
        try:
            pages.append(renderer.render(post))
        except BrokenPost as broken:
            problems.append(broken.problem)
    problems += [problem for page in pages for problem in page.problems]
    index.close()
    problems += asset_clashes(sorted({pair for page in pages for pair in page.assets}))
    return StandalonePages(tuple(pages), tuple(problems), archive.next_change)
