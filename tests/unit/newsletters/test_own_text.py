"""Emails without posts: how the text of their files is read, and how the emails look."""

from __future__ import annotations

import os
from dataclasses import replace

import pytest

from publisher.core.errors import PublisherError
from publisher.core.newsletter_models import Mark
from publisher.core.templates import Templates
from publisher.newsletters.letter.compose import compose_text
from publisher.newsletters.letter.own_text import read_text
from tests.support import GOLDEN
from tests.support.editions_samples import CONFIG, MADE_AT, TEMPLATES, WEEKLY

MOVED = """\
---
subject: We have moved, says {title}
---
Dear friends,

from **Monday** on you find us at [the new address](/moved/). Nothing else changes.

# What stays

- Your subscription
- The archive
"""
PATH = "letters/weekly/we-have-moved.md"


def text_in(folder, text=MOVED, keys=()):
    (folder / "letters" / "weekly").mkdir(parents=True, exist_ok=True)
    (folder / PATH).write_text(text, encoding="utf-8")
    return read_text(replace(CONFIG, root=folder), PATH, keys)


@pytest.mark.parametrize("template", ["digest", "plain"])
def test_an_email_without_posts_equals_its_golden_file(tmp_path, template):
    newsletter = replace(WEEKLY, template=template)
    made = compose_text(replace(CONFIG, root=tmp_path), newsletter, text_in(tmp_path), MADE_AT, TEMPLATES)
    for ending, content in ((".html", made.html), (".txt", made.text)):
        path = GOLDEN / "letters" / f"message-{template}{ending}"
        if os.environ.get("UPDATE_GOLDEN"):
            path.write_text(content, encoding="utf-8")
        assert content == path.read_text(encoding="utf-8"), f"{path} differs; UPDATE_GOLDEN=1 writes it anew"


def test_such_an_email_has_the_footer_of_an_edition_but_no_number_or_web_version(tmp_path):
    made = compose_text(replace(CONFIG, root=tmp_path), WEEKLY, text_in(tmp_path), MADE_AT, TEMPLATES)
    assert made.subject == "We have moved, says The Quiet Press"
    assert made.preheader.startswith("Dear friends, from Monday on you find us at the new address. Nothing else")
    assert 'href="https://example.org/moved/"' in made.html
    for content in (made.html, made.text):
        assert content.count(Mark.UNSUBSCRIBE) == content.count(Mark.PREFERENCES) == content.count(Mark.ADDRESS) == 1
        assert "November 21, 2026" in content
        assert "No. " not in content
        assert "browser" not in content
        assert 'href=""' not in content


def test_the_preheader_of_the_file_is_used(tmp_path):
    text = text_in(tmp_path, "---\nsubject: Hello\npreheader: Of {date}\n---\nA text.\n")
    assert compose_text(CONFIG, WEEKLY, text, MADE_AT, TEMPLATES).preheader == "Of November 21, 2026"


def test_a_template_of_the_project_can_show_such_an_email(tmp_path):
    templates = tmp_path / "templates" / "email"
    templates.mkdir(parents=True)
    (templates / "mine.html").write_text("{{ posts[0].title }}")
    (templates / "mine-message.html").write_text("<html><body>Mine: {{ letter.intro|safe }}</body></html>")
    text = text_in(tmp_path, "---\nsubject: Hello\n---\nA text.\n")
    made = compose_text(CONFIG, replace(WEEKLY, template="mine"), text, MADE_AT, Templates(tmp_path / "templates"))
    assert "Mine: <p>A text.</p>" in made.html


MISTAKES = [
    ("A text without front matter.", f"{PATH}:1: the email has no subject"),
    ("---\nsubject:\n---\nA text.", f"{PATH}:2: the email has no subject"),
    ("---\npreheader: x\n---\nA text.", f"{PATH}:1: the email has no subject"),
    ("---\nsubject: No. {number}\n---\nA text.", f"{PATH}:2: an email without posts has no {{number}}"),
    ("---\nsubject: Hello\n---\n \n", f"{PATH}: the email has no text"),
    ("---\nsubject: Hello\nsubjekt: x\n---\nA text.", f"{PATH}:3: 'subjekt' is unknown (use send, subject and prehead"),
    ("---\nsubject: [a, b]\n---\nA text.", f"{PATH}:2: subject is not text"),
    ("---\nsubject: Hello\nA text.", f"{PATH}:1: the front matter isn't closed"),
]


@pytest.mark.parametrize(("text", "message"), MISTAKES)
def test_a_mistake_is_reported_with_its_line(tmp_path, text, message):
    with pytest.raises(PublisherError) as caught:
        text_in(tmp_path, text, ["send"])
    assert str(caught.value).startswith(message)


def test_the_file_may_be_missing(tmp_path):
    assert read_text(replace(CONFIG, root=tmp_path), PATH) is None
