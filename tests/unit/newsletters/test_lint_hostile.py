"""Any email can be linted, and the result for the same email is always the same."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from publisher.core.newsletter_models import Letter
from publisher.newsletters.lint.finding_codes import CODES, Finding
from publisher.newsletters.lint.lint_letter import lint_letter
from tests.support.editions_samples import ALL, CONFIG, FULL, LETTERS, TEMPLATES, make

PIECES = st.sampled_from(
    [
        "<p style='color:",
        "<a href='",
        "<img src='",
        "<style>",
        "</style>",
        "@media (prefers-color-scheme: dark) {",
        "background: rgb(",
        "http://[",
        "//",
        "javascript:",
        "font-size: 1e999em;",
        "font-size: 1.2.3px;",
        "font-weight: ²;",
        "<p style='font-weight: ²; font-size: 1.2.3px; color: #²²²; background: hsl(٣, 1%, ., 2)'>words</p>",
        "}",
        ">",
        "'",
        '"',
        "<!--",
        "]]>",
        "\x00",
        "\ud800",
        "words",
    ]
)


def look(letter: Letter) -> list[Finding]:
    return lint_letter(letter, config=CONFIG, newsletter=FULL, posts=ALL, templates=TEMPLATES, paths=frozenset())


@settings(max_examples=2 * settings.default.max_examples, deadline=None)
@given(st.lists(PIECES | st.text(max_size=5), max_size=12), st.text(max_size=80))
def test_any_email_can_be_linted(pieces: list[str], subject: str) -> None:
    found = look(Letter("", subject, subject, "".join(pieces), "text"))
    assert {each.code for each in found} <= set(CODES)
    assert all(each.where and each.message and each.hint for each in found)


@pytest.mark.parametrize("name", LETTERS)
def test_linting_twice_has_the_same_findings(name: str) -> None:
    letter = make(*LETTERS[name])
    assert look(letter) == look(replace(letter))


def test_a_hostile_post_adds_no_findings() -> None:
    letter = make(*LETTERS["digest-full"])
    codes = {each.code for each in look(letter)}
    assert not codes & {"unsubscribe-missing", "client-removed", "link-scheme", "style-nested", "contrast"}
