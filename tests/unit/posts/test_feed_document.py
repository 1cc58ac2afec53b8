"""Feeds of other sites, as they are read: what each kind of feed says in its own way becomes the same values."""

from __future__ import annotations

from datetime import UTC, datetime

from publisher.posts.sources.feed_document import read_feed

URL = "https://ann.test/feed.xml"


def test_rss_atom_and_json_say_the_same() -> None:
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
