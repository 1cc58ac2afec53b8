"""What a new project copies from a feed, and which of a page's feeds is used."""

from __future__ import annotations

import tomllib
from datetime import UTC, datetime
from pathlib import Path

import pytest

from publisher.config import load_config
from publisher.core.models import Author
from publisher.core.source_models import FeedDocument, FeedItem
from publisher.posts.sources.discovery import NamedFeed
from publisher.publishing.adopt_feed import AdoptedFeed, distinct_feeds, project_values, source_table
from publisher.publishing.new_project import create_project

NOW = datetime(2026, 11, 16, 9, tzinfo=UTC)
HOSTILE = "A \"quoted\" \\ title\n[site]\r\nurl = 'x'\x00\x7f \u2028 🙂 {{ title }} #"


def feed(
    link: str = "https://blog.ada.example/", url: str = "https://blog.ada.example/feed.xml", **more: str
) -> AdoptedFeed:
    items = [FeedItem("1", "", "One", authors=(Author("Ada"),)), FeedItem("2", "", "Two", authors=(Author("Eve"),))]
    items.append(FeedItem("3", "", "Three", authors=(Author("Ada"),)))
    return AdoptedFeed(url, FeedDocument("rss", more.pop("title", "Ada's notes"), link, tuple(items), **more))


@pytest.mark.parametrize(
    ("link", "name"),
    [
        ("https://blog.ada.example/", "ada"),
        ("https://www.ada.example", "ada"),
        ("https://eve.substack.com/", "eve"),
        ("https://127.0.0.1:8080/", "blog"),
        ("http://localhost/", "blog"),
        ("https://posts.example/", "blog"),  # `posts` means own posts
        ("https://bücher.example/", "b-cher"),
        (f"https://{'x' * 60}.example/", "x" * 30),
        ("", "ada"),
    ],
)
def test_a_source_is_named_after_its_site(link: str, name: str) -> None:
    assert feed(link).name == name


@pytest.mark.parametrize("title", ["Ada's notes", "", HOSTILE, "日本語", "Ada: notes, and more <b>", "\\"])
def test_a_project_from_any_feed_can_be_loaded(title: str, tmp_path: Path) -> None:
    found = feed(title=title, description=title, language=title)
    create_project(tmp_path, NOW, project_values(found, NOW, allow_private=True))
    config = load_config(tmp_path, {})
    assert config.site.title == found.title
    assert "\n" not in config.site.title
    assert (config.site.language, config.site.author.name) == ("en", "Ada")
    assert config.sources[0].url == found.url
    assert config.sources[0].allow_private
    assert config.newsletters[0].sources == (config.sources[0].name,)
    assert not config.pages.enabled
    assert not (tmp_path / "posts").exists()


def test_the_table_for_an_existing_project_is_toml() -> None:
    table = tomllib.loads(source_table(feed(), allow_private=True))["sources"][0]
    assert table == {"name": "ada", "url": "https://blog.ada.example/feed.xml", "allow_private": True}


@pytest.mark.parametrize(
    ("links", "kept"),
    [
        ([], []),
        ([("Ada » Feed", "/feed", "rss"), ("Ada » Comments Feed", "/comments", "rss")], ["/feed", "/comments"]),
        ([("RSS", "/rss", "rss"), ("Atom", "/atom", "atom"), ("JSON Feed", "/json", "json")], ["/rss"]),
        ([("", "/a.xml", "rss"), ("", "/b.xml", "rss"), ("", "/a.atom", "atom")], ["/a.xml", "/b.xml"]),
        ([("News", "/n", "rss"), ("Sport", "/s", "rss"), ("Sport (Atom)", "/sa", "atom")], ["/n", "/s"]),
    ],
)
def test_formats_of_one_feed_count_as_one_feed(links: list[tuple[str, str, str]], kept: list[str]) -> None:
    assert [each.url for each in distinct_feeds(NamedFeed(*each) for each in links)] == kept
