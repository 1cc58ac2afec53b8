"""If only the URL of a blog's page is known, its feeds are found through the links of the page."""

from __future__ import annotations

import pytest

from publisher.posts.sources.discovery import feeds_of

URL = "https://ann.test/blog/"


def found(html: str) -> list[tuple[str, str, str]]:
    return [tuple(feed) for feed in feeds_of(html.encode(), URL)]


@pytest.mark.parametrize(
    ("html", "feeds"),
    [
        (
            '<link rel="alternate" type="application/rss+xml" title="Ann &raquo; Feed" href="/feed/">',
            [("Ann » Feed", "https://ann.test/feed/", "rss")],
        ),
        (
            "<LINK HREF='atom.xml' TYPE='application/atom+xml' REL='alternate'/>",
            [("", "https://ann.test/blog/atom.xml", "atom")],
        ),
        (
            "<link rel=alternate type=application/feed+json href=//cdn.test/feed.json>",
            [("", "https://cdn.test/feed.json", "json")],
        ),
        (
            '<link rel="home alternate" type="application/json" href="/feed.json">',
            [("", "https://ann.test/feed.json", "json")],
        ),
        (
            '<base href="/de/"><link rel="alternate" type="application/rss+xml" href="feed">',
            [("", "https://ann.test/de/feed", "rss")],
        ),
        # several: those of comments are last
        (
            '<link rel="alternate" type="application/rss+xml" title="Ann &raquo; Comments Feed" href="/comments/feed/">'
            '<link rel="alternate" type="application/rss+xml" title="Ann &raquo; Feed" href="/feed/">'
            '<link rel="alternate" type="application/rss+xml" title="again" href="/feed/">',
            [
                ("Ann » Feed", "https://ann.test/feed/", "rss"),
                ("Ann » Comments Feed", "https://ann.test/comments/feed/", "rss"),
            ],
        ),
        # links that aren't feeds
        ('<link rel="alternate" hreflang="de" href="/de/">', []),
        ('<link rel="alternate" type="application/json" href="/wp-json/wp/v2/pages/2">', []),
        ('<link rel="alternate" type="application/json+oembed" href="/oembed">', []),
        ('<link rel="alternate" type="text/xml" href="/sitemap.xml">', []),
        ('<link rel="stylesheet alternate" type="application/rss+xml" href="/feed">', []),
        ('<link rel="alternate" type="application/rss+xml" href="javascript:x">', []),
        ('<!-- <link rel="alternate" type="application/rss+xml" href="/feed"> -->', []),
        ('<script>"<link rel=alternate type=application/rss+xml href=/feed>"</script>', []),
        # links in the text are used only if the head has no feeds
        ('<a href="/rss.xml" title="Follow">RSS</a><a href="/about">', [("Follow", "https://ann.test/rss.xml", "rss")]),
        ('<a href="/feed.json">J</a>', [("", "https://ann.test/feed.json", "json")]),
        ('<a href="/blog/atom.xml">A</a>', [("", "https://ann.test/blog/atom.xml", "atom")]),
        ('<a href="/blog?format=rss">A</a>', [("", "https://ann.test/blog?format=rss", "rss")]),
        (
            '<link rel="alternate" type="application/rss+xml" href="/a"><a href="/rss.xml">RSS</a>',
            [("", "https://ann.test/a", "rss")],
        ),
        ('<a href="/feeding-birds">A</a><a href="/rss-is-not-dead/">B</a>', []),
        ("", []),
        ("<link", []),
    ],
)
def test_the_feeds_of_a_page_are_found(html: str, feeds: list[tuple[str, str, str]]) -> None:
    assert found(html) == feeds


def test_a_page_with_many_feeds_is_read_up_to_a_limit() -> None:
    links = "".join(f'<link rel="alternate" type="application/rss+xml" href="/{n}">' for n in range(1000))
    assert len(found(links)) == 100
