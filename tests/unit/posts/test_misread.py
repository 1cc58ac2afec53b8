"""Values of front matter that would be misread: entities, comments, special characters of YAML, wrong fences."""

from __future__ import annotations

import re

import pytest

from publisher.core.errors import PostError
from publisher.posts.front_matter.metadata import build_post
from publisher.posts.front_matter.parsing import parse_head
from publisher.posts.rendering.headline import title_in
from tests.support.posts_samples import HELLO, post_of, read, settings

ENTITIES = {
    "It&#8217;s AT&amp;T": "It’s AT&T",
    "&#x201C;Hi&#X201d; &eacute;&hellip;": "“Hi” é…",
    "a &lt;b&gt; c": "a <b> c",
    "5 &gt; 4 &amp;amp; more": "5 > 4 &amp; more",
    "AT&T, R&D; Q&A": "AT&T, R&D; Q&A",
    "a&copy=1 &nosuch; &#; &#xZZ;": "a&copy=1 &nosuch; &#; &#xZZ;",
    "a&nbsp;b&#1;&#10;c&#0;": "a b c\ufffd",
}
FORMS = ("---\ntitle: '{}'\n---\n", '+++\ntitle = "{}"\n+++\n', '{{"title": "{}"}}\n', "Title: {}\n\n")


@pytest.mark.parametrize("form", FORMS)
def test_entities_in_a_title_become_their_characters(form: str) -> None:
    for written, meant in ENTITIES.items():
        assert post_of(form.format(written)).title == meant


def test_entities_become_characters_in_every_text_field() -> None:
    post = post_of(
        "---\ntitle: x\ndescription: 'It&#8217;s'\ntags: [R&amp;D, A&B]\nauthor: 'Ada &amp; Bob, Eve'\n"
        "image: {url: a.png, alt: 'a &gt; b', caption: '&copy; Ada'}\n---\n"
    )
    assert (post.excerpt, [tag.name for tag in post.tags]) == ("It’s", ["R&D", "A&B"])
    assert [author.name for author in post.authors] == ["Ada & Bob", "Eve"]
    assert post.image
    assert (post.image.alt, post.image.caption) == ("a > b", "© Ada")
    assert [tag.name for tag in post_of("---\ntitle: x\ntags: R&amp;D, Q&amp;A\n---\n").tags] == ["R&D", "Q&A"]


VALUES = [
    "Issue #5",
    "#5",
    "A # B",
    "&co x",
    "!Wow x",
    "!x",
    "@x",
    "`x`",
    "*x*",
    "*x",
    "[WIP] x",
    "{x} y",
    "- x",
    "& co",
    "> x",
    ">x",
    "| x",
    '"He said "hi""',
    "'It's'",
    "%x",
    "? x",
    ": x",
    "a: b",
    'it\'s: "b"',
    "[open",
    "{open",
    "!<x",
    "- - x",
    'a\\b: "c"',
]


# Quotes inside the same quotes: the outer ones are not part of the text.
MEANT = {'"He said "hi""': 'He said "hi"'}


@pytest.mark.parametrize("key", ["title", "description"])
def test_the_proposed_fix_of_a_value_is_read_as_intended(key: str) -> None:
    for value in VALUES:
        text = f"---\ndate: 2024-01-01\n{key}: {value}\nlayout: x\n---\n"
        try:
            (problem, *_) = read(text).problems
            line, hint = problem.line, problem.hint
        except PostError as error:
            line, hint = error.line, error.hint
        assert line == 3, value
        fix = re.fullmatch(rf"put the value in quotes: ({key}: .*)", hint)
        assert fix, (value, hint)
        head = parse_head(text.replace(f"{key}: {value}", fix[1]), whole=True)
        assert head.fields[key] == MEANT.get(value, value)
        assert [
            p for p in build_post(HELLO, head, "", settings(), title_in).problems if "has no title" not in p.message
        ] == []


@pytest.mark.parametrize(
    ("lines", "line", "message"),
    [
        ("tags: #a #b", 3, "tags: the rest of the line, '#a #b', is a comment"),
        ("tags:\n  - #a\n  - b", 4, "tags: the rest of the line, '#a', is a comment"),
        ("author: Ada #1", 3, "author: the rest of the line, '#1', is a comment"),
        ("image:\n  url: c.png\n  alt: a #b", 5, "image.alt: the rest of the line, '#b', is a comment"),
        ("excerpt: One\n  two #three", 4, "excerpt: the rest of the line, '#three', is a comment"),
        ("excerpt: [One]", 3, "excerpt: what is in brackets is read as a list or a table, not as text"),
    ],
)
def test_a_comment_that_swallows_words_gets_a_warning(lines: str, line: int, message: str) -> None:
    entry = read(f"---\ntitle: x\n{lines}\n---\n")
    assert [(problem.line, problem.message) for problem in entry.problems] == [(line, message)]


@pytest.mark.parametrize(
    "lines",
    [
        "date: 2024-01-01 # first",
        "draft: false # ready",
        "layout: a #b",
        'excerpt: "One" # two',
        "# a comment",
        "tags: [a] # b",
        "tags: a  # why",
        "excerpt: One#two",
        "excerpt: >\n  one #two",
    ],
)
def test_an_intended_comment_gets_no_warning(lines: str) -> None:
    assert read(f"---\ntitle: x\n{lines}\n---\n").problems == ()


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("----\ntitle: x\n----\nText", 1, "isn't opened: the line has 4 hyphens"),
        ("----\ntitle: x\n---\nText", 1, "the first line has 4 hyphens"),
        ("---\ntitle: x\n----\nText", 3, "isn't closed: the line has 4 hyphens"),
        ("---\ntitle: x\n--\nText", 3, "isn't closed: the line has 2 hyphens"),
        ("---\ntitle: x\n—\nText", 3, "isn't closed: the line has 1 dash"),
        ("---\ntitle: x\n ---\nText", 3, "isn't closed: the line has spaces before its hyphens"),
        ("++++\ntitle = 'x'\n++++\n", 1, "isn't opened: the line has 4 plus signs"),
    ],
)
def test_a_fence_with_too_many_or_too_few_characters_is_reported(text: str, line: int, message: str) -> None:
    with pytest.raises(PostError, match=message) as caught:
        read(text)
    assert (caught.value.line, "write exactly" in caught.value.hint) == (line, True)


def test_text_without_quotes_in_toml_and_json_gets_the_line_with_quotes() -> None:
    for text, fix in (
        ("+++\ntitle = Issue 5\n+++\n", 'put the value in quotes: title = "Issue 5"'),
        ('{\n"title": Hello you\n}\n', 'put the value in double quotes: "title": "Hello you"'),
    ):
        with pytest.raises(PostError) as caught:
            read(text)
        assert (caught.value.line, caught.value.hint) == (2, fix)


@pytest.mark.parametrize("key", ["author", "authors", "byline", "extra.author"])
def test_commas_separate_authors_in_one_text_under_any_key(key: str) -> None:
    for text, names in (
        ("Bob Ross, Carol King", ["Bob Ross", "Carol King"]),
        ("Bob Ross; Carol King", ["Bob Ross", "Carol King"]),
        ("Acme, Inc.", ["Acme, Inc."]),
        ("O'Brien, Jr., Ada", ["O'Brien, Jr.", "Ada"]),
    ):
        assert [author.name for author in post_of(f'---\ntitle: x\n{key}: "{text}"\n---\n').authors] == names
