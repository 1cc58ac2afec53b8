"""Words that the Markdown parser would drop stay in the text, and are reported with their line."""

from __future__ import annotations

from publisher.core.models import Severity
from publisher.posts.text.excerpt import plain_text
from tests.support.posts_samples import rendered

TWO_TEXTS = "A[^1] b.\n\n[^1]: First.\n\nMiddle.\n\n{}[^1]: Second.\n\nAfter[^2].\n\n[^2]: Two.\n"


def errors(body: str) -> list[tuple[int, str]]:
    """The errors of a body, with their lines in it."""
    return [(each.line - 3, each.message) for each in rendered(body).problems if each.severity is Severity.ERROR]


def test_a_second_text_of_a_footnote_is_text_and_an_error() -> None:
    for before in ("", "> ", "- ", "1. > "):
        body = TWO_TEXTS.format(before)
        result = rendered(body)
        text, notes = result.html.split("<section")
        assert plain_text(text).endswith("Middle. [^1]: Second. After.")
        assert notes.count("<li") == 2
        assert errors(body) == [(7, "the footnote [^1] already has a text on line 3; this one is shown as is")]
    assert errors(TWO_TEXTS.format("").replace("[^1]: S", "[^A]: S").replace("[^1]", "[^a]"))[0][0] == 7


def test_a_footnote_without_a_place_is_an_error() -> None:
    for body, line, why in (
        ("A\n\n[^1]: lost words", 3, "nothing refers to"),
        ("A[^1]\n\n[^1]: one\n[^x]: two", 4, "nothing refers to"),
        ("A\n\n<p>see [^1]</p>\n\n[^1]: lost words", 5, "is only referred to where Markdown is not read"),
        ("A `[^1]` b\n\n[^1]: lost words", 3, "nothing refers to"),
    ):
        ((found, message),) = errors(body)
        assert (found, why in message) == (line, True), (body, message)


def test_footnotes_that_readers_see_are_no_error() -> None:
    for body in (
        "A[^1] b[^Ä].\nmore\n[^1]: one[^3]\n[^ä]: two\n[^3]: three",
        "A[^1] b\n\n- [^1]: y\n",
        "A\n\n<!--\n\n[^1]: hidden\n\n-->\n\nB",
        "```\n[^1]: code\n[^1]: code\n```\n\nUse `[^1]: this`.\n\n    [^1]: code",
        "<div>\n[^1]: shown as it is\n</div>",
        "A[^1] b\n\n[^1]: one\n\n```\n[^1]: code\n```",
    ):
        assert errors(body) == [], body
