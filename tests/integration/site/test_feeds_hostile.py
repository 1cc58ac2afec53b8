"""Feeds are well formed and complete whatever posts contain, and making them has no side effects."""

from __future__ import annotations

import json
import locale
import re
import sys
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from html import escape as escape_html
from types import FrameType
from typing import Any
from xml.etree import ElementTree

import feedparser
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from publisher.config import Config, Person, Site
from publisher.core.models import Author, Enclosure, Image, Post, RenderedPost, Tag
from publisher.posts.archive import Archive, open_archive
from publisher.site.feeds.feed_files import plan_feeds
from publisher.site.feeds.feed_list import feeds_of
from publisher.site.feeds.items import PostSource, entry_id
from tests.support.project import Project

BAD = "\x00\x08\x0b\x1f\ufffe\uffff\ud800\udfff\x7f\x85\u2028"
TRAPS = ["]]>", "]]", "<![CDATA[", "&amp;", "<script>", "--", "\r\n", "\r", "\ud83d", "😀", "\ufeff", " "]
NOW = datetime(2026, 11, 16, 12, tzinfo=UTC)
NAMES = {"rss": "feed.xml", "atom": "atom.xml", "json": "feed.json"}

# Characters of every kind, with those that break feeds far more often than by chance.
texts = st.lists(
    st.one_of(st.text(st.characters(), max_size=8), st.sampled_from(list(BAD)), st.sampled_from(TRAPS)), max_size=6
).map("".join)

escape = partial(escape_html, quote=False)


def visible(text: str) -> str:
    """Return the part of a text that XML can contain, as returned by feedparser: without spaces at its ends."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return re.sub("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]", "", text)


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Archive:
    """Two posts on disk; their texts are replaced when they are rendered."""
    root = tmp_path_factory.mktemp("feeds")
    for name in ("one", "two"):
        (root / "posts").mkdir(exist_ok=True)
        (root / f"posts/{name}.md").write_text(f"---\ntitle: {name}\ndate: 2026-11-10\ntags: [t]\n---\nWords.\n")
    config = Config(site=Site(title="A", url="https://a.example"), root=root)
    return open_archive(config, NOW, keep=False)


def documents(archive: Archive, site: Site, says: Any) -> dict[str, bytes]:
    """Return the main feed in three formats, from posts with replaced texts."""
    config = Config(site=site, root=archive.folder.parent)
    outputs = plan_feeds(config, list(feeds_of(config, archive, PostSource(config, archive, says))))
    return {output.path: output.make() for output in outputs if "/" not in output.path}


@settings(deadline=None, max_examples=2 * settings.default.max_examples)
@given(title=texts, excerpt=texts, html=texts, name=texts, tag=texts, alt=texts, post_id=texts)
def test_no_character_in_any_field_breaks_a_feed(
    archive: Archive, title: str, excerpt: str, html: str, name: str, tag: str, alt: str, post_id: str
) -> None:
    def says(post: Post) -> RenderedPost:
        changed = replace(
            post,
            title=f"t{title}",
            id=f"x{post_id}",
            tags=(Tag(tag, "t"),),
            authors=(Author(name, f"{name}@a.example", "https://a.example/"),),
            image=Image("https://a.example/i.png", alt, alt),
            enclosures=(Enclosure("https://a.example/a.mp3", "audio/mpeg", 5, 6),),
        )
        return RenderedPost(changed, f"<p>{html}</p>", excerpt, 5)

    made = documents(archive, Site(title=f"s{title}", url="https://a.example", author=Person(name=name)), says)
    roots = {kind: ElementTree.fromstring(made[kind]) for kind in ("feed.xml", "atom.xml")}
    item = roots["feed.xml"].find("channel/item")
    entry = roots["atom.xml"].find("{http://www.w3.org/2005/Atom}entry")
    feed = json.loads(made["feed.json"])
    assert item is not None
    assert entry is not None
    assert item.findtext("title") == visible(f"t{title}")
    shown = entry.find("{http://www.w3.org/2005/Atom}title")
    assert shown is not None
    assert shown.text == (escape if shown.get("type") == "html" else str)(visible(f"t{title}"))
    content = "{http://purl.org/rss/1.0/modules/content/}encoded"
    assert item.findtext(content) == entry.findtext("{http://www.w3.org/2005/Atom}content") == visible(f"<p>{html}</p>")
    wanted = entry_id(f"x{post_id}", "a.example,2024")
    assert item.findtext("guid") == entry.findtext("{http://www.w3.org/2005/Atom}id") == wanted
    assert feed["items"][0]["content_html"] == visible(f"<p>{html}</p>")
    for data in made.values():
        data.decode()


def test_hostile_text_is_cleaned_and_kept(archive: Archive) -> None:
    worst = f"a]]>b{BAD}<c>&amp;\r\nd"
    made = documents(
        archive,
        Site(title=worst, url="https://a.example", description=worst),
        lambda post: RenderedPost(replace(post, title=worst), f"<p>{worst}</p>", worst, 5),
    )
    for name in ("feed.xml", "atom.xml"):
        found = feedparser.parse(made[name])
        assert not found.bozo
        assert "a]]&gt;b" in found.feed.title or "a]]>b" in found.feed.title
        assert len(found.entries) == 2


KEYS = (
    "title",
    "excerpt",
    "lang",
    "id",
    "slug",
    "permalink",
    "image",
    "image_alt",
    "author",
    "tags",
    "audio",
    "layout",
    "cover",
)


@pytest.mark.parametrize(
    "value",
    [
        r'"\0\x1b]]>&<b>\uFFFE"',
        r'"a\r\nb: c\u2028"',
        r'"\0"',
        r'"\uFFFE \x07"',
        '""',
        r'"https://x.example/\x01?a=<b>&c"',
        '"\\u0022><script>"',
    ],
)
def test_no_front_matter_breaks_a_feed(project: Project, value: str) -> None:
    for number, key in enumerate(KEYS):
        front = {"title": "Odd", key: f"[{value}]" if key == "tags" else value}
        project.post(f"odd-{number}", "2026-11-14", **front)
    report = project.run("build", "--json").json
    assert report["posts"] == 3 + len(KEYS) or report["problems"]
    assert report["posts"] > 3 + len(KEYS) // 2
    for path in (project.root / "public").rglob("*.xml"):
        ElementTree.parse(path)
        assert path.name not in NAMES.values() or not feedparser.parse(path.read_bytes()).bozo
    for path in (project.root / "public").rglob("feed.json"):
        for item in json.loads(path.read_text(encoding="utf-8"))["items"]:
            assert item["url"].isascii()


def test_making_feeds_never_switches_the_locale(archive: Archive) -> None:
    """feedgen does so for its own dates: for a moment every other thread of the process would be in English."""
    asked: list[object] = []

    def watch(frame: FrameType, event: str, argument: object) -> None:
        if event == "call" and frame.f_code is locale.setlocale.__code__:
            asked.append(frame.f_locals["locale"])

    before = locale.setlocale(locale.LC_ALL)
    sys.setprofile(watch)
    try:
        documents(
            archive, Site(title="A", url="https://a.example"), lambda post: RenderedPost(post, "<p>B</p>", "C", 1)
        )
    finally:
        sys.setprofile(None)
    assert asked == []
    assert locale.setlocale(locale.LC_ALL) == before


def test_rss_dates_are_english_in_any_locale(project: Project) -> None:
    project.ok("build")
    wanted = project.read("public/feed.xml")
    assert "<pubDate>Sun, 15 Nov 2026 08:00:00 +0000</pubDate>" in wanted
    out = project.root.parent / "out"
    assert project.spawn("build", "--out", str(out), LC_ALL="de_DE.UTF-8", TZ="Asia/Tokyo").code == 0
    assert (out / "feed.xml").read_text() == wanted
