"""Texts of Ghost's editors become HTML, and its cards become HTML without decoration."""

from __future__ import annotations

import json
import re
from collections import Counter
from typing import Any

from publisher.publishing.exports.ghost_cards import with_plain_cards
from publisher.publishing.exports.ghost_documents import DocumentReader

Node = dict[str, Any]


def text(words: str, bits: int = 0) -> Node:
    return {"type": "extended-text", "text": words, "format": bits}


def node(kind: str, *children: Node, **values: object) -> Node:
    return {"type": kind, "children": list(children), **values}


def lexical(*nodes: Node) -> tuple[str, Counter[str]]:
    reader = DocumentReader()
    return reader.html(json.dumps({"root": node("root", *nodes)}), None), reader.left


def mobiledoc(**values: object) -> str:
    return DocumentReader().html(None, json.dumps({"version": "0.3.1", **values}))


WHOLE: list[tuple[Node, str]] = [
    (node("paragraph", text("A <b> & "), text("c", 3)), "<p>A &lt;b&gt; &amp; <em><strong>c</strong></em></p>"),
    (node("paragraph", text("x", 16), {"type": "linebreak"}, text("y", 4)), "<p><code>x</code><br><s>y</s></p>"),
    (node("heading", text("H"), tag="h3"), "<h3>H</h3>"),
    (node("extended-heading", text("H"), tag="script"), "<h2>H</h2>"),
    (node("paragraph", node("link", text("L"), url="__GHOST_URL__/a/")), '<p><a href="__GHOST_URL__/a/">L</a></p>'),
    (node("paragraph", node("link", text("L"), url="javascript:x")), "<p>L</p>"),
    (
        node(
            "list",
            node("listitem", text("a")),
            node("listitem", node("list", node("listitem", text("b")), listType="bullet")),
            listType="number",
            start=3,
        ),
        '<ol start="3"><li>a</li><li><ul><li>b</li></ul></li></ol>',
    ),
    (node("extended-quote", text("Q")), "<blockquote>Q</blockquote>"),
    (node("paragraph"), ""),
    ({"type": "horizontalrule"}, "<hr>"),
    (
        {"type": "image", "src": "__GHOST_URL__/i.png", "alt": 'a "b"', "caption": "<i>C</i>"},
        '<figure><img src="__GHOST_URL__/i.png" alt="a &quot;b&quot;"><figcaption><i>C</i></figcaption></figure>',
    ),
    ({"type": "codeblock", "code": "a < b", "language": "c"}, '<pre><code class="language-c">a &lt; b</code></pre>'),
    ({"type": "html", "html": "<table></table>"}, "<table></table>"),
    ({"type": "markdown", "markdown": "*m*"}, "<p><em>m</em></p>"),
    (
        {"type": "bookmark", "url": "https://b.example", "metadata": {"title": "T", "description": "D"}},
        '<blockquote><p>D</p><p><a href="https://b.example">T</a></p></blockquote>',
    ),
    ({"type": "toggle", "heading": "H", "content": "<p>C</p>"}, "<details><summary>H</summary><p>C</p></details>"),
    ({"type": "callout", "calloutText": "C", "calloutEmoji": "!"}, "<blockquote><p>! C</p></blockquote>"),
    (
        {"type": "button", "buttonText": "B", "buttonUrl": "https://b.example"},
        '<p><a href="https://b.example">B</a></p>',
    ),
    (
        {"type": "audio", "src": "https://b.example/a.mp3", "title": "T"},
        '<figure><audio controls src="https://b.example/a.mp3"></audio><figcaption>T</figcaption></figure>',
    ),
    (
        {"type": "file", "src": "https://b.example/f.pdf", "fileTitle": "F", "fileName": "f.pdf"},
        '<p><a href="https://b.example/f.pdf">F</a> (f.pdf)</p>',
    ),
    ({"type": "paywall"}, "<!--members-only-->"),
    ({"type": "signup", "header": "Join"}, ""),
    (
        {
            "type": "html",
            "html": "<b>x</b>",
            "visibility": {"web": {"nonMember": False, "memberSegment": "status:free"}},
        },
        "<!--kg-gated-block:begin nonMember:false --><b>x</b><!--kg-gated-block:end-->",
    ),
    ({"type": "html", "html": "x", "visibility": {"showOnWeb": False, "showOnEmail": True}}, ""),
]


def test_each_part_of_a_lexical_text_becomes_html() -> None:
    for each, html in WHOLE:
        assert lexical(each) == (html, {}), each


def test_a_mobiledoc_text_becomes_html() -> None:
    made = mobiledoc(
        markups=[["strong"], ["a", ["href", "https://m.example"]], ["script"]],
        atoms=[["soft-return", "", {}], ["mention", "@a", {}]],
        cards=[["hr", {}], ["card-markdown", {"markdown": "*m*"}], ["code", {"code": "x"}]],
        sections=[
            [1, "h2", [[0, [], 0, "H"]]],
            [1, "p", [[0, [0], 0, "a<"], [0, [1], 2, "b"], [1, [], 0, 0], [1, [], 0, 1], [0, [2], 1, "s"]]],
            [3, "ol", [[[0, [], 0, "i"]], [[0, [], 0, "j"]]]],
            [10, 0],
            [10, 1],
            [10, 2],
            [10, 99],
            [2, "https://m.example/i.png"],
        ],
    )
    assert re.sub(r"\n", "", made) == (
        '<h2>H</h2><p><strong>a&lt;<a href="https://m.example">b</a></strong><br>@as</p><ol><li>i</li><li>j</li></ol>'
        '<hr><p><em>m</em></p><pre><code>x</code></pre><figure><img src="https://m.example/i.png" alt=""></figure>'
    )


def test_unknown_parts_are_counted_and_the_rest_is_shown() -> None:
    assert lexical({"type": "hologram", "src": "x"}, node("paragraph", text("A"))) == (
        "<p>A</p>",
        {"cards of the kind hologram": 1},
    )
    deep = text("x")
    for _ in range(200):
        deep = node("paragraph", deep)
    assert lexical(deep) == ("", {"parts that are nested too deeply": 1})


def test_no_shape_of_a_tree_causes_a_traceback() -> None:
    values: tuple[object, ...] = (
        None,
        1,
        True,
        "x",
        [],
        {},
        [[]],
        [None],
        {"type": 3},
        [1, 2, 3, 4],
        [[1, [9], "x", {}]],
    )
    for value in values:
        assert DocumentReader().html(value, value) == ""
        assert isinstance(lexical({"type": "image", "src": value, "caption": value, "visibility": value})[0], str)
        assert isinstance(lexical({"type": "list", "children": value, "start": value})[0], str)
        for key in ("sections", "markups", "atoms", "cards"):
            usual: Node = {"sections": [[1, "p", [[0, [0], 1, "x"], [1, [], 0, 0]]], [10, 0]]}
            assert isinstance(mobiledoc(**usual | {key: value}), str)
    assert DocumentReader().html("[" * 100_000, "{") == ""


CARDS = [
    (
        '<div class="kg-card kg-audio-card"><img class="kg-audio-thumbnail" src=""><div><audio src="x.mp3"></audio>'
        '<div class="kg-audio-title">Aud</div><span class="kg-audio-current-time">0:00</span>'
        "<button>1&#215;</button></div></div>",
        '<figure><audio controls src="x.mp3"></audio><figcaption>Aud</figcaption></figure>',
    ),
    (
        '<figure class="kg-card kg-video-card"><div class="kg-video-container"><video src="v.mp4" poster='
        '"https://img.spacergif.org/s.png" style="background: url(\'t.jpg\') 50%"></video><div class="kg-video-time">/'
        "<span>0:14</span></div></div><figcaption><b>Cap</b></figcaption></figure>",
        '<figure><video controls src="v.mp4" poster="t.jpg"></video><figcaption><b>Cap</b></figcaption></figure>',
    ),
    (
        '<div class="kg-card kg-file-card"><a class="kg-file-card-container" href="f.pdf"><div><div class='
        '"kg-file-card-title">F</div><div class="kg-file-card-caption">C</div>'
        '<div><div class="kg-file-card-filename">f.pdf</div>'
        '<div class="kg-file-card-filesize">12 KB</div></div></div></a></div>',
        '<p><a href="f.pdf">F</a> (f.pdf, 12 KB)<br>C</p>',
    ),
    (
        '<figure class="kg-card kg-bookmark-card"><a class="kg-bookmark-container" href="https://b.example"><div>'
        '<div class="kg-bookmark-title">T</div><div class="kg-bookmark-description">D</div>'
        "<span>Site</span></div></a></figure>",
        '<blockquote><p>D</p><p><a href="https://b.example">T</a></p></blockquote>',
    ),
    (
        '<div class="kg-card kg-toggle-card"><div><h4 class="kg-toggle-heading-text">H</h4><button><svg></svg></button>'
        "</div>"
        '<div class="kg-toggle-content"><p>B</p></div></div>',
        "<details><summary>H</summary><p>B</p></details>",
    ),
    ('<div class="kg-card kg-signup-card"><h2>Sign up</h2><form><input></form></div>', ""),
    ('<div class="kg-card kg-email-cta-card">For <b>you</b></div>', ""),
    ('<div class="kg-card kg-header-card"><h2>H</h2><form><button>Join</button></form></div>', "<div><h2>H</h2></div>"),
    ('<div class="kg-card kg-audio-card">words', '<div class="kg-card kg-audio-card">words'),
    ("<p>kg-audio-card</p>", "<p>kg-audio-card</p>"),
]


def test_cards_keep_only_their_content() -> None:
    for written, html in CARDS:
        assert with_plain_cards(f"<p>A</p>{written}<p>B</p>") == f"<p>A</p>{html}<p>B</p>", written
