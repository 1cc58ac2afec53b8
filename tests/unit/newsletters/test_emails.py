"""Whole emails equal their reviewed golden files, and have the properties that every email needs.

UPDATE_GOLDEN=1 rewrites tests/data/golden/letters/; review the difference before you commit it.
"""

from __future__ import annotations

import os
import re
from dataclasses import replace
from itertools import pairwise
from urllib.parse import unquote

import pytest
from lxml import html as lxml_html

from publisher.core.errors import TemplateError
from publisher.core.newsletter_models import Mark
from publisher.core.templates import Templates
from publisher.newsletters.letter.template_context import feed_url, postal_name
from publisher.newsletters.letter.web_version import web_version
from tests.support import GOLDEN
from tests.support.editions_samples import (
    ALL,
    CONFIG,
    FULL,
    HOSTILE,
    LETTERS,
    NOTE,
    RICH,
    WEEKLY,
    make,
    rendered,
)
from tests.support.editions_samples import post as make_post

FOLDER = GOLDEN / "letters"


@pytest.fixture(params=LETTERS)
def letter(request):
    return make(*LETTERS[request.param])


@pytest.mark.parametrize("name", LETTERS)
def test_an_email_equals_its_golden_file(name):
    letter = make(*LETTERS[name])
    for ending, made in ((".html", letter.html), (".txt", letter.text)):
        path = FOLDER / f"{name}{ending}"
        if os.environ.get("UPDATE_GOLDEN"):
            path.write_text(made, encoding="utf-8")
        assert made == path.read_text(encoding="utf-8"), f"{path} differs; UPDATE_GOLDEN=1 writes it anew"


def test_composing_twice_gives_equal_emails():
    assert make() == make()


def test_posts_add_no_marks(letter):
    for content in (letter.html, letter.text):
        assert content.count(Mark.UNSUBSCRIBE) == content.count(Mark.PREFERENCES) == 1
        assert content.count(Mark.ADDRESS) == 1
        assert content.count(Mark.NAME) == 0
        assert set(re.findall(r"@@publisher-\w+@@", content)) <= set(Mark.ALL)
    assert f'href="{Mark.UNSUBSCRIBE}"' in letter.html
    assert f'href="{Mark.PREFERENCES}"' in letter.html
    assert "@@publisher-" not in letter.subject + letter.preheader


def test_text_like_a_mark_looks_unchanged():
    letter = make(newsletter=FULL, posts=[HOSTILE])
    seen = lxml_html.document_fromstring(letter.html).text_content().replace("\u2060", "")
    assert "See @@publisher-name@@ and" in seen
    assert 'href="https://example.com/%40%40publisher-unsubscribe@@"' in letter.html


def test_hostile_titles_names_and_excerpts_are_escaped():
    letter = make(posts=[HOSTILE])
    assert "Use &lt;head&gt; &amp; &lt;3" in letter.html
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in letter.html
    assert "On &lt;b&gt;tags&lt;/b&gt; &amp; ampersands" in letter.html
    assert "<script" not in letter.html
    assert letter.subject.startswith("Use <head> & <3")


def test_a_title_cannot_break_the_subject_into_two_headers():
    letter = make(posts=[rendered(make_post(1, "One\r\nBcc: all@example.org\x00\ud800"))])
    assert letter.subject == "One Bcc: all@example.org"


@pytest.mark.parametrize("newsletter", [WEEKLY, FULL, replace(WEEKLY, template="plain")])
def test_text_and_html_name_the_same_posts_and_links(newsletter):
    letter = make(newsletter=newsletter, note=NOTE)
    tree = lxml_html.document_fromstring(letter.html)
    html_links = {unquote(link) for link in tree.xpath("//a/@href") if "#fn" not in link}
    text_links = {unquote(link) for link in re.findall(r"(?:https?://|@@)[^\s]+", letter.text)}
    assert html_links - {"https://example.org/"} - text_links == set()
    assert {f"https://example.org/{n}/" for n in range(1, 6)} <= html_links & text_links
    titles = [h.text_content() for h in tree.xpath("//h2")]
    unwrapped = " ".join(letter.text.split())
    assert [title for title in titles if title not in unwrapped and title != "In this edition"] == []


def test_text_is_wrapped_at_72_columns(letter):
    long = [line for line in letter.text.splitlines() if len(line) > 72]
    assert [line for line in long if not line.startswith("    ") and "http" not in line] == []


def test_pictures_have_alt_and_layout_tables_a_role(letter):
    tree = lxml_html.document_fromstring(letter.html)
    assert tree.xpath("//img[not(@alt)]") == []
    assert all(table.xpath(".//th") for table in tree.xpath("//table[not(@role)]"))


def test_headings_skip_no_level(letter):
    levels = [int(h.tag[1]) for h in lxml_html.document_fromstring(letter.html).xpath("//h1|//h2|//h3|//h4")]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))


@pytest.mark.parametrize("name", ["shipped/email/digest.html", "email/digest.html"])
def test_a_project_overrides_one_block_of_a_shipped_template(name, tmp_path):
    (tmp_path / "email").mkdir()
    (tmp_path / "email" / "digest.html").write_text(
        f'{{% extends "{name}" %}}{{% block why %}}<p>Because {{{{ mark.NAME }}}} asked.</p>{{% endblock %}}'
    )
    letter = make(templates=Templates(tmp_path))
    assert f"Because {Mark.NAME} asked." in letter.html
    assert "Unsubscribe" in letter.html
    assert "You’re receiving this email because" not in letter.html


def test_overriding_the_base_changes_every_template(tmp_path):
    (tmp_path / "email").mkdir()
    (tmp_path / "email" / "base.html").write_text(
        '{% extends "email/base.html" %}{% block address %}{{ super() }}<p>Ring twice.</p>{% endblock %}'
    )
    for template in ("digest", "post", "plain"):
        letter = make(newsletter=replace(WEEKLY, template=template), templates=Templates(tmp_path))
        assert letter.html.count("Ring twice.") == 1
        assert "1 Long Road" in letter.html


def test_latin_text_keeps_its_order_in_arabic():
    html = make(*LETTERS["arabic"]).html
    assert '<span dir="auto">1 Long Road</span>' in html


def test_english_phrases_keep_their_order_in_hebrew():
    html = make(newsletter=replace(WEEKLY, language="he"), posts=ALL[:4]).html
    assert '<html lang="he" dir="rtl"' in html
    spans = re.findall(r'<span lang="en" dir="ltr">(.*?)</span>', html, re.DOTALL)
    assert [text for text in spans if text.startswith("You’re receiving") and text.endswith(".")]
    assert {"In this edition", "Continue reading", "Unsubscribe", "View in browser", "Follow the feed"} <= set(spans)
    assert 'lang="en" dir="ltr"' not in make(*LETTERS["arabic"]).html


def test_emails_link_to_the_same_feed_as_pages():
    for formats, also, name in (
        (("rss", "atom"), (), "feed.xml"),
        (("atom", "json"), (), "atom.xml"),
        (("atom", "json"), ("feed.xml = atom", "old.xml = atom"), "feed.xml"),
        (("rss", "atom"), ("feeds/all.atom.xml", "/index.xml"), "index.xml"),
        (("json",), ("feed/", "größe.json"), "gr%C3%B6%C3%9Fe.json"),
    ):
        config = replace(CONFIG, feeds=replace(CONFIG.feeds, formats=formats, also=also))
        assert feed_url(config) == f"https://example.org/{name}"
    assert feed_url(replace(CONFIG, feeds=replace(CONFIG.feeds, formats=(), also=("index.xml",)))) == ""


def test_a_missing_template_is_an_error_with_its_name():
    with pytest.raises(TemplateError, match=r"email/none\.html"):
        make(newsletter=replace(WEEKLY, template="none"))


def test_the_web_version_has_posts_but_no_marks():
    letter = make(newsletter=FULL)
    copy = web_version(letter.html)
    assert "@@publisher-" not in copy.replace("@\u2060", "")
    assert "Unsubscribe" not in copy
    assert "is subscribed to" not in copy
    assert all(f'href="https://example.org/{n}/"' in copy for n in range(1, 6))
    assert "Follow the feed" in copy


def test_the_web_version_can_be_used_without_a_mouse_or_a_screen():
    code = "<pre><code>x</code></pre>"
    body = f'<div role="article" lang="en"><table><tr><th></th><th>b</th></tr></table>{code}</div>'
    copy = web_version(f"<html><head><title>t</title></head><body>{body}</body></html>")
    assert '<div role="main" lang="en"><table><tr><td></td><th>b</th></tr></table><pre tabindex="0">' in copy
    assert 'role="main"' in web_version(make(newsletter=FULL).html)
    assert web_version("<html><body><main><div>x</div></main></body></html>").count("main") == 2


def test_four_posts_get_a_table_of_contents():
    assert "In this edition" in make(posts=ALL[:4]).html
    assert "In this edition" not in make(posts=ALL[:3]).html


def test_the_post_template_shows_whole_posts():
    letter = make(newsletter=replace(WEEKLY, template="post", content="excerpt"), posts=[RICH])
    assert "Code that shows it" in letter.html
    assert "Code that shows it" in letter.text


def test_an_email_without_posts_is_refused():
    with pytest.raises(ValueError, match="at least one post"):
        make(posts=[])


def test_a_name_appears_only_once_above_the_postal_address() -> None:
    for address, expected in {
        "1 Road, Town": "The title",
        "The title, 1 Road": "",
        "THE TITLE\n1 Road": "",
        f"{CONFIG.site.title} Ltd\n1 Road": "",
        "": "The title",
    }.items():
        config = replace(CONFIG, site=replace(CONFIG.site, postal_address=address))
        assert postal_name(config, "The title") == expected, address
