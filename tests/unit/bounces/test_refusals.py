"""Refusals by real servers (tests/data/refusals.tsv) are judged the same way wherever they are read."""

from __future__ import annotations

import base64
import quopri
import re
from collections import Counter
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from publisher.bounces.apply import judge_refusal
from publisher.bounces.phrases import Meaning, meanings_of, phrases, table_of
from publisher.bounces.providers.generic import read_generic
from publisher.bounces.providers.mailgun import read_mailgun
from publisher.bounces.providers.postmark import read_postmark
from publisher.bounces.providers.sendgrid import read_sendgrid
from publisher.bounces.providers.ses import Sns
from publisher.bounces.reading import read_message
from publisher.bounces.verdict import judge, status_in, weigh
from publisher.core.bounce_report import Verdict
from publisher.mail.smtp.replies import ReplyReader
from tests.support import ROOT
from tests.support.bounce_samples import SIGNATURES, failed, report
from tests.support.provider_samples import (
    SECRET,
    TOPIC,
    TWILIO_KEY,
    Amazon,
    basic,
    call,
    mailgun,
    mailgun_failure,
    sendgrid,
    sendgrid_event,
    ses_bounce,
    sns,
)

TABLE = [line.split("\t") for line in (ROOT / "tests/data/refusals.tsv").read_text(encoding="utf-8").splitlines()[1:]]
AMAZON = Sns(Amazon())


def spoken(answer: str) -> tuple[str, str]:
    """Return the reply code of an answer (554 if it has none), and its words."""
    found = re.match(r"([45]\d\d)[ -](.*)", answer)
    return (found[1], found[2]) if found else ("554", answer)


def while_sending(answer: str) -> Verdict:
    """Return the verdict on an answer that a server gives on one line while an email is sent."""
    code, words = spoken(answer)
    (reply,) = ReplyReader().feed(f"{code} {words}\r\n".encode())
    return judge_refusal(7, reply.refusal().reason).verdict


def on_two_lines(answer: str) -> Verdict:
    code, words = spoken(answer)
    half = words.find(" ", len(words) // 2)
    first, second = (words[:half], words[half:]) if half > 0 else (words, "")
    (reply,) = ReplyReader().feed(f"{code}-{first}\r\n{code} {second}\r\n".encode())
    return judge_refusal(7, reply.refusal().reason).verdict


def in_a_report(answer: str) -> Verdict:
    return read_message(report(failed("5.0.0", answer)), SIGNATURES).verdict


def in_a_report_with_its_code(answer: str) -> Verdict:
    return read_message(report(failed(status_in(answer) or "5.0.0", answer)), SIGNATURES).verdict


def in_a_global_report(answer: str) -> Verdict:
    return read_message(encoded(failed("5.0.0", answer), "message/global-delivery-status"), SIGNATURES).verdict


def in_base64(answer: str) -> Verdict:
    return read_message(encoded(failed("5.0.0", answer), how="base64"), SIGNATURES).verdict


def in_quoted_printable(answer: str) -> Verdict:
    return read_message(encoded(failed("5.0.0", answer), how="quoted-printable"), SIGNATURES).verdict


def encoded(fields: str, kind: str = "message/delivery-status", how: str = "8bit") -> bytes:
    """Return a DSN whose status fields have this media type and transfer encoding."""
    data = fields.encode()
    ways = {"base64": base64.encodebytes, "quoted-printable": quopri.encodestring, "8bit": lambda same: same}
    head = f"Content-Type: {kind}; charset=utf-8\r\nContent-Transfer-Encoding: {how}\r\n\r\n"
    body = head.encode() + ways[how](data) + b"\r\n--b1\r\n"
    return report("@").replace(b"Content-Type: message/delivery-status\r\n\r\n@\r\n--b1\r\n", body)


def at_postmark(answer: str) -> Verdict:
    event = {"RecordType": "Bounce", "Type": "Unknown", "Email": "ada@example.org", "Details": f"smtp;{answer}"}
    return read_postmark(call(event, authorization=basic(SECRET)), SECRET)[0].verdict


def at_mailgun(answer: str) -> Verdict:
    code, words = spoken(answer)
    event = mailgun_failure("permanent", "generic", code=int(code), message=words)
    return read_mailgun(call(mailgun(event)), SECRET)[0].verdict


def at_sendgrid(answer: str) -> Verdict:
    event = sendgrid_event("bounce", type="bounce", status="550", reason=answer)
    return read_sendgrid(sendgrid([event]), TWILIO_KEY)[0].verdict


def at_amazon(answer: str) -> Verdict:
    return AMAZON.read(call(sns(ses_bounce("Undetermined", diagnosticCode=f"smtp; {answer}"))), TOPIC)[0].verdict


def at_any_other(answer: str) -> Verdict:
    event = {"event": "bounce", "address": "ada@example.org", "answer": answer}
    return read_generic(call(event, x_webhook_secret=SECRET), SECRET)[0].verdict


def judged_alone(answer: str) -> Verdict:
    return judge("", answer)


WAYS: tuple[Callable[[str], Verdict], ...] = (
    *(judged_alone, while_sending, on_two_lines),
    *(in_a_report, in_a_report_with_its_code, in_a_global_report, in_base64, in_quoted_printable),
    *(at_postmark, at_mailgun, at_sendgrid, at_amazon, at_any_other),
)


@pytest.mark.parametrize("way", WAYS)
def test_every_refusal_means_the_same_everywhere(way: Callable[[str], Verdict]) -> None:
    wrong = [(verdict, str(way(answer)), answer) for verdict, answer, _, _ in TABLE if way(answer) != verdict]
    assert wrong == []


def test_the_table_has_enough_of_each_verdict_and_a_source_for_each() -> None:
    counts = Counter(verdict for verdict, *_ in TABLE)
    assert counts["permanent"] >= 120 and counts["temporary"] + counts["refused"] >= 120
    assert all(receiver and source for _, _, receiver, source in TABLE)
    assert len({answer for _, answer, _, _ in TABLE}) == len(TABLE)


def test_every_phrase_and_code_has_a_source() -> None:
    rows = list(phrases())
    assert all(source for _, _, source in rows)
    assert len({(meaning, phrase) for meaning, phrase, _ in rows}) == len(rows)
    assert all(source for *_, source in table_of("codes.tsv"))


def test_every_phrase_is_recognised_by_itself() -> None:
    unseen = []
    for meaning, phrase, _ in phrases():
        example = " ".join(word.split("|")[0] for word in phrase.replace("*", "").replace("…", "of them").split())
        if meaning not in meanings_of(example):
            unseen.append(phrase)
    assert unseen == []


@pytest.mark.parametrize(
    ("answer", "verdict"),
    [
        ("550 5.1.1 user unknown", "permanent"),
        ("550 5.5.0 Requested action not taken: mailbox unavailable", "permanent"),
        ("550 failed", "permanent"),  # nothing is wrong with the provider
        ("", "permanent"),
        ("550 5.7.1 failed", "temporary"),  # a general code only raises a doubt
        ("550 5.5.0 failed", "temporary"),
        ("550 5.7.26 failed", "refused"),
        ("554 5.7.1 rejected as spam", "refused"),
        ("552 5.2.2 failed", "temporary"),
        ("550 mailbox full", "temporary"),
        ("451 user unknown", "temporary"),
    ],
)
def test_a_hard_bounce_of_a_provider_is_a_vote(answer: str, verdict: str) -> None:
    assert weigh(Verdict.PERMANENT, "", answer) == verdict
    assert weigh(Verdict.TEMPORARY, "", answer) == "temporary"


@settings(max_examples=settings.default.max_examples)
@given(st.text(max_size=300), st.sampled_from(["", "5.1.1", "5.7.1", "4.2.2", "x"]))
def test_any_words_are_judged(words: str, status: str) -> None:
    assert judge(status, words) in (Verdict.PERMANENT, Verdict.TEMPORARY, Verdict.REFUSED)
    assert not meanings_of("") and Meaning.FULL in meanings_of(f"mailbox full. {words}")
