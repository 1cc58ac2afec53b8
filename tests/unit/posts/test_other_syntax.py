"""Containers, callouts, attributes, highlighted words and notes are shown as other tools show them."""

from __future__ import annotations

import re

from publisher.posts.rendering.commonmark import settled_html
from publisher.posts.rendering.other_syntax import with_other_syntax
from publisher.posts.text.attribute_lists import with_sizes, without_attribute_lists
from publisher.posts.text.excerpt import excerpt_of
from publisher.posts.text.marks import with_abbreviations
from tests.support.posts_samples import html_of, rendered, said


def read(body: str) -> str:
    """Return the HTML of a body without <p> tags. Alerts are written as (kind title: words)."""
    syntax = with_other_syntax(without_attribute_lists(body))
    html = with_sizes(settled_html(syntax.expanded.text, has_notes=syntax.has_notes)[0].html)
    html = with_abbreviations(re.sub(r'<a href="#[^"]*" aria-hidden.*?</a>', "", html), syntax.abbreviations)
    html = re.sub(r'<div class="markdown-alert markdown-alert-(\w+)">\n<p class="markdown-alert-title">(.*?)</p>\n?',
                  r"(\1 \2: ", html).replace("</div>", ")")  # fmt: skip
    return " ".join(re.sub(r"</?p>", " ", html).split())


CONTAINERS = {
    # VitePress, Docusaurus, Starlight
    "::: tip\ntext\n:::": "(tip Tip: text )",
    "::: tip Title *of* it\n\ntext\n\n:::\nafter": "(tip Title of it: text ) after",
    ":::note[Mind `it`]\ntext\n:::": "(note Mind it: text )",
    ":::info[Title *x*]{#id}\ntext\n:::": '(note Title x: <a id="id"></a>text )',
    "::: {.note #id}\n- text\n:::": "(note Note: <ul> <li>text</li> </ul> )",
    ":::info\ntext\n:::": "(note Info: text )",
    ":::danger STOP\ntext\n:::": "(caution STOP: text )",
    ':::tip{title="A b"}\ntext\n:::': "(tip A b: text )",
    "::: details Click me\ntext\n:::": "(note Click me: text )",
    "::: warning\nno end": "(warning Warning: no end )",
    "before\n:::warning\n- a\n- b\n:::": "before (warning Warning: <ul> <li>a</li> <li>b</li> </ul> )",
    ":::: note\n::: tip\na\n:::\nb\n::::\nc": "(note Note: (tip Tip: a ) b ) c",
    "::: note\n```\n:::\n```\n:::\nc": "(note Note: <pre><code>::: </code></pre> ) c",
    "- a\n  ::: tip\n  b\n  :::": "<ul> <li>a (tip Tip: b ) </li> </ul>",
    "- a\n  ::: tip\n  b\n  :::\n- c\n  ::: tip\n  d\n  :::\n  e":
        "<ul> <li>a (tip Tip: b ) </li> <li>c (tip Tip: d ) e</li> </ul>",
    "- a\n  ::: tip\n  b\n  :::\n  ::: note\n  c\n  :::": "<ul> <li> a (tip Tip: b ) (note Note: c ) </li> </ul>",
    "> a\n> ::: tip\n> b\n> :::\n> c\n\nd": "<blockquote> a (tip Tip: b ) c </blockquote> d",
    "> > !!! note\n> >     b\n>\n> c\n\n::: tip\nd\n:::":
        "<blockquote> <blockquote> (note Note: b ) </blockquote> c </blockquote> (tip Tip: d )",
    # Pandoc, Quarto
    "::: {.callout-note}\n## Head\n\ntext\n:::": "(note Head: text )",
    '::: {.callout-important title="T x" collapse="true"}\ntext\n:::': "(important T x: text )",
    ":::: {.columns}\n::: {.column width=40%}\nleft\n:::\n::: {.column}\nright\n:::\n::::": "left right",
    "::: {#refs}\n:::\nx": "x",
    "a\n\n::: {.hidden}\nsecret\n:::\n\nb": "a b",
    'a\n\n::: {.content-hidden when-format="pdf"}\nshown\n:::\n\n::: {.content-visible when-format="pdf"}\nx\n:::':
        "a shown",
    # MkDocs
    '!!! note inline end "T"': "(note T: )",
    "!!! note my-class\n    b": "(note Note: b )",
    '!!! warning "Old"\n    text\n\n    - b\nafter': "(warning Old: text <ul> <li>b</li> </ul> ) after",
    "??? question\n    text": "(note Question: text )",
    '???+ info inline end "T"\n\n    text': "(note T: text )",
    "!!! note\n    a\n!!! danger\n    b\n\n    !!! tip\n        c":
        "(note Note: a ) (caution Danger: b (tip Tip: c ) )",
    "1. a\n\n    !!! note\n\n        b\n\n2. c": "<ol> <li> a (note Note: b ) </li> <li> c </li> </ol>",
    '=== "C"\n\n    ``` c\n    x\n    ```\n\n=== "D"\n\n    y':
        '<strong>C</strong> <pre><code class="language-c">x </code></pre> <strong>D</strong> y',
    "/// note | Some *T*\n    open: True\n\ntext\n///": "(note Some T: text )",
    # Obsidian
    "> [!TIP] A **bold** title\n> text": "(tip A bold title: text )",
    "> [!info]- Folded *x*\n> text": "(note Folded x: text )",
    "> [!NOTE]+\n> text": "(note Note: text )",
    "> [!my-own|wide]\n> text": "(note My own: text )",
    "> [!faq] A\n> > [!bug]\n> > b": "(note A: (caution Bug: b ) )",
}  # fmt: skip

SIGNS = {
    "a ==b *c*== and ==d== e": "a <mark>b <em>c</em></mark> and <mark>d</mark> e",
    "中文==标记==中文": "中文<mark>标记</mark>中文",
    "HTML XHTML `HTML` [HTML](b)\n\n*[HTML]: Hyper \"Text\"":
        '<abbr title="Hyper &quot;Text&quot;">HTML</abbr> XHTML <code>HTML</code>'
        ' <a href="b"><abbr title="Hyper &quot;Text&quot;">HTML</abbr></a>',
    '<div class="a" markdown="1">\n**b**\n\n- c\n</div>\nd': "<strong>b</strong> <ul> <li>c</li> </ul> d",
    "<div markdown>**b**</div>\nc": "<strong>b</strong> c",
    '<details markdown="1">\n<summary>S</summary>\n*a*\n</details>':
        "<details> <summary>S</summary> <em>a</em> </details>",
    "![A](a.png){ .wide width=300 }": '<img src="a.png" alt="A" width="300" />',
    "![A](a.png){width=50% height=20px fig-align=center}": '<img src="a.png" alt="A" width="50%" height="20" />',
    '![A](a.png){: width="300" .right }': '<img src="a.png" alt="A" width="300" />',
    "![A][r]{height=20}\n\n[r]: a.png": '<img src="a.png" alt="A" height="20" />',
    "[![A](a.png){width=3}](b)": '<a href="b"><img src="a.png" alt="A" width="3" /></a>',
    "![A](a.png =100x20) ![A](a.png =50%x)":
        '<img src="a.png" alt="A" width="100" height="20" /> <img src="a.png" alt="A" width="50%" />',
    "![A|300](a.png) ![A|10x20](a.png)":
        '<img src="a.png" alt="A" width="300" /> <img src="a.png" alt="A" width="10" height="20" />',
    "text\n{.lead}\n\nmore": "text more",
    "```{.python .numberLines}\nx\n```\n``` {.c}\ny\n```":
        '<pre><code class="language-python">x </code></pre> <pre><code class="language-c">y </code></pre>',
    "> text\n> {.lead}": "<blockquote> text </blockquote>",
    "[words]{.smallcaps} [l](b){target=_blank rel=x} *e*{.red} [m](b){foo=1}":
        'words <a href="b">l</a> <em>e</em> <a href="b">m</a>',
}  # fmt: skip

LOOKALIKES = (
    "````\n```{.python}\n````",
    "a == b, c == d a==b c==d ==",
    "x^[1] r^[a-z]+ 2^[x](y)",
    "[[noreturn]] Box<T> 10:30:45",
    "f(x){y=1} {x} {a: 1} {=html} f(x){return}",
    "!!! wow\ntext",
    "!!! important things happened today",
    "!!! warning",
    "!!! note\nnext",
    "!!! warn about \"this\"",
    "??? question for you",
    "regex ^[a-z]+ and ^[A-Za-z0-9_.-]$ or ^[\\w ]",
    "^[abc]+ ^[abc]$ ^[abc]{2}",
    "![a ==b== c](i.png) [x](y \"==z== ^[a note]\") <span title=\"==q== > ==r==\">s</span>",
    "<img alt='==q==\nmore ==r==' src=\"a.png\"/>",
    "a ::: b\n:::\nb",
    ":::image type=\"content\" source=\"a.png\":::",
    "> [!NOTE]\n> words\n\n> [!tip] A title",
    "> a\n> [!info]",
    "=== \"a\"\nb",
    "*[x]* [y]: z",
    "<p>The markdown attribute</p>",
    "| a | b |\n|---|---|\n| ![x](a.png) | 3 |",
)  # fmt: skip


def test_comments_that_end_with_more_hyphens_are_hidden() -> None:
    for body, html in (
        ("A <!--- x ---> SHOWN <!-- y ----> B", "A SHOWN B"),
        ("A <!--- x\ny ---> B", "A B"),
        ("# H <!--- x --->", "<h1>H </h1>"),
        ("| a <!--- y ---> |\n|---|\n| `<!--- z --->` |", "<code>&lt;!--- z ---&gt;</code>"),
        ("A <!----> B <!---> C --->", "A B C —&gt;"),
        ("A \\<!-- x ---> B", "A &lt;!– x —&gt; B"),
    ):
        assert html in " ".join(re.sub(r' id="[^"]*"', "", html_of(body)).split()), body


def test_containers_of_other_tools_become_alerts() -> None:
    for body, html in CONTAINERS.items():
        assert read(body) == html, body


def test_markup_of_other_editors_has_its_meaning() -> None:
    for body, html in SIGNS.items():
        assert read(body) == html, body


def test_code_and_look_alikes_stay() -> None:
    for body in LOOKALIKES:
        syntax = with_other_syntax(without_attribute_lists(body))
        assert (syntax.expanded.text, syntax.has_notes, syntax.expanded.problems) == (body, False, ()), body
    for body in (*CONTAINERS, *SIGNS):
        for code in (f"```\n{body}\n```" if "```" not in body else "", "    " + body.replace("\n", "\n    ")):
            assert with_other_syntax(without_attribute_lists(code)).expanded.text == code, code


def test_inline_notes_become_footnotes() -> None:
    html = html_of("A fact.^[See *here*, [x](https://y.example).] A word^[a note], x^[1] `^[a b]`")
    assert re.findall(r'<li id="[^"]*">\n<p>(.*?) <a href="[^"]*#fnref', html) == [
        'See <em>here</em>, <a href="https://y.example">x</a>.',
        "a note",
    ]
    assert html.count("footnote-ref") == 2
    assert "x^[1] <code>^[a b]</code>" in html


def test_ids_in_lists_are_link_targets() -> None:
    for body, name in (
        ("## What { #that }", "that"), ("## Story {id=it}", "it"), ("Story {#st .x}\n=====", "st"),
        ("text\n{#here .x}", "here"),
        ("![a](b.png){#fig:a}", "fig:a"),
        ("[words]{#w}", "w"),
        ("[link](https://b.example){#l}", "l"),
        ("*words*{: #k}", "k"), ("## A {.x key=1 #b}", "b"), ("## A {: #c}", "c"),
    ):  # fmt: skip
        html = html_of(body)
        assert f'id="{name}"' in html, body
        assert "{" not in html, body
    assert html_of("## Same {#same}") == '<h2 id="same">Same</h2>'
    assert html_of('```{.py .x title="a b.py"}\nx\n```').startswith("<figure><figcaption>a b.py</figcaption>")
    assert html_of("## A {-}\n\n## B {.unnumbered}") == '<h2 id="a">A</h2>\n<h2 id="b">B</h2>'


def test_the_size_of_a_picture_is_in_no_id_and_no_message() -> None:
    assert html_of("## ![a](https://b.example/c.png){width=3} T").startswith('<h2 id="a-t"><img ')
    (problem,) = said(rendered("<title>![a](https://b.example/c.png){width=3} words</title>"))
    assert problem[1].endswith("with its words: ![a](https://b.example/c.png) words")
    (problem,) = said(rendered("|a|\n|-|\n|x|![a](https://b.example/c.png){width=50%} b|"))
    assert problem[1].endswith("1 columns: ![a](https://b.example/c.png) b is in the last one")


def test_problems_after_a_container_have_the_line_of_the_writer() -> None:
    assert said(rendered("!!! note\n    a\nb <title>\n")) == [
        (6, "<title> is shown as text, because it isn't allowed in a post")
    ]
    (line, message), *_ = said(rendered("a\n\n::: box\nb"))
    assert (line, message) == (6, "a container is never closed, and its markup is shown as is: ::: box")


def test_neither_titles_of_containers_nor_attributes_are_the_excerpt() -> None:
    for before in (
        "::: tip Mind\nA tip.\n:::",
        '!!! note "Old"\n    A note.',
        "> [!info]- x\n> y",
        "![A](a.png){width=3}",
    ):
        assert excerpt_of(read_html(f"{before}\n\nReal text.")) == "Real text.", before


def test_hostile_bodies_grow_only_a_little() -> None:
    for unit in (
        "::: note\n",
        "!!! note\n    ",
        "> [!x] y\n",
        "[x]{.a} ",
        "==a ",
        "^[ab [c",
        '<div markdown="1">\n',
        "[[a b]] ",
    ):
        body = unit * 5_000
        assert len(with_other_syntax(without_attribute_lists(body)).expanded.text) < 4 * len(body), unit


def read_html(body: str) -> str:
    return with_sizes(settled_html(with_other_syntax(without_attribute_lists(body)).expanded.text)[0].html)


def test_attribute_lists_after_words_are_removed_for_their_tools() -> None:
    for body, tools, result in (
        ("* item {#i1 .c}\n* b {.d}", "eleventy vitepress mkdocs pelican", '* <a id="i1"></a>item\n* b'),
        ("1. num {: #n1}\n2. b", "mkdocs pelican jekyll", '1. <a id="n1"></a>num\n2. b'),
        ("Para\nmore {#p2}\n\nx {.y}", "eleventy vitepress", 'Para\n<a id="p2"></a>more\n\nx'),
        ("> - [ ] a {.b}", "eleventy", "> - [ ] a"),
        ("A {: .b}\n\nb", "jekyll", "A\n\nb"),
    ):
        for tool in tools.split():
            assert without_attribute_lists(body, tool) == result, (body, tool)
        assert without_attribute_lists(body) == body == without_attribute_lists(body, "quarto")
    for text in ("a {#b}\nc", "| a {.b} |\n|---|", "`{.a}`", "    * code {.b}", "f(x) {return}", "a {#b} c"):
        assert without_attribute_lists(text, "eleventy") == text
    for text in ("a {#b}", "a {: .b}"):
        assert without_attribute_lists(text, "mkdocs") == text
