"""A report means the same in every media type, encoding and format that servers and providers use."""

from __future__ import annotations

import base64
import quopri
from collections.abc import Callable

import pytest

from publisher.bounces.reading import read_message
from publisher.core.bounce_report import Addressee, Verdict
from tests.support.bounce_samples import (
    LINKS,
    READER,
    RETURN_PATH,
    SIGNATURES,
    complaint,
    failed,
    letter,
    plain,
    report,
)

HOW: dict[str, Callable[[bytes], bytes]] = {
    "7bit": lambda data: data,
    "8bit": lambda data: data,
    "base64": base64.encodebytes,
    "quoted-printable": quopri.encodestring,
}
TWO = failed("5.1.1", "550 5.1.1 " + "no such user here, " * 6) + (
    "\nFinal-Recipient: rfc822; bob@reader.example\nAction: delivered\nStatus: 2.0.0\n"
)


def recoded(message: bytes, old: str, new: str, how: str, charset: str = "utf-8") -> bytes:
    """Return the report with its part of media type `old` changed to type `new`, encoding `how` and this charset."""
    eol = b"\r\n" if b"\r\n" in message else b"\n"
    before, head, rest = message.partition(f"Content-Type: {old}".encode() + eol)
    assert head
    body, boundary, after = rest.partition(eol + b"--b")
    text = body.replace(b"\r\n", b"\n").strip(b"\n") + b"\n"
    data = HOW[how](text.decode().encode(charset)).replace(b"\n", eol)
    fields = f"Content-Type: {new}; charset={charset}{eol.decode()}Content-Transfer-Encoding: {how}"
    return before + fields.encode() + 2 * eol + data + boundary + after


@pytest.mark.parametrize("how", HOW)
@pytest.mark.parametrize("kind", ["message/delivery-status", "message/global-delivery-status"])
def test_a_failure_is_read_in_every_type_and_encoding(kind: str, how: str) -> None:
    for fields, verdict in (
        (failed("5.1.1", "550 5.1.1 unknown"), "permanent"),
        (failed("5.2.2", "552 5.2.2 full"), "temporary"),
        (failed("5.0.0", "550 Empfänger unbekannt"), "permanent"),
        (TWO, "temporary"),
        (failed("4.4.1", "451 4.4.1 no answer", "delayed"), "nothing"),
    ):
        changed = recoded(report(fields), "message/delivery-status", kind, how)
        assert read_message(changed, SIGNATURES).verdict == verdict, fields


def test_a_report_is_read_in_its_own_charset() -> None:
    for charset in ("iso-8859-1", "windows-1252", "utf-16"):
        fields = failed("5.0.0", "550 Empfänger unbekannt")
        changed = recoded(report(fields), "message/delivery-status", "message/delivery-status", "base64", charset)
        assert read_message(changed, SIGNATURES).verdict is Verdict.PERMANENT, charset


@pytest.mark.parametrize("how", HOW)
def test_a_complaint_is_read_in_every_encoding(how: str) -> None:
    changed = recoded(complaint(), "message/feedback-report", "message/feedback-report", how)
    assert read_message(changed, SIGNATURES).verdict is Verdict.COMPLAINT
    changed = recoded(complaint("not-spam"), "message/feedback-report", "message/feedback-report", how)
    assert read_message(changed, SIGNATURES).verdict is Verdict.NOTHING


@pytest.mark.parametrize("how", HOW)
@pytest.mark.parametrize("kind", ["message/rfc822", "message/global", "text/rfc822-headers", "message/global-headers"])
def test_the_enclosed_message_is_read_in_every_type_and_encoding(kind: str, how: str) -> None:
    for inside, addressee in ((letter(), Addressee(delivery_id=7)), (letter(path="redacted"), Addressee(uid="u7"))):
        changed = recoded(complaint(inside=inside), "message/rfc822", kind, how)
        assert read_message(changed, SIGNATURES).addressee == addressee


def test_an_answer_may_be_in_another_field() -> None:
    fields = failed("5.0.0") + "X-Supplementary-Info: < #5.1.1 smtp;550 5.1.1 unknown user>\n"
    assert read_message(report(fields), SIGNATURES).verdict is Verdict.PERMANENT
    fields = failed("5.0.0") + "X-Supplementary-Info: <mx.example #5.2.2 smtp; 552 mailbox full>\n"
    assert read_message(report(fields), SIGNATURES).verdict is Verdict.TEMPORARY
    assert read_message(report(failed("5.0.0"), text=f"{READER}: user unknown"), SIGNATURES).verdict == "permanent"
    assert read_message(report(failed("5.0.0"), text="Sorry."), SIGNATURES).verdict == "temporary"


def test_a_report_may_have_no_action_and_an_answer_no_type() -> None:
    fields = failed("5.1.1").replace("Action: failed\n", "")
    assert read_message(report(fields), SIGNATURES).verdict is Verdict.PERMANENT
    fields = failed("5.0.0") + "Diagnostic-Code: 550 no such user; see the help\n"
    assert read_message(report(fields), SIGNATURES).verdict is Verdict.PERMANENT


@pytest.mark.parametrize("tag", ["prvs=1234ABCDEF=", "msprvs1=17550kaPb1GuO=", "btv1==0123456789a=="])
def test_a_return_address_may_have_a_tag(tag: str) -> None:
    found = read_message(report(failed("5.1.1"), to=tag + RETURN_PATH.of(7)), SIGNATURES)
    assert (found.verdict, found.addressee.delivery_id) == (Verdict.PERMANENT, 7)
    forged = read_message(report(failed("5.1.1"), to=tag + RETURN_PATH.of(7).replace("+7-", "+8-")), SIGNATURES)
    assert forged.verdict is Verdict.FORGED


# --- complaints without a report


def microsofts(subject: str = "complaint about message from 192.0.2.1", *, marks: str = "", inside: str = "") -> bytes:
    """Return a complaint in the older format of Microsoft's Junk Mail Reporting Program."""
    return f"""\
From: <staff@hotmail.com>
To: <feedback@letters.example>
Subject: {subject}
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary="b3"

--b3
Content-Type: message/rfc822
Content-Disposition: attachment

{marks}{inside or letter()}
--b3--
""".encode()


def test_a_complaint_in_the_older_format_of_microsoft_is_recognised() -> None:
    marks = "X-HmXmrOriginalRecipient: <ada@reader.example>\n"
    for found in (microsofts(), microsofts("FW: Your letter", marks=marks)):
        assert read_message(found, SIGNATURES).verdict is Verdict.COMPLAINT
        assert read_message(found, SIGNATURES).addressee == Addressee(delivery_id=7)
    link = LINKS.unsubscribe("u7", "weekly")
    inside = f'From: <ada@letters.example>\nContent-Type: text/html\n\n<p><a href="{link}">Unsubscribe</a></p>'
    assert read_message(microsofts(inside=inside), SIGNATURES).addressee == Addressee(uid="u7")


def test_a_forwarded_email_is_not_a_complaint() -> None:
    for found in (microsofts("Look at this"), microsofts("FW: complaint about message from 192.0.2.1")):
        assert read_message(found, SIGNATURES).verdict is Verdict.FOREIGN
    unsigned = microsofts(inside="From: <ada@letters.example>\n\nHello.")
    assert read_message(unsigned, SIGNATURES).verdict is Verdict.FOREIGN


def test_a_complaint_without_its_report_is_recognised() -> None:
    lost = complaint().replace(b"Content-Type: message/feedback-report", b"Content-Type: application/octet-stream")
    assert read_message(lost, SIGNATURES).verdict is Verdict.COMPLAINT


# --- reports that are only text or HTML

EXCHANGE_HTML = """\
<html><head><style>p {{ color: red }} /* 550 5.1.1 user unknown */</style></head><body>
<h1>Your message to ada@reader.example couldn't be delivered.</h1>
<p><b>ada</b> wasn't found at reader.example.</p>
<p>Status code: {code}</p>
<div>Remote Server returned '{code}&nbsp;{words}'</div>
<p>Original message headers:</p><pre>Subject: 550 5.7.1 spam</pre></body></html>"""


@pytest.mark.parametrize(
    ("code", "words", "verdict"),
    [
        ("550 5.1.10", "RESOLVER.ADR.RecipientNotFound; not found", "permanent"),
        ("554 5.2.2", "mailbox full", "temporary"),
        ("550 5.7.1", "blocked using a block list", "refused"),
    ],
)
@pytest.mark.parametrize("how", HOW)
def test_a_report_with_only_html_is_read(code: str, words: str, verdict: str, how: str) -> None:
    text = EXCHANGE_HTML.format(code=code, words=words)
    if verdict != "permanent":
        text = text.replace("<p><b>ada</b> wasn't found at reader.example.</p>", "")
    sender = "MicrosoftExchange329e71ec88ae4615bbc36ab6ce41109e@reader.example"
    head = (
        f"From: Microsoft Outlook <{sender}>\nSubject: Undeliverable: hello\nIn-Reply-To: <letter-1@letters.example>\n"
    )
    head += "Auto-Submitted: auto-replied\nX-MS-Exchange-Message-Is-Ndr:\nMIME-Version: 1.0\n"
    head += f"Content-Type: text/html; charset=utf-8\nContent-Transfer-Encoding: {how}"
    found = read_message(plain(head, HOW[how](text.encode()).decode()), SIGNATURES)
    assert (found.verdict, found.addressee.delivery_id) == (verdict, 7)


@pytest.mark.parametrize(
    ("head", "body", "verdict"),
    [
        ("From: MAILER-DAEMON@mx.example\nSubject: Undeliverable", "Mailbox full", "temporary"),
        ("From: Postmaster <postmaster@mx.example>\nAuto-Submitted: auto-replied", "Mailbox full", "temporary"),
        (
            "From: postmaster@mx.example\nAuto-Submitted: auto-replied\nIn-Reply-To: <letter-1@letters.example>",
            "Mailbox full",
            "temporary",
        ),
        ("From: ada@reader.example\nAuto-Submitted: auto-replied\nSubject: Mailbox full", "Sorry.", "temporary"),
        ("From: ada@reader.example\nAuto-Submitted: auto-replied", "The mailbox of ada is over quota.", "temporary"),
        ("From: postmaster@mx.example\nSubject: Undeliverable", "There is no such user here.", "permanent"),
        ("From: postmaster@mx.example\nSubject: Undeliverable", "Your message was rejected as spam.", "refused"),
        ("From: postmaster@mx.example\nSubject: Hello", "We have moved to a new building.", "nothing"),
        ("From: ada@reader.example\nSubject: Mailbox full", "My mailbox is full of your letters!", "nothing"),
        ("From: ada@reader.example\nAuto-Submitted: auto-replied", "I am away. No such user.", "nothing"),
    ],
)
def test_a_report_with_only_text_counts_if_the_text_is_clear(head: str, body: str, verdict: str) -> None:
    assert read_message(plain(head, body), SIGNATURES).verdict == verdict


def test_a_full_mailbox_that_dovecot_reports_as_a_disposition_counts() -> None:
    head = "From: Mail Delivery Subsystem <postmaster@mx.example>\nAuto-Submitted: auto-replied (rejected)\n"
    head += 'MIME-Version: 1.0\nContent-Type: multipart/report; report-type=disposition-notification; boundary="b"'
    body = "--b\nContent-Type: text/plain\n\nYour message was automatically rejected: Quota exceeded\n"
    body += "--b\nContent-Type: message/disposition-notification\n\nDisposition: automatic-action; deleted\n--b--"
    assert read_message(plain(head, body), SIGNATURES).verdict is Verdict.TEMPORARY
    assert read_message(plain(head.replace("postmaster", "ada"), body), SIGNATURES).verdict is Verdict.NOTHING
