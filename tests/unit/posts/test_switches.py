"""A misspelling in a field that withholds a post is an error or a warning, and never publishes a draft."""

from __future__ import annotations

from dataclasses import replace

import pytest

from publisher.config import Tool
from publisher.core.errors import PostError
from publisher.posts.front_matter.metadata import build_post
from publisher.posts.front_matter.parsing import parse_head
from publisher.posts.rendering.headline import title_in
from tests.support.posts_samples import read, settings

UNCLEAR = [
    ("draft", "ture", "did you mean true?"),
    ("Draft", "True!", "did you mean true?"),
    ("private", "yess", "did you mean yes?"),
    ("unlisted", "maybe", "write true or false"),
    ("draft", "2", "write true or false"),
    ("published", "flase", "did you mean false?"),
    ("published", "x", "write true or false"),
    ("status", "Drfat", "did you mean draft?"),
    ("status", "x", "write draft or published"),
    ("visibility", "privat", "did you mean private?"),
    ("feed", "flase", "did you mean false?"),
    ("in_feeds", "never", "write true or false"),
    ("newsletter", "nope", "did you mean no?"),
    ("email", "flase", "did you mean false?"),
]
FORMATS = {
    "simple yaml": "---\ntitle: x\ndate: 2024-07-06\n{key}: {value}\n---\n",
    "yaml": "---\ntitle: 'x'\ndate: 2024-07-06\n{key}: '{value}'\n---\n",
    "toml": '+++\ntitle = "x"\ndate = 2024-07-06\n{key} = "{value}"\n+++\n',
    "json": '{{\n"title": "x",\n"date": "2024-07-06",\n"{key}": "{value}"\n}}\n',
    "headers": "Title: x\nAuthor: y\nDate: 2024-07-06\n{key}: {value}\n\nText.\n",
}


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize(("key", "value", "hint"), UNCLEAR)
def test_a_misspelled_value_leaves_the_post_out(form: str, key: str, value: str, hint: str) -> None:
    with pytest.raises(PostError) as caught:
        read(FORMATS[form].format(key=key, value=value))
    assert caught.value.message.startswith(f"{key}: {value!r} is ")
    assert (caught.value.line, caught.value.hint) == (4, hint)


@pytest.mark.parametrize("value", ["[true]", "[false, true]", "{a: b}"])
@pytest.mark.parametrize("key", ["draft", "published", "status", "feed", "newsletter"])
def test_a_list_or_a_table_leaves_the_post_out(key: str, value: str) -> None:
    with pytest.raises(PostError, match="a list or a table"):
        read(f"---\ntitle: x\n{key}: {value}\n---\n")


@pytest.mark.parametrize(
    "line",
    [
        "draft: ' True '", "draft: YES", "status: ' Draft'", "status: draft\nvisibility: nope", "published: 0",
        "draft: nope\nprivate: true", "published: 'OFF'",
    ],
)  # fmt: skip
def test_a_clearly_hidden_post_is_hidden_without_an_error(line: str) -> None:
    entry = read(f"---\ntitle: x\n{line}\n---\n")
    assert (entry.post, entry.problems) == (None, ())


@pytest.mark.parametrize(
    "line",
    [
        "draft: false", "draft:", "draft: ''", "draft: ~", "published: 2024-07-01", "published: 6 July 2024",
        "published: true", "status: publish", "status: Published", "status: future", "status: evergreen", "feed: on",
        "visibility: public", "newsletter: 1", "email: ada@x.example", "email:", "newsletter: {id: 5}",
        "feed: {excerpt_only: true}", "mail: ada@x.example", "stats: 5 of 7", "publisher: ACME", "data: [1]",
        "featured: true", "comments: true", "pinned: false", "state: Berlin", "series: true", "header: true",
        "update: 2024-07-07", "lang: zh_cn", "locale: en_US.UTF-8", "image: false", "cover: {image: '', alt: ''}",
        "cover: {hidden: true}", "teaser: Read on and see", "hero: true",
    ],
)  # fmt: skip
def test_values_in_real_posts_cause_no_errors_or_warnings(line: str) -> None:
    entry = read(f"---\ntitle: x\n{line}\n---\n")
    assert entry.post
    assert entry.problems == ()


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("lang: german", "'german' is not a language tag; using en"),
        ("lang: {a: b}", "a list or a table is not a language tag; using en"),
        ("image: 5", "the picture is left out: '5' is not a path or a web URL"),
        ("image: [5]", "the picture is left out: '5' is not a path or a web URL"),
        ("image: {alt: x}", "the picture is left out: a table without `url` is not a path or a web URL"),
    ],
)
def test_a_language_or_picture_that_cannot_be_used_gets_a_warning(line: str, message: str) -> None:
    entry = read(f"---\ntitle: x\n{line}\n---\n")
    assert [(p.line, p.message) for p in entry.problems] == [(3, message)]
    assert entry.post
    assert entry.post.image is None


HUGO: list[tuple[str, Tool, bool]] = [
    ("draft: yes", "hugo", True),
    ("draft: 'on'", "hugo", True),
    ("Draft: Y", "hugo", True),
    ("draft: true", "hugo", False),
    ("draft: '1'", "hugo", False),
    ("draft: yes", "jekyll", False),
    ("draft: yes", "", False),
]


def test_a_draft_that_hugo_publishes_is_reported() -> None:
    for line, tool, is_told in HUGO:
        head = parse_head(f"---\ntitle: x\n{line}\n---\n", whole=True)
        entry = build_post("2024-07-06-a.md", head, "", replace(settings(), tool=tool), title_in)
        found = [(each.line, each.message.partition(" makes")[0]) for each in entry.problems]
        assert (entry.post, found) == (None, [(3, line.replace("'", ""))] if is_told else []), line
