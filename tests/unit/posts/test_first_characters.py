"""Every match of a pattern begins with one of the characters computed for it."""

from __future__ import annotations

import re

import pytest

from publisher.posts.rendering.first_characters import ASCII, first_characters


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("abc", "a"),
        ("(?i)abc", "aA"),
        (r"^\s*?(?:if|else)\b", " \t\n\r\x0b\x0c\x1c\x1d\x1e\x1fie"),
        (r"(?<!\.)(?=x)[0-3_]+", "0123_"),
        (r"(?P<q>['\"])x(?P=q)", "'\""),
        (r"(?i:k)|(?-i:Q)", "kKQ"),
        (r"\d{2,}?", "0123456789"),
    ],
)
def test_the_first_characters_of_a_pattern_are_known(pattern: str, expected: str) -> None:
    assert first_characters(re.compile(pattern, re.MULTILINE)) == frozenset(expected)


@pytest.mark.parametrize("pattern", ["", "a*", "(a)?", "(?=a)", r"(a)|\b"])
def test_an_empty_match_has_no_first_character(pattern: str) -> None:
    assert first_characters(re.compile(pattern)) is None


@pytest.mark.parametrize("pattern", ["(?i)\u212a", "(?i)[\u0130-\u0140]", ".", "(?s).", "(?i)[^k]"])
def test_an_unknown_pattern_can_begin_with_any_character(pattern: str) -> None:
    assert first_characters(re.compile(pattern)) == ASCII


@pytest.mark.parametrize("pattern", [r"[^a-f\s]", "[^x]+y?", r"\W\w", r"(?i)[a-f_]\d", r"(?x) a | [bc] # d", r"(?a)\S"])
def test_no_match_begins_with_any_other_character(pattern: str) -> None:
    compiled = re.compile(pattern)
    begins = first_characters(compiled)
    assert begins is not None
    assert {char for char in ASCII for rest in "a1 _y" if compiled.match(char + rest)} == begins
