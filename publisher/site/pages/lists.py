"""The pages that list posts: the index, the pages of tags, the list of tags, and the archive by year.

The first page of the index shows excerpts of its posts, which are rendered for that. Later pages and tag pages show
only front matter, because a new post moves every older post down the lists. If they showed excerpts from bodies, one
new post would cause all 10,000 posts to be rendered again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import groupby

from publisher.core.characters import shorten
from publisher.core.frozen import dataclass
from publisher.core.models import Output, Post, RenderedPost, Tag
from publisher.site.pages.article import ListedPost, as_rendered, image_on_page
from publisher.site.pages.frame import FeedLink, Frame, href, tag_path
from publisher.site.pages.post_body import PagePicture

EXCERPT_LENGTH = 280

Render = Callable[[Post], RenderedPost]
TagFeeds = Callable[[Tag], Sequence[FeedLink]]


@dataclass(frozen=True, slots=True)
class Paging:
    """The position of a page in a series.

    number  number of the page, from 1
    count   number of pages in the series
    newer   quoted path of the page with newer posts, from the root of the site; None on the first page
    older   quoted path of the page with older posts, from the root of the site; None on the last page
    """

    number: int
    count: int
    newer: str | None
    older: str | None


@dataclass(frozen=True, slots=True)
class TagPosts:
    """A tag with its posts, newest first."""

    tag: Tag
    entries: list[ListedPost]

    @property
    def path(self) -> str:
        """The path of the tag's page in the site."""
        return tag_path(self.tag)

    @property
    def href(self) -> str:
        """The quoted path of the tag's first page from the root of the site."""
        return href(self.path)


def by_tag(entries: Sequence[ListedPost]) -> list[TagPosts]:
    """Return the tags of posts with their posts, sorted by name.

    Tags with the same slug are the same tag, spelled as in its newest post.
    """
    found: dict[str, TagPosts] = {}
    for entry in entries:
        for tag in entry.tags:
            if tag.slug not in found:
                found[tag.slug] = TagPosts(tag, [entry])
            elif found[tag.slug].entries[-1] is not entry:
                found[tag.slug].entries.append(entry)
    return sorted(found.values(), key=lambda found: (found.tag.name.casefold(), found.tag.slug))


def plan_index(
    frame: Frame, entries: Sequence[ListedPost], per_page: int, render: Render, folder: str = ""
) -> Iterator[Output]:
    """Yield the pages of the index as outputs: index.html, page/2/index.html and so on, in a folder such as fr/."""
    for paging, path, some in _pages(folder, entries, per_page):
        faces = [entry.face for entry in some]
        if paging.number == 1:
            faces += [entry.post.digest for entry in some]
        key = frame.key("index", str(paging), *faces)
        yield Output(path, key, partial(make_index, frame, path, paging, some, render))


def make_index(frame: Frame, path: str, paging: Paging, entries: Sequence[ListedPost], render: Render) -> bytes:
    """Return one page of the index. For the first page, posts are rendered to get their excerpts and reading times."""
    others = frame.site.languages if paging.number == 1 else ()
    page = frame.page(path, frame.site.title, description=frame.site.description, alternates=others)
    rows = [(entry, entry.excerpt, 0) for entry in entries]
    pictures: dict[str, PagePicture | None] = {}
    if paging.number == 1:
        rendered = [(entry, render(entry.post)) for entry in entries]
        rows = [
            (as_rendered(entry, post), shorten(post.excerpt, EXCERPT_LENGTH), post.minutes) for entry, post in rendered
        ]
        pictures = {entry.path: image_on_page(post, frame, page.root) for entry, post in rendered}
    return frame.render("index.html", page, rows=rows, paging=paging, pictures=pictures, words_in=frame.words_in)


def plan_tags(frame: Frame, tags: Sequence[TagPosts], per_page: int, tag_feeds: TagFeeds) -> Iterator[Output]:
    """Yield the list of tags and the pages of each tag as outputs, or nothing if there are no tags."""
    if not tags:
        return
    counts = [f"{found.tag.name}\0{found.tag.slug}\0{len(found.entries)}" for found in tags]
    yield Output("tags/index.html", frame.key("tags", *counts), partial(make_tags, frame, tags))
    for found in tags:
        feeds = tuple(tag_feeds(found.tag))
        for paging, path, some in _pages(f"tags/{found.tag.slug}/", found.entries, per_page):
            faces = [entry.face for entry in some]
            total = str(len(found.entries))
            key = frame.key("tag", found.tag.name, total, repr(feeds), str(paging), *faces)
            yield Output(path, key, partial(make_tag, frame, path, found, feeds, paging, some))


def make_tags(frame: Frame, tags: Sequence[TagPosts]) -> bytes:
    """Return the page that lists the tags, each with the number of its posts."""
    return frame.render("tags.html", frame.page("tags/index.html", frame.words.tags, section="tags"), tags=tags)


def make_tag(
    frame: Frame,
    path: str,
    found: TagPosts,
    feeds: tuple[FeedLink, ...],
    paging: Paging,
    entries: Sequence[ListedPost],
) -> bytes:
    """Return one page of a tag's posts."""
    page = frame.page(path, found.tag.name, feeds=feeds, section="tags")
    rows = [(entry, entry.excerpt, 0) for entry in entries]
    return frame.render("tag.html", page, tag=found.tag, total=len(found.entries), rows=rows, paging=paging)


def plan_archive(frame: Frame, entries: Sequence[ListedPost], folder: str = "") -> Output:
    """Return the output for the archive, the page of all posts by year, in a folder such as fr/."""
    path = f"{folder}archive/index.html"
    key = frame.key("archive", path, *(f"{entry.link}\0{entry.stamp}" for entry in entries))
    return Output(path, key, partial(make_archive, frame, entries, path))


def make_archive(frame: Frame, entries: Sequence[ListedPost], path: str = "archive/index.html") -> bytes:
    """Return the archive page. It shows only titles and days, so that ten thousand posts still fit on it."""
    years = [(year, list(some)) for year, some in groupby(entries, key=lambda entry: entry.year)]
    page = frame.page(path, frame.words.archive, section="archive")
    return frame.render_long("archive.html", page, years=years, total=len(entries))


def _pages(
    folder: str, entries: Sequence[ListedPost], per_page: int
) -> Iterator[tuple[Paging, str, Sequence[ListedPost]]]:
    """Divide a list of posts into pages; yield the position, output path and posts of each page.

    If there are no posts, there is one empty page.
    """
    count = max(1, -(-len(entries) // per_page))
    paths = [
        f"{folder}page/{number}/index.html" if number > 1 else f"{folder}index.html" for number in range(1, count + 1)
    ]
    for index, path in enumerate(paths):
        newer = href(paths[index - 1]) if index else None
        older = href(paths[index + 1]) if index + 1 < count else None
        some = entries[index * per_page : (index + 1) * per_page]
        yield Paging(index + 1, count, newer, older), path, some
