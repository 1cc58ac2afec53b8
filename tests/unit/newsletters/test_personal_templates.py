"""Tags about the subscriber in a project's own email templates."""

from __future__ import annotations

from dataclasses import replace
from html import escape
from pathlib import Path

import pytest
from lxml import html as lxml_html

from publisher.config import Config, FieldConfig
from publisher.core.errors import TemplateError
from publisher.core.newsletter_models import Letter
from publisher.core.personal_marks import filled
from publisher.core.personal_templates import with_printed_tags
from publisher.core.templates import Templates
from publisher.newsletters.letter.compose import compose
from publisher.newsletters.letter.note import Note
from publisher.newsletters.letter.subscription_notice import NoticeFacts, notice_letter
from tests.support.editions_samples import CONFIG, MADE_AT, RICH, WEB_COPY, WEEKLY

BLOCK = """\
{% extends "shipped/email/digest.html" %}
{# {{ subscriber.unknown }} #}
{% block contents %}
<tr><td id="it">Hello {{- subscriber.name | default("<you>") -}} !
{% for each in ["a"] %}
{% if subscriber.plan == "pro" %}
<b>PRO {{ subscriber.plan }} {% for x in [] %}{% else %}{{ each }}{% endfor %}</b>
{% if letter.number %}{% else %}?{% endif %}
{% elif subscriber.city == "Rome" %}
<i>Rome</i>
{% else %}
<u>free</u>
{% endif %}
{% endfor %}
<a href="https://x.example/?c={{ subscriber.city | default("-") }}">city</a>
{% raw %}{{ subscriber.name }}{% endraw %}
</td></tr>
{% endblock %}
"""
PLAIN = "{% if subscriber.name %}\nDear {{ subscriber.name }},\n{% else %}\nHello,\n{% endif %}\nbye\n"
FIELDS = (FieldConfig(name="plan"), FieldConfig(name="city"))


def config_in(folder: Path, html: str = BLOCK, text: str = PLAIN) -> Config:
    (folder / "templates/email").mkdir(parents=True, exist_ok=True)
    (folder / "templates/email/digest.html").write_text(html, encoding="utf-8")
    (folder / "templates/email/digest.txt").write_text(text, encoding="utf-8")
    return replace(CONFIG, root=folder, fields=FIELDS)


def letter_of(config: Config, note: Note | None = None) -> Letter:
    templates = Templates(config.root / "templates")
    return compose(config, WEEKLY, [RICH], 3, "2026-W47", MADE_AT, templates, WEB_COPY, note)


def test_a_template_addresses_each_subscriber(tmp_path: Path) -> None:
    letter = letter_of(config_in(tmp_path))
    typed = "{{ subscriber.name }}"
    for person, shown, link in (
        ({}, f"Hello<you>! free city {typed}", "-"),
        ({"name": "A<b>", "plan": "Pro", "city": "Bad Ems&"}, f"HelloA<b>! PRO Pro a city {typed}", "Bad%20Ems%26"),
        ({"city": "Rome"}, f"Hello<you>! Rome city {typed}", "Rome"),
    ):
        cell = lxml_html.document_fromstring(filled(letter.html, person, escape)).get_element_by_id("it")
        assert " ".join(cell.text_content().split()) == shown
        assert cell.find("a").get("href") == f"https://x.example/?c={link}"
    assert filled(letter.text, {"name": "Ada"}).startswith("Dear Ada,\nbye\n")
    assert filled(letter.text, {}).startswith("Hello,\nbye\n")


def test_a_wrong_tag_in_a_template_is_reported_in_one_line_with_its_place(tmp_path: Path) -> None:
    for wrong, line, message in (
        ("\n{{ subscriber.nme }}", 3, "did you mean subscriber.name?"),
        ("{{ subscriber.name }}", 2, "doesn't say what to show subscribers without name"),
        ("{% if subscriber.plan == 'x' %}<td>{% endif %}", 0, "different parts of the text"),
        ("{% if subscriber.plan == letter.title %}{% endif %}", 2, "'letter.title' is not a value"),
        ("{% set x = subscriber.name %}", 2, "'subscriber' is undefined"),
        ("{% if subscriber.plan %}", 0, ""),
        ("<a href='{{ subscriber.city | default(\"\") }}'>x</a>", 0, "a link can't begin with"),
    ):
        template = f'{{% extends "shipped/email/digest.html" %}}\n{{% block posts %}}{wrong}{{% endblock %}}'
        with pytest.raises(TemplateError) as error:
            letter_of(config_in(tmp_path, template))
        assert message in str(error.value), wrong
        assert str(error.value).startswith("templates/email/digest.html" + f":{line}" * (line > 0)), wrong


def test_tags_change_no_lines_and_nothing_else_in_a_template() -> None:
    for source in (BLOCK, "{{ subscriber.name\n| default('x') }}\n{% if\nsubscriber.x -%}\n{% endif %}", "{{ a }}"):
        printed = with_printed_tags(source, "email/x.html")
        assert printed.count("\n") == source.count("\n")
        assert "{% raw %}{{ subscriber.name }}{% endraw %}" in printed or "raw" not in source
        assert with_printed_tags(printed, "email/x.html") == printed
    assert with_printed_tags("{% if letter.x %}{% else %}{% endif %} subscriber", "email/x.html").startswith("{% if l")


def test_an_email_about_a_subscription_shows_what_strangers_see(tmp_path: Path) -> None:
    config = config_in(tmp_path)
    (tmp_path / "templates/email/base.html").write_text(
        '{% extends "shipped/email/base.html" %}{% block preheader %}{{ subscriber.none | default("Dear") }}'
        "{% if subscriber.what > 3 %}WHAT{% elif subscriber.x %}X{% else %}ELSE{% endif %}{% endblock %}",
        encoding="utf-8",
    )
    facts = NoticeFacts("confirm", ("weekly",), "Ada", "a@example.org", "https://example.org/c", "en", MADE_AT)
    notice = notice_letter(config, facts, Templates(tmp_path / "templates"))
    assert "DearELSE" in notice.html
    assert "WHAT" not in notice.html
    assert "@@" not in notice.html + notice.text
