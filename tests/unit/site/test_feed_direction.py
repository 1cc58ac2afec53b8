"""The text of a feed entry declares its writing direction."""

from __future__ import annotations

import json
from html import unescape
from pathlib import Path

import pytest

from publisher.site.feeds.feed_text import directed
from tests.support.posts_samples import SITE, Folder


@pytest.mark.parametrize(
    ("language", "feed", "expected"),
    [
        ("ar", "en", '<div dir="rtl" lang="ar">\n<p>x</p></div>'),
        ("he", "he", '<div dir="rtl" lang="he">\n<p>x</p></div>'),
        ("fa-IR", "ar", '<div dir="rtl" lang="fa-IR">\n<p>x</p></div>'),
        ("ur", "en", '<div dir="rtl" lang="ur">\n<p>x</p></div>'),
        ("az-Arab", "en", '<div dir="rtl" lang="az-Arab">\n<p>x</p></div>'),
        ("en", "ar", '<div dir="ltr" lang="en">\n<p>x</p></div>'),
        ("de", "en", "<p>x</p>"),
        ("az", "", "<p>x</p>"),
    ],
)
def test_an_entry_has_its_direction_if_one_is_needed(language: str, feed: str, expected: str) -> None:
    assert directed("<p>x</p>", language, feed) == expected
    assert directed("", language, feed) == ""


def test_every_format_says_the_direction(tmp_path: Path) -> None:
    folder = Folder(tmp_path, SITE)
    folder.write("2024-07-06-a.md", "مرحبا", "title: a\nlang: ar")
    folder.write("2024-07-05-b.md", "Hello", "title: b")
    folder.build()
    public = {path: text.decode() for path, text in folder.public().items() if path.startswith(("feed.", "atom."))}
    content = '<div dir="rtl" lang="ar">\n<p>مرحبا</p>\n</div>'
    assert content in public["feed.xml"]
    assert content in unescape(public["atom.xml"])
    assert [item["content_html"] for item in json.loads(public["feed.json"])["items"]] == [content, "<p>Hello</p>\n"]
