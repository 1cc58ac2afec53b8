"""The plan of a site takes little memory for each post, and a build releases the memory of finished pages."""

from __future__ import annotations

import gc
import tracemalloc
from pathlib import Path

from publisher.config import Feeds
from publisher.core.models import Post, RenderedPost
from publisher.core.templates import Templates
from publisher.posts.bounded_process import BoundedProcess
from publisher.posts.markup import Renderer
from publisher.site.build.site_files import plan_site
from tests.support.posts_samples import Folder

# One post and its page take 2,050 bytes, a third of them for its row in the archive. Whole posts would take 900 more.
MOST_BYTES = 2_500


def never(post: Post) -> RenderedPost:
    raise AssertionError("planning renders nothing")


def write(folder: Folder, posts: int) -> None:
    for number in range(posts):
        head = f"title: Post number {number}\ntags: [tag {number % 7}, topic {number % 5}]\nauthor: Ada Lovelace"
        folder.write(f"{2000 + number % 20}-07-05-post-{number}.md", "Some words.", head)


def bytes_of_plan(folder: Folder) -> int:
    """Return how many bytes the archive and the plan of all files take in memory, after all modules are loaded."""
    archive = folder.archive()
    templates, config = Templates(folder.root / "templates"), folder.config
    list(plan_site(config, archive, never, templates, (), ()))
    gc.collect()
    tracemalloc.start()
    try:
        archive = folder.archive()
        archive.posts.most = 50
        planned = list(plan_site(config, archive, never, templates, (), ()))
        gc.collect()
        assert planned
        return tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()


def test_a_plan_keeps_few_bytes_of_each_post(tmp_path: Path) -> None:
    folder = Folder(tmp_path, feeds=Feeds(archives=False))  # otherwise posts are rendered to be weighed
    write(folder, 200)
    small = bytes_of_plan(folder)
    write(folder, 800)
    large = bytes_of_plan(folder)
    assert (large - small) / 600 < MOST_BYTES


def test_an_archive_keeps_as_many_loaded_posts_as_it_may(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    write(folder, 20)
    archive = folder.archive()
    archive.posts.most = 5
    first = list(archive.posts)
    assert [post.source for post in first] == list(archive.places.permalinks)
    assert list(archive.posts) == first
    assert archive.posts[19] is archive.posts[19]  # among the latest
    assert archive.posts[0] is not first[0]
    assert archive.load([first[3].source, first[0].source]) == [first[3], first[0]]


def test_the_result_for_an_old_post_is_forgotten_when_its_page_is_made(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    write(folder, 1_001)
    archive, process = folder.archive(), BoundedProcess(memory=150_000_000)
    renderer = Renderer(archive, folder.config, process=process)
    newest, oldest = archive.posts[0], archive.posts[1_000]
    made = [renderer.render(post) for post in (newest, oldest)]
    for post in (newest, oldest):
        renderer.let_go(post.source)
    again = [renderer.render(post) for post in (newest, oldest)]
    process.end()
    assert again == made
    assert again[0] is made[0]  # lists show it too
    assert again[1] is not made[1]
