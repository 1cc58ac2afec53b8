"""Each recipient of a personal email gets their own values in HTML, text and subject, under a valid signature."""

from __future__ import annotations

import email
import re
from dataclasses import replace
from email.message import EmailMessage
from email.policy import default
from html import escape
from pathlib import Path
from typing import Any

import dkim
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import html as lxml_html

from publisher.config import FieldConfig
from publisher.core.newsletter_models import Letter
from publisher.core.personal_marks import ELSE, END, FieldMark, filled, if_mark
from publisher.mail.dkim import Signer
from publisher.mail.dkim_keys import make_key, read_key
from publisher.mail.message import MessageTemplate, Recipient
from publisher.newsletters.letter.compose import compose_text
from publisher.newsletters.letter.own_text import read_text
from publisher.newsletters.letter.web_version import web_version
from tests.support import ROOT
from tests.support.delivery_samples import HEADERS
from tests.support.editions_samples import CONFIG, MADE_AT, TEMPLATES, WEEKLY
from tests.support.store_samples import NOW

FIELDS = (
    FieldConfig(name="plan"),
    FieldConfig(name="city"),
    FieldConfig(name="points", kind="number"),
    FieldConfig(name="since", kind="date"),
)
MOVED = """\
---
subject: "{{ subscriber.name | default('Friend') }}, we have moved"
preheader: For {{ subscriber.city | default("everyone") }}
---
Hello {{ subscriber.name | default("friend") }} of **{{ subscriber.city | default("somewhere") }}**,

- [{{ subscriber.points | default("no") }} points](https://example.org/?city={{ subscriber.city | default("x y") }})
- since {{ subscriber.since | default("today") }}

{% if subscriber.plan == "pro" %}
## Pro

As a Pro you get *more*.
{% elif subscriber.points >= 5 %}
You are nearly there.
{% else %}
You are new here.
{% endif %}

Bye. `{{ subscriber.code }}` stays.
"""
WICKED = 'Ö<b>"x"</b>&amp; %{{ subscriber.name }} @@publisher-name@@\r\nBcc: eve@example.com\r\n\r\n.\r\n' + "長い" * 60


def letter_of(folder: Path, text: str = MOVED) -> Letter:
    (folder / "letters" / "weekly").mkdir(parents=True, exist_ok=True)
    (folder / "letters/weekly/moved.md").write_text(text, encoding="utf-8")
    config = replace(CONFIG, root=folder, fields=FIELDS)
    read = read_text(config, "letters/weekly/moved.md")
    assert read is not None
    return compose_text(config, WEEKLY, read, MADE_AT, TEMPLATES)


def to(name: str = "", **fields: Any) -> Recipient:
    url = "https://example.org"
    return Recipient("me@example.org", name, "<1@example.org>", f"{url}/u", f"{url}/p", fields=fields)


def parsed(message: bytes) -> EmailMessage:
    found = email.message_from_bytes(message, policy=default)
    assert isinstance(found, EmailMessage)
    assert not [defect for part in found.walk() for defect in part.defects]
    assert b"@@publisher-value" not in message
    assert max(map(len, message.split(b"\r\n"))) <= 998
    return found


def part(of: EmailMessage, kind: str) -> str:
    found = of.get_body((kind,))
    assert found is not None
    return str(found.get_content()).replace("\r\n", "\n")


def body_text(html: str) -> str:
    return " ".join(lxml_html.document_fromstring(html).find(".//body").text_content().split())


def test_each_recipient_gets_their_own_values(tmp_path: Path) -> None:
    template = MessageTemplate.of(letter_of(tmp_path), HEADERS, NOW)
    ada = parsed(template.join(to("Ada", plan="Pro", city="Bad Ems", points=7, since="2024-02-03")))
    new = parsed(template.join(to()))
    bob = parsed(template.join(to("Bob", points=5.5)))
    assert [each["Subject"] for each in (ada, new, bob)] == [
        *("Ada, we have moved", "Friend, we have moved", "Bob, we have moved")
    ]
    text = part(ada, "plain")
    assert "Hello Ada of Bad Ems,\n\n- 7 points [1]\n- since February 3, 2024\n\nPro\n---\n\nAs a Pro" in text
    assert "you get more.\n\nBye. `{{ subscriber.code }}` stays.\n\n[1] https://example.org/?city=Bad%20Ems\n" in text
    assert "Hello friend of somewhere," in part(new, "plain")
    assert "no points [1]\n- since today\n\nYou are new here.\n\nBye." in part(new, "plain")
    assert "5.5 points [1]\n- since today\n\nYou are nearly there.\n\nBye." in part(bob, "plain")
    html = part(ada, "html")
    assert "<strong" in html
    assert 'href="https://example.org/?city=Bad%20Ems"' in html
    assert "city=x%20y" in part(new, "html")
    for whose, shown, hidden in ((ada, "As a Pro", "new here"), (new, "new here", "As a Pro")):
        assert shown in body_text(part(whose, "html"))
        assert hidden not in body_text(part(whose, "html"))
    assert "For Bad Ems" in part(ada, "html")
    assert "For everyone" in part(new, "html")


def test_no_value_breaks_out_of_its_place(tmp_path: Path) -> None:
    letter = letter_of(tmp_path)
    message = MessageTemplate.of(letter, HEADERS, NOW).join(to(WICKED, city=WICKED, plan="pro", since=WICKED, points=7))
    found = parsed(message)
    shown = " ".join(WICKED.split())
    assert found["Bcc"] is None
    assert found["Subject"] == f"{shown}, we have moved"
    assert f"Hello {shown} of {shown}," in " ".join(part(found, "plain").split())
    html = part(found, "html")
    assert f"Hello {escape(shown)} of" in html
    assert f"Hello {shown} of {shown}," in body_text(html)
    assert not lxml_html.document_fromstring(html).xpath("//b")
    link = lxml_html.document_fromstring(html).xpath("//a[contains(@href, 'city')]/@href")
    assert re.fullmatch(r"https://example\.org/\?city=[\w.~%-]+", link[0], re.ASCII)


def test_values_of_another_kind_than_expected_are_still_shown() -> None:
    letter = Letter("", "s", "", "".join(str(FieldMark(name, "-")) + " " for name in "abcde"), "x\n")
    html = part(parsed(MessageTemplate.of(letter, HEADERS, NOW).join(to(a=1, b=True, c=2.0, d=""))), "html")
    assert html.split() == ["1", "yes", "2", "-", "-"]


def test_the_web_version_shows_what_strangers_see(tmp_path: Path) -> None:
    page = web_version(letter_of(tmp_path, MOVED.replace('default("somewhere")', 'default("<here>")')).html)
    assert "Hello friend of <here>," in body_text(page)
    assert "You are new here." in page
    assert "As a Pro" not in page
    assert "@@" not in page


@pytest.fixture(scope="module")
def signer(tmp_path_factory: pytest.TempPathFactory) -> Signer:
    path = tmp_path_factory.mktemp("keys") / "key.pem"
    make_key(path, "ed25519")
    return Signer("example.org", "s", read_key(path))


HURTING = st.sampled_from(["=", "\r\n", "\n.\n", " \n", "\t", "é", "語" * 40, "x" * 80, "From ", "<&\"'>"])
TEXTS = st.lists(HURTING | st.text(st.characters(exclude_categories=("Cs",)), max_size=9), max_size=5).map("".join)
VALUES = st.none() | st.booleans() | st.integers() | TEXTS
MARKS = st.builds(lambda default, in_url: str(FieldMark("a", default, in_url=in_url)), TEXTS, st.booleans())
PIECES = st.recursive(
    TEXTS | MARKS,
    lambda inner: st.builds(
        lambda wanted, one, other: f"{if_mark(('is', 'b', '==', wanted))}{one}{ELSE}{other}{END}",
        st.sampled_from([True, 1, "x"]),
        inner,
        st.lists(inner, max_size=3).map("".join),
    ),
    max_leaves=6,
)


@settings(deadline=None, max_examples=60)
@given(html=st.lists(PIECES, max_size=4).map("".join), text=PIECES, a=VALUES, b=VALUES)
def test_any_personal_email_reads_back_with_values_and_verifies(
    signer: Signer, html: str, text: str, a: Any, b: Any
) -> None:
    recipient = to("Zoë", **{name: value for name, value in (("a", a), ("b", b)) if value is not None})
    letter = Letter("", text, "", html, text)
    message = MessageTemplate.of(letter, replace(HEADERS, signers=(signer,)), NOW).join(recipient)
    found = email.message_from_bytes(message, policy=default)
    for kind, of, escaped in (("html", html, escape), ("plain", text, str)):
        raw = found.get_body((kind,)).get_payload(decode=True).decode()  # type: ignore[union-attr]
        expected = filled(of, recipient.person, escaped)
        assert " ".join(raw.split()) == " ".join(expected.split())
    assert all(len(line) <= 76 for line in message.partition(b"\r\n\r\n")[2].split(b"\r\n"))
    assert b"\r\n." not in message
    record = signer.key.record_text().encode()
    assert dkim.DKIM(message).verify(dnsfunc=lambda name, timeout=5: record)


def test_the_example_in_the_document_is_correct(tmp_path: Path) -> None:
    section = (ROOT / "docs/emails.md").read_text(encoding="utf-8").split("## Address each subscriber")[1]
    letter = letter_of(tmp_path, section.split("```markdown\n")[1].split("```")[0])
    assert letter.plain_subject == "Hello, we have moved"
    for fields, line in (
        ({"plan": "pro"}, "your keys work"),
        ({"points": 12}, "a member: 12 points."),
        ({}, "become a"),
    ):
        text = filled(letter.text, fields)
        assert line in text
        assert sum(each in text for each in ("your keys work", "a member: ", "become a")) == 1


def test_messages_share_everything_that_is_not_personal() -> None:
    condition = if_mark(("is", "plan", "==", "pro"))
    html = f"<p>Hello {FieldMark('city', 'there')}</p>{'<p>Words.</p>' * 3_000}{condition}<b>Pro</b>{END}"
    letter = Letter("", f"For {FieldMark('city', 'you')}", "", html, "Words.\n" * 3_000 + str(FieldMark("plan", "-")))
    template = MessageTemplate.of(letter, HEADERS, NOW)
    one, same, other = (
        template.pieces(to(city=city, plan=plan)) for city, plan in (("A", "pro"), ("B", "pro"), ("C", "x"))
    )
    large = [piece for piece in one if len(piece) > 2_000]
    assert sum(map(len, large)) > 0.9 * sum(map(len, one))
    assert all(any(piece is each for each in same) for piece in large)
    assert len(b"".join(other)) < len(b"".join(one))
