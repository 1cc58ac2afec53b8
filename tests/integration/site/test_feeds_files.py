"""The feeds of a whole project: golden files, three formats that agree, no relative URLs."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from xml.etree import ElementTree

import feedparser
import pytest

from publisher import __version__
from tests.support import GOLDEN
from tests.support.needs import needs
from tests.support.project import ROOT, Project

FEEDS = GOLDEN / "feeds"
SITE = "https://letters.example"

CODE = """\
Bare https://other.example/, [home](/), [the table](a-wide-table.md), a ~~note~~[^1].

![Hills](pictures/hills.png "At dusk")

```python
print("<b>" & "]]>")
```

<iframe src="https://video.example/embed/7" allowfullscreen></iframe>

[^1]: It is ]]> here.
"""
TABLE = "| Family | Price |\n|---|--:|\n| One<br>Two | 3 |\n\n<!--more-->\n\n![](/plain.png) and [down](#family)\n"


def gazette(project: Project) -> Project:
    """Write one post of every kind that feeds support."""
    project.configure()
    project.write("posts/pictures/hills.png", b"\x89PNG hills")
    project.post("code-and-notes", "2026-11-14", CODE, tags='["C++", Reading]', updated="2026-11-15 18:30")
    project.post(
        "a-wide-table",
        "2026-11-12",
        TABLE,
        image="pictures/hills.png",
        image_alt='"Hills & \\"dusk\\""',
        image_caption='"Photo: Ann"',
        tags="[Reading]",
    )
    project.post(
        "episode-12",
        "2026-11-10",
        "Listen.",
        audio="{ url: /12.mp3, length: 24500000, type: audio/mpeg, duration: '32:14' }",
    )
    project.post(
        "静か",
        "2026-11-08",
        "本を読むことは、ゆっくりと考えることです。",
        title="静かな読書",
        lang="ja",
        tags="[日本語]",
    )
    project.post(
        "two-hands",
        "2026-11-06",
        "Four hands.",
        title="'Tom & \"Ann\" <3 ]]>'",
        authors="[{ name: Tom, email: tom@a.example }, Ann]",
    )
    project.post(
        "excerpted",
        "2026-11-04",
        "The body.",
        excerpt="Only this & that.",
        id="urn:uuid:1225c695-cfb8-4ebb-aaaa-80da344efa6a",
    )
    project.post("hidden", "2026-11-03", "Not in feeds.", feeds="false", tags="[Reading]")
    project.post("draft", "2026-11-02", "A secret.", draft="true")
    project.post("later", "2026-12-24", "A secret for later.")
    project.ok("build")
    return project


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("kept") / "gazette"


@pytest.fixture
def built(empty: Project, kept: Path) -> Project:
    empty.prepare(kept, lambda: gazette(empty))
    return empty


@pytest.mark.parametrize("name", ["feed.xml", "atom.xml", "feed.json"])
def test_feeds_equal_their_golden_files(built: Project, name: str) -> None:
    made = (
        built.read(f"public/{name}").replace(f'"{__version__}"', '"VERSION"').replace(f" {__version__}<", " VERSION<")
    )
    if name.endswith(".xml"):
        made = re.sub(
            r"(<(?:item|entry|channel|author|link|category|media:|dc:|pubDate|id|title|content)\b)", r"\n\1", made
        )
    golden = FEEDS / name
    if os.environ.get("UPDATE_GOLDEN"):
        golden.parent.mkdir(parents=True, exist_ok=True)
        golden.write_text(made, encoding="utf-8")
    assert made == golden.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["feed.xml", "atom.xml"])
def test_feedparser_finds_nothing_wrong(built: Project, name: str) -> None:
    for path in (built.root / "public").rglob(name):
        found = feedparser.parse(path.read_bytes())
        assert not found.bozo, found.get("bozo_exception")
        assert found.version == {"feed.xml": "rss20", "atom.xml": "atom10"}[name]
        assert found.feed.title
        for entry in found.entries:
            assert entry.id
            assert entry.title
            assert entry.summary
            assert entry.content[0].value
            assert entry.published_parsed
            assert entry.author


@needs("xmllint")
def test_xmllint_accepts_every_document(built: Project) -> None:
    documents = sorted((built.root / "public").rglob("*.xml"))
    assert len(documents) >= 8
    done = subprocess.run(["xmllint", "--noout", *documents], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_json_feeds_have_what_the_format_requires(built: Project) -> None:
    for path in (built.root / "public").rglob("feed.json"):
        feed = json.loads(path.read_text(encoding="utf-8"))
        assert feed["version"] == "https://jsonfeed.org/version/1.1"
        assert feed["title"]
        assert feed["feed_url"].endswith("feed.json")
        assert len({item["id"] for item in feed["items"]}) == len(feed["items"])
        for item in feed["items"]:
            assert isinstance(item["id"], str)
            assert item["content_html"]
            assert item["url"].startswith(SITE)
            assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", item["date_published"])
            assert all(author["name"] for author in item["authors"])
            for attachment in item.get("attachments", ()):
                assert attachment["url"].startswith("https://")
                assert attachment["mime_type"]


def test_the_three_formats_agree(built: Project) -> None:
    for folder in sorted({path.parent for path in (built.root / "public").rglob("atom.xml")}):
        rss, atom = (feedparser.parse((folder / name).read_bytes()).entries for name in ("feed.xml", "atom.xml"))
        items = json.loads((folder / "feed.json").read_text(encoding="utf-8"))["items"]
        assert [e.id for e in rss] == [e.id for e in atom] == [item["id"] for item in items]
        assert [e.link for e in rss] == [e.link for e in atom] == [item["url"] for item in items]
        assert [e.title for e in rss] == [e.title for e in atom]
        assert [e.published_parsed for e in rss] == [e.published_parsed for e in atom]
        assert [e.content[0].value for e in rss] == [e.content[0].value for e in atom]
        assert [[t.term for t in e.get("tags", ())] for e in rss] == [item.get("tags", []) for item in items]


def test_nothing_private_is_in_any_feed(built: Project) -> None:
    everything = "".join(
        path.read_text() for path in (built.root / "public").rglob("*") if path.suffix in (".xml", ".json")
    )
    assert "secret" not in everything.lower()
    assert "Not in feeds." not in everything


class _Links(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.extend(value or "" for name, value in attrs if name in ("href", "src", "poster", "cite", "data"))
        for name, value in attrs:
            if name == "srcset":
                self.found.extend(part.split()[0] for part in (value or "").split(","))


def test_no_url_is_relative(built: Project) -> None:
    addresses = _Links()
    for path in (built.root / "public").rglob("*.xml"):
        for element in ElementTree.parse(path).iter():
            addresses.found.extend(
                element.attrib[name] for name in ("href", "url", "src", "uri") if name in element.attrib
            )
            if element.tag.endswith("link") and element.text:
                addresses.found.append(element.text)
            if element.tag.endswith(("encoded", "content")):
                addresses.feed(element.text or "")
    for path in (built.root / "public").rglob("feed.json"):
        feed = json.loads(path.read_text(encoding="utf-8"))
        addresses.found.extend(_values(feed, ("url", "feed_url", "home_page_url", "image")))
        for item in feed["items"]:
            addresses.feed(item["content_html"])
    assert len(addresses.found) > 100
    assert not [url for url in addresses.found if urlsplit(url).scheme not in ("https", "mailto")]
    assert not [url for url in addresses.found if not url.isascii() or " " in url]


def _values(value: Any, names: tuple[str, ...]) -> list[str]:
    if isinstance(value, list):
        return [found for item in value for found in _values(item, names)]
    if isinstance(value, dict):
        own = [item for name, item in value.items() if name in names and isinstance(item, str)]
        return own + [found for item in value.values() for found in _values(item, names)]
    return []


def test_a_tag_in_any_script_has_feeds(built: Project) -> None:
    for folder, title in (("日本語", "日本語"), ("c_plus_plus", "C++"), ("reading", "Reading")):
        found = feedparser.parse((built.root / f"public/tags/{folder}/feed.xml").read_bytes())
        assert found.feed.title == f"The Quiet Reader: {title}"
        page = built.read(f"public/tags/{folder}/index.html")
        (address,) = [link.href for link in found.feed.links if link.rel == "self"]
        assert address in page
        assert address.isascii()
    assert len(feedparser.parse((built.root / "public/tags/reading/feed.xml").read_bytes()).entries) == 2


def test_a_feed_is_dated_by_its_newest_change(built: Project) -> None:
    assert feedparser.parse((built.root / "public/atom.xml").read_bytes()).feed.updated[:19] == "2026-11-15T17:30:00"
    before = {name: built.read(f"public/{name}") for name in ("feed.xml", "atom.xml", "feed.json")}
    shutil.rmtree(built.root / "public")
    shutil.rmtree(built.root / ".publisher")
    built.ok("build", now="2026-11-20T10:00")
    assert {name: built.read(f"public/{name}") for name in before} == before


def test_a_post_from_before_the_epoch_keeps_its_date(project: Project) -> None:
    project.post("moon", "1969-07-20", "One small step.")
    project.ok("build")
    names = ("feed.xml", "atom.xml")
    published = [feedparser.parse((project.root / f"public/{n}").read_bytes()).entries[-1].published for n in names]
    assert published == ["Sun, 20 Jul 1969 08:00:00 +0000", "1969-07-20T08:00:00Z"]


def test_an_empty_feed_is_valid(empty: Project) -> None:
    empty.configure()
    (empty.root / "posts").mkdir()
    empty.ok("build")
    for name in ("feed.xml", "atom.xml"):
        found = feedparser.parse((empty.root / f"public/{name}").read_bytes())
        assert (found.bozo, found.entries) == (False, [])
        assert "2005" in found.feed.updated


def test_feeds_keep_to_limit_and_max_bytes(project: Project) -> None:
    for number in range(20):
        project.post(f"long-{number}", f"2026-10-{number + 1:02}", "A long sentence. " * 300)
    project.configure("\n[feeds]\nlimit = 15\nmax_bytes = 40000\n")
    project.ok("build")
    for name in ("feed.xml", "atom.xml"):
        found = feedparser.parse((project.root / f"public/{name}").read_bytes())
        assert len(found.entries) == 15
        assert found.entries[0].title == "Third"
        full = [hasattr(entry, "content") for entry in found.entries]
        assert full == sorted(full, reverse=True)  # the oldest have no full text
        assert 3 < sum(full) < 15
        assert (project.root / f"public/{name}").stat().st_size <= 40_000
    project.configure("\n[feeds]\nlimit = 2\nmax_bytes = 10000\n")
    project.post("huge", "2026-11-16", "A long sentence. " * 3000)
    project.ok("build", now="2026-11-16T12:00")
    titles = [e.title for e in feedparser.parse((project.root / "public/feed.xml").read_bytes()).entries]
    assert titles == ["Huge", "Third"]


def test_summary_feeds_have_no_full_text(built: Project) -> None:
    built.configure('\n[feeds]\ncontent = "summary"\n')
    built.ok("build")
    for name in ("feed.xml", "atom.xml"):
        found = feedparser.parse((built.root / f"public/{name}").read_bytes())
        assert not found.bozo
        said = [e.summary for e in found.entries if e.title == "Excerpted"]
        assert [unescape(text) for text in said] == ["Only this & that."]  # that of RSS is HTML
        assert "The body." not in built.read(f"public/{name}")
    assert all("content_html" not in item for item in json.loads(built.read("public/feed.json"))["items"])


def test_only_configured_formats_are_written(built: Project) -> None:
    built.configure('\n[feeds]\nformats = ["atom"]\nper_tag = false\nper_author = false\n')
    built.ok("build")
    assert not {name for name in built.files() if name.endswith(("feed.xml", "feed.json"))}
    assert {name for name in built.files() if name.endswith("atom.xml")} == {"atom.xml"}
    page = built.read("public/index.html") + built.read("public/tags/reading/index.html")
    assert "atom.xml" in page
    assert "feed.xml" not in page
    assert "feed.json" not in page


def test_the_sample_posts_make_valid_feeds(tmp_path: Path, project: Project) -> None:
    shutil.rmtree(project.root / "posts")
    shutil.copytree(ROOT / "posts", project.root / "posts")
    project.ok("build")
    found = feedparser.parse((project.root / "public/feed.xml").read_bytes())
    assert not found.bozo
    assert len(found.entries) >= 8


@pytest.mark.parametrize("fix_encoding", [True, False])
def test_markdown_is_repaired_like_the_html(empty: Project, fix_encoding: bool) -> None:
    switch = str(fix_encoding).lower()
    empty.configure(f"\n[posts]\nfix_encoding = {switch}\n[feeds]\nmarkdown = true\n", newsletters="")
    empty.post("garbled", body="OpenAIâ€™s [word](/there/).")
    empty.ok("build")
    item = ElementTree.fromstring(empty.read("public/feed.xml")).find("channel/item")
    assert item is not None
    word = "OpenAI’s" if fix_encoding else "OpenAIâ€™s"
    assert item.findtext("{http://source.scripting.com/}markdown") == f"{word} [word](/there/)."
    assert word in (item.findtext("{http://purl.org/rss/1.0/modules/content/}encoded") or "")


def test_every_author_and_the_site_itself_are_in_every_format(project: Project) -> None:
    project.post("two", "2026-11-16", authors="[{ name: Tom, url: 'https://tom.example/?a=b&c' }, 王小明]")
    project.write(
        "publisher.toml",
        project.read("publisher.toml").replace('name = "Ada"', 'name = "Ada", url = "https://ada.example/?me=1&you=2"'),
    )
    project.ok("build")
    atom = feedparser.parse((project.root / "public/atom.xml").read_bytes())
    assert [author.name for author in atom.entries[0].authors] == ["Tom", "王小明"]
    assert atom.feed.author_detail == {
        "name": "Ada",
        "email": "ada@letters.example",
        "href": "https://ada.example/?me=1&you=2",
    }
    feed = json.loads(project.read("public/feed.json"))
    assert feed["authors"] == [{"name": "Ada", "url": "https://ada.example/?me=1&you=2"}]
    assert feed["items"][0]["authors"] == [{"name": "Tom", "url": "https://tom.example/?a=b&c"}, {"name": "王小明"}]
    for slug, title in (("tom", "Two"), ("王小明", "Two"), ("ada", "Third")):
        of_one = feedparser.parse((project.root / f"public/authors/{slug}/feed.xml").read_bytes())
        assert of_one.entries[0].title == title
