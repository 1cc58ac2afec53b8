"""Every file that a build would write, none of them made yet."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from publisher.config import Config
from publisher.core.errors import ProjectError
from publisher.core.models import Output, Post, Problem, RenderedPost
from publisher.core.templates import Templates
from publisher.posts.archive import Archive
from publisher.site.build.folder import parents

if TYPE_CHECKING:
    from publisher.site.feeds.feed_list import Feed
    from publisher.site.web_versions import WebVersion


def static_files(folder: Path) -> list[Output]:
    """Return every file under the static folder, by path; hidden ones such as .nojekyll too."""
    found = []
    for path, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted(names):
            file = Path(path, name)
            if file.is_file():
                found.append(_copy(file.relative_to(folder).as_posix(), file))
    return found


def assets(root: Path, wanted: Iterable[tuple[str, str]]) -> Iterator[Output]:
    """Yield the files of the project that posts show: (site path, path in the project). What is not there, is not.

    A link that leads out of the project is not followed.
    """
    inside = root.resolve()
    for site_path, project_path in wanted:
        file = root / project_path
        if file.is_file() and file.resolve().is_relative_to(inside):
            yield _copy(site_path, file)


def _copy(path: str, file: Path) -> Output:
    status = file.stat()
    return Output(path, f"copy:{status.st_size}:{status.st_mtime_ns}", partial(_read, file))


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise ProjectError(f"cannot be read: {error.strerror}", where=str(file)) from error


def stamps(root: Path, paths: Iterable[str]) -> dict[str, str]:
    """Return what tells a changed file of the project from an unchanged one, "" for a file that is not there."""
    found = {}
    for path in paths:
        try:
            status = (root / path).stat()
            found[path] = f"{status.st_size}:{status.st_mtime_ns}"
        except OSError:
            found[path] = ""
    return found


Render = Callable[[Post], RenderedPost]


def plan_site(
    config: Config,
    archive: Archive,
    render: Render,
    templates: Templates,
    static: Sequence[Output],
    editions: Sequence[WebVersion],
    code: str,
) -> Iterator[Output]:
    """Yield static files, feeds and pages; of two for one path the first is meant.

    Renders only posts in archives of feeds that were never weighed (see feeds.plan).

    static    the writer's own files
    editions  newest first
    code      names the program's own version in the keys of the outputs
    """
    from publisher.site.feeds.feed_files import plan_feeds
    from publisher.site.feeds.feed_list import feeds_of
    from publisher.site.feeds.items import PostSource

    feeds = list(feeds_of(config, archive, PostSource(config, archive, render), editions))
    yield from static
    yield from plan_feeds(config, feeds, code)
    if config.pages.enabled:
        yield from _pages(config, archive, render, templates, editions, feeds)


def _pages(
    config: Config,
    archive: Archive,
    render: Render,
    templates: Templates,
    editions: Sequence[WebVersion],
    feeds: Sequence[Feed],
) -> Iterator[Output]:
    from publisher.site.feeds.feed_list import OPML_FILE, feed_links, feed_url
    from publisher.site.pages.frame import FeedLink
    from publisher.site.pages.page_files import plan_pages
    from publisher.site.pages.signup import ListedFeed

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
    )


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


def without_clashes(outputs: Sequence[Output], shown: str, problems: list[Problem]) -> dict[str, Output]:
    """Return one output a path; the first wins. A static file replaces a page of its name without a word.

    A file cannot be a folder too, and names that differ in case alone are one file on many machines.
    shown is how the output folder is named in problems.
    """
    planned = {output.path: output for output in outputs}
    if len(planned) == len(outputs) and not _may_clash(planned):
        return planned
    planned = {}
    files: dict[str, Output] = {}
    folders: set[str] = set()
    for output in outputs:
        name = output.path.casefold()
        above = parents(name)
        taken = files.get(name) or next((files[folder] for folder in above if folder in files), None)
        if taken is None and name not in folders:
            planned[output.path] = files[name] = output
            folders.update(above)
        elif taken and _is_copy(taken) and _is_copy(output):
            planned[output.path] = output  # two files of the writer's: whoever made both knows the disk
        elif not (taken and _is_copy(taken) and taken.path == output.path):
            problems.append(_problem(shown, output, taken))
    return planned


def _may_clash(planned: dict[str, Output]) -> bool:
    names = {path.casefold() for path in planned}
    folders = {parent for folder in {name.rpartition("/")[0] for name in names} for parent in parents(f"{folder}/x")}
    return len(names) < len(planned) or not names.isdisjoint(folders)


def _is_copy(output: Output) -> bool:
    return output.key.startswith("copy:")


def _problem(shown: str, output: Output, taken: Output | None) -> Problem:
    if taken is None:
        message = "is a folder of other pages, and cannot be a file too"
    elif taken.path == output.path:
        message = "is what two pages want to be; the first one is kept"
    elif taken.path.casefold() == output.path.casefold():
        message = f"is, but for small and capital letters, the page {taken.path}; that one is kept"
    else:
        message = f"would be in a folder of the name of the file {taken.path}; that one is kept"
    return Problem(f"{shown}/{output.path}", 0, message, "give one post another permalink")
