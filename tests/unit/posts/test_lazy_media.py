"""An image that a script would load later is shown once, with the URL from the attribute meant for the script."""

from __future__ import annotations

import re

import pytest

from publisher.posts.rendering.allowed_html import sanitise
from publisher.posts.rendering.commonmark import _markdown
from publisher.posts.rendering.lone_tags import may_swallow, settle, settle_markdown
from tests.support.posts_samples import html_of, rendered, said

REAL = "https://i.example/real.jpg"
PLACEHOLDERS = (
    "",
    'src=""',
    "src=#",
    'src="data:image/gif;base64,R0lGOD"',
    "src='https://i.example/placeholder.gif'",
    'src="/img/loading.svg?v=1"',
    "src=spacer.png",
    'src="//cdn.example/1x1.png"',
    'src="small.jpg" class="wp-image-3 lazyload"',
)


def shown(body: str) -> str:
    html = settle_markdown(body, _markdown).html if may_swallow(body) else _markdown(body)
    return sanitise(html, lambda tag, reference: reference.strip() or None)


def sources(html: str) -> list[str]:
    return re.findall(r'\ssrc="([^"]*)"', html)


def test_a_lazy_address_takes_the_place_of_a_placeholder() -> None:
    for name in ("data-src", "data-original", "data-lazy-src", "DATA-LAZY", "data-cfsrc", "data-litespeed-src"):
        for placeholder in PLACEHOLDERS:
            for tag in (f"<img {placeholder} {name}='{REAL}' alt=x>", f'<img {name}="{REAL}" {placeholder} alt="x" />'):
                assert sources(shown(f"A {tag} b.")) == [REAL], tag
                assert sources(sanitise(settle(f"<p>{tag}</p>").html, lambda _, r: r or None)) == [REAL], tag
        assert sources(shown(f"<iframe {name}={REAL}></iframe>")) == [REAL]
        assert sources(shown(f"<iframe src='about:blank' {name}={REAL}></iframe>")) == [REAL]
        assert sources(shown(f"<video {name}={REAL}></video> <audio {name}={REAL}></audio>")) == [REAL, REAL]
        assert sources(shown(f"<video><source {name}={REAL}></video>")) == [REAL]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("<img data-srcset='a.jpg 1x, b.jpg 2x' alt=x>", '<img srcset="a.jpg 1x, b.jpg 2x" src="a.jpg" alt="x">'),
        (
            "<picture><source data-srcset=a.webp><img data-src=a.jpg></picture>",
            '<source srcset="a.webp"><img src="a.jpg">',
        ),
        ("<img src=real.jpg data-src=other.jpg>", '<img src="real.jpg">'),
        ("<img src=real.jpg data-lazy=true data-sizes=auto>", '<img src="real.jpg">'),
        ("<video data-poster=p.jpg data-src=a.mp4></video>", '<video src="a.mp4" poster="p.jpg">'),
        ("`<img data-src=a>`", "<code>&lt;img data-src=a&gt;</code>"),
        ("    <img data-src=a>", "<pre><code>&lt;img data-src=a&gt;"),
        ("A <noscript>word</noscript> b", "<p>A word b</p>"),
    ],
)
def test_media_get_the_urls_meant_for_a_script(body: str, expected: str) -> None:
    assert expected in shown(body)


def test_an_image_and_its_copy_in_noscript_are_one_image() -> None:
    for lazy in (
        f"<img data-src={REAL} alt=x>",
        f"<img src={REAL} alt=x>",
        f"<img class=lazy src=a.gif data-src={REAL} alt=x>",
    ):
        for twin in (f"<img src={REAL}>", f"<a href='/'><img src={REAL}></a>", f"<img src={REAL} alt=x>"):
            for body in (f"{lazy}<noscript>{twin}</noscript>", f"<noscript>{twin}</noscript> {lazy}"):
                for html in (shown(f"A {body} b."), shown(f"<figure>\n{body}\n</figure>\n\nb")):
                    assert sources(html) == [REAL], (body, html)
                    assert 'alt="x"' in html
    assert sources(shown(f"<img src=blank.gif><noscript><img src={REAL}></noscript>")) == [REAL]
    assert sources(shown(f"<img data-src=a.jpg><noscript><img src={REAL}></noscript>")) == ["a.jpg"]
    assert sources(shown(f"<img src=a.jpg> A <noscript><img src={REAL}></noscript>")) == ["a.jpg", REAL]


def test_a_picture_without_an_address_is_left_out_and_reported() -> None:
    result = rendered("A\n\n![words]()\n\n<img alt='other'>\n\n<img src=''>")
    assert "<img" not in result.html
    assert [line for line, what in said(result) if what == "a picture without an address was left out"] == [6, 8, 10]
    html = html_of("<video src=''></video> <img src=' ' srcset='https://i.example/a 2x'>")
    assert html == '<p><video></video> <img src="https://i.example/a" srcset="https://i.example/a 2x"></p>'
