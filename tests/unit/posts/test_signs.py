"""A quick search for several strings has the same result as a search for each of them."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st

from publisher.posts.text.signs import Signs

SIGNS = st.lists(st.text("ab<%-_ \n—", min_size=1, max_size=5), max_size=6)


@given(SIGNS, st.text("ab<%-_ \n—", max_size=30))
@example(["abba", "abbey"], "abb")
@example(["abba", "abb"], "abb")
@example([], "a")
def test_a_quick_search_finds_what_a_slow_one_does(signs: list[str], text: str) -> None:
    assert Signs(*signs).are_in(text) == any(sign in text for sign in signs)


@given(SIGNS, st.text("ab<%-_ \n—", max_size=30), st.text("ab<%-_ \n—", max_size=30))
def test_characters_are_found_in_consecutive_long_texts(signs: list[str], first: str, second: str) -> None:
    for text in (first + " and words" * 60, second + " and words" * 60, first + " and words" * 60):
        assert Signs(*signs).are_in(text) == any(sign in text for sign in signs)
