"""Find the problems of posts: in front matter, bodies, links, attached files and pages, and their sizes in feeds."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import PurePosixPath
from urllib.parse import urlsplit

from publisher.config import Config
from publisher.core.models import Problem, RenderedPost, Severity
from publisher.posts.archive import Archive
from publisher.posts.chosen_paths import unmoved_page
from publisher.posts.front_matter.enclosures import unknown_lengths
from publisher.posts.markup import BrokenPost, Renderer
from publisher.posts.permalinks import is_served, site_path
from publisher.posts.rendering.rendered_body import LocalLink
from publisher.posts.urls import leads_out
from publisher.publishing.page_check import page_problems
from publisher.site.build.site_files import standalone_problems
from publisher.site.feeds.feed_files import size_problems
from publisher.site.feeds.items import PostSource


def post_problems(
    config: Config,
    archive: Archive,
    now: datetime,
    progress: Callable[[int, int], None] | None,
    site_paths: Callable[[], frozenset[str]],
    menu_line: int = 0,
) -> list[Problem]:
    """Render every post once; return the problems of front matter, bodies, links, attached files and pages.

    progress    called with the number of posts done and their total
    site_paths  returns the paths of the files that a build writes, except files that only the bodies of posts show
    menu_line   the line of the menu in publisher.toml
    """
    renderer = Renderer(archive, config, inspect=True)
    source = PostSource(config, archive, renderer.render)
    problems, rendered = list(archive.problems), list[RenderedPost]()
    for each in _rendered(archive, renderer, source, progress, problems):
        problems.extend(each.problems)
        rendered.append(replace(each, html="", excerpt=""))  # the texts of all posts may be large together
    renderer.remember()
    problems.extend(archive.asset_clashes())
    if config.pages.enabled:
        problems.extend(dead_links(config, site_paths(), rendered, renderer.local_links))
        problems.extend(page_problems(config, archive, renderer, now))
        problems.extend(standalone_problems(config, archive, menu_line))
    problems.extend(unknown_lengths(archive.folder, config.posts.folder, archive.posts))
    problems.extend(size_problems(config, archive, source))
    return problems


def _rendered(
    archive: Archive,
    renderer: Renderer,
    source: PostSource,
    progress: Callable[[int, int], None] | None,
    problems: list[Problem],
) -> Iterator[RenderedPost]:
    """Render and weigh every post, and yield those that can be rendered; add the problems of the others.

    A post is weighed right after it is rendered: the renderer keeps only some posts.
    """
    renderer.expect(archive.posts)
    for number, post in enumerate(archive.posts):
        if progress:
            progress(number, len(archive.posts))
        try:
            each = renderer.render(post)
        except BrokenPost as broken:
            problems.append(archive.mark_broken(broken.problem, broken.source))
            continue
        if post.in_feeds:
            source.weigh(each)
        yield each
    source.keep_weights()


def dead_links(
    config: Config, planned: frozenset[str], posts: Sequence[RenderedPost], local: Mapping[str, Sequence[LocalLink]]
) -> list[Problem]:
    """Return a problem for each link in a post to a path of this site at which the build writes nothing.

    planned  the paths of the files that a build writes, except files that only the bodies of posts show
    On a site whose URL has a path, links from the root that lead out of the site are reported too.
    """
    planned = planned.union(path for post in posts for path, _ in post.assets)
    found = []
    for post in posts:
        for link in local.get(post.post.source, ()):
            path = site_path(link.url, config.site_url)
            is_dead = (
                leads_out(link.written, link.url, config.site_url) if path is None else not is_served(path, planned)
            )
            if is_dead:
                hint = "" if path is None else unmoved_page(config, path)
                found.append(_dead(post.post.where(config.posts.folder), link, hint))
    return found


def _dead(path: str, link: LocalLink, hint: str) -> Problem:
    kind = "page" if PurePosixPath(urlsplit(link.written).path).suffix in ("", ".html") else "file"
    return Problem(
        path,
        link.line,
        f"broken link: no {kind} of this site is at {link.written}",
        hint or "fix it, or put the file into static/",
        Severity.WARNING,
    )
