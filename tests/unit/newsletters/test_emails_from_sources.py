"""Emails with items from sources: how the items are grouped, and where their links lead."""

from __future__ import annotations

from dataclasses import replace

import pytest
from lxml import html

from publisher.core.models import RenderedPost
from publisher.core.newsletter_models import Letter
from publisher.newsletters.letter.compose import compose
from tests.support.editions_samples import CONFIG, TEMPLATES, WEEKLY, post, rendered
from tests.support.email_samples import NOW


def of(name: str, number: int, title: str, authors: tuple[str, ...] = ()) -> RenderedPost:
    there = f"https://{name}.example.net/{number}/"
    sites = {"from_source": name, "from_title": f"The {name.title()}", "from_url": f"https://{name}.example.net/"}
    return rendered(replace(post(number, title, authors=authors), url=there, canonical=there, **sites))


MIXED = (
    of("blog", 1, "First", ("Ann",)),
    rendered(post(2, "Mine")),
    of("news", 3, "Third", ("The News",)),
    of("blog", 4, "Fourth"),
)


def letter(posts: tuple[RenderedPost, ...], template: str) -> Letter:
    newsletter = replace(WEEKLY, template=template)
    return compose(CONFIG, newsletter, posts, 1, "2026-W47", NOW, TEMPLATES, "https://example.org/editions/w/2026-W47/")


def headings(document: str) -> list[tuple[str, str, str]]:
    page = html.document_fromstring(document)
    found = [each for each in page.iter("h1", "h2", "h3") if each.find("a") is not None]
    return [(each.tag, each.text_content().strip(), each.find("a").get("href")) for each in found]


def test_posts_are_grouped_under_their_sources() -> None:
    made = letter(MIXED, "by-source")
    assert headings(made.html)[1:] == [
        ("h2", "The Blog", "https://blog.example.net/"),
        ("h3", "First", "https://blog.example.net/1/"),
        ("h3", "Fourth", "https://blog.example.net/4/"),
        ("h2", "The Quiet Press", "https://example.org/"),
        ("h3", "Mine", "https://example.org/2/"),
        ("h2", "The News", "https://news.example.net/"),
        ("h3", "Third", "https://news.example.net/3/"),
    ]
    page = html.document_fromstring(made.html)
    assert [each.text_content() for each in page.find_class("contents-link")] == ["First", "Fourth", "Mine", "Third"]
    places = [made.text.index(f"\n{title}\n") for title in ("First", "Fourth", "Mine", "Third")]
    assert places == sorted(places)


def test_headings_of_a_text_are_below_that_of_its_post() -> None:
    post = replace(MIXED[0], html="<h2>Part</h2>\n<p>Words.</p>\n<h3>Detail</h3>\n<p>Words.</p>")
    for template, expected in (("digest", "h1 h2 h3 h4"), ("by-source", "h1 h2 h3 h4 h5")):
        newsletter = replace(WEEKLY, template=template, content="full")
        made = compose(CONFIG, newsletter, [post], 1, "2026-W47", NOW, TEMPLATES, "https://example.org/e/")
        found = html.document_fromstring(made.html).iter("h1", "h2", "h3", "h4", "h5")
        assert " ".join(each.tag for each in found) == expected


@pytest.mark.parametrize("form", ["digest", "plain", "post", "by-source"])
def test_an_email_from_several_sources_lists_them_once(form: str) -> None:
    made = letter(MIXED, form)
    lines = [each.text_content() for each in html.document_fromstring(made.html).find_class("line")]
    names = sorted(line.split(" \xa0·\xa0 ")[0].split(" · ")[-1] for line in lines)
    assert [name for name in names if name[:1] == "T"] == ["The Blog", "The Blog", "The News"]
    assert "Ann · The Blog · " in made.text
    assert made.text.count("The News · ") == 1
    alone = letter(MIXED[:1], form)
    assert "Ann · The Blog" not in alone.text
    assert headings(alone.html)[-1][1:] == ("First", "https://blog.example.net/1/")


@pytest.mark.parametrize("form", ["digest", "plain", "post", "by-source"])
def test_an_incomplete_text_links_to_the_rest(form: str) -> None:
    cut = replace(MIXED[0], post=replace(MIXED[0].post, is_excerpt=True))
    newsletter = replace(WEEKLY, template=form, content="full")
    made = compose(CONFIG, newsletter, [cut, MIXED[2]], 1, "2026-W47", NOW, TEMPLATES, "https://example.org/e/")
    more = [each.get("href") for each in html.document_fromstring(made.html).find_class("more-link")]
    assert more == [cut.post.url]
    assert cut.post.url in made.text
