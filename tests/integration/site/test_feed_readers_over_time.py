"""The life of a feed: feed readers get every entry once, whatever happens to posts, permalinks and the domain."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import feedparser
import pytest

from tests.support.feed_readers import open_reader
from tests.support.formats import KINDS
from tests.support.hostile_site import build_site
from tests.support.static_server import Site, serve, serve_with_nginx

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
CONFIG = """\
[site]
title = "Letters"
url = "{url}"
authority = "example.org,2024"
author = {{ name = "Ada" }}
[posts]
permalink = "{permalink}"
"""
START = 1_700_000_000
POSTS = ("one", "two", "three", "four", "five")


@dataclass
class Blog:
    """A project that changes, while its output is served at one URL."""

    root: Path
    hours: int = 0

    def configure(self, url: str = "https://example.org", permalink: str = "/{year}/{month}/{slug}/") -> None:
        self.root.mkdir(exist_ok=True)
        (self.root / "publisher.toml").write_text(CONFIG.format(url=url, permalink=permalink), encoding="utf-8")

    def write(self, name: str, text: str, title: str = "", day: int = 1, updated: str = "") -> None:
        head = f"title: {title or name.title()}\ndate: 2026-10-{day:02} 08:00\ntags: [{name}, all of them]\n"
        head += f"updated: {updated}\n" if updated else ""
        (self.root / "posts").mkdir(exist_ok=True)
        (self.root / "posts" / f"{name}.md").write_text(f"---\n{head}---\n{text}\n", encoding="utf-8")

    def build(self) -> Path:
        return build_site(self.root, NOW).folder

    def build_an_hour_later(self) -> None:
        """Build, and date the written files so that no two builds are in the same second.

        Last-Modified has whole seconds, and curl drops an answer that is not later than the date in its request.
        """
        self.hours += 1
        for path in map(self.build().joinpath, KINDS.values()):
            if path.stat().st_mtime > START + self.hours * 3600:
                os.utime(path, (START + self.hours * 3600,) * 2)


@pytest.fixture
def blog(tmp_path: Path) -> Blog:
    blog = Blog(tmp_path / "blog")
    blog.configure()
    for day, name in enumerate(POSTS, 1):
        blog.write(name, f"The text of {name}.", day=day)
    blog.build()
    return blog


@pytest.fixture
def site(blog: Blog) -> Iterator[Site]:
    with serve(blog.root / "public") as running:
        yield running


def _edit(blog: Blog) -> None:
    blog.write("two", "Another text.", day=2, updated="2026-11-20 10:00")


def _edit_silently(blog: Blog) -> None:
    blog.write("two", "A silent text.", day=2)


def _retitle(blog: Blog) -> None:
    blog.write("three", "The text of three.", title="Third", day=3)


def _move(blog: Blog) -> None:
    blog.configure(permalink="/posts/{slug}.html")


def _change_domain(blog: Blog) -> None:
    blog.configure(url="http://elsewhere.example/letters")


def _nothing(blog: Blog) -> None:
    pass


CHANGES = [_nothing, _edit, _edit_silently, _retitle, _move, _change_domain, _nothing]


@pytest.mark.parametrize("kind", ["rss", "atom"])
@pytest.mark.parametrize("name", ["newsboat", "rss2email"])
def test_no_entry_arrives_twice(name: str, kind: str, blog: Blog, site: Site, tmp_path: Path) -> None:
    reader = open_reader(name, tmp_path / "home", f"{site.url}/{KINDS[kind]}")
    blog.build_an_hour_later()
    reader.poll()
    assert reader.unread() == len(POSTS)
    reader.read_all()
    for change in CHANGES:
        change(blog)
        blog.build_an_hour_later()
        reader.poll()
        assert reader.unread() == 0, change.__name__
    blog.write("six", "The text of six.", day=6)
    blog.build_an_hour_later()
    reader.poll()
    assert reader.unread() == 1
    assert [entry.title for entry in reader.entries()][-1:] == ["Six"]


def test_newsboat_shows_the_edit_the_new_title_and_the_new_url(blog: Blog, site: Site, tmp_path: Path) -> None:
    reader = open_reader("newsboat", tmp_path / "home", f"{site.url}/feed.xml")
    blog.build_an_hour_later()
    reader.poll()
    for change in (_edit, _retitle, _change_domain):
        change(blog)
    blog.build_an_hour_later()
    reader.poll()
    shown = {entry.title: entry for entry in reader.entries()}
    assert len(shown) == len(POSTS)
    assert "Another text." in shown["Two"].text
    assert shown["Third"].url == "http://elsewhere.example/letters/2026/10/three/"


@pytest.mark.parametrize("name", KINDS.values())
def test_ids_and_their_order_are_the_same_after_every_change(name: str, blog: Blog, site: Site) -> None:
    def ids() -> list[str]:
        if name.endswith("json"):
            return [item["id"] for item in json.loads((blog.root / "public" / name).read_bytes())["items"]]
        return [entry.id for entry in feedparser.parse(f"{site.url}/{name}").entries]

    before = ids()
    assert len(set(before)) == len(POSTS)
    for change in CHANGES:
        change(blog)
        blog.build()
        assert ids() == before, change.__name__


def test_the_second_poll_is_a_304_after_a_build_with_nothing_to_do(blog: Blog, site: Site) -> None:
    for name in KINDS.values():
        url = f"{site.url}/{name}"
        first = feedparser.parse(url)
        blog.build()
        assert feedparser.parse(url, etag=first.etag).status == 304
        assert feedparser.parse(url, modified=first.modified).status == 304
        assert feedparser.parse(url, etag=first.etag, modified=first.modified).status == 304


def test_the_second_poll_is_a_304_from_nginx(blog: Blog, tmp_path: Path) -> None:
    with serve_with_nginx(blog.root / "public", tmp_path / "nginx") as running:
        for name in KINDS.values():
            first = feedparser.parse(f"{running.url}/{name}")
            blog.build()
            assert feedparser.parse(f"{running.url}/{name}", etag=first.etag, modified=first.modified).status == 304


def test_the_second_poll_is_a_304_even_when_the_caches_are_gone(blog: Blog, site: Site) -> None:
    first = feedparser.parse(f"{site.url}/atom.xml")
    for path in (blog.root / ".publisher").iterdir():
        path.unlink()
    blog.build()
    assert feedparser.parse(f"{site.url}/atom.xml", etag=first.etag, modified=first.modified).status == 304


@pytest.mark.parametrize("name", ["newsboat", "rss2email"])
def test_the_feed_reader_gets_a_304(name: str, blog: Blog, site: Site, tmp_path: Path) -> None:
    reader = open_reader(name, tmp_path / "home", f"{site.url}/feed.xml")
    for _ in range(3):  # newsboat stores validators from its second poll on
        reader.poll()
        blog.build()
    assert site.statuses("/feed.xml")[-1] == 304
    assert site.asked[-1].if_none_match
    assert site.asked[-1].if_modified_since or name == "rss2email"  # it sends only the ETag


def test_an_edit_changes_only_feeds_with_the_post(blog: Blog, site: Site) -> None:
    held = ["feed.xml", "atom.xml", "feed.json", "tags/two/feed.xml", "tags/all-of-them/feed.xml"]
    others = ["tags/one/feed.xml", "tags/three/atom.xml", "tags/four/feed.json"]
    tags = {name: feedparser.parse(f"{site.url}/{name}").etag for name in (*held, *others)}
    _edit(blog)
    blog.build()
    answers = {name: feedparser.parse(f"{site.url}/{name}", etag=tag).status for name, tag in tags.items()}
    assert answers == dict.fromkeys(held, 200) | dict.fromkeys(others, 304)
