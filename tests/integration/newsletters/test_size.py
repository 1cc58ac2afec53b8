"""Emails that Gmail would cut off contain less, in HTML and in text, and say so."""

from __future__ import annotations

from dataclasses import replace

import pytest

from publisher.core.newsletter_models import Fallback, Letter
from publisher.newsletters.letter.compose import CLIPPED, fallback_line, fitting, html_bytes
from tests.support.editions_samples import CONFIG, FULL, make, post, rendered
from tests.support.editions_samples import WEEKLY as EXCERPTS
from tests.support.project import MONDAY, WEEKLY, Project

BODY = (
    '<p>A paragraph with <a href="https://example.org/why/">a link</a>, and words that fill a line or two.</p>\n' * 80
)
TWENTY = [rendered(post(number, f"Post {number}"), BODY, f"What post {number} says.") for number in range(20)]
HUGE = rendered(post(1, "The long one"), BODY * 48, "It is long.")


def test_twenty_full_posts_become_excerpts() -> None:
    letter = make(CONFIG, FULL, TWENTY)
    assert html_bytes(letter) <= CLIPPED
    assert letter.fallback is not None
    assert (letter.fallback.wanted, letter.fallback.carried) == ("full", "excerpt")
    assert letter.fallback.bytes_before > CLIPPED
    for part in (letter.html, letter.text):
        assert all(f"What post {number} says." in part for number in range(20))
        assert all(f"https://example.org/{number}/" in part for number in range(20))
        assert "A paragraph with" not in part


@pytest.mark.parametrize("newsletter", [FULL, replace(EXCERPTS, template="post"), replace(FULL, template="plain")])
def test_a_huge_post_becomes_an_excerpt(newsletter) -> None:
    assert len(HUGE.html) > 400_000
    letter = make(CONFIG, newsletter, [HUGE])
    assert html_bytes(letter) < 20_000
    assert "It is long." in letter.html
    assert "Continue reading" in letter.html
    assert "It is long." in letter.text
    assert letter.fallback == Fallback("full", "excerpt", letter.fallback.bytes_before)


def test_too_many_excerpts_become_titles() -> None:
    posts = [rendered(post(number, f"Post {number}"), BODY, f"Words of {number}. " * 40) for number in range(90)]
    letter = make(CONFIG, EXCERPTS, posts)
    assert (letter.fallback.wanted, letter.fallback.carried) == ("excerpt", "titles")
    assert "Words of 7." not in letter.html + letter.text
    assert letter.preheader.startswith("Words of 0.")
    assert all(f"Post {number}" in letter.html and f"Post {number}" in letter.text for number in range(90))


def test_an_email_that_fits_is_unchanged() -> None:
    assert make(CONFIG, FULL, TWENTY[:2]).fallback is None
    assert make(CONFIG, EXCERPTS, TWENTY).fallback is None


@pytest.mark.parametrize(
    ("sizes", "carried"),
    [
        ({"full": CLIPPED, "excerpt": 9, "titles": 9}, None),
        ({"full": CLIPPED + 1, "excerpt": CLIPPED, "titles": 9}, "excerpt"),
        ({"full": CLIPPED + 1, "excerpt": CLIPPED + 1, "titles": 9}, "titles"),
        ({"full": CLIPPED + 3, "excerpt": CLIPPED + 2, "titles": CLIPPED + 1}, "titles"),
    ],
)
def test_the_fullest_level_that_fits_is_used(sizes: dict[str, int], carried: str | None) -> None:
    letter = fitting(lambda content: Letter("", "s", "p", "x" * sizes[content], ""), "full")
    assert len(letter.html) == sizes[carried or "full"]
    assert letter.fallback == (Fallback("full", carried, sizes["full"]) if carried else None)


def test_the_limit_counts_bytes_not_characters() -> None:
    letter = fitting(lambda content: Letter("", "s", "p", "字" * (40_000 if content == "full" else 1), ""), "full")
    assert letter.fallback == Fallback("full", "excerpt", 120_000)
    assert "120,000 bytes" in fallback_line(letter)


def test_full_posts_that_cannot_fit_are_not_tried() -> None:
    tried: list[str] = []

    def make_one(content: str) -> Letter:
        tried.append(content)
        return Letter("", "s", "p", "x" * (CLIPPED + 1 if content == "excerpt" else 9), "")

    assert fitting(make_one, "full", 500_000).fallback == Fallback("full", "titles", 500_000)
    assert tried == ["excerpt", "titles"]
    assert fitting(make_one, "titles", 500_000).fallback is None


def test_an_email_with_many_elements_or_much_text_is_shortened_immediately() -> None:
    for body in ("<dl><dt>a</dt><dd>b</dd></dl>" * 9_000, f"<p>{'word ' * 70_000}</p>"):
        letter = make(CONFIG, FULL, [rendered(post(1, "Long"), body, "It is long.")])
        assert letter.fallback == Fallback("full", "excerpt", len(body))


def test_publish_reports_a_shortened_edition(project: Project) -> None:
    project.configure(newsletters=f'{WEEKLY}content = "full"\n')
    project.post("long", "2026-11-12", body="A paragraph that says nothing new, at length.\n\n" * 4_000)
    project.subscribe("ada")
    line = "weekly 2026-W47: with whole posts the HTML would have "
    for words in (["publish", "--dry-run"], ["publish"]):
        said = project.ok(*words, now=MONDAY).out
        assert line in said
        assert "the email contains excerpts instead" in said
    (message,) = project.mail()["ada@example.org"]
    html = message.get_body(("html",)).get_content()
    assert len(html.encode()) < CLIPPED
    assert "A paragraph that says nothing new" in html
