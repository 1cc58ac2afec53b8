"""Markdown is rendered as on GitHub, with a few extensions, to one well-formed fragment of HTML."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import html as lxml_html

from publisher.posts.markup import BrokenPost
from tests.support.posts_samples import HELLO, NOW, PAGE, Folder, html_of, rendered, said


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("| a | b |\n|---|:-:|\n| 1<br>2 | **3** |", '<td align="center"><strong>3</strong></td>'),
        ("| a | b |\n|---|---|\n| 1<br>2 | 3 |", "<td>1<br>2</td>"),
        ("A note[^n].\n\n[^n]: The *note*.", f'<a href="{PAGE}#fn-n" id="fnref-n">1</a></sup>'),
        ("A note[^n].\n\n[^n]: The *note*.", '<li id="fn-n">\n<p>The <em>note</em>.'),
        ("Term\n: Definition", "<dl>\n<dt>Term</dt>\n<dd>Definition</dd>\n</dl>"),
        ("> [!WARNING]\n> Hot", '<div class="markdown-alert markdown-alert-warning">'),
        ("> [!NOTE]\n> Hot", '<p class="markdown-alert-title">Note</p>\n<p>Hot</p>'),
        ("- [x] done\n- [ ] open", '<li><input type="checkbox" checked="" disabled=""> done</li>'),
        ("- [x] done\n- [ ] open", '<li><input type="checkbox" disabled=""> open</li>'),
        ('"Quote" -- it\'s --- so...', "“Quote” – it’s — so…"),
        ('`"code" -- stays`', '<code>"code" -- stays</code>'),
        ("## A heading, *here*", '<h2 id="a-heading-here">A heading, <em>here</em></h2>'),
        ("## Same\n\n## Same", '<h2 id="same-1">Same</h2>'),
        ("## 日本語", '<h2 id="日本語">日本語</h2>'),
        ("~~gone~~", "<del>gone</del>"),
        ("See https://a.example/x_(y). End", '<a href="https://a.example/x_(y)">https://a.example/x_(y)</a>.'),
        ("See www.a.example now", '<a href="http://www.a.example">www.a.example</a>'),
        ("Write a@b.example now", '<a href="mailto:a@b.example">a@b.example</a>'),
        ("<a@b.example>", '<a href="mailto:a@b.example">a@b.example</a>'),
        ("```python\nif a < b: pass\n```", '<pre><code class="language-python">if a &lt; b: pass\n</code></pre>'),
        ("``` ruby\nputs 1\n```", '<pre><code class="language-ruby">puts 1\n</code></pre>'),
        ("    indented", "<pre><code>indented\n</code></pre>"),
        (
            "H<sub>2</sub>O <kbd>q</kbd> <abbr title='x'>y</abbr>",
            'H<sub>2</sub>O <kbd>q</kbd> <abbr title="x">y</abbr>',
        ),
        ("<details open><summary>More</summary>\n\n*in*\n\n</details>", "<p><em>in</em></p>"),
        ('<img src="https://a.example/a.png" alt="a" style="zoom:50%;" />', 'alt="a" width="50%">'),
        ("<ruby>漢<rt>かん</rt></ruby>", "<ruby>漢<rt>かん</rt></ruby>"),
        ("line  \nbreak", "line<br>\nbreak"),
        ("\\*not emphasis\\*", "<p>*not emphasis*</p>"),
        ("[Feature #1] [x] stays", "<p>[Feature #1] [x] stays</p>"),
        ("a\u200b\t\tcaption", "caption"),
    ],
)
def test_markdown_in_the_dialect_of_github_becomes_html(body: str, expected: str) -> None:
    result = rendered(body)
    assert expected in result.html
    assert result.problems == ()


def test_no_heading_has_an_empty_anchor() -> None:
    assert "<a" not in html_of("# One\n\n## Two")


@pytest.mark.parametrize("ending", ["md", "markdown", "mdown", "MD"])
def test_markdown_is_read_with_every_extension(ending: str) -> None:
    assert html_of("*x*", name=f"2024-07-06-hello.{ending}") == "<p><em>x</em></p>"


def test_an_html_post_is_passed_on_and_cleaned() -> None:
    body = "<p>*stars* stay</p>\n\n    <p>no code</p>\n<script>x</script><a href='#top'>up</a>"
    result = html_of(body, name="2024-07-06-hello.html")
    assert "<p>*stars* stay</p>" in result
    assert "<pre>" not in result
    assert f'<a href="{PAGE}#top">up</a>' in result
    assert "script" not in result


@pytest.mark.parametrize(
    "name", ["Card", "List", "Set", "Text", "Filter", "View", "Image2", "max", "union", "vector", "x-y"]
)
def test_an_unknown_tag_takes_nothing_with_it(name: str) -> None:
    result = html_of(f"Before.\n\n<{name} title='a > b' />\n\nMiddle <{name}>inside</{name}>.\n\nAfter.")
    words = lxml_html.fromstring(result).text_content().split()
    assert words == ["Before.", "Middle", "inside.", "After."]
    assert name not in result


def test_no_character_reference_becomes_one_that_xml_forbids() -> None:
    result = rendered("a&#1;b&#x8;c&#xFFFF;d&#0;e <!--more--> f")
    assert result.html == "<p>abcde  f</p>\n"
    assert result.excerpt == "abcde"
    assert html_of("<p>a&#1;b</p>", name="2024-07-06-hello.html") == "<p>ab</p>"


def test_a_written_replacement_character_stays() -> None:
    assert html_of("lost \ufffd and &#1;") == "<p>lost \ufffd and </p>"


def test_an_image_without_a_url_leaves_its_alt_text() -> None:
    assert html_of('<p>a<img title=" src=1" alt="x">b<img srcset="https://e.org/x 2x" alt="x"></p>') == (
        '<p>axb<img src="https://e.org/x" srcset="https://e.org/x 2x" alt="x"></p>'
    )


def test_a_control_character_in_a_body_is_removed_with_a_warning() -> None:
    result = rendered("fine\n\nx\x0by\n\nz\x1b")
    assert "<p>xy</p>" in result.html
    assert said(result) == [(6, "contained a control character, which was removed")]


@pytest.mark.parametrize(
    ("data", "line", "message"),
    [
        (b"---\ntitle: x\n---\nfine\n\ncaf\xe9\n", 6, "is not UTF-8: byte 0xe9"),
        (b"---\ntitle: x\n---\nfine\n\0\n" + b"x" * 9000, 1, "is not text: it contains NUL bytes"),
        (b"---\ntitle: x\n---\n" + b"x" * 9000 + b"\0", 1, "is not text: it contains NUL bytes"),
    ],
)
def test_an_unreadable_body_stops_no_other_post(data: bytes, line: int, message: str, tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.write(HELLO, data)
    folder.write("2024-07-05-other.md", "Other.")
    report = folder.build(NOW)
    assert report.posts == 1
    assert [(p.path, p.line, p.message) for p in report.errors] == [(f"posts/{HELLO}", line, message)]
    assert [(p.line, p.message) for p in folder.check() if p.severity == "error"] == [(line, message)]


def test_a_file_that_vanishes_before_it_is_rendered_is_a_broken_post(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    file = folder.write(HELLO, "Text")
    archive = folder.archive()
    file.unlink()
    from publisher.posts.markup import Renderer

    with pytest.raises(BrokenPost) as caught:
        Renderer(archive, folder.config).render(archive.posts[0])
    assert caught.value.problem.message.startswith("cannot be read: No such file")


@pytest.mark.parametrize(
    ("body", "line", "message"),
    [
        ("x\n\nUse `<script>`:\n\n<script>y</script>", 8, "the HTML tag <script> was removed"),
        ("x\n\nSee <Card/>", 6, "<Card/> is shown as text, because it isn't allowed in a post"),
        ("x\n\n![](https://a.example/a_b.png)", 6, "the picture a_b.png has no alt text"),
        ("`#gone`\n\n[up](#gone)", 6, "broken link: there is no #gone in this post"),
        ("[a](#go)\n\n[b](#gone)\n\n## Gone", 4, "broken link: there is no #go in this post"),
        ("x\n\n[a](ruby-talk:1)", 6, "the URL 'ruby-talk:1' was removed, because its scheme isn't allowed"),
        ("x\n\n[a]((https://a.example)", 6, "a link is written with two brackets: ](("),
        ("x\n\ny```\n\n", 6, "a ``` at the end of a line doesn't open a code block"),
    ],
)
def test_a_check_warns_about_what_readers_will_miss(body: str, line: int, message: str) -> None:
    assert (line, message) in said(rendered(body))


@settings(max_examples=2 * settings.default.max_examples, deadline=None)
@given(st.text(st.sampled_from("ab \n#*_`~[](){}<>!|-:+=\"'&^%$1日\t"), max_size=120))
def test_any_body_is_rendered_to_one_well_formed_fragment(body: str) -> None:
    result = rendered(body)
    if result.html.strip():
        for element in lxml_html.fragments_fromstring(result.html):
            assert element is not None
    assert "\n" not in result.excerpt
    lines = body.count("\n") + 5
    assert all(1 <= line <= lines for line, _ in said(result))
