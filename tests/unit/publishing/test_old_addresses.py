"""Which URLs of an old site exist on the new one, and which posts are not at their old URLs."""

from __future__ import annotations

import gzip
from dataclasses import replace
from pathlib import Path

import pytest

from publisher.config import PagesConfig, Posts
from publisher.core.errors import PublisherError
from publisher.publishing.adopt.old_addresses import compare_addresses, is_answered, read_old_site
from tests.support.posts_samples import Folder


@pytest.fixture
def blog(tmp_path: Path) -> Folder:
    folder = Folder(tmp_path, pages=PagesConfig(enabled=False), posts=Posts(permalink="/{slug}/"))
    folder.write("2026-03-04-tea.md", "Tea.", "title: Tea")
    folder.write("2026-03-05-cup.md", "Cup.", "title: Cup\npermalink: /Cup.html")
    folder.write("2026-03-06-new.md", "New.", "title: New")
    for path in ("tea/index.html", "cup.html", "about.html", "index.html", "404.html", ".git/x.html"):
        folder.file(f"_site/{path}", "<html>")
    folder.file("_site/feed.xml", '<?xml version="1.0"?><feed xmlns="http://www.w3.org/2005/Atom">')
    folder.file("_site/old/rss.xml", "<rss>")
    folder.file("_site/data.json", "{}")
    return folder


def test_missing_posts_and_missing_urls_are_found(blog: Folder) -> None:
    old = read_old_site(str(blog.root / "_site"))
    assert old.paths == {"/tea/", "/cup.html", "/about.html", "/", "/feed.xml", "/old/rss.xml"}
    beside = compare_addresses(blog.config, blog.archive(), old)
    assert beside.shared == 1
    assert [(each.source, each.path, each.near) for each in beside.elsewhere] == [
        ("2026-03-05-cup.md", "/Cup.html", "/cup.html"),
        ("2026-03-06-new.md", "/new/", ""),
    ]
    assert beside.gone == ("/", "/about.html", "/cup.html", "/old/rss.xml")
    blog.config = replace(blog.config, pages=PagesConfig())
    assert compare_addresses(blog.config, blog.archive(), old).gone == ("/about.html", "/cup.html", "/old/rss.xml")


def test_a_sitemap_is_read_with_the_sitemaps_that_it_lists(blog: Folder) -> None:
    blog.file(
        "sitemap.xml",
        '<?xml version="1.0"?><sitemapindex><sitemap><loc>https://site.example/sm/one.xml.gz</loc></sitemap>'
        "<sitemap><loc>https://site.example/sitemap.xml</loc></sitemap></sitemapindex>",
    )
    one = (
        "<urlset><url><loc> https://site.example/T%C3%A9/?a=1&amp;b=2 </loc></url><url><loc>https://site.example</loc>"
    )
    (blog.root / "one.xml.gz").write_bytes(gzip.compress(one.encode()))
    assert read_old_site(str(blog.root / "sitemap.xml")).paths == {"/Té/", "/"}


def test_a_document_that_is_not_a_site_gets_one_line(blog: Folder) -> None:
    blog.file("empty/x.txt", "")
    for place, said in {
        str(blog.root / "empty"): "has no pages",
        str(blog.root / "nothing"): "is not there",
        str(blog.root / "_site/data.json"): "is not a sitemap",
    }.items():
        with pytest.raises(PublisherError, match=said):
            read_old_site(place)


def test_servers_add_the_slash_and_the_ending_but_not_the_case() -> None:
    there = {"/a/", "/b.html", "/c", "/d/index.html"}
    cases = {"/a": True, "/a/": True, "/a/index.html": True, "/b": True, "/b.html": True, "/b/": False, "/A/": False}
    cases |= {"/c": True, "/c/": False, "/d/": True}
    assert {path: is_answered(path, there) for path in cases} == cases
