"""The excerpt is what a person would quote: the first paragraph of prose, as plain text."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from publisher.core.characters import shorten
from publisher.posts.rendering.allowed_html import sanitise
from publisher.posts.text.excerpt import (
    MOST_CHARACTERS,
    count_words,
    excerpt_of,
    plain_line,
    plain_text,
    prose_of_whole,
    without_pairs,
)
from tests.support.posts_samples import post_of, rendered

FIRST = "The first real paragraph says enough, with its eighty signs, that no other needs to follow it."
REST = f"\n\n{FIRST}\n\nThe second one."


@pytest.mark.parametrize(
    "before",
    [
        "",
        "![Hills](a.png)",
        "[![Hills](a.png)](https://a.example/)",
        '<img src="a.png" alt="Hills">',
        "<figure><img src='a.png' alt='Hills'><figcaption><p>A caption is no text.</p></figcaption></figure>",
        "| a | b |\n|---|---|\n| one<br>two | c |",
        "<table><tr><td><p>in a cell</p></td></tr></table>",
        "```\ncode\n```",
        "    indented code",
        "## A heading",
        "***",
        "[Read it elsewhere](https://a.example/)",
        "{% assign release = site.data.releases | first %}",
        "{% include figure.html\n  src='x' %}",
        "{{ page.title }}",
        '{{< youtube id="x" >}}',
        "import Card from '../card'\n\nexport const x = 1\n\n<Card />",
        "<!-- a comment with\n\nan empty line in it -->",
        "<script>let a = 1</script>",
        "<svg><text>drawn</text></svg>",
        "{:toc}",
        "* TOC\n{:toc}",
        "[TOC]",
        "[[_TOC_]]",
        "> [!NOTE]\n> This was updated.",
        "> [!WARNING]\n>\n> - An item",
        "<video src='https://a.example/a.mp4' controls>Your browser has no video</video>",
        "<audio controls><source src='https://a.example/a.mp3'>No sound</audio>",
        "<iframe src='https://a.example/'>No frames</iframe>",
        "![Hills](a.png){ .wide width=300 }",
        "![Hills](a.png)\n{: .wide #id }",
        "![Hills](a.png)\n*Hills, by Ann*",
        "[![Hills](a.png)](https://a.example/) <small>Hills</small>",
        "{% notebook x.ipynb %}\n{{< toc >}}",
        '[caption id="a_1" width="300"]![Hills](a.png)[/caption]',
        '[gallery ids="1,2"]',
        "![[a.png|400]]",
        "<%= name %> {# a comment #}",
        "Installer: https://a.example/a-long-name/of-a-file/that-is-longer-than/sixty-characters.msi",
        "https://a.example/a https://a.example/b",
        "<https://a.example/a>, www.a.example",
        "~~All of this is struck out, however much it once said, in more than eighty characters of text.~~",
        "<del>\n\nA paragraph that is struck out.\n\n</del>",
        "- ~~One~~\n- <s>Two</s>",
        "—",
    ],
)
def test_the_excerpt_is_the_first_paragraph_that_says_something(before: str) -> None:
    assert rendered(before + REST, files=("posts/a.png",)).excerpt == FIRST


@pytest.mark.parametrize(
    ("body", "excerpt"),
    [
        ("Some *very* **strong** `code` and [a link](https://a.example/).", "Some very strong code and a link."),
        ("A note[^1] here.\n\n[^1]: The note.", "A note here."),
        ("Fish &amp; chips &lt;b&gt; 5 &gt; 4", "Fish & chips <b> 5 > 4"),
        ("One  \ntwo\nthree<br>four", "One two three four"),
        ('A ![picture > 1](https://a.example/a.png "t > 1") inside', "A inside"),
        ('<span title="a > b">Marked</span> text', "Marked text"),
        ("~~old~~ new &#1; text", "new text"),
        ("\u200b\t\tHidden spaces", "Hidden spaces"),
        ("日本語の最初の段落です。\n\n二番目。", "日本語の最初の段落です。二番目。"),
        ("- only\n- a list", "only a list"),
        ("", ""),
        ("![Hills](https://a.example/a.png)", ""),
        ("[A link alone](https://a.example/)", "A link alone"),
        ("> A quotation is a paragraph too.", "A quotation is a paragraph too."),
        ("One.\n\n<!--more-->\n\nTwo.", "One."),
        ("One.\n\nTwo.\n\n<!-- More -->\n\nThree.", "One. Two."),
        ("One <!--more--> two.", "One"),
        ("<!--more-->\n\nTwo.", "Two."),
        ("One.\n\n<!-- a comment about <!--more -->\n\nTwo.", "One."),
        ("`<!--more-->` is code.\n\nTwo.", "<!--more--> is code. Two."),
    ],
)
def test_an_excerpt_is_clean_plain_text(body: str, excerpt: str) -> None:
    assert rendered(body).excerpt == excerpt


@pytest.mark.parametrize(
    ("head", "body", "excerpt"),
    [
        ("excerpt: Given.", "Body.", "Given."),
        ("excerpt: |\n  Two\n  lines.", "Body.", "Two lines."),
        ("excerpt: '<p>With <b>tags</b> &amp; signs</p>'", "Body.", "With tags & signs"),
        ("excerpt: 'With **stars** and [a link](https://a.example)'", "Body.", "With stars and a link"),
        ("excerpt: 'About <head> and 3 < 4 & 5'", "Body.", "About <head> and 3 < 4 & 5"),
        ("excerpt: ''", "Body.", "Body."),
        ("excerpt_separator: <!--cut-->", "One.\n\nTwo.\n\n<!--cut-->\n\nThree.", "One. Two."),
        ("excerpt_separator: '-----8<-----'", "One.\n\nTwo.\n\n-----8<-----\n\nThree.", "One. Two."),
        ('excerpt_separator: "\\n\\n\\n"', "One.\n\nTwo.", "One. Two."),
        ("excerpt_separator: <!--cut-->", "One.\n\nTwo, uncut.", "One. Two, uncut."),
    ],
)
def test_the_writer_has_the_last_word_on_the_excerpt(head: str, body: str, excerpt: str) -> None:
    assert rendered(body, f"title: A title\n{head}").excerpt == excerpt


def test_the_separator_of_the_writer_is_never_shown() -> None:
    result = rendered("One.\n\n[[cut]]\n\nTwo.", "title: x\nexcerpt_separator: '[[cut]]'")
    assert ("cut" in result.html, result.excerpt) == (False, "One.")


def test_a_heading_that_repeats_the_title_is_dropped() -> None:
    for heading in ("# A title", "A title\n=======", "# A title #"):
        result = rendered(f"{heading}\n\nThe text.")
        assert (result.html, result.excerpt) == ("<p>The text.</p>\n", "The text.")
    assert "<h1" in rendered("# Another title\n\nThe text.").html


def test_a_long_paragraph_is_cut_at_a_word() -> None:
    short = excerpt_of(f"<p>{'word ' * 200}</p>")
    assert len(short) <= MOST_CHARACTERS
    assert short.endswith("word…")


@settings(max_examples=4 * settings.default.max_examples, deadline=None)
@given(st.text(st.sampled_from("ab <>&;/p'\"=日\n"), max_size=60))
def test_plain_text_is_one_clean_line(text: str) -> None:
    assert plain_text(text) == " ".join(plain_text(text).split())


@pytest.mark.parametrize(
    ("fragment", "words"),
    [
        ("<p>Three plain words</p>", 3),
        ("<p>日本語の段落</p>", 3),
        ("<p>日本語 and words</p>", 4),
        ("<p>été naïve</p>", 2),
        ("", 0),
    ],
)
def test_words_are_counted_in_scripts_with_and_without_spaces(fragment: str, words: int) -> None:
    assert count_words(fragment) == words


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("Only *this* & that.", "Only this & that."),
        ("Call `x_y` now", "Call x_y now"),
        ("2 * 3 * 4", "2 * 3 * 4"),
        ("a*b*c and f(*args, **kw)", "a*b*c and f(*args, **kw)"),
    ],
)
def test_an_excerpt_from_front_matter_loses_only_emphasis(written: str, shown: str) -> None:
    assert plain_line(written) == shown


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ("One[^1], two.", "One, two."),
        ("One [^1], two [^2].", "One, two."),
        ("One[^1] [^2]; two (three [^1]).", "One; two (three)."),
        ("*One [^1]*, two.", "One, two."),
        ("One[^1] two.", "One two."),
        ("One [^1] two.", "One two."),
        ("Un mot[^1] ; deux[^2] !", "Un mot ; deux !"),
        ("« Un mot[^1] »", "« Un mot »"),
        ("Un ; deux : trois[^1].", "Un ; deux : trois."),
        ("Smile :) , really[^1].", "Smile :) , really."),
        ("日本語[^1]。", "日本語。"),
    ],
)
def test_a_footnote_mark_leaves_nothing_behind(body: str, text: str) -> None:
    assert rendered(f"{body}\n\n[^1]: Note.\n\n[^2]: Other.\n").excerpt == text


MARK = '<sup class="footnote-ref"><a href="#fn1">[1]</a></sup>'


@pytest.mark.parametrize(
    ("fragment", "text"),
    [
        (f"One {MARK}, two", "One, two"),
        (f"One{MARK} {MARK}.", "One."),
        (f"One {MARK} two", "One two"),
        (f"One{MARK}{MARK} two{MARK}</em>, three", "One two, three"),
        (f"Un {MARK} ; deux", "Un ; deux"),
        (f"m<sup>2</sup>{MARK}, s{MARK}<sup>3</sup>.", "m², s³."),
        (f"{MARK}.", "."),
        ("<sup>footnote", "footnote"),
    ],
)
def test_footnote_marks_leave_the_text_around_them(fragment: str, text: str) -> None:
    assert plain_text(fragment) == text


@pytest.mark.parametrize("unit", [MARK, f"{MARK} ", f"{MARK}.", "<sup>", "<sup class=footnote>", "<sup></em>", " \n"])
def test_any_number_of_footnote_marks_takes_linear_time(unit: str) -> None:
    # Exponential or quadratic time would exceed the time limit of a test.
    assert "[1]" not in plain_text(f"As many have shown{unit * (400_000 // len(unit))} the sea is wide.")


@pytest.mark.parametrize(
    ("body", "excerpt"),
    [
        ("Hi everyone,\n\nthe **news** is good.", "Hi everyone, the news is good."),
        ("Hello!\n\n## News\n\nIt is good.", "Hello! It is good."),
        ("## Changes\n\n- One fix\n- Two fixes\n\nInstaller: https://x.example/a.msi", "One fix Two fixes"),
        ("## Changes\n\n1. One\n\n2. Two\n   - three", "One Two three"),
        ("Installer: https://x.example/a.msi", "Installer: https://x.example/a.msi"),
        ("> [!TIP]\n> Only this.", "Only this."),
        ("{% notebook x.ipynb %}", ""),
        ("Use `{% raw %}` and `{{< x >}}` {% x %}here.", "Use {% raw %} and {{< x >}} here."),
        ("::: warning\nHot.\n:::", "Hot."),
        ("Text[^1].\n\n[^1]: A note.", "Text."),
        ("See https://a.example/ for all the details of it.", "See https://a.example/ for all the details of it."),
        ("これは素晴らしいサイトです https://a.example/", "これは素晴らしいサイトです https://a.example/"),
        ("{.lead}\nFirst", "First"),
    ],
)
def test_an_excerpt_says_something(body: str, excerpt: str) -> None:
    assert rendered(body).excerpt == excerpt


@pytest.mark.parametrize(
    ("fragment", "text"),
    [
        ("5 m<sup>2</sup>, 2<sup>10</sup> bytes", "5 m², 2¹⁰ bytes"),
        ("a<sup>n</sup> e<sup>-1</sup> e<sup>−1</sup> x<sup>(a+b)</sup>", "aⁿ e⁻¹ e⁻¹ x⁽ᵃ⁺ᵇ⁾"),
        ("H<sub>2</sub>O, x<sub>i</sub>, T<sub>max</sub>", "H₂O, xᵢ, Tₘₐₓ"),
        ("the 20<SUP class='x'>th</SUP>", "the 20ᵗʰ"),
        ("x<sup>note</sup>, y<sup>q</sup> z<sub>q</sub>.", "x^note, y^q z_q."),
        ("x<sup>two words</sup> a<sup>q</sup>b", "x^(two words) a^(q)b"),
        ("x<sup><em>2</em></sup> <b>y<sub><i>3</i></sub></b>", "x² y₃"),
        ("2<sup>2<sup>n</sup></sup>", "2^2ⁿ"),
        ("a<sup>&lt;</sup>b &amp; c<sup> </sup>", "a^(<)b & c"),
        ("Was <del>19</del> 12; <s>open</s> closed, <strike>no</strike> yes", "Was 12; closed, yes"),
        ("foo<del>bar</del>baz, <s>a <del>b</del> c</s>, d", "foobaz,, d"),
        ("<q>One</q> and <q>two <q>three</q></q>", "“One” and “two ‘three’”"),
        ("<del>one", "one"),
        ("<ruby>漢<rt>かん</rt>字<rt>じ</rt></ruby>", "漢(かん)字(じ)"),
        ("<ruby>漢<rp>(</rp><rt>かん</rt><rp>)</rp></ruby>", "漢(かん)"),
        ("one</sup> two</del>", "one two"),
    ],
)
def test_the_text_in_a_tag_stays_in_plain_text(fragment: str, text: str) -> None:
    assert plain_text(f"<p>{fragment}</p>") == text


def test_front_matter_keeps_its_numbers() -> None:
    assert plain_line("E = mc<sup>2</sup> &amp; was ~~19~~ 12 ~~") == "E = mc² & was 12 ~~"
    assert without_pairs("E = mc<sup>2</sup>, <b>H<sub>2</sub>O</b>") == "E = mc², H₂O"


LINES = {
    "Use <b> or <strong>, the <br> tag, <head> and <p>": "Use <b> or <strong>, the <br> tag, <head> and <p>",
    "Put it between <b> and </b>, as List<String>": "Put it between <b> and </b>, as List<String>",
    "<b>bold <i>it</i></b> a<br>b <img src=x>": "bold it a b",
    "<p>One.</p><p>Two <a href='x'>more": "One. Two more",
    "<code><b></b></code> x": "<b></b> x",
    "f[i](x), a[0](1), g()[i](x)": "f[i](x), a[0](1), g()[i](x)",
    'See [this](https://a.example/x_(y)), ![pic](a.png) [t](b.html "T")': "See this, pic t",
    "詳細は[こちら](x.html)、**重要**です": "詳細はこちら、重要です",
    "2**3 and 4**5, f(**a) or g(**b), 2*3*4": "2**3 and 4**5, f(**a) or g(**b), 2*3*4",
    "**Bold** and *em*, _em_, __init__, snake_case_x": "Bold and em, em, __init__, snake_case_x",
    "`<b>`, `**x**`, `[a](b)`, **c `d` e**, ~~`f`~~ `g`": "<b>, **x**, [a](b), c d e, g",
    "AT&T &amp; &copy; &copy 2026 <3": "AT&T & © &copy 2026 <3",
}


def test_a_description_keeps_what_only_looks_like_markup() -> None:
    assert {line: plain_line(line) for line in LINES} == LINES
    assert post_of(f"---\ntitle: x\ndescription: {next(iter(LINES))}\n---\n").excerpt == next(iter(LINES))
    assert without_pairs("The <b> element and <b>bold <i>x</i></b>") == "The <b> element and bold x"


@pytest.mark.parametrize("unit", ["<sup>", "<q>", "<del>", "</q>", "<sup></sup>", "~~a", "{%", "{{", "<p>", "<code>{%"])
def test_any_amount_of_markup_takes_linear_time(unit: str) -> None:
    # Exponential or quadratic time would exceed the time limit of a test.
    text = unit * (200_000 // len(unit))
    assert isinstance(excerpt_of(text) + plain_line(text), str)


def test_a_separator_of_the_post_is_not_syntax_of_another_tool() -> None:
    for separator in ("[[MORE]]", "{{ more }}", "%% cut %%", "<?more?>"):
        result = rendered(f"One.\n\n{separator}\n\nThree.", f"title: x\nexcerpt_separator: '{separator}'")
        assert (result.excerpt, result.html, result.problems) == ("One.", "<p>One.</p>\n\n<p>Three.</p>\n", ())


def test_words_in_brackets_stay_in_an_excerpt_unless_they_are_shortcodes() -> None:
    for body in (
        "[/users] and [/home] are paths. The endpoint [/users] gives data",
        "My rental [/month] and price [/year] list; BBC [/news] page.",
        "Put it between [b] and [/b], or mark code with [code]...[/code]",
        "Call sleep [timeout t=5] with an array [x y=z] of [Names and=more]",
        "A [month] and a [/month2], [Update] and [UPDATE]",
    ):
        assert excerpt_of(f"<p>{body}</p>") == body
    for body, excerpt in {
        "[b]Bold[/b] words [/b] here": "Bold words [/b] here",
        "[URL=https://a.example]A link[/URL] of a forum": "A link of a forum",
        "A [su_note color=&quot;red&quot;]note[/su_note] of a plugin": "A note of a plugin",
        "[one_half]</p><p>Half a page[/one_half]": "Half a page",
    }.items():
        assert excerpt_of(f"<p>{body}</p>") == excerpt


MARKS = (
    "<!--more-->", "<!-- more -->", "<!--More-->", "<!--more Keep reading-->", "<!-- excerpt -->", "<!-- read more -->",
    "<!-- readmore -->", "<!-- truncate -->", "<!--truncate-->", "{/* truncate */}", "<!-- TEASER_END -->",
    "<!-- TEASER_END: Read on -->", "<!-- END_TEASER -->", "<!-- PELICAN_END_SUMMARY -->", "<!-- end excerpt -->",
    "<!--endexcerpt-->", "<!-- excerpt_separator -->", "<!--break-->", "<!--\nmore\n-->",
)  # fmt: skip
NO_MARKS = (
    "<!-- more work is needed here -->",
    "<!-- summary -->",
    "<!-- endless -->",
    "<!-- breakfast -->",
    "`{/* truncate */}`",
)


def test_separators_of_other_tools_end_an_excerpt() -> None:
    for mark in MARKS:
        for body in (f"## A\n\nOne.\n\n{mark}\n\n{FIRST}", f"A One. {mark} {FIRST}"):
            result = rendered(body)
            assert (result.excerpt, result.problems) == ("A One.", ()), mark
            assert "truncate" not in result.html, mark
    for text in NO_MARKS:
        assert FIRST in rendered(f"One.\n\n{text}\n\n{FIRST}").excerpt, text
    begun = f"No.\n\n<!-- PELICAN_BEGIN_SUMMARY -->\n\nOne.\n\n<!-- PELICAN_END_SUMMARY -->\n\n{FIRST}"
    assert rendered(begun).excerpt == "One."


def test_a_description_that_repeats_the_title_is_ignored() -> None:
    for description, excerpt in {
        "A title": FIRST, "a title!": FIRST, "…": FIRST, "Title": "Title", "A title, and more": "A title, and more",
    }.items():  # fmt: skip
        assert rendered(FIRST, head=f"title: A title\ndescription: {description}").excerpt == excerpt, description


def test_definitions_and_texts_without_paragraphs_are_prose() -> None:
    for html in (f"<p>Short:</p><dl><dt>A</dt><dd>{FIRST}</dd></dl>", f"<p>Short:</p>\n<div>{FIRST} <b>x</b></div>"):
        assert excerpt_of(html).startswith(f"Short: {FIRST}"), html


# Possible beginnings of a post, and text far below that may change them.
PIECES = (
    *("<p>", "</p>\n", "words of prose", ", ", ". ", " ", "<p>One paragraph that says enough for an excerpt. ", "</p>"),
    *("<em>", "</em>", "<strong>", "</strong>", '<a href="https://a.example/">', "</a>", '<a href="#x">', "<br>"),
    *("<ul>\n<li>", "</li>\n</ul>", "<h2>", "</h2>", "<blockquote>", "</blockquote>", "<code>", "</code>"),
    *("<pre><code>", "</code></pre>", "<table><tr><td>", "</td></tr></table>", "<del>", "</del>", "<q>", "</q>"),
    *('<sup class="footnote-ref">', "</sup>", "<sub>", "<details>", "</details>", "<figure>", "</figure>", "<div>"),
    *('<p class="markdown-alert-title">', '<div class="markdown-alert">', "</div>", '<section class="footnotes">'),
    *("</section>", "{{ x", " }}", "[b]", "[/b]", "&lt;% ", " %&gt;", "%", ":::", ">!!! note", "語" * 30, "&amp;"),
    *('<a title="</p>">', "https://a.example/", "<ruby>", "<rt>", "</ruby>", "<iframe title='A film'></iframe>"),
)


@given(st.lists(st.sampled_from(PIECES), max_size=25), st.booleans())
def test_an_excerpt_of_the_beginning_equals_one_of_the_whole_text(pieces: list[str], is_clean: bool) -> None:
    fragment = "".join(pieces)
    if is_clean:
        fragment = sanitise(fragment, lambda tag, reference: reference)
    assert excerpt_of(fragment) == shorten(prose_of_whole(fragment), MOST_CHARACTERS)


@given(st.text("ab \t\n\x0b\x1c\x1f-", max_size=20))
def test_word_counts_match_word_splitting(text: str) -> None:
    assert count_words(text) == len(text.split())
