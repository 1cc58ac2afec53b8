"""Bare URLs, emphasis, quotes and emoji codes are read as the writer intended."""

from __future__ import annotations

import re
from functools import cache
from html import unescape
from urllib.parse import unquote

import pytest

from publisher.newsletters.letter.note import rendered_note
from publisher.posts.rendering.headline import first_heading
from publisher.posts.text.typography import finished, prepared, typeset
from tests.support.posts_samples import post_of, rendered, said

MARKS = {"*": "em", "**": "strong", "***": "em><strong", "~~": "del"}
INSIDE = (
    "「重要」",
    "『A』と『B』",
    "我想做的事。",
    "注意！",
    "（강조）",
    "(강조)",
    "“引用”",
    "`code`",
    "[x](https://a.example/)",
    "⚠️注意",
    "重要",
)
AROUND = (("これは", "です。"), ("这是", "所以"), ("한국어", "는"), ("", "を使う"), ("「", "」と"), ("", ""))


@cache
def html_of_lines(lines: tuple[str, ...]) -> list[str]:
    """Render the lines as the paragraphs of one post, and return the HTML of each paragraph."""
    return re.findall(r"<p>(.*?)</p>", rendered("\n\n".join(lines)).html, re.DOTALL)


def test_emphasis_works_next_to_east_asian_punctuation() -> None:
    cases = [(mark, inside, *around) for mark in MARKS for inside in INSIDE for around in AROUND]
    lines = tuple(f"{before}{mark}{inside}{mark}{after}" for mark, inside, before, after in cases)
    for line, html, (mark, _, before, after) in zip(lines, html_of_lines(lines), cases, strict=True):
        assert html.startswith(f"{before}<{MARKS[mark]}>"), line
        assert html.endswith(f"</{MARKS[mark].rpartition('<')[2]}>" + after if mark != "***" else f"</em>{after}"), line


def test_emphasis_in_other_scripts_follows_commonmark() -> None:
    lines = ('a**"b"**c', "f(*args, **kw)", "a * b * c", "snake_case_name", "**bold**text", "x **(y)** z", "**b.**c")
    assert html_of_lines(lines) == [
        "a**“b”**c",
        "f(*args, **kw)",
        "a * b * c",
        "snake_case_name",
        "<strong>bold</strong>text",
        "x <strong>(y)</strong> z",
        "**b.**c",
    ]


SIGNS = "。，、；：？！）（」「』『】【》《〉〈〕〔］［｝｛～…—”“’‘｡､･　︰﹐＂＜＞｜￥"


def addresses(html: str) -> list[tuple[str, str]]:
    """Return the links in a fragment, as (URL, text)."""
    return [
        (unescape(unquote(href)), unescape(text)) for href, text in re.findall(r'<a href="([^"]*)">(.*?)</a>', html)
    ]


def test_a_url_ends_before_east_asian_punctuation() -> None:
    cases = [
        (start, sign)
        for start in ("http://a.example/b", "https://a.example/b?c=d", "www.a.example/b")
        for sign in SIGNS
    ]
    lines = tuple(f"参见 {start}{sign}然后" for start, sign in cases)
    for html, (start, sign) in zip(html_of_lines(lines), cases, strict=True):
        href = start if start.startswith("http") else f"http://{start}"
        assert addresses(html) == [(href, start)], sign
        assert unescape(html).endswith(f"</a>{sign}然后")


@pytest.mark.parametrize(
    ("text", "links"),
    [
        ("见 https://a.example/1、https://b.example/2。", ["https://a.example/1", "https://b.example/2"]),
        ("见、www.a.example/1、www.b.example。", ["http://www.a.example/1", "http://www.b.example"]),
        ("（https://a.example/x(y)）", ["https://a.example/x(y)"]),
        ("**https://a.example/x**。所以", ["https://a.example/x"]),
        ("*https://a.example/x。*所以", ["https://a.example/x"]),
        ("https://a.example/x**「重要」**です", ["https://a.example/x"]),
        ("https://ja.example/ジョン・レノン は", ["https://ja.example/ジョン・レノン"]),
        ("https://a.example/x・https://b.example/y・次", ["https://a.example/x", "https://b.example/y"]),
        ("https://例え.jp/東京々〆?q=도쿄。次", ["https://例え.jp/東京々〆?q=도쿄"]),
        ("见 a@b.example。x", ["mailto:a@b.example"]),
        ("<https://a.example/。b>", ["https://a.example/。b"]),
        ("[x](https://a.example/。b)", ["https://a.example/。b"]),
        ("[x](https://a.example/x(y)。b)，https://c.example/。", ["https://a.example/x(y)。b", "https://c.example/"]),
        ("[x]\n\n[x]: https://a.example/。b", ["https://a.example/。b"]),
        ("[见 https://a.example/x。y](https://b.example/)", ["https://b.example/"]),
        ("`https://a.example/x。y`", []),
        ("    https://a.example/x。y", []),
        ("See https://a.example/x_(y). It’s here", ["https://a.example/x_(y)"]),
    ],
)
def test_urls_are_those_that_readers_see(text: str, links: list[str]) -> None:
    html = rendered(text).html
    assert [href for href, _ in addresses(html)] == links
    assert "end-of-address" not in html
    assert [href for href, _ in addresses(rendered_note(text, "https://site.example"))] == links


def test_nothing_hidden_and_no_attribute_is_changed() -> None:
    for text in (
        "<!-- https://a.example/x。secret -->",
        '<b title="https://a.example/x。y">z</b>',
        "![https://a.example/。y](z.png)",
    ):
        assert finished(prepared(text)) == text
    assert "secret" not in rendered("A <!-- https://a.example/x。secret --> b").html


QUOTES = (
    ("the '90s and ('80s), '70s", "the ’90s and (’80s), ’70s"),
    ("rock 'n' roll, 'Tis, 'twas; get 'em, 'til", "rock ’n’ roll, ’Tis, ’twas; get ’em, ’til"),
    ('6\'2" and 5\'10.5" tall, 12" pipe', '6\'2" and 5\'10.5" tall, 12" pipe'),
    ("40°26'46\" N, a 6' man", "40°26'46\" N, a 6' man"),
    ("\"see page 12\" and 'in 1990'", "“see page 12” and ‘in 1990’"),
    ('"he is 6\'2" tall"', "“he is 6'2” tall”"),
    ("1'000 francs, the 1990's, don't, dogs'", "1’000 francs, the 1990’s, don’t, dogs’"),
    ("'em' and 'til', \"'nested' one\"", "‘em’ and ‘til’, “‘nested’ one”"),
    ('use --option or (--other-one), "--x"', "use --option or (--other-one), “--x”"),
    ("a -- b --- c, 1--2, well--no ...", "a – b — c, 1–2, well–no …"),
    ("cout << x >> y, 1<<3, echo hi >> log.txt, cat <<EOF", "cout << x >> y, 1<<3, echo hi >> log.txt, cat <<EOF"),
    ("List<List<2>>, a >>> b, <<<, «x» <<2>>", "List<List<2>>, a >>> b, <<<, «x» <<2>>"),
)
EMOJI = (
    ("It works :tada: :+1::100:.", "It works 🎉 👍💯."),
    ("10:30:45, a:b:c, std::a::b, 1:100:2", "10:30:45, a:b:c, std::a::b, 1:100:2"),
    ("完成:tada:。:unknown-thing:", "完成🎉。:unknown-thing:"),
)


def test_quotes_and_emoji_codes_in_text_are_replaced() -> None:
    cases = [*QUOTES, *EMOJI]
    for (_, expected), html in zip(cases, html_of_lines(tuple(text for text, _ in cases)), strict=True):
        assert unescape(html) == expected


def test_angle_brackets_keep_their_meaning_in_markdown() -> None:
    html = rendered("> one\n>> two\n> > three >> 4\n\n- >> five\n\n<<https://a.example/>> <<b>six</b>> `<<` \\<<x").html
    assert html.count("<blockquote>") == 4
    assert "three &gt;&gt; 4" in html
    assert '&lt;<a href="https://a.example/">https://a.example/</a>&gt; &lt;<b>six</b>&gt;' in html
    assert "<code>&lt;&lt;</code> &lt;&lt;x" in html
    for code in ("> quote\n>\n>     f << g >> h", "*\tx\n\n\t\tf << g >> h", "> [!NOTE]\n>     f << g >> h"):
        assert "<pre><code>f &lt;&lt; g &gt;&gt; h\n</code></pre>" in rendered(code).html


def test_titles_and_excerpts_have_the_same_typography_as_the_text() -> None:
    for written, expected in (*QUOTES, *EMOJI):
        quoted = "'" + written.replace("'", "''") + "'"
        post, other = (post_of(f"---\ntitle: {a}\nexcerpt: {b}\n---\nx") for a, b in ((quoted, "y"), ("y", quoted)))
        assert (post.title, other.excerpt, first_heading(f"# {written}\n\nx")) == (expected, expected, expected)
    for text in ("# 'x'", "1. 'x'", "- 'x'", "=== 'x'", "$f'(x) -- \"y\"$ 'x'", "<b> & C:\\n 'x'", "![a](b) 'x'"):
        assert typeset(text) == text.replace("'x'", "‘x’")


def test_a_heading_with_quotes_repeats_the_title() -> None:
    head = 'title: |-\n  It\'s "here" :tada:'
    assert rendered('# It\'s "here" :tada:\n\nText', head).html == "<p>Text</p>\n"


@pytest.mark.parametrize(
    "body",
    [
        "`:tada: '90s 6'2\" --x`",
        "```\n:tada: '90s --x\n```",
        "    :tada: '90s --x",
        "[x](/a/:tada:/--x)",
        "https://a.example/:tada:/5'10",
        "<b title=\"5' :tada: '90s\">x</b>",
        '<table><tr><td width="12">x</td></tr></table>',
        "<!-- :tada: -->",
        "<pre>:tada: 6'2\"</pre>",
    ],
)
def test_code_urls_and_attributes_are_not_changed(body: str) -> None:
    html = unescape(unquote(rendered(body).html))
    assert all(sign not in html for sign in "🎉’‘“”–")


def test_an_unknown_emoji_code_is_reported_with_its_line() -> None:
    body = "x :tada:\n\n:octicons-heart-24: and `:rocket-ship:`\n\n:shipit: :shipit: 10:30:45 a::b::c\n\n{:toc-x: y}"
    what = "is not one of GitHub's emoji, and is shown as it is"
    assert said(rendered(body))[:2] == [(6, f":octicons-heart-24: {what}"), (8, f":shipit: {what}")]


def test_a_single_tilde_strikes_nothing_out() -> None:
    lines = (
        "10~20 and 30~40, 3월~5월 7월~9월",
        "H~2~O, ~a~ and *~b~* and [~c](/~d~e) and <span title='~f'>~g~</span>",
        "**~5**, ~~~ \\~h~ https://a.example/~i~/j and `~k~` ~~l~~ and ~~m~n~~",
    )
    assert html_of_lines(lines) == [
        "10~20 and 30~40, 3월~5월 7월~9월",
        'H~2~O, ~a~ and <em>~b~</em> and <a href="https://site.example/~d~e">~c</a> and <span title="~f">~g~</span>',
        '<strong>~5</strong>, ~~~ ~h~ <a href="https://a.example/~i~/j">https://a.example/~i~/j</a> and '
        "<code>~k~</code> <del>l</del> and <del>m~n</del>",
    ]
    raw = "<div>\n10~20 and 30~40\n</div>\n\n~~~\n~a~\n~~~\n\nT\n~ b\n\n# ~c~\n"
    html = rendered(raw).html
    assert "10~20 and 30~40" in html and "\n~a~" not in html and "~a~" in html and 'id="c">~c~<' in html


def test_asterisks_in_sums_and_path_patterns_stay() -> None:
    for text in (
        "The room is 2*3*4 m and the code 5*3*2=30.",
        "Sizes 10*20, 3*4*5 and 2**3**4; 5*5 and 6*6.",
        "src/**/*.js and /*.txt, docs/*/x and a/**/b",
        "*Terms apply. 5*3",
    ):
        assert html_of_lines((text,)) == [text]
    assert html_of_lines(("*5*3 and* **a1**b 5*x* 第*1*章",)) == [
        "<em>5*3 and</em> <strong>a1</strong>b 5<em>x</em> 第<em>1</em>章"
    ]
    ((line, message),) = said(rendered("A\n\nPassword: ab*cd*ef"))
    assert (line, message) == (6, "asterisks inside a word emphasise a part of it, and are not shown: *cd*")
