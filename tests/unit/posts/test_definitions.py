"""A definition list keeps every term, definition and paragraph that was written."""

from __future__ import annotations

import re

import pytest

from publisher.posts.rendering.body import _finish
from publisher.posts.rendering.commonmark import _markdown
from publisher.posts.text.definitions import has_definitions, loosened


def shape(body: str) -> str:
    """Return the elements and words of a body, without line ends and closing tags."""
    html = _finish(_markdown(body), body)
    return " ".join(re.sub(r"</[a-z]+>", " ", html).replace(">", "> ").split())


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("Apple\n:   One\n\n    Two\n\n    Three", "<dl> <dt> Apple <dd> <p> One <p> Two <p> Three"),
        ("Apple\n: One\n\n  Two", "<dl> <dt> Apple <dd> <p> One <p> Two"),
        ("Apple\n\n:   One\n\n    Two", "<dl> <dt> Apple <dd> <p> One <p> Two"),
        ("Apple\n:   One\n:   Two", "<dl> <dt> Apple <dd> One <dd> Two"),
        (
            "Apple\n:   One\n\n    Two\n:   Three\n\nPear\n:   x",
            "<dl> <dt> Apple <dd> <p> One <p> Two <dd> <p> Three <dt> Pear <dd> x",
        ),
        ("Apple\nPear\nPlum\n:   all", "<dl> <dt> Apple <dt> Pear <dt> Plum <dd> all"),
        ("Apple  \n*Pear*\n\n:   both", "<dl> <dt> Apple <dt> <em> Pear <dd> <p> both"),
        ("An **apple\nor pear**\n: fruit", "<dl> <dt> An <strong> apple or pear <dd> fruit"),
        ("> Apple\n> :   One\n>\n>     Two", "<blockquote> <dl> <dt> Apple <dd> <p> One <p> Two"),
        ("- Apple\n  :   One\n\n      Two", "<ul> <li> <dl> <dt> Apple <dd> <p> One <p> Two"),
        ("Apple\n:   One\n\n    - a\n\n    Two", "<dl> <dt> Apple <dd> <p> One <ul> <li> a <p> Two"),
        ("Apple\n:   One\n\n    - a\n", "<dl> <dt> Apple <dd> One <ul> <li> a"),
        ("A\n:   B\n\n    C\n    :   d\n\n        e", "<dl> <dt> A <dd> <p> B <dl> <dt> C <dd> <p> d <p> e"),
        ("Apple\n:   One\n\nTwo", "<dl> <dt> Apple <dd> One <p> Two"),
    ],
)
def test_a_definition_has_everything_that_was_written(body: str, expected: str) -> None:
    assert shape(body) == expected


@pytest.mark.parametrize(
    "body",
    [
        "```\nA\n: b\n\n    c\n```",
        "A time: 10:30\n\n    code",
        "Text\n\n    A\n    : b\n\n    c",
        "| a | b |\n|:--|--|",
    ],
)
def test_text_that_is_not_a_definition_is_unchanged(body: str) -> None:
    assert not has_definitions(body) or loosened(body) == body


def test_terms_in_html_keep_their_lines() -> None:
    body = "<dl>\n<dt>A long\nterm</dt>\n<dd>x</dd>\n</dl>\n\nA\n: b"
    assert "<dt>A long\nterm</dt>" in _finish(_markdown(body), body)
