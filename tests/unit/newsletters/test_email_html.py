"""The bodies of posts as HTML for email clients, and as plain text."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from publisher.core.models import Picture
from publisher.newsletters.letter.code_colours import coloured
from publisher.newsletters.letter.compose import default_subject
from publisher.newsletters.letter.email_html import BodyPlace, mail_body
from publisher.newsletters.letter.email_strings import direction, words_of
from publisher.newsletters.letter.plain_text import text_of
from publisher.newsletters.letter.text_lines import columns, wrap
from publisher.posts.rendering.code_tokens import lexed

WORDS = words_of("en")
PLACE = BodyPlace("https://example.org/p/", 3, WORDS)


def mailed(html, place=PLACE):
    return mail_body(html, place)


def read(html):
    return text_of(mailed(html), WORDS)


BODIES = [
    # Headings take the levels below the post's title, without gaps.
    ("<h1>a</h1><h3>b</h3><h6>c</h6>", "<h3>a</h3><h4>b</h4><h5>c</h5>"),
    ('<h2 id="x">a<a href="#x" class="anchor"></a></h2>', "<h3>a</h3>"),
    # A post cannot use the email's classes, and cannot run anything.
    ('<p class="preheader personal" id="a" style="position:fixed" onclick="x()">a</p>', "<p>a</p>"),
    ("<script>x()</script><style>p{}</style><p>a</p><!-- b -->", "<p>a</p>"),
    ('<a href="javascript:x()">a</a>', "a"),
    ('<form><label>a</label><input type="text"></form>', "a"),
    # Elements that email clients do not support.
    ("<details><summary>a</summary><p>b</p></details>", '<div><p class="alert-title">a</p><p>b</p></div>'),
    # Links are absolute; links from a footnote back to the text are useless.
    ('<p>a<a href="/b">b</a></p>', '<p>a<a href="https://example.org/b">b</a></p>'),
    ('<p>note <a href="#fnref-1" class="footnote-backref">↩</a></p>', "<p>note </p>"),
    ('<p>as I said <a href="https://a.example/x/#fnref-3">in footnote 3</a></p>',
     '<p>as I said <a href="https://a.example/x/#fnref-3">in footnote 3</a></p>'),
    ('<p>note <a href="#fnref-1">↩</a></p>', "<p>note </p>"),
    ('<sup class="footnote-ref"><a href="#fn-1">1</a></sup>',
     '<sup class="note-ref"><a href="https://example.org/p/#fn-1">1</a></sup>'),
    ("<pre>Roses are red,<br>Violets are blue</pre>",
     '<pre class="code"><code>Roses are red,\nViolets are blue</code></pre>'),
    # Media and frames.
    ('<p><picture><source srcset="/i.webp" type="image/webp"><img src="/i.png" alt="My cat"></picture> sat</p>',
     '<p><img alt="My cat" src="https://example.org/i.png"> sat</p>'),
    ("<p>a <source src=x> tag, and this</p><p>b</p>", "<p>a  tag, and this</p><p>b</p>"),
    ('<video src="/v.mp4" poster="/p.jpg"></video>',
     '<a class="media" href="https://example.org/v.mp4">'
     '<img src="https://example.org/p.jpg" alt="" role="presentation" width="504">▶\ufe0e Watch the video</a>'),
    ('<audio><source src="/a.mp3"></audio>',
     '<a class="media" href="https://example.org/a.mp3">▶\ufe0e Listen to the recording</a>'),
    ('<iframe src="https://maps.example.com/x"></iframe>',
     '<a class="media" href="https://maps.example.com/x">'
     "▶\ufe0e Open the embedded page on maps.example.com</a>"),
    ('<p>a <iframe></iframe> b</p>',
     '<p>a <a class="media" href="https://example.org/p/">▶\ufe0e Watch the video</a> b</p>'),
    # Images: wide ones get a width for Outlook, small and inline ones are unchanged.
    ('<p>a <img src="/i.png"></p>', '<p>a <img src="https://example.org/i.png" alt=""></p>'),
    ('<p><img src="/i.png" alt="i" width="20" srcset="x 2x"></p>',
     '<p><img alt="i" src="https://example.org/i.png" width="20"></p>'),
    ('<p><img src="/i.png" alt="i"></p>',
     '<p><img alt="i" src="https://example.org/i.png" width="536" class="free"></p>'),
    ('<img src="data:image/png;base64,AA" alt="pie">', '<a href="https://example.org/p/">Picture: pie</a>'),
    # Task lists.
    ('<ul><li><input type="checkbox" checked> a</li><li><input type="checkbox"> b</li></ul>',
     '<ul><li class="task">☑ a</li><li class="task">☐ b</li></ul>'),
    # Code.
    ('<pre><code class="language-nothing">a &lt; b\n</code></pre>',
     '<pre class="code"><code>a &lt; b</code></pre>'),
    ('<pre><code class="language-math">a = b\n</code></pre>', '<pre class="code"><code class="tex">a = b</code></pre>'),
    ('<pre><code class="language-python">x = "a"  # b</code></pre>',
     '<pre class="code"><code>x = <span class="c-text">"a"  </span>'
     '<span class="c-note"># b</span></code></pre>'),
]  # fmt: skip


PICTURES = {
    "wide.jpg": Picture(
        "wide.jpg", 2000, 900, "https://example.org/wide.jpg", (), "https://example.org/w.1440.jpg", ""
    ),
    "line.png": Picture("line.png", 300, 40, "https://example.org/line.png", (), "https://example.org/line.png", ""),
}


@pytest.mark.parametrize(
    ("html", "widths"),
    [
        ('<p><img src="/line.png" alt="a"></p>', ["300"]),
        ('<p>in the text <img src="/line.png" alt="a"></p>', ["300"]),
        ('<p><img src="/wide.jpg" alt="a"></p>', ["536"]),
        ('<p><img src="/line.png" alt="a"> <img src="/line.png" alt="a"></p>', ["300", "300"]),
        ('<p><a href="/b"><img src="/line.png" alt="a"></a></p>', ["300"]),
        ('<p><img src="/wide.jpg" width="40" alt="a"> <img src="/wide.jpg" width="50%" alt="a"></p>', ["40", "268"]),
        ('<p><img src="/wide.jpg" width="900" alt="a"> <img src="/line.png" width="900" alt="a"></p>', ["536", "536"]),
        ('<table><tr><td><img src="/wide.jpg" alt="a"></td><td><img src="/line.png" alt="a"></td></tr></table>',
         ["268", "268"]),
        ('<video src="/v.mp4" poster="/line.png"></video>', ["300"]),
        ('<video src="/v.mp4" poster="/wide.jpg"></video>', ["504"]),
        ('<p><img src="https://else.example/a.png" alt="a"></p>', ["536"]),
        ('<p><img src="https://else.example/a.png" width="40" alt="a"></p>', ["40"]),
    ],
)  # fmt: skip
def test_a_picture_has_its_own_width_and_at_most_that_of_its_place(html, widths):
    place = BodyPlace("https://example.org/p/", 3, WORDS, picture=lambda url: PICTURES.get(url.rpartition("/")[2]))
    made = mailed(html, place)
    assert re.findall(r'width="(\d+)"', made) == widths
    assert ("free" in made) == ("else.example" in html and widths == ["536"])
    assert ("w.1440.jpg" in made) == ("wide.jpg" in html)


@pytest.mark.parametrize(("html", "expected"), BODIES)
def test_a_body_becomes_email_html(html, expected):
    assert mailed(html) == expected


def test_only_a_table_of_many_columns_scrolls():
    def table(count):
        return f"<table><tr>{'<td>x</td>' * count}</tr></table>"

    assert 'class="scroll"' in mailed(table(2))
    assert "min-width" not in mailed(table(3))
    assert "min-width:630px" in mailed(table(6))


def test_cells_of_a_right_to_left_body_align_right():
    table = "<table><thead><tr><th>a</th></tr></thead><tr><td>b</td><td align='center'>c</td></tr></table>"
    html = mailed(table, BodyPlace("https://example.org/p/", 3, WORDS, rtl=True))
    assert re.findall(r'align="(\w+)"', html) == ["right", "right", "center"]


@pytest.mark.parametrize("depth", [100, 1000, 5000])
def test_deep_nesting_loses_no_word(depth):
    html = "<blockquote>" * depth + "<p>deep</p>" + "</blockquote>" * depth
    assert "deep" in mailed(html)
    assert "deep" in read(html)


@pytest.mark.parametrize(
    "html",
    [
        "<p>@@publisher-name@@</p>",
        "<p>&#64;&#64;publisher-name&#64;@</p>",
        "<pre>@@publisher-name@@</pre>",
        '<img src="/a.png" alt="@@publisher-name@@">',
        '<a href="https://example.com/@@publisher-name@@" lang="@@publisher-name@@">a</a>',
        '<iframe src="https://example.com/@@publisher-name@@"></iframe>',
        "<p>@@<b>publisher-name@@</b></p>",
    ],
)
def test_no_body_contains_a_mark(html):
    assert "@@publisher-" not in mailed(html)
    assert "@@publisher-" not in read(html)


@settings(deadline=None)
@given(st.text(max_size=400), st.sampled_from(["python", "html", "bash", "", "diff", "none"]))
def test_highlighting_does_not_change_code(code, language):
    code = code.replace("\r", "").replace("\ufeff", "")  # lexers normalise both
    assert "".join(text for _, text in coloured(code, language, lexed)) == code


HEAD = "".join(f"<th>{n} words</th>" for n in range(9))
TEXTS = [
    ("<p>a <b>b</b> <i>c</i></p><p>d<br>e</p>", "a b c\n\nd\ne"),
    ('<p>See <a href="https://e.org/x">this</a> and <a href="https://e.org/x">that</a>.</p>',
     "See this [1] and that [1].\n\n[1] https://e.org/x"),
    ('<p><a href="https://e.org/x">https://e.org/x</a>, <a href="mailto:a@e.org">a@e.org</a></p>',
     "https://e.org/x, a@e.org"),
    ("<h2>Head</h2><p>a</p>", "Head\n----\n\na"),
    ("<ul><li>a<ul><li>b</li></ul></li><li>c</li></ul>", "- a\n  - b\n- c"),
    ('<ol start="9"><li>a</li><li>b</li></ol>', "9. a\n10. b"),
    ("<ul><li><p>a</p><p>b</p></li><li><p>c</p></li></ul>", "- a\n\n  b\n\n- c"),
    ("<blockquote><p>a</p><p>b</p></blockquote>", "> a\n>\n> b"),
    ("<pre><code>if a:\n\n\n    b  # c</code></pre>", "    if a:\n\n\n        b  # c"),
    ("<p>a</p><hr><p>b</p>", "a\n\n* * *\n\nb"),
    ("<dl><dt>a</dt><dd>b</dd></dl>", "a\n    b"),
    ('<p>a<sup class="footnote-ref"><a href="#fn-12">12</a></sup></p>', "a¹²"),
    ('<p><img src="/a.png" alt="a pie"></p><p><img src="/b.png" alt=""></p>', "[Picture: a pie]"),
    ("<p>use <code>x</code></p>", "use `x`"),
    ("<table><thead><tr><th>a</th><th>b</th></tr></thead><tr><td>1<br>2</td><td>x</td></tr></table>",
     "a  b\n-  -\n1  x\n2"),
    ("<ul>a <b>b</b><li>c</li><ul><li>d</li></ul>e<li>f</li></ul>", "  a b\n- c\n  - d\n  e\n- f"),
    ("<ol><p>a</p><li>b</li><p>c</p><p>d</p><li>e</li></ol>", "  a\n\n1. b\n\n  c\n\n  d\n\n2. e"),
    ("<dl>a<dt>b</dt><dd>c</dd>d<p>e</p><div><dt>f</dt><dd>g</dd></div><div>h</div></dl>",
     "    a\nb\n    c\n    d\n\n    e\nf\n    g\n    h"),
    ('<a href="https://e.org/"><h2>a</h2><p>b <img src="/a.png" alt="c"></p></a>',
     "a\n-\n\nb [Picture: c] [1]\n\n[1] https://e.org/"),
    ("<table><tr><td rowspan=3>a</td><td colspan=2>b</td></tr><tr><td>c</td><td>d</td></tr><tr></tr></table>",
     "a  b\na  c  d\na"),
    (f"<table><tr><td rowspan=2>{'a ' * 25}</td><td>b</td></tr><tr><td>c</td></tr></table>",
     f"{'a ' * 25} b\n{' ' * 51}c"),
    (f"<table><thead><tr>{HEAD}</tr></thead></table>",
     "\n".join(f"{n} words" for n in range(9))),
    (f"<table><thead><tr>{HEAD}</tr></thead><tr>{'<td>a</td>' * 8}</tr></table>",
     "\n".join(f"{n} words: a" for n in range(8)) + "\n\n8 words:"),
]  # fmt: skip


@pytest.mark.parametrize(("html", "expected"), TEXTS)
def test_html_becomes_readable_text(html, expected):
    assert read(html) == expected


def test_a_wide_table_becomes_a_record_per_row():
    head = "".join(f"<th>Column {n}</th>" for n in range(8))
    row = "".join(f"<td>some words for cell {n}</td>" for n in range(8))
    text = read(f"<table><thead><tr>{head}</tr></thead><tr>{row}</tr><tr>{row}</tr></table>")
    assert text.count("Column 3: some words for cell 3\n") == 2
    assert max(map(len, text.splitlines())) <= 72


def test_wide_cells_are_wrapped_side_by_side():
    text = read(f"<table><tr><td>{'word ' * 20}</td><td>{'text ' * 20}</td></tr></table>")
    assert max(map(len, text.splitlines())) <= 72
    assert (text.count("word"), text.count("text")) == (20, 20)


@settings(deadline=None)
@given(st.text(st.sampled_from("abc 日本語、。「」ال-é "), max_size=300), st.integers(10, 72))
def test_wrapping_loses_no_character_and_keeps_the_width(text, width):
    lines = wrap(text, width)
    assert "".join("".join(lines).split()) == "".join(text.split())
    assert all(columns(line) <= width or " " not in line for line in lines)


def test_no_japanese_line_starts_with_a_closing_bracket():
    lines = wrap("日本語の文章、" * 30 + "「終わり」。" * 20, 40)
    assert len(lines) > 10
    assert [line for line in lines if line[0] in "、。」"] == []
    assert [line for line in lines if line[-1] == "「"] == []


def test_a_line_may_break_after_a_wide_comma():
    assert wrap("`Random`、`Product`、`Chain`、", 21) == ["`Random`、`Product`、", "`Chain`、"]


@settings(deadline=None)
@given(st.text(st.characters(categories=("L", "N", "P", "Zs"), max_codepoint=0x2FF), max_size=200), st.integers(2, 300))
def test_a_default_subject_of_several_posts_is_always_short(title, count):
    assert len(default_subject(title, count, WORDS.and_more)) <= 60


def test_a_single_post_gives_its_whole_title_as_the_subject():
    title = "A title of eighty-four signs, as the newspapers write them now, 👨‍👩‍👧‍👦 in every edition"
    assert default_subject(title, 1, WORDS.and_more) == title
    assert len(default_subject("word " * 400, 1, WORDS.and_more)) <= 250


@pytest.mark.parametrize(
    ("language", "sample", "expected"),
    [
        ("ar", "x", "rtl"),
        ("he-IL", "", "rtl"),
        ("en", "سلام", "ltr"),
        ("", "1. سلام", "rtl"),
        ("", "a سلام", "ltr"),
    ],
)
def test_direction_follows_language_or_first_letter(language, sample, expected):
    assert direction(language, sample) == expected


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ("<p>5 m<sup>2</sup>, a<sup>n</sup>, H<sub>2</sub>O, x<sup>note</sup></p>", "5 m², aⁿ, H₂O, x^note"),
        (
            "<p>Was <del>19</del> 12; <s>open </s>closed; f<strike>oo</strike>o</p>",
            "Was ~~19~~ 12; ~~open~~ closed; f~~oo~~o",
        ),
        ("<p><q>One <q>two</q></q></p>", "“One ‘two’”"),
        ("<p><ruby>漢<rt>かん</rt>字<rp>(</rp><rt>じ</rt><rp>)</rp></ruby></p>", "漢(かん)字(じ)"),
        ("<ul><li><del>gone</del></li><li>x</li></ul>", "- ~~gone~~\n- x"),
        ("<del><p>one</p><p>two</p></del>", "~~one~~\n\n~~two~~"),
        ("<table><tr><td>2<sup>10</sup></td><td><s>x</s></td></tr></table>", "2¹⁰  ~~x~~"),
        ("<ol start='3'><li>a</li><li>b</li></ol>", "3. a\n4. b"),
        ("<ol start='-1'><li>a</li><li>b</li></ol>", "-1. a\n0. b"),
        ("<ol reversed><li>a</li><li>b</li></ol>", "2. a\n1. b"),
        ("<ol reversed start='9'><li>a</li><li value='4'>b</li><li>c</li></ol>", "9. a\n4. b\n3. c"),
        ("<ol><li>a</li><li value='7'>b</li><li>c</li></ol>", "1. a\n7. b\n8. c"),
        ("<ol type='a' start='26'><li>a</li><li>b</li></ol>", "z. a\naa. b"),
        ("<ol type='I' start='9'><li>a</li><li>b</li></ol>", "IX. a\nX. b"),
        ("<ol start='99999999999'><li>a</li></ol>", "1. a"),
    ],
)
def test_plain_text_says_what_the_page_shows(body, text):
    assert text_of(mail_body(body, PLACE), WORDS) == text


def test_a_video_has_the_title_of_its_frame() -> None:
    html = mail_body('<iframe src="https://www.youtube.com/embed/abcdefghijk" title="A talk"></iframe>', PLACE)
    assert html.endswith("▶\ufe0e A talk</a>")
    assert 'href="https://www.youtube.com/watch?v=abcdefghijk"' in html
