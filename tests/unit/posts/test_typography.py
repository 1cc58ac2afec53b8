"""Emphasis and addresses in East Asian text end where the reader sees them end."""

from __future__ import annotations

import re
from functools import cache
from html import unescape
from urllib.parse import unquote

import pytest

from publisher.newsletters.letter.note import rendered_note
from publisher.posts.typography import finished, prepared
from tests.support.posts_samples import rendered

MARKS = {"*": "em", "**": "strong", "***": "em><strong", "~~": "del", "~": "del"}
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
    """The HTML of each line, rendered as a paragraph of one post."""
    return re.findall(r"<p>(.*?)</p>", rendered("\n\n".join(lines)).html, re.DOTALL)


def test_emphasis_stands_beside_punctuation_of_east_asia() -> None:
    cases = [(mark, inside, *around) for mark in MARKS for inside in INSIDE for around in AROUND]
    lines = tuple(f"{before}{mark}{inside}{mark}{after}" for mark, inside, before, after in cases)
    for line, html, (mark, _, before, after) in zip(lines, html_of_lines(lines), cases, strict=True):
        assert html.startswith(f"{before}<{MARKS[mark]}>"), line
        assert html.endswith(f"</{MARKS[mark].rpartition('<')[2]}>" + after if mark != "***" else f"</em>{after}"), line


def test_emphasis_in_other_scripts_is_that_of_commonmark() -> None:
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
    """The links in a fragment, as (address, text)."""
    return [
        (unescape(unquote(href)), unescape(text)) for href, text in re.findall(r'<a href="([^"]*)">(.*?)</a>', html)
    ]


def test_an_address_ends_before_each_sign_of_east_asia() -> None:
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
def test_addresses_are_those_that_a_reader_sees(text: str, links: list[str]) -> None:
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
