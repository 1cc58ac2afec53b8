"""Standalone pages, such as About and Imprint: the Markdown files of the folder `pages`.

They have the front matter of posts, but need no date, and are in no feed, list or newsletter. There are a few of them,
so they are read and rendered whenever something is built, and nothing about them is kept.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache

from publisher.config import Config
from publisher.config.private_paths import PublicFiles
from publisher.core.models import Problem, RenderedPost
from publisher.posts.archive import Archive
from publisher.posts.cache_keys import hash_of
from publisher.posts.clashes import asset_clashes, resolve_clashes
from publisher.posts.head import read_file
from publisher.posts.index import Index
from publisher.posts.last_versions import LastVersions
from publisher.posts.markup import BrokenPost, Renderer
from publisher.posts.post_file import PostSettings
from publisher.posts.scan import scan, scan_pages

# /about/ for pages/about.md, and /team/ada/ for pages/team/ada.md.
_PATTERN = "/{folder}/{slug}/"


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


def standalone_pages(config: Config, now: datetime) -> StandalonePages:
    """Return the standalone pages of a project, as they are at `now`. A page with an error is left out."""
    scanned = scan_pages(config)
    return _read(config, now, hash_of(repr(scanned))) if scanned else NO_PAGES


@lru_cache(maxsize=4)
def _read(config: Config, now: datetime, state: str) -> StandalonePages:
    """Read and render all pages; a build asks more than once. state: changes with their files."""
    here = replace(config, posts=replace(config.posts, folder=config.pages.folder, permalink=_PATTERN))
    settings = replace(PostSettings.of(here), needs_date=False, published_id=lambda _: "")
    folder = here.root / here.posts.folder
    found, problems, _ = scan(folder, settings.folder, here.root, PublicFiles(here))
    index = Index(None, state)
    index.update((read_file(f"{folder}/", source, found[source], settings, 0) for source in sorted(found)), ())
    rows, clashes = resolve_clashes(index.rows(), settings.folder)
    problems = [*problems, *clashes.values(), *(problem for _, problem in index.problems())]
    archive = Archive(folder, index, rows, problems, now, settings, LastVersions(here))
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
