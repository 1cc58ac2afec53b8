"""A post that was published elsewhere: links lead there, and the site has a page for it only on request."""

from __future__ import annotations

import json
from pathlib import Path
from urllib.parse import urljoin

import pytest
from lxml import html

from publisher.core.newsletter_models import Edition, EditionPost
from publisher.site.pages.edition_pages import bare_web_version
from publisher.site.web_versions import WebVersion
from tests.support.email_samples import letter
from tests.support.formats import NAMES, parse_xml
from tests.support.posts_samples import HELLO, NOW, PAGE, URL, Folder, post_of, read, rendered

THERE = "https://first.example.net/article/?a=1&b=2"


def test_every_output_leads_to_the_page_elsewhere(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.write(HELLO, "Text. ![A](a.png) [Here](#part)", f"title: Words\ntags: [x]\ncanonical: {THERE}")
    folder.file("posts/a.png", b"")
    folder.write("2024-07-05-other.md", f"See [it]({HELLO}).", "title: Other\ntags: [x]")
    folder.write("2024-07-04-copy.md", "Mine too.", f"title: Copy\ntags: [x]\ncanonical: {THERE}copy\nrepublish: true")
    folder.build()
    built = folder.public()
    assert "2024/07/06/hello/index.html" not in built
    assert "2024/07/06/hello/a.png" in built  # the feeds show it
    items = json.loads(built["feed.json"])["items"]
    assert [item["url"] for item in items] == [THERE, f"{URL}/2024/07/05/other/", f"{URL}/2024/07/04/copy/"]
    entry, *_ = parse_xml(built["atom.xml"]).iterfind("atom:entry", NAMES)
    assert [link.get("href") for link in entry.iterfind("atom:link", NAMES)] == [THERE]
    item, *_ = parse_xml(built["feed.xml"]).iterfind("channel/item")
    assert item.findtext("link") == THERE
    for path in ("index.html", "archive/index.html", "tags/x/index.html"):
        links = html.document_fromstring(built[path].decode()).xpath("//a/@href")
        there = {urljoin(f"{URL}/{path}", link) for link in links}
        assert {THERE, f"{URL}/2024/07/05/other/", f"{URL}/2024/07/04/copy/"} <= there
    other = html.document_fromstring(built["2024/07/05/other/index.html"].decode())
    assert other.xpath("//div[@class='body']//a/@href") == [THERE]
    assert other.xpath("//link[@rel='next']") == []  # it has no newer page here
    copy = html.document_fromstring(built["2024/07/04/copy/index.html"].decode())
    assert copy.xpath("//link[@rel='canonical']/@href") == [f"{THERE}copy"]
    sitemap = built["sitemap.xml"].decode()
    assert f"{URL}/2024/07/05/other/" in sitemap
    assert not any(part in sitemap for part in ("first.example.net", "/hello/", "/copy/"))


def test_an_email_leads_to_the_page_elsewhere_and_its_images_are_here() -> None:
    post = rendered("Text. ![A](a.png)", f"title: Words\ncanonical: {THERE}", files=("posts/a.png",))
    assert post.assets == (("2024/07/06/hello/a.png", "posts/a.png"),)
    made = letter((post,), "digest-full", "digest-full").letter
    titles = [a for a in html.document_fromstring(made.html).iter("a") if a.text_content().strip() == "Words"]
    assert [a.get("href") for a in titles] == [THERE]
    assert THERE in made.text


@pytest.mark.parametrize(
    ("lines", "canonical", "is_elsewhere"),
    [
        (f"canonical: {THERE}", THERE, True),
        (f"permalink: {THERE}", THERE, True),
        (f"Canonical: <{THERE}>", THERE, True),
        (f"canonical: {THERE}\npermalink: /mine/", THERE, True),
        (f"canonical: {THERE}\nrepublish: true", THERE, False),
        (f"canonical_url: {THERE}", THERE, False),
        (f"canonicalURL: {THERE}\nrepublish: no", THERE, True),
        ("canonical: https://first.example.net/ü", "https://first.example.net/%C3%BC", True),
        (f"canonical: {URL}/mine/", "", False),
        ("canonical: /mine/", "", False),
        ("canonical: true", "", False),
        ("republish: true", "", False),
        (f"link: {THERE}", "", False),
        (f"url: {THERE}", "", False),
    ],
)
def test_front_matter_says_where_a_post_was_published(lines: str, canonical: str, is_elsewhere: bool) -> None:
    post = post_of(f"---\ntitle: x\n{lines}\n---\n")
    assert (post.canonical, post.is_elsewhere) == (canonical, is_elsewhere)
    assert post.url == (canonical if is_elsewhere else f"{URL}{post.permalink}")


def test_an_odd_value_is_reported() -> None:
    for line, what in (
        ("canonical: www.a.example/b", "canonical: 'www.a.example/b' is not the URL of a page elsewhere"),
        (f"canonical: {THERE}\nrepublish: perhaps", "republish is ignored: it is neither true nor false"),
    ):
        (problem,) = read(f"---\ntitle: x\n{line}\n---\n").problems
        assert problem.message.startswith(what)


def test_two_posts_may_share_a_page_elsewhere(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    for name in (HELLO, "2024-07-05-other.md"):
        folder.write(name, "Text.", f"title: Words\ncanonical: {THERE}")
    assert [post.url for post in folder.archive().posts] == [THERE, THERE]
    assert folder.archive().problems == []
    assert PAGE.startswith(URL)


def test_the_web_version_of_a_single_post_names_its_page() -> None:
    edition = Edition(1, "weekly", "2026-W47", 1, "Words", NOW, (EditionPost("id", "Words", THERE),))
    page = WebVersion(edition, "<html><head><title>x</title></head><body></body></html>")
    link = b'<link rel="canonical" href="https://first.example.net/article/?a=1&amp;b=2">\n</head>'
    assert link in bare_web_version(page, {"id": THERE}).make()
    assert bare_web_version(page, {"other": THERE}).make() == page.html.encode()
