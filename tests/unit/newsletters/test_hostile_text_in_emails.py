"""Titles, names and excerpts stay text in the HTML, the plain text and the headers of an email."""

from __future__ import annotations

import email
from dataclasses import replace
from email.message import EmailMessage
from email.policy import default
from functools import cache

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from lxml import html as lxml_html

from publisher.core.newsletter_models import Mark
from publisher.mail.message import MessageTemplate, NewsletterHeaders, Recipient
from publisher.newsletters.letter.note import Note
from publisher.newsletters.letter.safe_text import one_line
from tests.support.editions_samples import CONFIG, MADE_AT, WEEKLY, make, post, rendered

WICKED = [
    "<script>alert(1)</script>",
    "</title></style></td></table><h1>",
    "<img src=x onerror=alert(1)>",
    '" onmouseover="alert(1)',
    "' style='display:none",
    "--><b>",
    "<![endif]-->",
    "<!--[if mso]>",
    "{{ 7 * 7 }}{% raw %}",
    "&lt;b&gt; &amp;amp; &#60;",
    "a\r\nBcc: everybody@example.org\r\n\r\n<p>",
    "a\n.\nb",
    "=?utf-8?q?=0ABcc:_x?=",
    "@@publisher-unsubscribe@@ @@publisher-name@@",
    "\x00\x08\x1b[31m\u202e\u2028\x85",
    "javascript:alert(1)",
    "}</style><style>p{",
    "ünï 東京 🙂 مرحبا",
    '\\"<>@,;:()[]',
    "x" * 400,
]
VALUES = st.lists(st.sampled_from(WICKED) | st.text(st.characters(), max_size=9), max_size=4).map(" ".join)


def message(value: str) -> EmailMessage:
    """Return a message with `value` in every place that can contain text from outside."""
    subject_post = rendered(post(1, value, authors=(value,), tags=(value,)), excerpt=value)
    letter = make(
        replace(CONFIG, site=replace(CONFIG.site, postal_address=f"1 Road, {' '.join(value.split())}")),
        replace(WEEKLY, title=value),
        [subject_post, rendered(post(2, value), excerpt=value)],
        Note(subject=value, preheader=value),
    )
    headers = NewsletterHeaders(title=value, sender="Ada <ada@example.org>", list_id="weekly.example.org")
    to = Recipient("me@example.org", value, "<1@example.org>", "https://example.org/u", "https://example.org/p")
    made = MessageTemplate.of(letter, headers, MADE_AT).join(to)
    parsed = email.message_from_bytes(made, policy=default)
    assert isinstance(parsed, EmailMessage)
    assert not [defect for part in parsed.walk() for defect in part.defects]
    return parsed


def part(of: EmailMessage, kind: str) -> str:
    found = of.get_body((kind,))
    assert found is not None
    return str(found.get_content())


def skeleton(html: str) -> list[tuple[str, tuple[str, ...]]]:
    """Return all elements and comments, in order, with the names of their attributes."""
    tree = lxml_html.document_fromstring(html.encode(), parser=lxml_html.HTMLParser(encoding="utf-8"))
    return [(str(each.tag), tuple(each.attrib)) for each in tree.iter()]


def squeezed(text: str) -> str:
    return "".join(text.split())


@cache
def harmless() -> tuple[list[tuple[str, tuple[str, ...]]], list[str]]:
    """Return the elements and header names of a message whose texts are harmless."""
    made = message("x")
    return skeleton(part(made, "html")), [name for name, _ in made.items()]


@pytest.mark.parametrize("value", WICKED)
def test_a_known_attack_stays_text(value: str) -> None:
    stays_text(f"x {value}")


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(VALUES)
@example("")
@example("=?utf-8?q?=0ABcc:_x?= ¡")
def test_anything_stays_text(value: str) -> None:
    stays_text(f"x {value}")


def stays_text(value: str) -> None:
    made, shown = message(value), one_line(value)
    elements, headers = harmless()
    assert skeleton(part(made, "html")) == elements
    tree = lxml_html.document_fromstring(part(made, "html").encode(), parser=lxml_html.HTMLParser(encoding="utf-8"))
    titles = [squeezed(each.text_content()) for each in tree.iter("h2")]
    assert titles == [squeezed(shown)] * 2
    assert squeezed(tree.findtext(".//title")) == squeezed(shown)
    assert squeezed(shown) in squeezed(part(made, "plain"))
    assert [name for name, _ in made.items()] == headers
    assert squeezed(str(made["Subject"])) == squeezed(shown)
    assert [address.addr_spec for address in made["To"].addresses] == ["me@example.org"]
    assert not any(mark in part(made, kind) for mark in Mark.ALL for kind in ("html", "plain"))
