"""Emails about a subscription, in the newsletter's design and the subscriber's language."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime
from email import message_from_bytes, policy

import pytest

from publisher.core.templates import Templates, shipped_folder
from publisher.mail.message import NewsletterHeaders, transactional_message
from publisher.newsletters.letter.subscription_notice import NoticeFacts, notice_letter
from tests.support.editions_samples import CONFIG, WEEKLY

NOW = datetime(2026, 11, 16, 9, tzinfo=UTC)
FACTS = NoticeFacts(
    kind="confirm",
    newsletters=(WEEKLY.name,),
    name="Ada <b>",
    address="ada@example.org",
    link="https://letters.example/confirm/abc",
    language="en",
    made_at=NOW,
    expires=datetime(2026, 11, 23, 9, tzinfo=UTC),
)
TEMPLATES = Templates(shipped_folder() / "none")
SETTINGS = replace(CONFIG, newsletters=(WEEKLY,))


@pytest.mark.parametrize("kind", ["confirm", "already", "address", "moved", "account", "farewell"])
@pytest.mark.parametrize("language", ["en", "ar", "de", "es", "fr", "ja", "pt", "nl", ""])
def test_each_notice_has_address_and_link(kind: str, language: str) -> None:
    letter = notice_letter(SETTINGS, replace(FACTS, kind=kind, language=language), TEMPLATES)
    for part in (letter.html, letter.text):
        assert FACTS.link in part
        assert "ada@example.org" in part
        assert "{" not in part.partition("</head>")[2]
    assert "Ada &lt;b&gt;" in letter.html
    assert "Ada <b>" in letter.text
    assert ('dir="rtl"' in letter.html) == (language == "ar")
    assert ("If this wasn’t you" in letter.text) == (language in ("en", "nl", ""))
    assert [line for line in letter.text.splitlines() if len(line) > 76 and "http" not in line] == []
    assert "style=" in letter.html
    assert "prefers-color-scheme: dark" in letter.html


def test_a_suppressed_address_gets_an_explanation_without_a_link() -> None:
    letter = notice_letter(SETTINGS, replace(FACTS, kind="suppressed", link="", name=""), TEMPLATES)
    for part in (letter.html, letter.text):
        assert "is on our suppression list" in " ".join(part.split())
        assert "reply to this email" in " ".join(part.split())
    assert "https://letters.example" not in letter.html + letter.text
    assert "act-link" not in letter.html.partition("</head>")[2]


@pytest.mark.parametrize(
    ("language", "name", "text"),
    [
        ("en", "Ada", "Hello Ada,\n\nYou (we hope)"),
        ("de", "Ada", "Hallo Ada,\n\njemand, hoffentlich"),
        ("de", "", "\n\nJemand, hoffentlich"),
    ],
)
def test_each_language_continues_the_salutation(language: str, name: str, text: str) -> None:
    letter = notice_letter(SETTINGS, replace(FACTS, language=language, name=name), TEMPLATES)
    assert text in letter.text


def test_a_notice_needs_neither_a_name_nor_a_newsletter() -> None:
    letter = notice_letter(replace(CONFIG, newsletters=()), replace(FACTS, name="", newsletters=()), TEMPLATES)
    assert "\nYou (we hope)" in letter.text
    assert "Hello" not in letter.text


def test_no_value_breaks_out_of_the_message() -> None:
    hostile = "Eve\r\nBcc: all@example.org @@publisher-name@@"
    letter = notice_letter(SETTINGS, replace(FACTS, name=hostile), TEMPLATES)
    headers = NewsletterHeaders(
        "The letter", "Ada <ada@letters.example>", "weekly.letters.example", "re@letters.example"
    )
    data = transactional_message(letter, headers, to="ada@example.org", name=hostile, identity="1", made_at=NOW)
    message = message_from_bytes(data, policy=policy.default)
    assert message["Bcc"] is None
    assert message["To"].addresses[0].addr_spec == "ada@example.org"
    assert message["Reply-To"] == "re@letters.example"
    assert message["Subject"].startswith("Confirm your subscription")
    assert [part.get_content_type() for part in message.iter_parts()] == ["text/plain", "text/html"]
    assert [part for part in message.walk() if part.defects] == []
    assert data == transactional_message(letter, headers, to="ada@example.org", name=hostile, identity="1", made_at=NOW)
    assert max(map(len, data.split(b"\r\n"))) <= 78


def test_a_form_email_offers_a_link_to_refuse_all_email() -> None:
    language, words, link = "de", "Nie wieder an mich schreiben", "https://letters.example/never/abc"
    letter = notice_letter(SETTINGS, replace(FACTS, language=language, never_link=link), TEMPLATES)
    assert f"{words}:\n{link}" in letter.text
    assert re.search(rf'href="{link}"[^>]*>{words}</a>', letter.html)
    assert words not in notice_letter(SETTINGS, replace(FACTS, language=language), TEMPLATES).text
