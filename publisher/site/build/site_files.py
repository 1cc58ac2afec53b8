"""Plan every file of the site as an output, and decide which output is used if two have the same path."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace

from publisher.config import Config
from publisher.core.models import Output, Post, Problem, RenderedPost
from publisher.core.templates import Templates
from publisher.posts.archive import Archive
from publisher.posts.permalinks import file_key
from publisher.posts.standalone import standalone_pages
from publisher.site.build.copied_files import bundle_files, is_copy, static_files
from publisher.site.build.folder import parents
from publisher.site.feeds.feed_files import plan_feeds
from publisher.site.feeds.feed_list import OPML_FILE, Feed, feed_links, feed_url, feeds_of
from publisher.site.feeds.items import PostSource
from publisher.site.pages.menu import menu_problems
from publisher.site.web_versions import WebVersion

Render = Callable[[Post], RenderedPost]


def plan_site(
    config: Config,
    archive: Archive,
    render: Render,
    templates: Templates,
    static: Sequence[Output],
    editions: Sequence[WebVersion],
    expect: Callable[[Iterable[Post]], None] | None = None,
) -> Iterator[Output]:
    """Yield the static files, then the feeds, then the pages and web versions.

    If two outputs have the same path, the first takes precedence.

    A post is rendered only if its weight in a feed is needed and not known yet (see PostSource.weights).

    static    the project's static files
    editions  web versions of editions, newest first
    expect    receives the posts that will be rendered next
    """
    feeds = list(feeds_of(config, archive, PostSource(config, archive, render, expect), editions))
    yield from static
    yield from plan_feeds(config, feeds)
    if config.pages.enabled:
        yield from _pages(config, archive, render, templates, editions, feeds)
        yield from bundle_files(config, archive.places.permalinks)
    elif editions:  # emails link to them, whichever tool makes the pages
        # not at the top: only a site without pages needs it
        from publisher.site.pages.edition_pages import bare_web_version

        found = {post_id: archive.permalink(source) or "/" for source, post_id in archive.ids().items()}
        elsewhere = {post_id: url for post_id, url in found.items() if url[0] != "/"}
        yield from (bare_web_version(edition, elsewhere) for edition in editions)


def _pages(
    config: Config,
    archive: Archive,
    render: Render,
    templates: Templates,
    editions: Sequence[WebVersion],
    feeds: Sequence[Feed],
) -> Iterator[Output]:
    # not at the top: a project with only feeds saves the hundredth of a second that they take
    from publisher.site.pages.frame import FeedLink
    from publisher.site.pages.page_files import plan_pages
    from publisher.site.pages.signup_pages import ListedFeed

    links = {feed.folder: tuple(FeedLink(*link) for link in feed_links(config, feed)) for feed in feeds}
    yield from plan_pages(
        config,
        archive.posts,
        render,
        editions,
        templates,
        links[""],
        lambda tag: links.get(f"tags/{tag.slug}/", ()),
        [ListedFeed(feed.group, feed.label, feed.description, links[feed.folder]) for feed in feeds],
        feed_url(config, OPML_FILE) if config.feeds.formats else "",
        standalone_pages(config, archive).pages,
        lambda language: links.get(config.site.language_folder(language), ()),
    )


def standalone_problems(config: Config, archive: Archive, line: int = 0) -> Iterator[Problem]:
    """Yield problems with the standalone pages, the menu and the redirects from earlier paths of posts and pages.

    line: the line of the menu in publisher.toml
    """
    own = standalone_pages(config, archive)
    yield from own.problems
    posts = {file_key(permalink) for permalink in archive.permalinks()} if own.pages else ()
    for page in (each.post for each in own.pages):
        if file_key(page.permalink) in posts:
            what = f"its URL {page.permalink} belongs to a post, so the page is left out"
            yield Problem(f"{config.pages.folder}/{page.source}", 0, what, "give it a different permalink or slug")
    pages = [page.post for page in own.pages]
    yield from menu_problems(config, pages, line)
    if config.pages.enabled:
        yield from _redirect_problems(config, archive, pages)


def _redirect_problems(config: Config, archive: Archive, pages: Sequence[Post]) -> list[Problem]:
    """Return the problems with redirects from earlier paths of posts and pages."""
    from publisher.site.pages.redirects import redirects_of  # not at the top, as for all pages

    if not (archive.has_earlier_paths or any(page.aliases for page in pages)):
        return []  # so that not every post is loaded for it
    own = set(map(id, pages))

    def where(post: Post) -> str:
        """Return the path of the source file of a post or a page."""
        return post.where(config.pages.folder if id(post) in own else config.posts.folder)

    return redirects_of((*archive.posts, *pages), where)[1]


def built_paths(config: Config, archive: Archive) -> frozenset[str]:
    """Return the paths, relative to the output folder, of all files that a build writes.

    They do not include web versions, or files that only the bodies of posts show.
    """

    def never(post: object) -> RenderedPost:
        """Raise AssertionError, because planning the files must not render anything."""
        raise AssertionError("planning renders nothing")

    # The division of a feed's archive is known only after rendering, and no post links to an archive document.
    config = replace(config, feeds=replace(config.feeds, archives=False))
    static = static_files(config).outputs
    planned = plan_site(config, archive, never, Templates(config.root / "templates"), static, ())
    return frozenset(each.path for each in planned)


def without_clashes(outputs: Sequence[Output], shown: str, problems: list[Problem]) -> dict[str, Output]:
    """Return the first output for each path, by path, and add a problem to `problems` for each clashing output.

    A static file may replace a page with the same path. A path cannot be both a file and a folder, and paths that
    differ only in case are the same file on many systems.

    shown  name of the output folder for the problems
    """
    planned = {output.path: output for output in outputs}
    if len(planned) == len(outputs) and not _may_clash(planned):
        return planned
    planned = {}
    files: dict[str, Output] = {}
    folders: set[str] = set()
    for output in outputs:
        name = file_key(output.path)
        above = parents(name)
        taken = files.get(name) or next((files[folder] for folder in above if folder in files), None)
        if taken is None and name not in folders:
            planned[output.path] = files[name] = output
            folders.update(above)
        elif taken and is_copy(taken) and is_copy(output):
            planned[output.path] = output  # both are the owner's files, so this file system distinguishes them
        elif not (taken and is_copy(taken) and taken.path == output.path):
            problems.append(_clash(shown, output, taken))
    return planned


def _may_clash(planned: dict[str, Output]) -> bool:
    names = {file_key(path) for path in planned}
    folders = {parent for folder in {name.rpartition("/")[0] for name in names} for parent in parents(f"{folder}/x")}
    return len(names) < len(planned) or not names.isdisjoint(folders)


def _clash(shown: str, output: Output, taken: Output | None) -> Problem:
    if taken is None:
        message = "is a folder that contains other pages, so it cannot be a file as well"
    elif taken.path == output.path:
        message = "is the path of two pages; the first one is kept"
    elif file_key(taken.path) == file_key(output.path):
        message = f"differs only in case or Unicode form from the page {taken.path}; that one is kept"
    else:
        message = f"would be in a folder with the name of the file {taken.path}; that one is kept"
    return Problem(f"{shown}/{output.path}", 0, message, "give one post a different permalink")
