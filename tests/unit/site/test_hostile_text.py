"""Any text in any field survives a round trip through a feed parser, without characters that XML forbids."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import feedparser
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from publisher.config import Config, Person, Site
from publisher.core.models import Author, Post, RenderedPost, Tag
from publisher.site.feeds.feed_files import plan_feeds
from publisher.site.feeds.feed_list import Feed
from publisher.site.feeds.items import Item, item_weight, post_item
from tests.support.formats import parse_xml
from tests.support.hostile_site import WICKED

URL = "https://example.org"
MOMENT = datetime(2024, 7, 6, 8, 30, tzinfo=UTC)
# XML 1.0 section 2.2, the characters that it discourages there, and the noncharacters.
NOT_HELD = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]")
TEXT = st.lists(
    st.one_of(st.text(st.characters(), max_size=8), st.sampled_from(WICKED), st.characters(max_codepoint=0xA0)),
    max_size=12,
).map("".join)


@dataclass
class OneEntry:
    """A source with a single entry."""

    item: Item

    def digest(self, key: str) -> str:
        return repr(self.item)

    def weights(self, keys: Sequence[str]) -> list[int]:
        return [item_weight(self.item) for _ in keys]

    def items(self, keys: Sequence[str]) -> list[Item]:
        return [self.item for _ in keys]


def held(text: str) -> str:
    """Return a text as a feed reader returns it: without characters that XML forbids, and without surrounding space."""
    return NOT_HELD.sub("", text.replace("\r\n", "\n").replace("\r", "\n")).strip()


def one_line(text: str) -> str:
    """Return a text as it would be in a field of front matter: on one line, without characters that XML forbids."""
    return " ".join(NOT_HELD.sub("", text).split())


def published(title: str, summary: str, author: str, tag: str, body: str) -> dict[str, bytes]:
    """Return every feed file of a site with one post."""
    config = Config(site=Site(title=title, url=URL, description=summary, author=Person(name=author)))
    post = Post(
        source="a.md",
        id="tag:example.org,2024:a",
        title=title,
        permalink="/a/",
        url=f"{URL}/a/",
        published=MOMENT,
        updated=MOMENT,
        digest="",
        language="en",
        authors=(Author(author),),
        tags=(Tag(tag, "tag"),),
    )
    rendered = RenderedPost(post, html=f"<p>{html.escape(body)}</p>", excerpt=summary, words=1)
    feed = Feed(
        folder="",
        id="tag:example.org,2024:feed",
        title=title,
        description=summary,
        page=URL,
        language="en",
        keys=("a.md",),
        source=OneEntry(post_item(rendered, "example.org,2024", full=True)),
        group="site",
        label=title,
    )
    return {output.path: output.make() for output in plan_feeds(config, [feed])}


def parsed(data: bytes) -> Any:
    """Parse a feed with feedparser. Its sanitiser is off, because the sanitiser treats plain text as HTML."""
    found = feedparser.parse(
        data,
        sanitize_html=False,
        resolve_relative_uris=False,
        response_headers={"content-type": "application/xml; charset=utf-8"},
    )
    assert not found.bozo, found.get("bozo_exception")
    return found


def said(detail: Any, *, is_html: bool = False) -> str:
    """Return the text of a feedparser detail, unescaped if it is HTML according to `is_html` or the detail's type."""
    return html.unescape(detail.value) if is_html or detail.get("type") == "text/html" else detail.value


def as_parsed(text: str) -> str:
    """Return `held(text)` as feedparser returns it: UTF-8 that seems to have been read as Latin-1 is repaired."""
    try:
        return held(text).encode("iso-8859-1").decode()
    except UnicodeError:
        return held(text)


FIELDS = {"title": TEXT, "summary": TEXT, "author": TEXT, "tag": TEXT, "body": TEXT}
SETTINGS = settings(
    max_examples=2 * settings.default.max_examples, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
MOJIBAKE = example(title="Â¡", summary="Â¡", author="Â¡", tag="Â¡", body="Â\xa0")
TRAPS = example(title="Use <head> & <3", summary="</b> &amp; ]]>", author="A, B <a@b>", tag="C&A", body="]]> \ud800")


def cleaned(fields: dict[str, str]) -> dict[str, str]:
    """Return the fields, with "empty" in place of each blank value. Only the body may stay blank."""
    lines = {name: one_line(text) or "empty" for name, text in fields.items() if name != "body"}
    return {**{name: fields[name] if one_line(fields[name]) else "empty" for name in lines}, "body": fields["body"]}


@SETTINGS
@TRAPS
@MOJIBAKE
@given(**FIELDS)
def test_rss_keeps_any_text(**fields: str) -> None:
    written = cleaned(fields)
    found = parsed(published(**written)["feed.xml"])
    entry = found.entries[0]
    assert entry.title == as_parsed(written["title"]) == found.feed.title
    assert html.unescape(entry.summary) == as_parsed(written["summary"]) == html.unescape(found.feed.subtitle)
    assert entry.author == as_parsed(written["author"])
    assert entry.tags[0].term == as_parsed(written["tag"])
    assert entry.content[0].value == as_parsed(f"<p>{html.escape(written['body'])}</p>")


@SETTINGS
@TRAPS
@MOJIBAKE
@given(**FIELDS)
def test_atom_keeps_any_text(**fields: str) -> None:
    written = cleaned(fields)
    found = parsed(published(**written)["atom.xml"])
    entry = found.entries[0]
    assert said(entry.title_detail) == as_parsed(written["title"]) == said(found.feed.title_detail)
    # A description that is the same as the title appears once.
    subtitle = found.feed.get("subtitle_detail", found.feed.title_detail)
    assert said(entry.summary_detail) == as_parsed(written["summary"]) == said(subtitle)
    assert entry.authors[0].name == held(written["author"])
    assert entry.tags[0].term.split() == held(written["tag"]).split()  # a line end in an attribute becomes a space
    assert entry.content[0].value == as_parsed(f"<p>{html.escape(written['body'])}</p>")


@SETTINGS
@TRAPS
@MOJIBAKE
@given(**FIELDS)
def test_json_feed_keeps_any_text(**fields: str) -> None:
    written = cleaned(fields)
    found = json.loads(published(**written)["feed.json"])
    item = found["items"][0]
    assert item["title"].strip() == held(written["title"]) == found["title"].strip()
    assert item["summary"].strip() == held(written["summary"]) == found.get("description", found["title"]).strip()
    assert item["authors"][0]["name"].strip() == held(written["author"])
    assert item["tags"][0].strip() == held(written["tag"])
    assert item["content_html"] == held(f"<p>{html.escape(written['body'])}</p>")


@SETTINGS
@TRAPS
@MOJIBAKE
@given(**FIELDS)
def test_opml_keeps_any_text(**fields: str) -> None:
    written = cleaned(fields)
    outline = parse_xml(published(**written)["feeds.opml"]).find("body/outline")
    assert outline.get("text").split() == held(written["title"]).split()
    assert outline.get("description").split() == held(written["summary"]).split()
