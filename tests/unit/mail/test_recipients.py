"""For 500 realistic subscribers, a parser finds each subscriber's unusual name and address in the message."""

from __future__ import annotations

import email
from email.header import decode_header, make_header
from email.message import Message
from email.parser import HeaderParser
from email.policy import SMTPUTF8
from email.utils import parseaddr

import pytest
from lxml.html import document_fromstring

from publisher.core.newsletter_models import Delivery, Edition, Letter, Mark
from publisher.mail.message import MailMerge, MessageTemplate
from tests.support.delivery_samples import HEADERS, LINKS
from tests.support.email_samples import letters
from tests.support.mail_tools import needs, spam_scores
from tests.support.store_samples import NOW

FIRST = [
    "Ada", "José María", "Zoë", "Nguyễn Thị Minh", "Владимир", "Ἀριστοτέλης", "محمد", "שָׁלוֹם", "山田", "김", "สมชาย",
    "Þóra", "İpek", "Łukasz", "प्रिया", "O'Brien", "Jean-Luc", "Ng", "🙂", "Dr. Dr. h. c.",
    "e\u0301", "Ａｄａ", "\u202bميس\u202c",
]  # fmt: skip
LAST = [
    "", "Lovelace", "Müller-Lüdenscheidt", 'of "The Quiet Press"', "Smith, Jr.", "Ö. (retired)", "back\\slash", "太郎",
    "=?utf-8?q?x?=", "a@b.example", "<b>Bold</b> & Sons", "semi; colon: comma,", "100% = 50%", "d'Arc-en-Ciel",
    "von und zu " * 9 + "Langenstein", "語" * 90, "x" * 200, "it's [fine]", "…", "..", ".dot", "-- ",
    "\u00a0wide\u00a0",
]  # fmt: skip
LOCAL = [
    "a",
    "first.last",
    "o'neil",
    "x+tag=1",
    "_-_",
    "a!#$%&*/?^`{|}~b",
    "n" * 64,
    "jörg",
    "用户",
    "почта",
    "x.y.z+w",
]

# Each domain with its form in a message, written with a tool that the program does not use.
DOMAINS = {
    "example.org": "example.org",
    "EXAMPLE.Com": "EXAMPLE.Com",
    "mail.sub.example.net": "mail.sub.example.net",
    "müller.example": "xn--mller-kva.example",
    "例え.example": "xn--r8jz45g.example",
    "почта.рф": "xn--80a1acny.xn--p1ai",
    "very-long-label-that-goes-on-and-on-for-a-while.example.museum": (
        "very-long-label-that-goes-on-and-on-for-a-while.example.museum"
    ),
}
COUNT = 500

HEADS = HeaderParser(policy=SMTPUTF8)  # takes four times as long as the older parser, which reads the rest


def people() -> list[tuple[str, str, str]]:
    """Return a name, an address, and the address as it appears in a message, for each of many different people."""
    found = []
    for number in range(COUNT):
        name = f"{FIRST[number % len(FIRST)]} {LAST[number // len(FIRST) % len(LAST)]}".strip() if number % 17 else ""
        local, domain = LOCAL[number % len(LOCAL)], list(DOMAINS)[number // len(LOCAL) % len(DOMAINS)]
        local = f"{local[: 64 - len(str(number))]}{number}"
        found.append((name, f"{local}@{domain}", f"{local}@{DOMAINS[domain]}"))
    return found


@pytest.fixture(scope="module")
def composer() -> MailMerge:
    """Compose an email of the sample posts with a shipped template, and add the subscriber's name to its text."""
    letter = min((each.letter for each in letters("samples", "digest")), key=lambda each: len(each.html))
    html = letter.html.replace("</body>", f'<p id="name">{Mark.NAME}</p></body>')
    named = Letter("", letter.subject, "", html, f"Dear {Mark.NAME},\n\n{letter.text}")
    template = MessageTemplate.of(named, HEADERS, NOW)
    return MailMerge(Edition(1, "weekly", "2026-W47", 1, "s", NOW), HEADERS, LINKS, {"": template})


def made(composer: MailMerge, number: int, person: tuple[str, str, str]) -> bytes:
    name, address, _ = person
    return composer.message(Delivery(number + 1, 1, f"uid-{number}", address, name, "", 0))


@pytest.mark.slow
def test_five_hundred_subscribers_get_their_own_values(composer: MailMerge) -> None:
    everybody = people()
    assert len({address for _, address, _ in everybody}) == COUNT
    for number, person in enumerate(everybody):
        name, address, wire = person
        data = made(composer, number, person)
        message = email.message_from_bytes(data)
        assert not [part.defects for part in message.walk() if part.defects], person
        shown = " ".join(name.split())
        assert name_in(message) == shown
        head = data.partition(b"\r\n\r\n")[0].decode()
        assert [each.addr_spec for each in HEADS.parsestr(head)["To"].addresses] == [wire]
        text, html = (part.get_payload(decode=True).decode() for part in message.get_payload())
        page = document_fromstring(html)
        links = {LINKS.unsubscribe(f"uid-{number}", "weekly"), LINKS.preferences(f"uid-{number}")}
        assert page.get_element_by_id("name").text_content() == shown
        assert text.partition("\r\n")[0] == f"Dear {shown},"
        assert address in page.text_content()
        assert address in text
        assert links <= {link for _, _, link, _ in page.iterlinks()}
        assert all(link in text for link in links)
        assert message["List-Unsubscribe"] == f"<{LINKS.unsubscribe(f'uid-{number}', 'weekly')}>"


def name_in(message: Message) -> str:
    """Return the name in To, with encoded words joined (RFC 2047, 6.2)."""
    return str(make_header(decode_header(parseaddr(str(message["To"]))[0])))


# Parts of names: quotes, a text like an encoded word, ninety wide characters, an address, right-to-left text.
ODD = ['of "The Quiet', "=?utf-8?q?", "語語", "a@b.example", "محمد <b>Bold"]


def test_odd_names_do_not_look_like_spam(composer: MailMerge) -> None:
    needs("spamassassin")
    everybody = list(enumerate(people()))
    chosen = [next((number, person) for number, person in everybody if part in person[0]) for part in ODD]
    scores = zip(chosen, spam_scores([made(composer, number, person) for number, person in chosen]), strict=True)
    assert {person: status for (_, person), (score, status) in scores if score >= 2} == {}
