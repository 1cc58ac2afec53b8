"""feeds.also: the main feed under the names that feed readers know from another tool."""

from __future__ import annotations

import json
from xml.etree import ElementTree

import pytest

from tests.support.formats import NAMES, parse_xml, read
from tests.support.project import Project
from tests.support.web_client import web_client

SITE = "https://letters.example"
ALSO = {
    "index.xml": ("rss", "index.xml"), "rss2.xml": ("rss", "rss2.xml"), "/blog.json": ("json", "blog.json"),
    "feeds/all.atom.xml": ("atom", "feeds/all.atom.xml"), "feed/feed.xml = atom": ("atom", "feed/feed.xml"),
    "feed/": ("rss", "feed/index.html"), "rss/": ("rss", "rss/index.html"),
}  # fmt: skip


def own_url(kind: str, data: bytes) -> str:
    if kind == "json":
        return str(json.loads(data)["feed_url"])
    prefix = "channel/" if kind == "rss" else ""
    return str(parse_xml(data).find(f"{prefix}atom:link[@rel='self']", NAMES).get("href"))


def test_every_name_is_the_complete_feed_with_its_own_url(empty: Project) -> None:
    empty.configure(f"\n[feeds]\nlimit = 2\nalso = {list(ALSO)!r}\n", newsletters="")
    for number in range(5):
        empty.post(f"post-{number}", f"2026-11-0{number + 1}", tags="[t]")
    assert empty.ok("build", "--json").json["problems"] == []
    usual = {"rss": "feed.xml", "atom": "atom.xml", "json": "feed.json"}
    for written, (kind, file) in ALSO.items():
        data = (empty.root / "public" / file).read_bytes()
        path = written.partition(" ")[0].lstrip("/")
        assert own_url(kind, data) == f"{SITE}/{path}"
        assert read(kind, data) == read(kind, (empty.root / "public" / usual[kind]).read_bytes())
    first = [f"{SITE}/index.xml", f"{SITE}/feeds/all.atom.xml", f"{SITE}/blog.json"]
    page = empty.read("public/index.html")
    assert all(f'href="{url}"' in page for url in first)
    outline = ElementTree.fromstring(empty.read("public/feeds.opml")).find("body/outline")
    assert outline is not None
    assert outline.get("xmlUrl") == first[0]
    assert f'rel="current" href="{first[0]}"' in empty.read("public/feed-1.xml")
    assert "tags/t/index.xml" not in empty.files()
    assert [p for p in empty.run("check", "--json").json if p["path"].startswith("public/")] == []


def test_a_name_may_have_a_format_that_no_other_feed_has(empty: Project) -> None:
    empty.configure('\n[feeds]\nlimit = 1\nformats = ["rss"]\nalso = ["old.xml = atom"]\n', newsletters="")
    for number in range(3):
        empty.post(f"post-{number}", f"2026-11-0{number + 1}")
    empty.ok("build")
    assert "atom.xml" not in empty.files()
    root = parse_xml((empty.root / "public/old.xml").read_bytes())
    assert [link.get("rel") for link in root.iterfind("atom:link", NAMES)] == ["self", "alternate"]


@pytest.mark.parametrize(
    ("also", "formats", "message"),
    [
        ("feed.xml = atom", '["rss", "atom"]', "feed.xml is already the name of the rss feed"),
        ("atom.xml", '["rss", "atom"]', "atom.xml is already the name of the atom feed"),
        ("../index.xml", '["rss"]', "isn't a path for a feed"),
        (".feed.xml", '["rss"]', "isn't a path for a feed"),
        ("index.html", '["rss"]', "isn't a path for a feed"),
        ("https://a.example/feed.xml", '["rss"]', "isn't a path for a feed"),
        ("", '["rss"]', "isn't a path for a feed"),
        ("/", '["rss"]', "isn't a path for a feed"),
        ("a.xml = xml", '["rss"]', "'xml' isn't a format; write rss, atom or json"),
        ('a.xml", "/a.xml', '["rss"]', "'a.xml' is listed twice"),
    ],
)
def test_an_invalid_name_is_a_mistake(empty: Project, also: str, formats: str, message: str) -> None:
    empty.configure(f'\n[feeds]\nformats = {formats}\nalso = ["{also}"]\n', newsletters="")
    assert message in empty.fails("build").err


def test_a_feed_gets_the_name_of_the_jekyll_feed_in_its_format(empty: Project) -> None:
    empty.configure('\n[feeds]\nformats = ["atom", "json"]\nalso = ["feed.xml = atom"]\n', newsletters="")
    empty.post("post")
    empty.ok("build")
    assert own_url("atom", (empty.root / "public/feed.xml").read_bytes()) == f"{SITE}/feed.xml"


def test_the_title_of_a_site_is_in_its_feeds_only_once(empty: Project) -> None:
    def words(*, author: bool, description: bool) -> tuple[int, int, int]:
        told = 'author = { name = "Ada" }\n' * author + 'description = "Notes."\n' * description
        empty.write(
            "publisher.toml", f'[site]\ntitle = "Gazette"\nurl = "{SITE}"\nauthority = "a.example,2024"\n{told}'
        )
        empty.ok("build")
        assert "mine" in empty.read("public/feed.xml")
        return (
            empty.read("public/feed.xml").count("Gazette"),
            empty.read("public/atom.xml").count("Gazette"),
            empty.read("public/feed.json").count("Gazette"),
        )

    empty.post("mine", author="Tom")
    assert words(author=False, description=False) == (2, 1, 1)  # RSS requires a description
    assert words(author=True, description=True) == (1, 1, 1)
    empty.post("mine")
    assert words(author=False, description=False) == (2, 2, 1)  # Atom requires an author


def test_feeds_are_served_to_anyone_with_their_media_types(project: Project) -> None:
    with web_client(project, '\n[feeds]\nalso = ["rss/", "old.xml = atom"]\n') as web:
        project.ok("build")
        for path, kind in {
            "/rss/": "application/rss+xml", "/old.xml": "application/atom+xml", "/feed.xml": "application/rss+xml",
            "/feed.json": "application/feed+json", "/feeds.opml": "text/x-opml",
        }.items():  # fmt: skip
            answer = web.get(path, **{"accept-encoding": "gzip"})
            assert (answer.status_code, answer.headers["content-type"].partition(";")[0]) == (200, kind)
            assert answer.headers["access-control-allow-origin"] == "*"
            again = web.get(path, **{"accept-encoding": "gzip", "if-none-match": answer.headers["etag"]})
            assert (again.status_code, again.headers["access-control-allow-origin"]) == (304, "*")
            plain = web.get(path, **{"accept-encoding": "identity"})
            assert (plain.headers["etag"] == answer.headers["etag"]) == ("content-encoding" not in answer.headers)
        assert "access-control-allow-origin" not in web.get("/").headers
