"""A title that is taken from a post's heading is the visible text of the heading, however the heading is written."""

from __future__ import annotations

from publisher.posts.rendering.headline import first_heading, first_words
from tests.support.posts_samples import read, rendered

HEADINGS = {
    "# Using `__init__` in *Python*": "Using __init__ in Python",
    "# snake_case_name and _emph_": "snake_case_name and emph",
    "# CGI.escape_html *now*\n\nText.": "CGI.escape_html now",
    "# The `<title>` tag and <b>bold</b> `<b>`": "The <title> tag and bold <b>",
    "# The <title> tag": "The <title> tag",
    "# a\\*b\\_c \\# &amp; &lt;b&gt; &copy;": "a*b_c # & <b> ©",
    "# C#": "C#",
    "# C # #": "C #",
    "Title #\n===": "Title #",
    "Title_a_b *c*\n=====": "Title_a_b c",
    "# [a [b] c](http://x.example/(y)) d": "a [b] c d",
    "# [words][1]\n\n[1]: http://x.example": "words",
    "# [words] [1] x\n\n[2]: y": "[words] [1] x",
    "# ![logo](x.png) Title": "Title",
    "# ![The *logo*](x.png)": "The logo",
    "# A walk <!-- working title -->": "A walk",
    "# Title {#top .x}": "Title",
    "# Title {name}": "Title {name}",
    "# E = $mc^2$, `a_b`": "E = $mc^2$, a_b",
    "# 世界**強い**「x」": "世界強い「x」",
    "# A note[^1]": "A note",
    "# H<sub>2</sub>O, ~~old~~ new": "H₂O, new",
    "# {{ page.title }} x": "{{ page.title }} x",
    "# &#1; x": "x",
    "#hash": "",
    "##  two": "",
    "- list\n===": "",
    "# " + "x" * 2_000: "",
}
NOTES = {
    "*Hello* `<b>` snake_case **bold over\nlines** x": "Hello <b> snake_case bold over",
    "[x][1] y\n\n[1]: http://x.example": "x y",
    "2 ** 3 and my_file_name.py": "2 ** 3 and my_file_name.py",
    "Use <title> here, f(*a, *b)": "Use <title> here, f(*a, *b)",
    "![A cat](a.png) My cat": "My cat",
    "A note[^1].\n\n[^1]: x": "A note.",
    "| a | b |\n|--|--|\n| c | d |": "a",
    "<p>HTML <i>x</i></p>\n<p>y</p>": "HTML x",
    ">" * 900 + "x": "",
}


def test_a_heading_is_a_title_as_readers_see_it() -> None:
    assert {body: first_heading(body) for body in HEADINGS} == HEADINGS
    assert {body: first_words(body) for body in NOTES} == NOTES


def test_hostile_headings_are_read_as_well() -> None:
    for sign in "*_`[<>&$!\\~:'\"{#":
        assert len(first_heading(f"# {sign * 1_900} x")) <= 2_000 * 6
        assert isinstance(first_words(sign * 900), str)


def test_a_heading_with_more_than_words_stays_in_the_body() -> None:
    picture = rendered("# ![Logo](https://a.example/x.png) Title\n\nText", head="layout: post").html
    assert picture.count("<img") == 1
    assert "<h1" not in picture
    noted = rendered("# Title[^1]\n\nText\n\n[^1]: Why.", head="layout: post")
    assert "Why." in noted.html
    post = read("# Call `__init__` *now*\n\nText").post
    assert post
    assert post.title == "Call __init__ now"
    assert rendered("# Call `__init__` *now*\n\nText", head="layout: post").html == "<p>Text</p>\n"
