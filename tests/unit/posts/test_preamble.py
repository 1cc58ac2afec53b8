"""Front matter below the first line is read after blank text, is an error after words, and is never published."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import pytest

from publisher.core.errors import PostError
from publisher.posts.front_matter.parsing import split_body
from publisher.posts.front_matter.preamble import seems_hidden
from tests.support.posts_samples import HELLO, Folder, post_of, read

FORMS = {
    "yaml": ("---\ntitle: Secret plan\ndraft: {}\n---\nText.\n", 5),
    "toml": ('+++\ntitle = "Secret plan"\ndraft = {}\n+++\nText.\n', 5),
    "json": ('{{\n"title": "Secret plan",\n"draft": {}\n}}\nText.\n', 5),
    "header": ("Title: Secret plan\nDraft: {}\n\nText.\n", 4),
}
UNSEEN = [
    "\n",
    "\n\n \n",
    " \t\n",
    "\t\n",
    "\u3000\n",
    "\u00a0",
    "\u2060",
    "\u00ad",
    "\u200e",
    "\u200b\n",
    "\ufeff",
    "\ufeff\ufeff\n",
    "\u2800\n",
    "\u3164",
    "\u034f",
    "\ufe0f",
    "\u2028\n",
    "\x0b\n",
    "\U000e0020",
]
COMMENTS = [
    "<!-- SPDX-License-Identifier: CC-BY-4.0\n-->\n",
    "<!-- a --><!-- b -->\n\n",
    "<!-- vim: set ft=markdown: -->\n",
    "-*- mode: markdown -*-\n",
    "# -*- coding: utf-8 -*-\n",
    "# vim: set ts=4:\n",
    "vim: ft=md\n",
    "// vi: x\n",
    "; ex: x\n",
    "#!/usr/bin/env pandoc\n",
    "[//]: # (A comment)\n",
    "[comment]: <> (x)\n",
    "{# c\nc #}\n",
    "{{/* c */}}\n",
    "{/* c */}\n",
    "{% comment %}\nc\n{% endcomment %}\n",
    "{%- comment -%}c{%- endcomment -%}",
    "%% c %%\n",
    "<!DOCTYPE html>\n",
    '<?xml version="1.0"?>\n',
    "/* vim: x */\n",
    f"<!-- {'x' * 9000} -->\n",
]
BEFORE = [*UNSEEN, *COMMENTS, *map("".join, product(UNSEEN[2:9], COMMENTS[:6])), "".join(UNSEEN + COMMENTS)]
WORDS = ["Hello\n\n", "# SPDX: x\n", "<!-- never closed\n", "{% comment %}\n", "Hello <!-- c -->\n", "* * *\n"]


@pytest.mark.parametrize("form", FORMS)
def test_front_matter_counts_after_empty_text(form: str) -> None:
    text, body_line = FORMS[form]
    for before in BEFORE:
        post = post_of(before + text.format("false"))
        assert (before, post.title) == (before, "Secret plan")
        assert split_body(before + text.format("false")) == ("Text.\n", body_line + before.count("\n"))
        assert read(before + text.format("true")).post is None
        assert seems_hidden((before[-99:] + text.format("ture")).encode()), before


@pytest.mark.parametrize("before", ["", "<!-- c\n-->\n\n"])
def test_lines_are_counted_from_the_beginning_of_the_file(before: str) -> None:
    with pytest.raises(PostError, match="mapping values") as caught:
        read(f"{before}---\ntitle: a: b\n---\n")
    assert caught.value.line == 2 + before.count("\n")
    entry = read(f"{before}---\ntitle: A\nlang: german\n---\n")
    assert [problem.line for problem in entry.problems] == [3 + before.count("\n")]


@pytest.mark.parametrize("form", FORMS)
def test_a_draft_below_words_is_an_error_and_not_published(form: str) -> None:
    for words in WORDS:
        with pytest.raises(PostError, match="looks like front matter") as caught:
            read(words + FORMS[form][0].format("true"))
        assert caught.value.line > words.count("\n")
        assert seems_hidden((words + FORMS[form][0].format("true")).encode())


@pytest.mark.parametrize(
    "line", ["Status: draft", "draft:true", "- published: no", "**Draft:** yes", ".. status: private"]
)
def test_a_line_that_hides_is_an_error_without_front_matter(line: str) -> None:
    for before in ("", "A title\n=======\n\n"):
        with pytest.raises(PostError, match="the file has none"):
            read(f"{before}{line}\n\nText.\n")


@pytest.mark.parametrize(
    "text",
    [
        "Hello.\n\n---\n\nMore.\n",
        "\n---\n\nText\n\n---\n",
        "<!-- c -->\n\n---\n\nText: no\n\n---\n",
        "Hello\n---\nMore: x\n",
        "```yaml\n---\ntitle: x\ndraft: true\n---\n```\n",
        "# H\n\n    ---\n    title: x\n    ---\n",
        "Draft: my first thoughts\n",
        "Hello\n\n---\nNote: a\n\nText\n\n---\n",
        "Use `draft: true` here.\n",
        "<!-- only a comment -->\n\nText.\n",
        "%%\nText\n",
        "Hello\n\n+++\n\nMore\n",
        "Hi\n\n---\n- a: b\n- date: c\n---\n",
    ],
)
def test_a_rule_in_a_text_stays_a_rule(text: str) -> None:
    assert read(text).post
    assert split_body(text) == (text, 1)


def test_a_long_comment_does_not_hide_front_matter_from_a_build(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    licence = f"<!-- {'© words ' * 2000}\n-->\n"
    folder.write(HELLO, f"{licence}---\ntitle: Shown\n---\nText.\n", head="")
    folder.write("2024-07-07-b.md", f"{licence}---\ntitle: Secret\ndraft: true\n---\nText.\n", head="")
    folder.write("2024-07-08-c.md", f"Hi.\n\n---\ntitle: Secret\ndraft: true\n---\n{licence}", head="")
    archive = folder.archive()
    assert [post.title for post in archive.posts] == ["Shown"]
    assert [(problem.path, problem.line) for problem in archive.problems] == [("posts/2024-07-08-c.md", 3)]
    assert folder.render().html == "<p>Text.</p>\n"


@pytest.mark.parametrize("form", FORMS)
def test_front_matter_is_not_a_text_below_front_matter(form: str, tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    block, _ = FORMS[form]
    for number, (draft, between) in enumerate(product(("true", "false"), ("", "\n\n", "<!-- x -->\n", "\ufeff"))):
        if form != "header" or draft == "true":  # "Title: ..." may begin a text
            folder.write(f"2026-01-01-{number}.md", between + block.format(draft) + "word\n" * 2_000)
    archive = folder.archive()
    assert list(archive.posts) == []
    assert {folder.line(problem).strip("\ufeff") for problem in archive.problems} == {
        "yaml": {"---"},
        "toml": {"+++"},
        "json": {"{"},
        "header": {"Draft: true"},
    }[form]


def test_text_that_only_looks_like_a_second_block_is_text(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    for number, body in enumerate(
        (
            "---\n\nNote: words\n---\n",
            "Note: words\n",
            "```\n---\ntitle: x\ndraft: true\n---\n```",
            "    ---\n    draft: true\n    ---\n",
            "---\n\nWords\n\n---\ntitle: x\n---\n",
            "Status: we draft a plan.\n",
            "{\nx\n}\n",
            "---\n",
            "",
            "\r\n---\r\n",
        )
    ):
        folder.write(f"2026-01-01-{number}.md", body)
    assert len(folder.posts()) == 10


def test_a_line_below_front_matter_that_withholds_a_post_is_an_error(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    lines = (
        "draft: true", "hidden: true", "newsletter: false", "newsletters: no", "email: false", "feed: no",
        "expires: 2020-01-01", "expiryDate: 2020-01-01T10:00:00Z", "permalink: false",
        "eleventyExcludeFromCollections: yes",
    )  # fmt: skip
    for number, line in enumerate(lines):
        folder.write(f"2026-01-01-{number}.md", f"\n{line}\n\nWords.\n")
    for number, line in enumerate(
        ("Newsletter: a history", "Expires: never, they say", "Email: ann@a.example", "Feed: RSS")
    ):
        folder.write(f"2026-01-02-{number}.md", f"{line}\n\nWords.\n")
    archive = folder.archive()
    assert len(archive.posts) == 4
    assert sorted(folder.line(problem) for problem in archive.problems) == sorted(lines)


def test_a_second_block_that_hides_the_post_removes_a_published_post() -> None:
    head = "---\ntitle: x\n---\n"
    for rest in (
        "---\ntitle: x\ndraft: true\n---\n",
        "\n\n+++\ndraft = true\n+++\n",
        '{\n"draft": true\n}\n',
        "draft: true\n\nb",
    ):
        assert seems_hidden((head + rest).encode()), rest
    for rest in ("Text\n\ndraft: true", "---\ntitle: x\n---\ndraft: true", "\n\nNote: x\n\ndraft: true", "---\n\n", ""):
        assert not seems_hidden((head + rest).encode()), rest
