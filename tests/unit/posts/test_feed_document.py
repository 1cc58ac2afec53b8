"""Feeds of other sites are read into the same values, whatever their format."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from publisher.core.source_models import FeedItem, FeedPace
from publisher.posts.sources.feed_document import read_feed

URL = "https://ann.test/feed.xml"


def test_rss_atom_and_json_give_the_same_values() -> None:
    rss = b"""<rss version="2.0"><channel><title>Ann</title><link>https://ann.test/</link>
      <item><title>One</title><guid isPermaLink="false">a1</guid><link>/one</link><category>News</category>
      <pubDate>Mon, 05 Jan 2026 10:00:00 +0100</pubDate>
      <description>&lt;p&gt;Hi &lt;img src="a.png"&gt;&lt;/p&gt;</description>
      </item></channel></rss>"""
    atom = b"""<feed xmlns="http://www.w3.org/2005/Atom"><title>Ann</title><link href="https://ann.test/"/>
      <entry><title>One</title><id>a1</id><link href="/one"/><category term="News"/>
      <published>2026-01-05T09:00:00Z</published>
      <content type="html">&lt;p&gt;Hi &lt;img src="a.png"&gt;&lt;/p&gt;</content>
      </entry></feed>"""
    json = b"""{"version": "https://jsonfeed.org/version/1.1", "title": "Ann", "home_page_url": "https://ann.test/",
      "items": [{"id": "a1", "url": "/one", "title": "One", "tags": ["News"], "date_published": "2026-01-05T09:00:00Z",
      "content_html": "<p>Hi <img src='a.png'></p>"}]}"""
    items = [read_feed(body, URL, {}).items for body in (rss, atom, json)]
    assert items[0] == items[1] == items[2]
    (item,) = items[0]
    assert (item.guid, item.link, item.title) == ("a1", "https://ann.test/one", "One")
    assert item.html == '<p>Hi <img src="https://ann.test/a.png"></p>'
    assert item.published == datetime(2026, 1, 5, 9, tzinfo=UTC)
    assert item.image
    assert (item.image.url, item.image.alt) == ("https://ann.test/a.png", "One")


def rss(items: str, channel: str = "<link>https://ann.test/</link>") -> str:
    return f'<rss version="2.0"><channel><title>Ann</title>{channel}{items}</channel></rss>'


def atom(entries: str, attributes: str = "") -> str:
    return f'<feed xmlns="http://www.w3.org/2005/Atom"{attributes}><title>Ann</title>{entries}</feed>'


def item(document: str, **headers: str) -> FeedItem:
    (found,) = read_feed(document.encode(), URL, headers).items
    return found


@pytest.mark.parametrize(
    ("document", "guid", "link"),
    [
        (rss("<item><title>A</title><guid>12</guid><link>/a</link></item>"), "12", "https://ann.test/a"),
        (rss("<item><title>A</title><guid>https://ann.test/a</guid></item>"), *["https://ann.test/a"] * 2),
        (rss("<item><title>A</title><guid>https://ann.test/a</guid><link/></item>"), *["https://ann.test/a"] * 2),
        (rss("<item><title>A</title><guid> a\n b </guid></item>"), "a b", ""),
        (rss("<item><title>A</title><link>\n https://x.test/?a=1&amp;b=2 \n</link></item>"), "", "https://x.test/?a=1&b=2"),
        (rss("<item><title>A</title><link>javascript:x</link></item>"), "", ""),
        (
            rss("<item><title>A</title><feedburner:origLink>https://a.test/1</feedburner:origLink><link>https://b.test/1</link></item>"),
            "",
            "https://a.test/1",
        ),
        (rss("<item><title>A</title><link>/a</link></item>", ""), "", "https://ann.test/a"),
        (
            atom('<entry><id>x</id><title>A</title><link rel="replies" href="/r"/><link rel="enclosure" href="/e.mp3"/>'
                 '<link type="application/json" href="/j"/><link href="/a"/><link hreflang="de" href="/de"/></entry>'),
            "x",
            "https://ann.test/a",
        ),
        (
            atom('<entry xml:base="c/"><id>x</id><title>A</title><link href="a"/></entry>', ' xml:base="https://b.test/d/"'),
            "x",
            "https://b.test/d/c/a",
        ),
        (atom("<entry><id>https://ann.test/a</id><title>A</title></entry>"), *["https://ann.test/a"] * 2),
        # the guid in a document that is not well-formed is the same
        (rss("<item><title>A</title><guid>x?a=1&amp;b=2</guid></item><br>"), "x?a=1&b=2", ""),
    ],
)  # fmt: skip
def test_the_title_and_url_of_an_item_are_read(document: str, guid: str, link: str) -> None:
    assert (item(document).guid, item(document).link) == (guid, link)


@pytest.mark.parametrize("name", ["guid", "id", "author", "itunes:summary", "media:title", "itunes:explicit"])
@pytest.mark.parametrize("written", ["&lt;{}&gt;", "<![CDATA[<{}>]]>"], ids=["escaped", "in a section"])
def test_the_name_of_an_element_in_a_title_is_text(name: str, written: str) -> None:
    words, text = written.format(name), "&lt;p&gt;One&lt;/p&gt;" * 500
    first = f"<item><title>{words}</title><description>{text}</description><author>Ann</author></item>"
    found = read_feed(rss(f"{first}<item><title>B</title></item>").encode(), URL, {})
    assert found.problems == ()
    assert [each.title for each in found.items] == [f"<{name}>", "B"]
    assert found.items[0].html == "<p>One</p>" * 500
    assert [each.name for each in found.items[0].authors] == ["Ann"]


@pytest.mark.parametrize(
    ("document", "html", "summary"),
    [
        (rss("<item><description>&lt;p&gt;One&lt;/p&gt;</description></item>"), "<p>One</p>", ""),
        (rss("<item><description>One</description></item>"), "", "One"),
        (rss("<item><description><p>One <b>two</b></p></description></item>"), "<p>One <b>two</b></p>", ""),
        (
            rss("<item><content:encoded>&lt;p&gt;All&lt;/p&gt;</content:encoded><description>One</description></item>"),
            "<p>All</p>",
            "One",
        ),
        (
            rss("<item><description>One</description><itunes:summary>Notes</itunes:summary>"
                "<content:encoded>&lt;p&gt;All&lt;/p&gt;</content:encoded></item>"),
            "<p>All</p>",
            "One",
        ),
        (
            rss("<item><description>&lt;p&gt;All&lt;/p&gt;</description><media:content url='a.png'>"
                "<media:description>A caption that is longer than the text</media:description></media:content></item>"),
            "<p>All</p>",
            "",
        ),
        (rss("<item><title>A</title><itunes:summary>Notes &amp; more</itunes:summary></item>"), "", "Notes & more"),
        (
            rss("<item><title>A</title><itunes:summary>One &lt;b&gt;two&lt;/b&gt; &amp;lt;3</itunes:summary></item>"),
            "",
            "One two <3",
        ),
        (atom('<entry><title>A</title><content type="text">a &lt; b</content></entry>'), "<p>a &lt; b</p>", ""),
        (atom("<entry><title>A</title><content>a\n\nb</content></entry>"), "<p>a</p>\n<p>b</p>", ""),
        (
            atom('<entry><title>A</title><content type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml">a<br/>'
                 "<em>b</em></div></content></entry>"),
            "a<br><em>b</em>",
            "",
        ),
        (
            atom('<entry><title>A</title><content type="image/png">AAAA</content><summary>One</summary></entry>'),
            "",
            "One",
        ),
        (
            atom('<entry><title>A</title><content src="/whole" type="text/html"/><summary>One</summary></entry>'),
            "",
            "One",
        ),
        (
            atom('<entry><title>A</title><source><title>B</title><author><name>B</name></author></source>'
                 '<content type="html">&lt;p&gt;a&lt;/p&gt;</content></entry>'),
            "<p>a</p>",
            "",
        ),
        (
            atom('<entry><title>A</title><content type="html" xml:base="/c/">&lt;a href="d"&gt;a&lt;/a&gt;'
                 "</content></entry>"),
            '<a href="https://ann.test/c/d">a</a>',
            "",
        ),
    ],
)  # fmt: skip
def test_the_text_of_an_item_is_read(document: str, html: str, summary: str) -> None:
    assert (item(document).html, item(document).summary) == (html, summary)
    assert item(document).title in ("", "A")


@pytest.mark.parametrize(
    ("written", "authors"),
    [
        ("<author>ann@ann.test (Ann Lee)</author>", [("Ann Lee", "ann@ann.test")]),
        ("<author>Ann Lee</author>", [("Ann Lee", "")]),
        ("<author>ann@ann.test</author>", [("ann", "ann@ann.test")]),
        ("<author>Ann Lee &lt;ann@ann.test&gt;</author>", [("Ann Lee", "ann@ann.test")]),
        ("<dc:creator>Ann</dc:creator><dc:creator>Ben</dc:creator>", [("Ann", ""), ("Ben", "")]),
        ("<dc:creator>Ann</dc:creator><itunes:author>Ann</itunes:author>", [("Ann", "")]),
        ("<author>noreply@blogger.com (Ann)</author>", [("Ann", "")]),
        ("<author>ann@long.industries (Ann (A.) Lee)</author>", [("Ann (A.) Lee", "ann@long.industries")]),
        ("<author>ann@long.industries (Ann Lee)</author>", [("Ann Lee", "ann@long.industries")]),
        ("<author></author>", []),
    ],
)
def test_the_authors_of_an_item_are_read(written: str, authors: list[tuple[str, str]]) -> None:
    found = item(rss(f"<item><title>A</title>{written}</item>"))
    assert [(author.name, author.email) for author in found.authors] == authors


def test_a_feed_of_one_author_gives_it_to_its_items() -> None:
    author = "<author><name>Ann</name><uri>/about</uri></author>"
    (found,) = item(atom(f"{author}<entry><title>A</title></entry>")).authors
    assert (found.name, found.url) == ("Ann", "https://ann.test/about")


def test_the_pace_that_a_feed_states_is_read() -> None:
    channel = "<ttl>90</ttl><skipHours><hour>0</hour><hour>23</hour><hour>x</hour></skipHours>"
    channel += "<skipDays><day>Sunday</day><day>Noday</day></skipDays>"
    assert read_feed(rss("", channel).encode(), URL, {}).pace == FeedPace(90, frozenset({0, 23}), frozenset({6}))
    channel = "<sy:updatePeriod>daily</sy:updatePeriod><sy:updateFrequency>4</sy:updateFrequency>"
    assert read_feed(rss("", channel).encode(), URL, {}).pace == FeedPace(360)
    channel = "<ttl>-5</ttl><sy:updatePeriod>often</sy:updatePeriod><sy:updateFrequency>0</sy:updateFrequency>"
    assert read_feed(rss("", channel).encode(), URL, {}).pace == FeedPace()


def test_headers_supply_what_the_document_lacks() -> None:
    headers = {
        "link": '<https://hub.test/>; rel="hub", </feed.xml>; rel=self, <https://x.test/>; rel="other"',
        "content-language": "de, en",
    }
    found = read_feed(rss("").encode(), URL, headers)
    assert (found.hub, found.url, found.language) == ("https://hub.test/", URL, "de")
    named = rss("", "<atom:link rel='hub' href='https://own.test/'/><language>fr</language>")
    found = read_feed(named.encode(), URL, headers)
    assert (found.hub, found.language) == ("https://own.test/", "fr")
    assert read_feed(rss("").encode(), URL, {"link": '<javascript:x>; rel="hub"'}).hub == ""


def test_an_empty_item_is_ignored() -> None:
    assert read_feed(rss("<item/><item><guid>1</guid></item>").encode(), URL, {}).items == ()


def test_the_language_of_an_item_is_its_own() -> None:
    document = atom('<entry xml:lang="fr"><title>A</title></entry><entry><title>B</title></entry>', ' xml:lang="de"')
    found = read_feed(document.encode(), URL, {})
    assert (found.language, [each.language for each in found.items]) == ("de", ["fr", ""])
