"""Feeds built by this program are read back as sources: emails with their items equal those with the posts."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from publisher.config import Config, NewsletterConfig, SourceConfig
from publisher.core.models import RenderedPost
from publisher.newsletters.letter.compose import compose
from publisher.posts.archive import open_archive
from publisher.posts.markup import Renderer
from publisher.posts.sources.feed_document import read_feed
from publisher.publishing.fetch_sources import take_document
from publisher.publishing.wiring import Project
from tests.support import ROOT
from tests.support.corpora import RUBY, needs_ruby, needs_seeds, seed
from tests.support.editions_samples import TEMPLATES
from tests.support.posts_samples import NOW, SITE, Folder
from tests.support.source_samples import opened

# Each kind of feed, and how much of its items the emails contain.
KINDS = {"feed.xml": ("full", "excerpt"), "atom.xml": ("full",), "feed.json": ("full",)}
SITE_OF_POSTS = replace(SITE, postal_address="1 Long Road\nAnytown")

# Differences of feeds: alerts are quotes there, because feed readers have no style for them. And an image in a feed
# always has a text, and comes from the body if the post has no image of its own.
QUOTES = {
    "2026-11-10-a-ledger-beats-a-cursor.md",
    "2026-08-25-eight-o-clock-is-not-a-time.md",
    "2025-05-27-what-double-opt-in-proves.md",
}
PICTURES = {
    "2025-09-16-the-elements-we-forgot.html",
    "ai/2024-07-06-six-shapes-of-generative-ai.md",
    "2024-07-06-Generative-AI-Trends.md",
}


def text_of(config: Config, post: RenderedPost, content: str) -> str:
    newsletter = replace(NewsletterConfig(name="weekly"), content=content)
    return compose(config, newsletter, [post], 1, "2026-W47", NOW, TEMPLATES, "https://site.example/e/").text


def texts_of(config: Config, contents: tuple[str, ...]) -> dict[tuple[str, str], tuple[str, str]]:
    """Return, by post id and content of an email, the path of the post's file and the plain text of the email."""
    archive = open_archive(config, NOW, keep=False)
    renderer = Renderer(archive, config)
    found = {}
    for post in archive.posts:
        for content in contents:
            found[post.id, content] = post.source, text_of(config, renderer.render(post), content)
    return found


def read_back(folder: Folder, root: Path, kind: str) -> dict[tuple[str, str], tuple[str, str]]:
    """Return the result of `texts_of` for the items of a feed that was built from a folder's posts."""
    source = SourceConfig(name="blog", url=f"{SITE.url}/{kind}")
    config = Config(site=folder.config.site, root=root / kind, sources=(source,))
    config.root.mkdir()
    document = read_feed(folder.public()[kind], source.url, {})
    with opened(config) as store:
        take_document(Project(config, store, lambda: NOW), source, document, NOW)
    return texts_of(config, KINDS[kind])


def differing(folder: Folder, root: Path) -> Iterator[tuple[str, str, str]]:
    """Build the feeds of a folder; yield the path and both texts of each post whose item gives a different text."""
    assert folder.build().errors == ()
    files = texts_of(folder.config, KINDS["feed.xml"])
    for kind, contents in KINDS.items():
        items = read_back(folder, root, kind)
        assert items.keys() == {key for key in files if key[1] in contents}
        for key, (_, item) in items.items():
            path, text = files[key]
            if item != text:
                yield path, text, item


def words(text: str) -> str:
    """Return a text without images, without `>` at the start of lines, and without line breaks."""
    without = re.sub(r"\[Picture: [^\[\]]*\]", "", re.sub(r"^> ?", "", text, flags=re.MULTILINE))
    return " ".join(without.split())


def compare(folder: Folder, root: Path, expected: set[str]) -> None:
    """Check that only the expected posts differ, and only in what `words` removes."""
    found = list(differing(folder, root))
    assert {path for path, _, _ in found} == expected
    assert [words(text) for _, text, _ in found] == [words(item) for _, _, item in found]


def without_pages(root: Path) -> Folder:
    folder = Folder(root / "one", SITE_OF_POSTS)
    pages = replace(folder.config.pages, enabled=False)
    folder.config = replace(folder.config, pages=pages, feeds=replace(folder.config.feeds, limit=40))
    return folder


def test_the_sample_posts_are_the_same_from_their_feeds(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "posts", tmp_path / "one/posts")
    own = {path for path in PICTURES if (tmp_path / "one/posts" / path).exists()}
    compare(without_pages(tmp_path), tmp_path, QUOTES | own)


@needs_seeds
def test_the_seeds_are_the_same_from_their_feeds(tmp_path: Path) -> None:
    folder = without_pages(tmp_path)
    folder.write("2024-01-08-ai-trends.md", seed("000"))
    folder.write("2024-07-06-Generative-AI-Trends.md", seed("003"))
    compare(folder, tmp_path, {"2024-07-06-Generative-AI-Trends.md"})


@needs_ruby
def test_real_posts_are_the_same_from_their_feeds(tmp_path: Path) -> None:
    folder = without_pages(tmp_path)
    files = sorted(path for path in RUBY.rglob("*") if path.suffix in (".md", ".markdown", ".html"))
    for path in files[:: len(files) // 10]:
        folder.write(path.relative_to(RUBY).as_posix(), path.read_bytes())
    compare(folder, tmp_path, set())
