"""What feed readers show over HTTP: every entry, with the right title, author, link and enclosure."""

from __future__ import annotations

import html
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import feedparser
import pytest

from tests.support import ROOT
from tests.support.feed_readers import READERS, Shown, open_reader, parse_with
from tests.support.formats import KINDS, Read, read
from tests.support.hostile_site import build_site, shared_site
from tests.support.static_server import Site, serve

XML_KINDS = ("rss", "atom")


# Atom declares a title that looks like HTML to be HTML; readers that ignore the declaration show it escaped.
def like_html(title: str) -> bool:
    return bool(re.search(r"</\w+>|&#?\w+;|&#\w", title)) or html.unescape(title) != title


@pytest.fixture(scope="module", params=["samples", "hostile"])
def public(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    if request.param == "hostile":
        return shared_site(tmp_path_factory)
    folder = tmp_path_factory.mktemp(request.param)
    shutil.copytree(ROOT / "posts", folder / "posts")
    shutil.copy(ROOT / "publisher.toml", folder)
    return build_site(folder).folder


@pytest.fixture(scope="module")
def site(public: Path) -> Iterator[Site]:
    with serve(public) as running:
        yield running


@pytest.fixture(scope="module")
def entries(public: Path) -> dict[str, Read]:
    """The entries of the feeds by id; another test shows that all formats agree."""
    return {entry.id: entry for entry in read("atom", (public / "atom.xml").read_bytes())}


@pytest.mark.parametrize("kind", XML_KINDS)
@pytest.mark.parametrize("name", READERS)
def test_the_feed_reader_shows_every_entry(
    name: str, kind: str, site: Site, entries: dict[str, Read], tmp_path: Path
) -> None:
    reader = open_reader(name, tmp_path / name, f"{site.url}/{KINDS[kind]}")
    reader.poll()
    shown = {found.id: found for found in reader.entries()}
    assert len(shown) == len(reader.entries()) == len(entries)
    assert set(shown) == set(entries)
    for key, entry in entries.items():
        _same(shown[key], entry)


def _same(shown: Shown, entry: Read) -> None:
    assert shown.url == entry.url, entry.title
    assert _words(shown.title) == _words(entry.title) or like_html(entry.title)
    # Of several authors each reader shows all, the first, or the last.
    authors = [_words(author) for author in entry.authors]
    assert _words(shown.author) in (*authors, ", ".join(authors)), entry.title
    if entry.enclosures:
        assert shown.enclosure in [enclosure[0] for enclosure in entry.enclosures], entry.title
        assert shown.enclosure
    else:
        assert shown.enclosure == "", entry.title


def _words(text: str) -> str:
    """Return a title with its white space collapsed, as feed readers do."""
    return " ".join(text.split())


@pytest.mark.parametrize("kind", XML_KINDS)
def test_feedparser_reads_every_entry_unchanged(kind: str, site: Site, entries: dict[str, Read]) -> None:
    found = feedparser.parse(f"{site.url}/{KINDS[kind]}")
    assert (found.bozo, found.status) == (False, 200)
    assert [item.id for item in found.entries] == list(entries)
    for item in found.entries:
        entry = entries[item.id]
        assert item.link == entry.url
        assert entry.title in (item.title, html.unescape(item.title))
        assert [author.name for author in item.authors] == list(entry.authors)
        assert [tag.term for tag in item.get("tags", ())] == list(entry.tags)
        assert [file.href for file in item.enclosures] == [
            file[0] for file in (entry.enclosures[:1] if kind == "rss" else entry.enclosures)
        ]
        assert item.get("media_content", [{"url": ""}])[0]["url"] == entry.image


@pytest.mark.parametrize("kind", KINDS)
def test_feedsmith_reads_every_entry_unchanged(kind: str, site: Site, entries: dict[str, Read]) -> None:
    found = parse_with("feedsmith", f"{site.url}/{KINDS[kind]}")
    assert {item["format"] for item in found} == {kind}
    assert [item["id"] for item in found] == list(entries)
    for item in found:
        entry = entries[str(item["id"])]
        assert item["url"] == entry.url
        assert item["title"] in (entry.title, _escaped(kind, entry.title))
        assert item["html"].strip() == entry.html.strip(), entry.title
        assert item["authors"] == list(entry.authors)
        assert item["enclosures"] == [file[0] for file in (entry.enclosures[:1] if kind == "rss" else entry.enclosures)]


@pytest.mark.parametrize("kind", XML_KINDS)
def test_rss_parser_reads_every_entry_unchanged(kind: str, site: Site, entries: dict[str, Read]) -> None:
    found = parse_with("rss-parser", f"{site.url}/{KINDS[kind]}")
    assert [item["id"] for item in found] == list(entries)
    for item in found:
        entry = entries[str(item["id"])]
        assert item["url"] == entry.url
        assert item["title"] in (entry.title, _escaped(kind, entry.title))
        assert item["html"].strip() == (entry.html.strip() or entry.summary), entry.title
        # It reads only one author and no enclosure from an Atom entry.
        assert item["authors"] == list(entry.authors if kind == "rss" else entry.authors[:1])
        assert item["enclosures"] == [file[0] for file in entry.enclosures[:1] if kind == "rss"]


def _escaped(kind: str, title: str) -> str:
    return html.escape(title, quote=False) if kind == "atom" and like_html(title) else title
