"""Small feeds, written as each blog tool writes them, are read with the expected result."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import NamedTuple

import pytest

from publisher.core.models import Enclosure, Episode
from publisher.core.source_models import FeedDocument, FeedItem
from publisher.posts.sources.feed_document import read_feed
from tests.support import ROOT

SAMPLES = ROOT / "tests/data/sources"


def read(name: str) -> FeedDocument:
    path = SAMPLES / name
    return read_feed(path.read_bytes(), f"https://{path.stem}.test/feed", {})


class Expected(NamedTuple):
    """The fields that an item must have. `author` joins all names with " + "; `image` is (URL, alt text)."""

    title: str
    guid: str
    link: str
    published: str
    author: str = ""
    categories: tuple[str, ...] = ()
    image: tuple[str, str] | None = None
    begins: str = ""
    summary: str = ""


TABLE = {
    "wordpress.xml": [
        Expected(
            "Beans & squash: a “three sisters” bed",
            "https://wordpress.test/?p=4711",
            "https://wordpress.test/2026/11/three-sisters/",
            "2026-11-23T07:30:00",
            "Ann O'Hara",
            ("Garden", "Seeds & Soil"),
            ("https://wordpress.test/wp-content/uploads/2026/11/bed-1024x683.jpg", "A bed of maize, beans and squash"),
            '<figure><img width="1024" height="683" src="https://wordpress.test/',
            "Three plants that help each other, and what I would do differently.",
        )
    ],
    "wordpress-com.xml": [
        Expected(
            "Nach Süden",
            "http://bensreisen.wordpress.test/?p=92",
            "https://bensreisen.wordpress.test/2026/11/20/nach-sueden/",
            "2026-11-20T18:05:44",
            "Ben",
            ("Italien",),
            ("https://bensreisen.files.wordpress.test/2026/11/pass.jpg", "Der Pass im Schnee"),
            "<p>Über den Brenner, und dann immer weiter.</p>",
            "Über den Brenner, und dann immer weiter.",
        )
    ],
    "ghost.xml": [
        Expected(
            "How to read [a short guide]",
            "65008aae268a8900014b5cf6",
            "https://ghost.test/how-to-read/",
            "2026-11-24T10:12:02",
            "Cleo Marsh",
            ("Reading",),
            ("https://ghost.test/content/images/2026/11/pencil.jpg", "How to read [a short guide]"),
            '<img src="https://ghost.test/content/images/2026/11/pencil.jpg"',
            "Slowly, & with a pencil.",
        )
    ],
    "squarespace.xml": [
        Expected(
            "A chair in ash",
            "5f0a1b2c3d4e:6050a1:6743f0c2",
            "https://www.squarespace.test/journal/2026/11/25/a-chair-in-ash",
            "2026-11-25T07:45:13",
            "Dora Lind",
            ("Furniture",),
            ("https://images.squarespace-cdn.com/content/v1/5f0/chair-cover.jpg?format=1500w", "A chair in ash"),
            "<figure>",
        )
    ],
    "blogger.xml": [
        Expected(
            "Kites & crows",
            "tag:blogger.com,1999:blog-8588450866181483028.post-9168071053130527543",
            "https://blogger.test/2026/11/kites-and-crows.html",
            "2026-11-20T10:08:00",
            "Eva",
            ("birds",),
            ("https://blogger.googleusercontent.com/img/a/AVvXs/s640/kite.jpg", "Kites & crows"),
            '<div><a href="https://blogger.googleusercontent.com/img/a/AVvXs/s1600/kite.jpg">',
        )
    ],
    "substack.xml": [
        Expected(
            "What a bond is",
            "https://finn.substack.test/p/what-a-bond-is",
            "https://finn.substack.test/p/what-a-bond-is",
            "2026-11-26T11:30:00",
            "Finn Ode",
            (),
            ("https://substack-post-media.s3.amazonaws.com/public/images/bond.png", "What a bond is"),
            "<p>A bond is a loan.</p>",
            "A loan that you can sell",
        )
    ],
    "medium.xml": [
        Expected(
            "Sharpening, explained",
            "https://medium.test/p/dc4e",
            "https://medium.test/the-workshop/sharpening-explained-dc4e?source=rss----a1b2c3---4",
            "2026-11-27T06:14:50",
            "Gus",
            ("woodworking", "tools"),
            ("https://cdn-images-1.medium.com/max/1024/1*stone.jpeg", "A whetstone"),
            "<h4>All you need is a stone</h4>",
        )
    ],
    "drupal.xml": [
        Expected(
            "Reading hour for children",
            "42 at https://drupal.test",
            "https://drupal.test/node/42",
            "2026-11-21T09:15:00",
            "hanna",
            ("Children",),
            ("https://drupal.test/sites/default/files/reading.jpg", "Children on a carpet"),
            "<span>Reading hour</span>",
        )
    ],
    "hugo.xml": [
        Expected(
            "Why <details> is underrated",
            "https://hugo.test/posts/details/",
            "https://hugo.test/posts/details/",
            "2026-11-22T15:00:00",
            begins="<p>It opens, &amp; it closes.</p>\n<p>That is <code>&lt;details&gt;</code>.",
        ),
        Expected(
            "About",
            "https://hugo.test/about/",
            "https://hugo.test/about/",
            "",
            summary="I write about browsers and what they do when nobody looks …",
        ),
    ],
    "jekyll.xml": [
        Expected(
            "A & B: the <b> element",
            "https://jekyll.test/2026/11/18/a-and-b",
            "https://jekyll.test/2026/11/18/a-and-b.html",
            "2026-11-17T23:00:00",
            "Jan Novák",
            ("html", "css"),
            ("https://jekyll.test/assets/cover.png", "A & B: the <b> element"),
            '<p>See <a href="https://jekyll.test/2026/11/18/a-and-b.html#more">below</a> and '
            '<img src="https://jekyll.test/2026/11/18/diagram.png" alt="Diagram">.</p>',
            "See below and .",
        )
    ],
    "eleventy.xml": [
        Expected(
            "Fonts, again",
            "https://eleventy.test/posts/fonts/",
            "https://eleventy.test/posts/fonts/",
            "2026-11-19T00:00:00",
            "Kay Lee",
            begins='<p>Two <a href="https://eleventy.test/colours/">weights</a> are enough.</p>',
        ),
        Expected(
            "In XHTML",
            "https://eleventy.test/posts/xhtml/",
            "https://eleventy.test/posts/xhtml/",
            "2026-11-18T08:00:00",
            "Guest",
            (),
            ("https://eleventy.test/img/a.png", "A"),
            '<p>One &lt; two<br><img src="https://eleventy.test/img/a.png" alt="A"></p>',
        ),
    ],
    "micro-blog.json": [
        Expected(
            "",
            "http://lou.micro.test/2026/11/28/a-walk.html",
            "https://lou.micro.test/2026/11/28/a-walk.html",
            "2026-11-28T14:41:17",
            "Lou Park",
            ("walks",),
            ("https://lou.micro.test/2026/11/28/uploads/2026/walk.jpg", "A path in fog"),
            "<p>A walk &amp; a thought.</p>",
        ),
        Expected(
            "Plain <text> & more",
            "7",
            "https://micro-blog.test/2026/11/27/plain.html",
            "2026-11-27T08:00:00",
            "Lou Park",
            (),
            ("https://lou.micro.test/cover.png", "Plain <text> & more"),
            "<p>First line<br>second line</p>\n<p>Next &lt;paragraph&gt;</p>",
            "In short",
        ),
    ],
    "podcast.xml": [
        Expected(
            "12: The harbour",
            "b4f1-12",
            "https://podcast.test/12",
            "2026-11-19T10:00:00",
            "Mo & Nia",
            (),
            ("https://podcast.test/12.jpg", "12: The harbour"),
            "<p>Ropes, gulls and a <a",
            "Ropes, gulls and a bell.",
        )
    ],
    "youtube.xml": [
        Expected(
            "A radio from 1952",
            "yt:video:abc123",
            "https://www.youtube.test/watch?v=abc123",
            "2026-11-14T15:00:06",
            "Otto repairs",
            (),
            ("https://i1.ytimg.test/vi/abc123/hqdefault.jpg", "A radio from 1952"),
            "",
            "Valves, dust and patience. Parts: https://otto.test/parts",
        )
    ],
    "github.xml": [
        Expected(
            "v1.2.0",
            "tag:github.com,2008:Repository/1/v1.2.0",
            "https://github.test/pat/tool/releases/tag/v1.2.0",
            "2026-11-10T12:31:00",
            "pat",
            (),
            None,
            "<h2>Fixes</h2><ul><li><code>a &lt; b</code> works</li></ul>",
        )
    ],
    "tumblr.xml": [
        Expected(
            "No exit",
            "https://tumblr.test/post/1",
            "https://tumblr.test/post/1",
            "2026-11-13T01:00:31",
            "",
            ("signs",),
            ("https://64.media.tumblr.test/abc/s640x960/sign.jpg", "No exit"),
            "<p>Behind the station.</p><figure>",
        ),
        Expected(
            "Photo",
            "https://tumblr.test/post/2",
            "https://tumblr.test/post/2",
            "2026-11-12T01:00:31",
            "",
            (),
            ("https://64.media.tumblr.test/def/s1280x1920/b.jpg", "Photo"),
            '<img src="https://64.media.tumblr.test/def/',
        ),
    ],
    "discourse.xml": [
        Expected(
            "When to sow broad beans?",
            "discourse.test-topic-815",
            "https://discourse.test/t/when-to-sow/815",
            "2026-11-17T16:32:10",
            "@rita Rita",
            ("Growing",),
            None,
            "<p>October or February? :thinking:</p>",
        )
    ],
    "wix.xml": [
        Expected(
            "Rye, day by day",
            "6735c1f0e8b2a40012ab34cd",
            "https://www.wix.test/post/rye-day-by-day",
            "2026-11-16T04:00:00",
            "Sam",
            ("Bread",),
            (
                "https://static.wixstatic.com/media/rye~mv2.jpg/v1/fit/w_1000,h_750,al_c,q_80/file.png",
                "Rye, day by day",
            ),
            "",
            "The starter needs five days. On the first, mix equal weights of rye flour and water, cover the jar and...",
        )
    ],
    "rdf.xml": [
        Expected(
            "L'eau, à 80 degrés",
            "https://rdf.test/1.html",
            "https://rdf.test/1.html",
            "2026-11-15T07:00:00",
            "Théo",
            ("Thé vert",),
            None,
            "<p>Pas plus — jamais.</p>",
            "Pas plus.",
        )
    ],
}


def said(item: FeedItem, begins: str) -> Expected:
    """Return the fields of an item. Its HTML is cut to the length of `begins`, unless `begins` is empty."""
    return Expected(
        item.title,
        item.guid,
        item.link,
        item.published.replace(microsecond=0, tzinfo=None).isoformat() if item.published else "",
        " + ".join(author.name for author in item.authors),
        item.categories,
        (item.image.url, item.image.alt) if item.image else None,
        item.html[: len(begins)] if begins else item.html,
        item.summary,
    )


def test_every_sample_is_in_the_table() -> None:
    assert sorted(TABLE) == sorted(path.name for path in SAMPLES.iterdir())


@pytest.mark.parametrize("name", TABLE)
def test_items_are_read_according_to_their_tool(name: str) -> None:
    found = read(name)
    assert [said(item, each.begins) for item, each in zip(found.items, TABLE[name], strict=True)] == TABLE[name]
    assert found.problems == ()
    for item in found.items:
        assert "appeared first" not in item.html + item.summary
        assert "originally published" not in item.html
        assert "Subscribe" not in item.html
        assert "Share" not in item.html
        assert "pixel.wp.com" not in item.html
        assert "/tracker/" not in item.html
        assert "/_/stat" not in item.html


def test_the_properties_of_feeds_are_read() -> None:
    found = {name: read(name) for name in TABLE}
    assert {name: each.title for name, each in found.items()} == {
        "wordpress.xml": "Ann’s Garden & Kitchen",
        "wordpress-com.xml": "Bens Reisen",
        "ghost.xml": "Notes by Cleo",
        "squarespace.xml": "Journal - Studio Dora",
        "blogger.xml": "Eva's birds",
        "substack.xml": "Finn's Ledger",
        "medium.xml": "The Workshop - Medium",
        "drupal.xml": "Town library",
        "hugo.xml": "Posts on Ida",
        "jekyll.xml": "Jan writes",
        "eleventy.xml": "Kay builds",
        "micro-blog.json": "Lou",
        "podcast.xml": "Slow Radio",
        "youtube.xml": "Otto repairs",
        "github.xml": "Release notes from tool",
        "tumblr.xml": "Quinn's signs",
        "discourse.xml": "Seed Savers - Latest topics",
        "wix.xml": "Sam's Bakery",
        "rdf.xml": "Thé et café",
    }
    assert {each.kind for name, each in found.items() if name.endswith(".json")} == {"json"}
    atom = {"blogger.xml", "jekyll.xml", "eleventy.xml", "youtube.xml", "github.xml"}
    assert {name for name, each in found.items() if each.kind == "atom"} == atom
    assert found["wordpress.xml"].language == "en-GB"
    assert found["rdf.xml"].language == "fr"
    assert found["blogger.xml"].description == "What flies by & what stays"
    assert found["blogger.xml"].hub == "http://pubsubhubbub.appspot.com/"
    assert found["medium.xml"].hub == "http://medium.superfeedr.com"
    assert found["micro-blog.json"].hub == "https://micro.blog/hub"
    assert found["ghost.xml"].url == "https://ghost.test/rss/"
    assert found["micro-blog.json"].link == "https://lou.micro.test/"
    assert found["podcast.xml"].icon == "https://podcast.test/cover.jpg"
    assert [found[name].pace.minutes for name in ("wordpress.xml", "ghost.xml", "rdf.xml")] == [60, 60, 720]


def test_an_episode_keeps_its_audio_and_its_duration() -> None:
    (item,) = read("podcast.xml").items
    sound = Enclosure("https://media.podcast.test/12.mp3?source=feed", "audio/mpeg", 59_643_210, 3723)
    assert item.enclosures == (sound,)
    transcripts = (("https://podcast.test/12.vtt", "text/vtt"),)
    chapters = "https://podcast.test/12.json"
    assert item.episode == Episode(2, 12, "full", "The harbour", True, transcripts, chapters)
    assert read("micro-blog.json").items[1].enclosures[0].duration == 65


def test_an_image_is_not_an_enclosure() -> None:
    assert read("substack.xml").items[0].enclosures == ()


def test_the_date_of_a_change_is_read() -> None:
    (item,) = read("medium.xml").items
    assert item.updated == datetime(2026, 11, 27, 9, 0, 2, 123000, tzinfo=UTC)


def test_a_no_reply_address_is_not_the_address_of_an_author() -> None:
    assert [author.email for author in read("blogger.xml").items[0].authors] == [""]
