"""Feed readers get frames as titled links, alerts as quotes, and footnotes that their popovers understand."""

from __future__ import annotations

import re

import pytest

from publisher.posts.rendering.frames import page_of_frame
from publisher.site.feeds.feed_text import edition_html, feed_html
from publisher.site.feeds.xml_feed import looks_like_html
from publisher.site.pages.post_body import page_body
from tests.support import GOLDEN
from tests.support.posts_samples import PAGE, URL, rendered, said


@pytest.mark.parametrize(
    ("source", "page"),
    [
        ("https://www.youtube.com/embed/abc?rel=0", "https://www.youtube.com/watch?v=abc"),
        ("//www.youtube-nocookie.com/embed/dQw4w9WgXcQ?start=90", "https://www.youtube.com/watch?v=dQw4w9WgXcQ&t=90s"),
        ("https://www.youtube.com/embed/videoseries?si=x&amp;list=PL1", "https://www.youtube.com/playlist?list=PL1"),
        ("https://player.vimeo.com/video/123?h=abc&title=0", "https://vimeo.com/123/abc"),
        ("https://player.vimeo.com/video/123", "https://vimeo.com/123"),
        ("https://www.dailymotion.com/embed/video/x8", "https://www.dailymotion.com/video/x8"),
        ("https://open.spotify.com/embed/episode/4r?utm=1", "https://open.spotify.com/episode/4r"),
        ("https://embed.ted.com/talks/lang/de/a_b", "https://www.ted.com/talks/lang/de/a_b"),
        ("https://w.soundcloud.com/player/?url=https%3A//soundcloud.com/a/b", "https://soundcloud.com/a/b"),
        ("https://tube.example/videos/embed/9c-1", "https://tube.example/w/9c-1"),
        ("https://codepen.io/ada/embed/preview/xY?x=1", "https://codepen.io/ada/pen/xY"),
        ("https://maps.example/embed?pb=1", "https://maps.example/embed?pb=1"),
    ],
)
def test_a_frame_leads_to_the_page_that_people_open(source: str, page: str) -> None:
    assert page_of_frame(source) == page


def test_a_frame_is_a_link_with_its_title() -> None:
    frame = '<iframe src="https://www.youtube.com/embed/abc?rel=0" title="A &lt;talk&gt;">\nx</iframe>'
    assert feed_html(f"a {frame} b") == 'a <a href="https://www.youtube.com/watch?v=abc">A &lt;talk&gt;</a> b'
    plain = "https://a.example/e?x=1&amp;y=2"
    assert feed_html(f'<iframe src="{plain}"></iframe>') == f'<a href="{plain}">{plain}</a>'


def test_a_frame_without_a_url_is_reported() -> None:
    result = rendered(
        "A\n\n<iframe srcdoc='<p>words</p>'></iframe>\n\n<iframe data-src='https://v.example/1'></iframe>"
    )
    assert [(line, what) for line, what in said(result)] == [(6, "a frame without an address was left out")]
    assert result.html.count("<iframe") == 1


def test_an_alert_is_a_quote_with_its_title() -> None:
    html = rendered("> [!TIP] Look here\n> Words\n>\n> <div>in</div>\n\n<div>out</div>\n\n> [!NOTE]\n> More").html
    made = feed_html(html)
    assert made.count("<blockquote") == made.count("</blockquote>") == 2
    assert re.sub(r"\s+", " ", made).startswith(
        '<blockquote class="markdown-alert markdown-alert-tip"> <p><strong>Look here</strong></p> <p>Words</p>'
    )
    assert made.count("<div>") == made.count("</div>") == 2
    assert "<p><strong>Note</strong></p>" in made


def test_footnotes_have_their_own_classes_and_ids() -> None:
    body = "One[^1] two[^1] three[^ä].\n\n[^1]: First\n[^ä]: Second"
    made = feed_html(rendered(body).html)
    references = re.findall(r'<a class="footnote" href="([^"]*)" id="([^"]*)">', made)
    ways_back = re.findall(r'<a href="([^"]*)" class="reversefootnote">', made)
    notes = re.findall(r'<li id="([^"]*)">', made)
    assert (len(references), len(ways_back), len(notes)) == (3, 3, 2)
    assert {href for href, _ in references} == {f"{PAGE}#{note}" for note in notes}
    assert set(ways_back) == {f"{PAGE}#{place}" for _, place in references}
    page = page_body(rendered(body).html, title="T", url=PAGE, site_url=URL, root="../", table_label="Table")
    assert set(re.findall(r'\sid="([^"]*)"', made)) <= set(re.findall(r'\sid="([^"]*)"', page))
    other = feed_html(rendered(body, name="2024-07-07-other.md").html)
    assert not set(re.findall(r'\sid="([^"]*)"', made)) & set(re.findall(r'\sid="([^"]*)"', other))


def test_only_text_that_a_reader_may_mistake_for_html_is_declared_as_html() -> None:
    for text, expected in {
        "AT&T, Q&A, R&D & more": False,
        "a < b & c > d": False,
        "Use <head>": False,
        "": False,
        "a &amp; b": True,
        "&copy 2026": True,
        "&unknown; &#zz": True,
        "&#x41": True,
        "<b>bold</b>": True,
    }.items():
        assert looks_like_html(text) == expected, text


def test_an_edition_in_a_feed_closes_each_element_that_it_opens() -> None:
    for path in sorted((GOLDEN / "letters").glob("*.html")):
        html = edition_html(path.read_text(encoding="utf-8"))
        open_ones: list[str] = []
        for end, name in re.findall(r"<(/?)(\w+)\b[^<>]*>", html):
            if not end and name not in ("br", "hr", "img", "wbr"):
                open_ones.append(name)
            elif end:
                assert open_ones.pop() == name, (path.name, html)
        assert open_ones == [], path.name
        assert "<div>" not in html
    assert edition_html("<body><div><div dir='rtl'><div>a</div> b</div> c</div></body>").split() == (
        ["<div", 'dir="rtl">', "a", "b", "</div>", "c"]
    )
