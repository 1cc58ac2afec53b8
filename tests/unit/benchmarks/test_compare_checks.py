"""The comparison's checks accept feeds that keep a promise, and reject feeds that break it."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from pathlib import Path

import pytest

from benchmarks.compare.checks import ROWS
from benchmarks.compare.corpus import AUDIO_BYTES, HUB, URL, breaking_corpus, whole_corpus
from benchmarks.compare.evidence import Build, Evidence
from benchmarks.compare.reading import read_feeds
from benchmarks.compare.verdict import Answer

CORPUS = whole_corpus()
CHECKS = {row.key: row.check for row in ROWS}
NAMESPACES = (
    'xmlns:content="http://purl.org/rss/1.0/modules/content/" xmlns:dc="http://purl.org/dc/elements/1.1/" '
    'xmlns:media="http://search.yahoo.com/mrss/" xmlns:atom="http://www.w3.org/2005/Atom"'
)


def rss(*items: str, head: str = "") -> str:
    return f'<rss version="2.0" {NAMESPACES}><channel><title>T</title>{head}{"".join(items)}</channel></rss>'


def item(name: str, parts: str = "", html: str = "") -> str:
    post = CORPUS.post(name)
    body = f"<content:encoded>{escape(html + post.mark)}</content:encoded>"
    return f"<item><title>{escape(post.title)}</title><guid>{name}</guid>{parts}{body}</item>"


def build(folder: Path, files: Mapping[str, str], corpus=CORPUS) -> Build:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return Build(corpus, folder, read_feeds(folder))


def answer(key: str, folder: Path, files: Mapping[str, str], **others: Build) -> Answer:
    return CHECKS[key](Evidence({"base": build(folder / "base", files), **others})).answer


CREATORS = "".join(f"<dc:creator>{name}</dc:creator>" for name in CORPUS.post("twoauthors").authors)
CATEGORIES = "".join(f"<category>{escape(tag)}</category>" for tag in CORPUS.post("manytags").tags)
SIX_LINKS = "".join(f'<a href="{URL}/x/#part">x</a>' for _ in range(6))
SRCSET = f"{URL}/media/w_400,h_300/picture.png 1x, {URL}/media/w_800,h_600/picture.png 2x"
ENCLOSURE = f'<enclosure url="{URL}/media/episode.mp3" length="{{}}" type="audio/mpeg"/>'
CODE = "<pre><code>{}</code></pre>"

ENTRIES = [
    ("links", "links", "", SIX_LINKS, "", SIX_LINKS.replace(f"{URL}/x/#", "#")),
    ("srcset", "html", "", f'<img srcset="{SRCSET}"><video poster="{URL}/p.png"></video>', "", '<img srcset="/a.png">'),
    ("authors", "twoauthors", CREATORS, "", "<dc:creator>Zoë Ünal</dc:creator>", ""),
    ("tags", "manytags", CATEGORIES, "", "<category>C++</category>", ""),
    ("language", "language", "<dc:language>ja</dc:language>", "", "<dc:language>en</dc:language>", ""),
    (
        "image",
        "image",
        f'<media:content url="{URL}/media/cover.png"/>',
        "",
        '<media:content url="/media/cover.png"/>',
        "",
    ),
    ("enclosure", "audio", ENCLOSURE.format(AUDIO_BYTES), "", ENCLOSURE.format(1), ""),
    ("inactive", "active", "", "<p>A paragraph.</p>", "", '<a href="java\nscript:alert(1)">x</a>'),
    ("code", "code", "", CODE.format("def area(width"), "", CODE.format("<span>def</span> area(width")),
    ("headings", "headings", "", "<h2>First part</h2>", "", '<h2>First part <a href="/x#first">#</a></h2>'),
    ("text", "long", "<description>Short.</description>", "", "", ""),
]


@pytest.mark.parametrize(
    ("key", "name", "parts", "html", "bad_parts", "bad_html"), ENTRIES, ids=[c[0] for c in ENTRIES]
)
def test_a_row_about_entries_can_pass_and_fail(
    key: str, name: str, parts: str, html: str, bad_parts: str, bad_html: str, tmp_path: Path
) -> None:
    assert answer(key, tmp_path / "good", {"feed.xml": rss(item(name, parts, html))}) is Answer.YES
    assert answer(key, tmp_path / "bad", {"feed.xml": rss(item(name, bad_parts, bad_html))}) is Answer.NO


SELF = f'<atom:link rel="self" href="{URL}/feed.xml"/>'
BUILT = "<lastBuildDate>{}:00 +0000</lastBuildDate>"
HEADS = [
    ("self", SELF, SELF.replace("feed.xml", "index.xml")),
    ("hub", f'<atom:link rel="hub" href="{HUB}"/>', ""),
    ("icon", f"<image><url>{URL}/i.png</url></image>", "<image><url>/i.png</url></image>"),
    ("updated", BUILT.format("Tue, 09 Jul 2024 16:45"), BUILT.format("Sat, 21 Nov 2026 20:11")),
]


@pytest.mark.parametrize(("key", "good", "bad"), HEADS, ids=[case[0] for case in HEADS])
def test_a_row_about_whole_feeds_can_pass_and_fail(key: str, good: str, bad: str, tmp_path: Path) -> None:
    dated = item("plain", "<pubDate>Fri, 28 Jun 2024 09:30:00 +0000</pubDate>")
    assert answer(key, tmp_path / "good", {"feed.xml": rss(dated, head=good)}) is Answer.YES
    assert answer(key, tmp_path / "bad", {"feed.xml": rss(dated, head=bad)}) is Answer.NO


def test_a_feed_with_a_control_character_fails(tmp_path: Path) -> None:
    corpus = breaking_corpus("control")
    post = corpus.post("hostile")
    entry = f"<item><title>{post.title}</title><description>Before {{}} after. {post.mark}</description></item>"
    for name, character, expected in (("good", "", Answer.YES), ("bad", "\x08", Answer.NO)):
        made = build(tmp_path / name, {"feed.xml": rss(entry.format(character))}, corpus)
        assert CHECKS["control"](Evidence({"control": made})).answer is expected


def test_a_title_must_be_read_back_unchanged(tmp_path: Path) -> None:
    corpus = breaking_corpus("title")
    for name, title, expected in (("good", "Use <head> & <3", Answer.YES), ("bad", "Use & <3", Answer.NO)):
        entry = f"<item><title>{escape(title)}</title><description>{corpus.post('hostile').mark}</description></item>"
        made = build(tmp_path / name, {"feed.xml": rss(entry)}, corpus)
        assert CHECKS["title"](Evidence({"title": made})).answer is expected


def test_an_undeclared_prefix_makes_a_format_partly_supported(tmp_path: Path) -> None:
    broken = rss(item("plain")).replace('xmlns:content="http://purl.org/rss/1.0/modules/content/"', "")
    assert answer("rss", tmp_path / "bad", {"feed.xml": broken}) is Answer.PARTLY
    assert answer("rss", tmp_path / "good", {"feed.xml": rss(item("plain"))}) is Answer.YES
    assert answer("atom", tmp_path / "none", {"feed.xml": rss(item("plain"))}) is Answer.NO


def test_an_id_that_follows_the_permalink_is_detected(tmp_path: Path) -> None:
    before, moved = rss(item("plain")), rss(item("plain").replace("<guid>plain", "<guid>elsewhere"))
    kept, changed = (build(tmp_path / name, {"feed.xml": text}) for name, text in (("a", before), ("b", moved)))
    assert answer("moved", tmp_path / "1", {"feed.xml": before}, moved=kept) is Answer.YES
    assert answer("moved", tmp_path / "2", {"feed.xml": before}, moved=changed) is Answer.NO


def test_bytes_that_differ_elsewhere_are_detected(tmp_path: Path) -> None:
    files = {"feed.xml": rss(item("plain")), "tags/a.xml": rss(item("long"))}
    other = build(tmp_path / "other", {**files, "tags/a.xml": rss(item("links"))})
    same = build(tmp_path / "same", files)
    assert answer("bytes", tmp_path / "1", files, elsewhere=same) is Answer.YES
    assert answer("bytes", tmp_path / "2", files, elsewhere=other) is Answer.PARTLY


def test_the_archive_must_contain_every_post_once(tmp_path: Path) -> None:
    names = [post.name for post in CORPUS.visible()]
    link = f'<atom:link rel="prev-archive" href="{URL}/feed-{{}}.xml"/>'
    main = rss(*map(item, names[:30]), head=link.format(2))
    newer, older = rss(*map(item, names[:6]), head=link.format(1)), rss(*map(item, names[6:]))
    assert answer("archive", tmp_path / "1", {"feed.xml": main, "feed-2.xml": newer, "feed-1.xml": older}) is Answer.YES
    short = rss(*map(item, names[6:-1]))
    assert answer("archive", tmp_path / "2", {"feed.xml": main, "feed-2.xml": newer, "feed-1.xml": short}) is Answer.NO
    assert answer("archive", tmp_path / "3", {"feed.xml": main, "feed-2.xml": newer}) is Answer.NO


def test_leaks_are_distinguished(tmp_path: Path) -> None:
    files = {"feed.xml": rss(item("plain"))}
    assert answer("hidden", tmp_path / "1", files) is Answer.YES
    assert answer("hidden", tmp_path / "2", {**files, "tags/x.xml": rss(item("future"))}) is Answer.PARTLY
    assert answer("hidden", tmp_path / "3", {"feed.xml": rss(item("draft"), item("future"))}) is Answer.NO


def test_tags_that_share_a_feed_have_no_feed_of_their_own(tmp_path: Path) -> None:
    tags = ("日本語", "C++", "C#", "R&D")
    held = {tag: [post.name for post in CORPUS.visible() if tag in post.tags] for tag in tags}
    files = {f"tags/{n}.xml": rss(*map(item, names)) for n, names in enumerate(held.values())}
    files["feed.xml"] = rss(*(item(post.name) for post in CORPUS.visible()))
    assert answer("tag-feeds", tmp_path / "1", files) is Answer.YES
    both = {**files, "tags/1.xml": rss(*map(item, {*held["C++"], *held["C#"]}))}
    both.pop("tags/2.xml")
    assert answer("tag-feeds", tmp_path / "2", both) is Answer.PARTLY


def test_pages_must_link_to_the_feed_and_to_a_page_about_feeds(tmp_path: Path) -> None:
    feed = {"feed.xml": rss(item("plain", f"<link>{URL}/plain/</link>"))}
    head = '<html><head><link rel="alternate" href="{}feed.xml"></head><body><p>x</p></body></html>'
    pages = {"index.html": head.format(""), "plain/index.html": head.format("../")}
    assert answer("discovery", tmp_path / "1", {**feed, **pages}) is Answer.YES
    assert answer("discovery", tmp_path / "2", {**feed, **pages, "plain/index.html": "<p>x</p>"}) is Answer.PARTLY
    assert answer("subscribe", tmp_path / "3", feed) is Answer.NO
    page = {"subscribe/index.html": '<p><a href="/feed.xml">Feed</a></p>'}
    assert answer("subscribe", tmp_path / "4", {**feed, **page}) is Answer.YES


def test_opml_must_list_every_feed(tmp_path: Path) -> None:
    files = {"feed.xml": rss(item("plain")), "tags/a.xml": rss(item("long"))}
    outline = f'<outline xmlUrl="{URL}/{{}}"/>'
    document = '<opml version="2.0"><body>{}</body></opml>'
    whole = document.format(outline.format("feed.xml") + outline.format("tags/a.xml"))
    assert answer("opml", tmp_path / "1", {**files, "feeds.opml": whole}) is Answer.YES
    part = document.format(outline.format("feed.xml"))
    assert answer("opml", tmp_path / "2", {**files, "feeds.opml": part}) is Answer.PARTLY


def test_sizes_and_counts_have_limits(tmp_path: Path) -> None:
    names = [post.name for post in CORPUS.visible()]
    assert answer("limit", tmp_path / "1", {"feed.xml": rss(*map(item, names[:30]))}) is Answer.YES
    assert answer("limit", tmp_path / "2", {"feed.xml": rss(*map(item, names[:31]))}) is Answer.NO
    for name, words, expected in (("3", 1, Answer.YES), ("4", 600_000, Answer.NO)):
        big = build(tmp_path / name, {"feed.xml": rss(item("plain", "", "x" * words))})
        assert CHECKS["size"](Evidence({"big": big})).answer is expected


def test_a_build_that_stops_keeps_no_promise() -> None:
    stopped = Build(CORPUS, refused="it fell over")
    evidence = Evidence(
        dict.fromkeys(
            ("base", "elsewhere", "domain", "moved", "big", "control", "cdata", "title", "noncharacter"), stopped
        )
    )
    assert {row.check(evidence).answer for row in ROWS} == {Answer.NO}
