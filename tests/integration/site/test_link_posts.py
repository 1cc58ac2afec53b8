"""A post about a page elsewhere: its title leads there on its page and in emails, and every feed links to it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from lxml import html

from tests.support.email_samples import letter
from tests.support.formats import NAMES, parse_xml
from tests.support.posts_samples import HELLO, PAGE, URL, Folder, post_of, read, rendered

THERE = "https://other.example.net/article?a=1&b=2"


def test_every_output_of_a_link_post_leads_to_the_target_and_to_its_own_page(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.write(HELLO, "My opinion.", f"title: Words\nexternal_url: {THERE}")
    folder.write("2024-07-05-other.md", "No link.", "title: Other")
    folder.build()
    built = folder.public()
    first, second = json.loads(built["feed.json"])["items"]
    assert (first["url"], first["external_url"]) == (PAGE, THERE)
    assert "external_url" not in second
    entry, other = parse_xml(built["atom.xml"]).iterfind("atom:entry", NAMES)
    assert [(link.get("rel"), link.get("href")) for link in entry.iterfind("atom:link", NAMES)] == [
        ("alternate", PAGE),
        ("related", THERE),
    ]
    assert len(other.findall("atom:link", NAMES)) == 1
    item, _ = parse_xml(built["feed.xml"]).iterfind("channel/item")
    assert item.findtext("link") == PAGE
    assert [(link.get("rel"), link.get("href")) for link in item.iterfind("atom:link", NAMES)] == [("related", THERE)]
    page = html.document_fromstring(built["2024/07/06/hello/index.html"].decode())
    assert page.xpath("//h1/a/@href") == [THERE]
    assert page.xpath("//link[@rel='canonical']/@href") == [PAGE]
    plain = html.document_fromstring(built["2024/07/05/other/index.html"].decode())
    assert plain.xpath("//h1/a") == []
    assert "hello/" in built["index.html"].decode()


@pytest.mark.parametrize("form", ["digest", "digest-full", "post", "plain"])
def test_the_title_in_an_email_leads_to_the_target(form: str) -> None:
    post = rendered("My opinion.", f"title: Words\nexternal_url: {THERE}")
    made = letter((post,), form, form).letter
    page = html.document_fromstring(made.html)
    titles = [a for a in page.iter("a") if a.text_content().strip() == "Words"]
    assert [a.get("href") for a in titles] == [THERE]
    assert PAGE in [a.get("href") for a in page.iter("a")]
    assert f"{THERE}\n{PAGE}\n" in made.text


@pytest.mark.parametrize(
    ("lines", "external", "path"),
    [
        (f"link: {THERE}", THERE, "/2024/07/06/hello/"),
        (f"url: {THERE}", THERE, "/2024/07/06/hello/"),
        (f"permalink: /mine/\nurl: {THERE}", THERE, "/mine/"),
        (f"Linked-URL: {THERE}", THERE, "/2024/07/06/hello/"),
        ("bookmark-of: https://other.example.net/ü", "https://other.example.net/%C3%BC", "/2024/07/06/hello/"),
        (f"link: {URL}/about/", "", "/2024/07/06/hello/"),
        ("link: /about/", "", "/2024/07/06/hello/"),
        ("link: false", "", "/2024/07/06/hello/"),
        ("link: javascript:x//", "", "/2024/07/06/hello/"),
        (f"url: {URL}/mine/", "", "/mine/"),
        (f"permalink: {URL}/mine.html", "", "/mine.html"),
        (f"url: {URL}", "", "/"),
        (f"link: {URL}.evil.example/", f"{URL}.evil.example/", "/2024/07/06/hello/"),
    ],
)
def test_the_url_of_another_site_makes_a_link_post(lines: str, external: str, path: str) -> None:
    entry = read(f"---\ntitle: x\n{lines}\n---\n")
    assert entry.post
    assert (entry.post.external_url, entry.post.permalink) == (external, path)
    told = ("own pages", "a page elsewhere")
    assert [p.message for p in entry.problems if not any(words in p.message for words in told)] == []


def test_a_post_without_a_link_is_not_a_link_post() -> None:
    assert post_of("---\ntitle: x\nurl: /mine/\n---\n").external_url == ""


def test_an_odd_link_is_understood_or_reported() -> None:
    there = "https://x.example/a_b"
    for value in (f"<{there}>", f"'[x]({there})'", f"[{there}]", f"{{url: {there}}}", f"'{there} '"):
        assert post_of(f"---\ntitle: x\nlink: {value}\n---\n").external_url == there
    assert post_of("---\ntitle: x\nlink: https://x.example/a b\n---\n").external_url == "https://x.example/a%20b"
    for quiet in ("/about/", "true", f"{URL}/x/", "https://site.example"):
        assert post_of(f"---\ntitle: x\nlink: {quiet}\n---\n").external_url == ""
    for odd in ("www.x.example/a", "//x.example", "mailto:ann@x.example", "x.example/a"):
        (problem,) = read(f"---\ntitle: x\nlink: {odd}\n---\n").problems
        assert (problem.line, problem.message) == (
            3,
            f"link: {odd!r} is not the URL of a page elsewhere, and is ignored",
        )
