"""Whole letters: golden files to look at, and what must hold for every letter.

UPDATE_GOLDEN=1 writes tests/data/golden/letters/ anew; review the difference before it is committed.
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
from publisher.newsletters.letter.web_version import web_version
from tests.support import GOLDEN
from tests.support.editions_samples import (
    ALL,
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
def test_a_letter_is_the_one_that_was_looked_at(name):
    letter = make(*LETTERS[name])
    for ending, made in ((".html", letter.html), (".txt", letter.text)):
        path = FOLDER / f"{name}{ending}"
        if os.environ.get("UPDATE_GOLDEN"):
            path.write_text(made, encoding="utf-8")
        assert made == path.read_text(encoding="utf-8"), f"{path} differs; UPDATE_GOLDEN=1 writes it anew"


def test_composing_twice_gives_equal_bytes():
    assert make() == make()


def test_every_mark_stands_in_html_and_text_exactly_and_posts_add_none(letter):
    for content in (letter.html, letter.text):
        assert content.count(Mark.UNSUBSCRIBE) == content.count(Mark.PREFERENCES) == 1
        assert content.count(Mark.ADDRESS) == 1
        assert content.count(Mark.NAME) == 0
        assert set(re.findall(r"@@publisher-\w+@@", content)) <= set(Mark.ALL)
    assert f'href="{Mark.UNSUBSCRIBE}"' in letter.html
    assert f'href="{Mark.PREFERENCES}"' in letter.html
    assert "@@publisher-" not in letter.subject + letter.preheader


def test_what_looks_like_a_mark_reaches_the_reader_unchanged_to_the_eye():
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


def test_text_lines_are_at_most_72_columns_unless_nothing_in_them_can_be_broken(letter):
    long = [line for line in letter.text.splitlines() if len(line) > 72]
    assert [line for line in long if not line.startswith("    ") and "http" not in line] == []


def test_every_picture_has_an_alt_and_every_layout_table_says_that_it_is_one(letter):
    tree = lxml_html.document_fromstring(letter.html)
    assert tree.xpath("//img[not(@alt)]") == []
    assert all(table.xpath(".//th") for table in tree.xpath("//table[not(@role)]"))


def test_headings_begin_at_one_and_leave_out_no_level(letter):
    levels = [int(h.tag[1]) for h in lxml_html.document_fromstring(letter.html).xpath("//h1|//h2|//h3|//h4")]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))


@pytest.mark.parametrize("name", ["shipped/email/digest.html", "email/digest.html"])
def test_a_project_overrides_one_block_of_a_shipped_letter(name, tmp_path):
    (tmp_path / "email").mkdir()
    (tmp_path / "email" / "digest.html").write_text(
        f'{{% extends "{name}" %}}{{% block why %}}<p>Because {{{{ mark.NAME }}}} asked.</p>{{% endblock %}}'
    )
    letter = make(templates=Templates(tmp_path))
    assert f"Because {Mark.NAME} asked." in letter.html
    assert "Unsubscribe" in letter.html
    assert "You’re receiving this email because" not in letter.html


def test_a_block_of_the_frame_is_overridden_in_all_letters(tmp_path):
    (tmp_path / "email").mkdir()
    (tmp_path / "email" / "base.html").write_text(
        '{% extends "email/base.html" %}{% block address %}{{ super() }}<p>Ring twice.</p>{% endblock %}'
    )
    for template in ("digest", "post", "plain"):
        letter = make(newsletter=replace(WEEKLY, template=template), templates=Templates(tmp_path))
        assert letter.html.count("Ring twice.") == 1
        assert "1 Long Road" in letter.html


def test_an_address_in_latin_letters_keeps_its_order_in_a_letter_from_right_to_left():
    html = make(*LETTERS["arabic"]).html
    assert '<span dir="auto">1 Long Road</span>' in html


def test_a_missing_template_is_an_error_that_names_it():
    with pytest.raises(TemplateError, match=r"email/none\.html"):
        make(newsletter=replace(WEEKLY, template="none"))


def test_the_copy_on_the_web_holds_nothing_of_a_recipient_and_all_of_the_posts():
    letter = make(newsletter=FULL)
    copy = web_version(letter.html)
    assert "@@publisher-" not in copy.replace("@\u2060", "")
    assert "Unsubscribe" not in copy
    assert "is subscribed to" not in copy
    assert all(f'href="https://example.org/{n}/"' in copy for n in range(1, 6))
    assert "Follow the feed" in copy


def test_a_contents_list_stands_in_letters_of_four_posts_and_more():
    assert "In this edition" in make(posts=ALL[:4]).html
    assert "In this edition" not in make(posts=ALL[:3]).html


def test_a_post_letter_carries_the_whole_post_whatever_the_newsletter_says():
    letter = make(newsletter=replace(WEEKLY, template="post", content="excerpt"), posts=[RICH])
    assert "Code that shows it" in letter.html
    assert "Code that shows it" in letter.text


def test_a_letter_without_posts_is_refused():
    with pytest.raises(ValueError, match="at least one post"):
        make(posts=[])
