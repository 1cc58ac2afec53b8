"""Lengths are counted in graphemes, and a text is never cut inside one."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from publisher.core.characters import clean_line, lowered, raised, shorten

GRAPHEMES = (
    "a",
    "e\u0301",
    "日",
    "👨\u200d👩\u200d👧\u200d👦",
    "👍🏽",
    "🇩🇪",
    "1\ufe0f\u20e3",
    "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",
    "क्षि",
    "กำ",
    "각",
    "\u1112\u1161\u11ab",
    "❤️",
    "אָ",
)


@pytest.mark.parametrize("grapheme", GRAPHEMES)
def test_a_text_is_cut_between_graphemes(grapheme: str) -> None:
    for limit in range(2, 8):
        assert shorten(grapheme * 9, limit) == grapheme * (limit - 1) + "…"
        assert shorten(grapheme * limit, limit) == grapheme * limit


@settings(max_examples=4 * settings.default.max_examples, deadline=None)
@given(st.text(max_size=400), st.integers(2, 300))
def test_a_shortened_text_fits_and_is_a_prefix(text: str, limit: int) -> None:
    short = shorten(text, limit)
    assert len(short) <= 8 * limit
    assert short == text or (short.endswith("…") and text.startswith(short[:-1]))


def test_text_is_cut_between_words() -> None:
    assert shorten("one two three four", 12) == "one two…"
    assert shorten("日本語" * 10, 12) == "日本語日本語日本語日本…"
    assert shorten("short", 12) == "short"
    assert shorten("a" + "\u0301" * 100_000, 300) == "a" + "\u0301" * 2391 + "…"


def test_superscripts_and_subscripts_differ_from_the_text_around_them() -> None:
    for text, above, below in (
        ("2", "²", "₂"),
        ("10", "¹⁰", "₁₀"),
        ("n", "ⁿ", "ₙ"),
        ("-1", "⁻¹", "₋₁"),
        ("th", "ᵗʰ", "ₜₕ"),
        ("T", "ᵀ", "_T"),
        ("word", "^word", "_word"),
        ("a b", "^(a b)", "_(a b)"),
        ("", "", ""),
    ):
        assert (raised(text), lowered(text)) == (above, below)
    assert raised("word", "s") == "^(word)"


@given(st.text(max_size=40), st.integers(10, 50))
def test_cleaning_a_line_is_the_same_as_cleaning_each_character(text: str, most: int) -> None:
    seen = [" " if unicodedata.category(sign) in ("Cc", "Cs", "Zl", "Zp") else sign for sign in text[: 4 * most]]
    shown = [sign for sign in seen if sign not in "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"]
    plain = unicodedata.normalize("NFC", " ".join("".join(shown).split()))
    assert clean_line(text, most) == plain[:most].rstrip()
