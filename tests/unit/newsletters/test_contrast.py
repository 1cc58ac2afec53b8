"""The contrast of an email is computed from its colours, its CSS rules and the cascade."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from publisher.core.newsletter_models import Letter
from publisher.newsletters.lint.contrast import Cascade, Colour, colour_of, contrast
from publisher.newsletters.lint.parsed_letter import ParsedLetter, Property, declarations_of, rules_of

WHITE, BLACK = Colour(255, 255, 255), Colour(0, 0, 0)


@pytest.mark.parametrize(
    ("value", "colour"),
    [
        ("#fff", "#ffffff"),
        ("#1f1D1a", "#1f1d1a"),
        ("rgb(255, 0, 10)", "#ff000a"),
        ("rgb(100% 0% 0% / 1)", "#ff0000"),
        ("hsl(120, 100%, 25%)", "#008000"),
        ("SlateGray", "#708090"),
        ("grey", "#808080"),
        ("rgba(0, 0, 0, 0.5)", "#808080"),
        ("#00000080", "#7f7f7f"),
        ("transparent", "#ffffff"),
    ],
)
def test_a_colour_over_white_is_the_same_as_in_browsers(value: str, colour: str) -> None:
    found = colour_of(value)
    assert found is not None
    assert str(found.over(WHITE)) == colour


@pytest.mark.parametrize("value", ["", "var(--ink)", "#12345", "rgb(1, 2)", "url(x.png)", "oklch(0.5 0.1 20)", "12px"])
def test_an_unknown_colour_is_ignored(value: str) -> None:
    assert colour_of(value) is None


@pytest.mark.parametrize(
    ("one", "other", "ratio"),
    [("black", "white", 21), ("#777777", "#ffffff", 4.48), ("#767676", "#ffffff", 4.54), ("white", "white", 1)],
)
def test_contrast_follows_wcag(one: str, other: str, ratio: float) -> None:
    first, second = colour_of(one), colour_of(other)
    assert first is not None
    assert second is not None
    assert contrast(first, second) == contrast(second, first) == pytest.approx(ratio, abs=0.005)


@given(st.text(max_size=40))
def test_any_text_is_a_colour_or_ignored(value: str) -> None:
    colour = colour_of(value)
    assert colour is None or all(0 <= part <= 255 for part in colour.over(WHITE)[:3])


def test_a_rule_is_read_with_its_conditions() -> None:
    rules, bare = rules_of(
        '@import url("x.css"); /* } */ a, b {color: red !important; background: url("a;b}c.png")}\n'
        "@media screen { @media (max-width: 600px) { .x:hover {margin: 0} } }\n@font-face {font-family: X}"
    )
    assert bare == ['@import url("x.css")']
    assert [(rule.conditions, rule.selector) for rule in rules] == [
        ((), "a, b"),
        (("@media screen", "@media (max-width: 600px)"), ".x:hover"),
        ((), "@font-face"),
    ]
    assert rules[0].declarations == (
        Property("color", "red", important=True),
        Property("background", 'url("a;b}c.png")'),
    )


@given(st.text(alphabet="ab{}@;:\"'/*()!\\ \n", max_size=80))
def test_any_css_can_be_read(css: str) -> None:
    rules, bare = rules_of(css)
    assert len(rules) <= css.count("{")
    assert all(name.startswith("@") for name in bare)
    declarations_of(css)


@pytest.mark.parametrize(
    ("css", "style", "colour"),
    [
        ("p {color: red}", "", "red"),
        ("p {color: red}", "color: blue", "blue"),
        ("p {color: red !important}", "color: blue", "red"),
        ("p {color: red !important}", "color: blue !important", "blue"),
        (".a {color: red} p {color: green}", "", "red"),
        ("p {color: red} p {color: green}", "", "green"),
        ("@media (prefers-color-scheme: dark) {p {color: red !important}}", "color: blue", "blue"),
        ("@media (max-width: 600px) {p {color: red !important}}", "color: blue", "blue"),
        ("p:hover {color: red !important}", "color: blue", "blue"),
        ("p::::nonsense {color: red !important}", "color: blue", "blue"),
    ],
)
def test_the_cascade_agrees_with_browsers(css: str, style: str, colour: str) -> None:
    sheet = sheet_of(f"<style>{css}</style><p class='a' style='{style}'>x</p>")
    assert Cascade(sheet, dark=False).of(sheet.tree.find(".//p"))["color"].value == colour


def test_dark_rules_win_in_dark_mode_only() -> None:
    sheet = sheet_of(
        "<style>@media (prefers-color-scheme: dark) {p {color: red !important}}</style><p style='color: blue'>x</p>"
    )
    element = sheet.tree.find(".//p")
    assert [Cascade(sheet, dark=dark).of(element)["color"].value for dark in (False, True)] == ["blue", "red"]


def sheet_of(html: str) -> ParsedLetter:
    return ParsedLetter(Letter("", "s", "p", html, "t"))
