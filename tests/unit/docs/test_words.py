"""Texts that people read contain no word that the style sheet has retired."""

from __future__ import annotations

import re

import pytest

from tests.support.words import EVERYWHERE, READ_BY_USERS, retired, texts


def test_no_retired_word_is_used() -> None:
    assert [f"{text.place}: {name}: {text.text.strip()}" for name, text in retired()] == []


@pytest.mark.parametrize(
    ("place", "part"),
    [
        ("README.md", "Publisher"),
        ("docs/posts.md", "Front matter"),
        ("templates/web/", "{"),
        ("publisher/cli/main.py", "feeds"),
        ("publisher/config/", "Maximum"),
        ("publisher/newsletters/lint/", "unsubscribe"),
    ],
)
def test_texts_of_every_kind_are_read(place: str, part: str) -> None:
    found = [text for text in texts() if text.place.startswith(place)]
    assert found
    assert part == "{" or any(part in text.text for text in found)


@pytest.mark.parametrize(
    "sentence", ["'x' is no date", "mend its permissions", "written anew", "the letter of who left"]
)
def test_a_retired_word_is_found(sentence: str) -> None:

    assert any(re.search(pattern, sentence) for pattern in (EVERYWHERE | READ_BY_USERS).values())
