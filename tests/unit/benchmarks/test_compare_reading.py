"""The comparison reads all formats into the same form, and its table is written to the right place in the document."""

from __future__ import annotations

import json

import pytest

from benchmarks.compare import fragment, report
from benchmarks.compare.checks import ROWS
from benchmarks.compare.corpus import whole_corpus
from benchmarks.compare.feed import main_feeds
from benchmarks.compare.program import Generator, yaml_post
from benchmarks.compare.reading import read_feed
from benchmarks.compare.report import Column
from benchmarks.compare.verdict import YES, no

ATOM = """<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="en"><updated>2024-07-09T16:45:00.25Z</updated>
<link rel="self" href="https://a.example/atom.xml"/><link rel="prev-archive" href="https://a.example/atom-1.xml"/>
<entry xml:lang="ja"><id>tag:1</id><title type="html">1 &amp;lt; 2</title><link href="https://a.example/1/"/>
<link rel="enclosure" href="https://a.example/1.mp3" type="audio/mpeg" length="7"/>
<author><name>Ada</name></author><category term="C++"/><summary>Short</summary>
<content type="html">&lt;p&gt;Long&lt;/p&gt;</content></entry></feed>"""
RSS = """<rss version="2.0" xmlns:c="http://purl.org/rss/1.0/modules/content/"><channel><item><guid>tag:1</guid>
<title>1 &lt; 2</title><link>https://a.example/1/</link><author>a@a.example (Ada)</author><category>C++</category>
<enclosure url="https://a.example/1.mp3" type="audio/mpeg" length="7"/>
<description>Short</description><c:encoded><![CDATA[<p>Long</p>]]></c:encoded></item></channel></rss>"""
JSON = json.dumps(
    {
        "version": "https://jsonfeed.org/version/1.1",
        "items": [
            {
                "id": "tag:1",
                "title": "1 < 2",
                "url": "https://a.example/1/",
                "authors": [{"name": "Ada"}],
                "tags": ["C++"],
                "summary": "Short",
                "content_html": "<p>Long</p>",
                "attachments": [{"url": "https://a.example/1.mp3", "mime_type": "audio/mpeg", "size_in_bytes": 7}],
            }
        ],
    }
)


@pytest.mark.parametrize("text", [ATOM, RSS, JSON], ids=["atom", "rss", "json"])
def test_an_entry_reads_the_same_from_every_format(text: str) -> None:
    feed = read_feed("feed", text.encode())
    assert feed is not None
    assert not feed.broken
    (entry,) = feed.entries
    assert (entry.id, entry.title, entry.link) == ("tag:1", "1 < 2", "https://a.example/1/")
    assert (entry.authors, entry.tags, entry.summary, entry.html) == (("Ada",), ("C++",), "Short", "<p>Long</p>")
    assert [(file.url, file.length) for file in entry.attached] == [("https://a.example/1.mp3", 7)]


def test_other_files_are_not_feeds() -> None:
    assert read_feed("sitemap.xml", b"<urlset/>") is None
    assert read_feed("data.json", b"{}") is None


def test_the_main_feed_is_the_longest_with_the_shortest_path() -> None:
    paths = ("tags/a/feed.xml", "feed-1.xml", "feed.xml")
    feeds = tuple(feed for path in paths if (feed := read_feed(path, RSS.encode())))
    empty = read_feed("a.xml", b"<rss><channel/></rss>")
    assert empty is not None
    assert main_feeds((empty, *feeds))["rss"].path == "feed.xml"


def test_an_archive_document_is_not_the_main_feed() -> None:
    link = '<a:link xmlns:a="http://www.w3.org/2005/Atom" rel="prev-archive" href="https://a.example/feed-1.xml"/>'
    short = read_feed("feed.xml", f'<rss version="2.0"><channel>{link}</channel></rss>'.encode())
    archive = read_feed("feed-1.xml", RSS.encode())
    assert short is not None
    assert archive is not None
    assert main_feeds((archive, short))["rss"] is short


def test_srcset_is_read_as_browsers_read_it() -> None:
    markup = '<img srcset="/w_1,h_2/a.png 1x, b.png 2x,c.png">'
    assert fragment.srcset_addresses(markup) == ["/w_1,h_2/a.png", "b.png", "c.png"]


def test_the_corpus_is_always_the_same_and_contains_each_trap_once() -> None:
    corpus = whole_corpus()
    assert corpus == whole_corpus()
    names = [post.name for post in corpus.posts]
    assert len(names) == len(set(names)) > 35
    assert {post.name for post in corpus.posts if post.hidden} == {"draft", "future"}


def test_front_matter_leaves_out_what_is_empty() -> None:
    assert (
        yaml_post({"title": 'a "b"', "tags": [], "draft": False}, "x")
        == '---\ntitle: "a \\"b\\""\ndraft: false\n---\n\nx'
    )


def _column() -> Column:
    generator = Generator("Toy", "its defaults", str, lambda *_: None, lambda *_: [], "out", {"rss": "By hand."})
    return Column(generator, "1.0", {row.key: no("a | <b>") if row.key == "rss" else YES for row in ROWS})


def test_the_table_has_versions_footnotes_reasons_and_missing_generators() -> None:
    text = report.table([_column()], {"Absent": "npm is not on the path"})
    assert "- Toy 1.0: its defaults." in text
    assert "| RSS 2.0 | **no** (1) |" in text
    assert "1. Toy: By hand." in text
    assert "- RSS 2.0: a \\| &lt;b>." in text
    assert "- Absent is not in the table: npm is not on the path" in text
