"""A lone tag in a sentence is treated as a word, and the text after the tag is not lost, hidden or misread."""

from __future__ import annotations

import pytest
from lxml import html as lxml_html

from publisher.core.models import Severity
from publisher.newsletters.letter.note import rendered_note
from publisher.posts.rendering.allowed_html import sanitise
from publisher.posts.rendering.commonmark import _markdown
from publisher.posts.rendering.lone_tags import settle, settle_markdown
from publisher.posts.text.excerpt import plain_line
from publisher.posts.text.prose import unclosed_raw_blocks
from tests.support.posts_samples import rendered, said

NAMES = """
    script style title textarea template noscript object select iframe noembed noframes xmp plaintext svg math
    video audio details table pre rp frameset td tr th tbody caption
""".split()  # noqa: SIM905 - as in allowed_html
PLACES = {
    "sentence": "Use the {} tag here.\n\nSecond paragraph **bold**.",
    "begin": "{} is the tag.\n\nSecond paragraph **bold**.",
    "item": "- Use the {} tag here.\n- Second paragraph **bold**.",
    "cell": "| Use the {} tag | here. |\n|---|---|\n| Second paragraph | **bold**. |",
    "heading": "## Use the {} tag here.\n\nSecond paragraph **bold**.",
    "quotation": "> Use *the {} tag* here.\n\nSecond paragraph **bold**.",
}
SPELLINGS = ("<{}>", '<{} id="x" class=y>', "<{}\tdata-x='a > b' hidden>", "</{}>")


def cleaned(body: str) -> str:
    return sanitise(settle_markdown(body, _markdown).html, lambda tag, reference: reference)


def cleaned_html(body: str) -> str:
    return sanitise(settle(body).html, lambda tag, reference: reference)


def words(html: str) -> str:
    return " ".join(lxml_html.fromstring(f"<div>{html}</div>").text_content().split())


@pytest.mark.parametrize("place", PLACES)
def test_a_lone_tag_is_text_and_takes_nothing_with_it(place: str) -> None:
    for name in [*NAMES, *map(str.upper, NAMES)]:
        for spelling in SPELLINGS:
            tag = spelling.format(name)
            if place == "begin" and (tag.startswith("</") or name.lower() in ("td", "tr", "th", "tbody", "caption")):
                continue  # a line with this beginning is a block of HTML, for which HTML has rules
            html = cleaned(PLACES[place].format(tag))
            shown = words(html)
            assert " ".join(tag.split()) in shown, (place, tag, html)
            assert shown.replace(" ", "").endswith("Secondparagraphbold."), (place, tag, html)
            assert "<strong>bold</strong>" in html, (place, tag, html)


def test_a_lone_tag_in_an_html_post_is_text() -> None:
    for name in NAMES[: NAMES.index("td")]:
        for spelling in SPELLINGS[:-1]:
            tag = spelling.format(name)
            html = cleaned_html(f"<ul><li>Use the {tag} tag here.</li></ul><p>Second <b>bold</b></p>")
            assert words(html).replace(" ", "") == f"Usethe{tag}taghere.Secondbold".replace(" ", "").replace(
                "\t", ""
            ), html
            assert "<b>bold</b>" in html


CLOSED = [
    ("<script>alert(1)</script>\n\nBehind **it**.", "<p>Behind <strong>it</strong>.</p>"),
    ("Before <script async src='x.js'></script> behind **it**.", "<p>Before  behind <strong>it</strong>.</p>"),
    ("In <script> and </script> is *code*.", "<p>In &lt;script&gt; and &lt;/script&gt; is <em>code</em>.</p>"),
    ("<script> and </script> have *code*.", "<p>&lt;script&gt; and &lt;/script&gt; have <em>code</em>.</p>"),
    ("A <title>b</title> c", "<p>A &lt;title&gt;b&lt;/title&gt; c</p>"),
    ("<style>\n\np {}\n\n</style>\nBehind", ""),
    ("A <noscript>words</noscript> c", "<p>A words c</p>"),
    ("<object data='x.swf'>words</object>\n\nBehind", "<p>words</p>\n<p>Behind</p>"),
    ("<select><option>A</option><option>B</option></select>\n\nc", "<p>\nA\n\nB\n</p>\n<p>c</p>"),
    ("A <iframe> b </iframe> c", "<p>A &lt;iframe&gt; b &lt;/iframe&gt; c</p>"),
    ("A <video> b </video> c", "<p>A &lt;video&gt; b &lt;/video&gt; c</p>"),
    ("<details><summary>A</summary>\n\n*b*\n\n</details>\n\nc", "<p><em>b</em></p>\n</details>\n<p>c</p>"),
    ("- <details><summary>A</summary>\n\n  *b*\n  </details>\n\nc", "</summary>\n<p><em>b</em></p>\n</details>\n"),
    ("<video src='a.mp4' /> **b**", '<p><video src="a.mp4"></video> <strong>b</strong></p>'),
    ("A <svg/> b", "<p>A  b</p>"),
    ("<?php echo 'a > b'; ?>\n\nC", "<p>C</p>"),
    ("<textarea>\na\n</textarea>\n\nb", "<p>b</p>"),
    ("A <script>b(1)</script> c", "<p>A  c</p>"),
    ("<table><tr><td>a", "<table><tbody><tr><td>a"),
    ("A <script> b\n\nC </script> d", "<p>A &lt;script&gt; b</p>\n<p>C &lt;/script&gt; d</p>"),
    ("A <video> b\n\n<video src=x></video>\n\nc", '<p>A &lt;video&gt; b</p>\n<p><video src="x"></video></p>\n<p>c</p>'),
    ("<script> begins it.\n\n`</script>`", "<p>&lt;script&gt; begins it.</p>\n<p><code>&lt;/script&gt;</code></p>"),
    ("<pre> is a tag.\n\n```html\n</pre>\n```\n\n**b**", "<p>&lt;pre&gt; is a tag.</p>"),
    ("Use `<title>` and\n\n    <script>\n\n**b**", "<code>&lt;title&gt;</code> and</p>\n<pre><code>&lt;script&gt;"),
    ("<!DOCTYPE html> and <?php '<b>' ?> *b*", "&lt;!DOCTYPE html&gt; and &lt;?php '&lt;b&gt;' ?&gt; <em>b</em></p>"),
    ("A <!-- hidden --> b <![CDATA[c > d]]> e", "<p>A  b &lt;![CDATA[c &gt; d]]&gt; e</p>"),
    ("<div title=\"x>\n\nHello **b** \"c\"", "<p>Hello <strong>b</strong> “c”</p>"),
    ("<div\n\nHello **b**", "<p>&lt;div</p>\n<p>Hello <strong>b</strong></p>"),
]  # fmt: skip


@pytest.mark.parametrize(("body", "expected"), CLOSED)
def test_text_after_a_tag_stays(body: str, expected: str) -> None:
    assert expected in cleaned(body)


def test_a_whole_document_shows_neither_its_title_nor_its_styles() -> None:
    head = "<!DOCTYPE html><html><head><title>A title</title><style>p {}</style></head>"
    assert words(cleaned_html(f"{head}<body><p>Hi <iframe> x</p><iframe src='https://a.example/'></iframe> b")) == (
        "Hi <iframe> x b"
    )


def test_a_note_and_an_excerpt_keep_what_follows_a_tag() -> None:
    assert rendered_note("Use <title> *here*.", "https://a.example") == "<p>Use &lt;title&gt; <em>here</em>.</p>\n"
    assert plain_line("Use the <script> tag &amp; more") == "Use the <script> tag & more"
    assert plain_line("a <script>b</script> <b>c</b>") == "a c"
    assert rendered("Use the <title> tag here.\n\nSecond").excerpt == "Use the <title> tag here. Second"


def test_a_check_names_each_tag_that_became_text() -> None:
    body = "Use the\n<title> tag.\n\n`<script>`\n\n<script>x</script>\n\nUse <script>\n\n<style> begins.\n\n<div id=\n"
    why = "is shown as text, because it"
    assert said(rendered(body)) == [
        (5, f"<title> {why} isn't allowed in a post"),
        (11, f"<script> {why} is never closed"),
        (13, f"<style> {why} is never closed"),
        (15, "<div id is shown as text, because its > is missing"),
        (9, "the HTML tag <script> was removed"),
    ]
    assert said(rendered("<p>a\n<video> b</p>", name="2024-07-06-hello.html")) == [
        (5, f"<video> {why} is never closed")
    ]


def test_an_unclosed_comment_is_an_error_that_counts_what_it_hides() -> None:
    result = rendered("A word.\n\n<!-- to do\n\nSecret **words** here")
    assert "Secret" not in result.html
    assert [(p.line, p.severity, p.message) for p in result.problems] == [
        (6, Severity.ERROR, "the comment that begins here is never closed, and hides 5 words from readers")
    ]
    assert rendered("A <!-- b\nc --> d <!--more--> e\n\n<!-- f\n\ng -->").problems == ()


def test_a_pre_that_ends_after_a_fence_is_closed() -> None:
    body = "- one\n\n  <pre><code>```js caption\n  const a = 1\n  ```</code></pre>\n\nB"
    result = rendered(body)
    assert "<pre><code>```js caption\nconst a = 1\n```</code></pre>" in result.html
    assert result.html.endswith("<p>B</p>\n")
    assert result.problems == ()
    lines = ("<pre>a\n\n```\n</pre>\n```\nb", "<pre>\nx\n\n```html\n</pre>\n```\n", "```</pre>\nx\n```\n<pre>\n")
    assert [unclosed_raw_blocks(each.split("\n")) for each in lines] == [[0], [0], [3]]
