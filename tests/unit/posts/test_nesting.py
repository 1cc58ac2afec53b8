"""A body that is nested too deeply is refused with its line; text that only looks deeply nested is rendered."""

from __future__ import annotations

import pytest

from publisher.posts.markup import BrokenPost
from tests.support.posts_samples import rendered

STAIRS = [f"{'  ' * depth}- a" for depth in range(101)]
CONTAINERS = "quotes or lists are nested more than 100 deep"
HTML = "its HTML is nested more than 100 deep"
HEADINGS = "more than 1,000 headings have the same text"


@pytest.mark.parametrize(
    ("body", "line", "message"),
    [
        ("a\n\n" + "> " * 101 + "a", 6, CONTAINERS),
        (">" * 60_000, 4, CONTAINERS),
        ("a\n\n" + "- " * 101 + "a", 6, CONTAINERS),
        ("1. " * 101 + "a", 4, CONTAINERS),
        ("\n".join(STAIRS), 104, CONTAINERS),
        ("\n".join(STAIRS[:60]), 63, HTML),
        ("<div>\n" * 101 + "x", 104, HTML),
        ("a\n\n" + "<b>" * 300 + "x" + "</b>" * 300, 6, HTML),
        ("<table><tr><td>" * 40 + "x", 4, HTML),
        ("# a\n\n" * 1_001, 2_004, HEADINGS),
        ("#\n" * 60_000, 1_004, HEADINGS),
        ("a\n===\n\n" * 1_001, 3_005, HEADINGS),
    ],
)
def test_deep_nesting_is_refused_with_its_line(body: str, line: int, message: str) -> None:
    with pytest.raises(BrokenPost) as refused:
        rendered(body)
    assert (refused.value.problem.line, refused.value.problem.message) == (line, message)


@pytest.mark.parametrize(
    "body",
    [
        "> " * 50 + "a",
        "\n".join(STAIRS[:40]),
        "* " * 300,
        "-" * 300,
        "```\n" + "> " * 300 + "\n```",
        "<p>One\n" * 300,
        "<br>" * 300,
        "<b>x</b>" * 300,
        "<img alt='" + "<b>" * 300 + "'>",
        "".join(f"# a{number}\n\n" for number in range(1_100)),
    ],
)
def test_text_that_only_looks_nested_is_rendered(body: str) -> None:
    assert rendered(body).html
