"""The body of a post is prepared for its page."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import html as lxml_html

from publisher.site.pages.article import clock, shorten
from publisher.site.pages.post_body import highlight, page_body
from tests.support.pages_samples import BASE, CODE, text_of

URL = f"{BASE}/2024/11/20/code/"


def on_page(html: str, title: str = "Title") -> str:
    return page_body(html, title=title, url=URL, site_url=BASE, root="../../", table_label="Table")


@pytest.mark.parametrize(
    ("html", "expected"),
    [
        (f'<a href="{BASE}/about/">x</a>', '<a href="../../about/">x</a>'),
        (f'<a href="{URL}#fn-1">1</a>', '<a href="#fn-1">1</a>'),
        ('<a href="https://else.example/">x</a>', '<a href="https://else.example/">x</a>'),
        (f'<a href="{BASE}.evil.example/">x</a>', f'<a href="{BASE}.evil.example/">x</a>'),
        (f'<video poster="{BASE}/p.jpg" src="{BASE}/v">', '<video poster="../../p.jpg" src="../../v">'),
        (f'<p title="{BASE}/x">y</p>', f'<p title="{BASE}/x">y</p>'),
        (f'<p>Say href="{BASE}/x"</p>', f'<p>Say href="{BASE}/x"</p>'),
        ('<img src="a" alt="<table>">', '<img loading="lazy" decoding="async" src="a" alt="<table>">'),
        ('<img loading="eager" src="a">', '<img loading="eager" src="a">'),
        ("<pre>x</pre>", '<pre tabindex="0">x</pre>'),
        ('<pre><code class="language-nonesuch">a &lt; b</code></pre>',
         '<pre tabindex="0"><code class="language-nonesuch" translate="no">a &lt; b</code></pre>'),
        ("<h1>Title</h1><p>x</p>", "<p>x</p>"),
        ("<h1>Use &lt;b&gt;</h1>", "<h2>Use &lt;b&gt;</h2>"),
        ('<p>x</p><h1 id="h1">Title</h1>', '<p>x</p><h2 id="h1">Title</h2>'),
        (
            "<table><tr><td>a<br>b</td></tr></table>",
            '<div class="table-scroll" role="region" tabindex="0" aria-label="Table">'
            "<table><tr><td>a<br>b</td></tr></table></div>",
        ),
        ('<tr><th></th><th align="right">b</th></tr>', '<tr><td></td><th align="right">b</th></tr>'),
        ('<img alt="<th></th>" loading="lazy">', '<img alt="<th></th>" loading="lazy">'),
    ],
)  # fmt: skip
def test_a_body_is_prepared_for_its_page(html: str, expected: str) -> None:
    assert on_page(html) == expected


def test_a_first_heading_that_repeats_an_escaped_title_is_dropped() -> None:
    assert on_page("<h1>Use &lt;b&gt; <em>well</em></h1><p>x</p>", "Use <b> well") == "<p>x</p>"


def test_code_in_a_known_language_is_highlighted_and_reads_the_same() -> None:
    made = on_page(f'<pre><code class="language-python">{CODE}</code></pre>')
    assert '<span class="k">def </span><span class="f">line</span>' in made
    assert text_of(made) == text_of(CODE)


@given(st.text(alphabet=st.characters(codec="utf-8", exclude_characters="\r\x00\ufeff"), max_size=200))
@pytest.mark.parametrize("language", ["python", "bash", "html", "diff", "json"])
def test_highlighting_changes_no_visible_character(language: str, code: str) -> None:
    made = highlight(code, language)
    assert made is not None
    assert text_of(made) == code


@given(st.text(alphabet='<>="/ abthlepr', max_size=60))
def test_an_alt_text_never_becomes_markup(alt: str) -> None:
    # Possible output of a sanitiser: quotes are escaped, angle brackets are not.
    source = f'<p><img src="a.png" alt="{alt.replace(chr(34), "&quot;")}"></p>'
    (image,) = lxml_html.fragment_fromstring(on_page(source)).iter("img")
    assert image.get("alt") == alt
    assert set(image.attrib) == {"src", "alt", "loading", "decoding"}


@pytest.mark.parametrize(
    ("text", "length", "expected"),
    [
        ("short", 10, "short"),
        ("one two three", 10, "one two…"),
        ("日本語" * 10, 7, "日本語日本語…"),
        ("a" * 20, 5, "aaaa…"),
    ],
)
def test_a_text_is_cut_between_words(text: str, length: int, expected: str) -> None:
    assert shorten(text, length) == expected


@pytest.mark.parametrize(("seconds", "expected"), [(0, ""), (59, "0:59"), (1934, "32:14"), (3723, "1:02:03")])
def test_a_duration_reads_like_a_clock(seconds: int, expected: str) -> None:
    assert clock(seconds) == expected
