"""The doctor checks a received message: its unsubscribe headers, and the authentication results from the receiver."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from publisher.mail.doctor.diagnosis import Diagnosis
from publisher.mail.doctor.one_click import check_one_click, check_unsubscribe_headers
from publisher.mail.doctor.received import explain_results, parse_results

BOTH = b"List-Unsubscribe: <https://x>\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\n"


@pytest.mark.parametrize(
    ("message", "level"),
    [
        (b"Subject: x\n\n", "error"),
        (BOTH.partition(b"\n")[0] + b"\n\n", "error"),
        (BOTH + b"\n", "note"),
        (b"DKIM-Signature: h=from:list-unsubscribe;\n b=x\n" + BOTH + b"\n", "error"),
        (b"DKIM-Signature: h=from:List-Unsubscribe:\n list-unsubscribe-post; b=x\n" + BOTH + b"\n", "ok"),
        (b"DKIM-Signature: h=list-unsubscribe; b=x\nDKIM-Signature: h=list-unsubscribe-post\n" + BOTH + b"\n", "error"),
    ],
)
def test_one_signature_must_cover_both_headers(message: bytes, level: str) -> None:
    assert [str(each.level) for each in check_unsubscribe_headers(message)] == [level]


@pytest.mark.parametrize(
    ("url", "answer", "level"),
    [
        ("https://x.example", "", "ok"),
        ("https://x.example", "502 Bad Gateway", "error"),
        ("http://x.example", "", "error"),
    ],
)
def test_links_must_lead_to_a_working_https_url(url: str, answer: str, level: str) -> None:
    found = [*check_one_click(url, answer, BOTH)]
    assert str(found[0].level) == level


def copy(*fields: str) -> bytes:
    signed = "DKIM-Signature: h=list-unsubscribe:list-unsubscribe-post\n"
    return ("".join(f"Authentication-Results: {field}\n" for field in fields) + signed).encode() + BOTH + b"\nHello\n"


GMAIL = """mx.google.com;
       dkim=pass header.i=@example.org header.s=letters header.b=abc;
       dkim=neutral (no key (really; none)) header.i=@other.example;
       spf=pass (google.com: domain of b+1-x@b.example.org designates 203.0.113.7 as permitted sender)
 smtp.mailfrom="b+1-x@b.example.org";
       dmarc=pass (p=REJECT sp=REJECT dis=NONE) header.from=example.org"""


def received_findings(message: bytes) -> list[tuple[str, str, str, str]]:
    return [(str(each.level), each.check, each.subject, each.message) for each in explain_results(message)]


def test_a_received_email_is_explained() -> None:
    assert received_findings(copy(GMAIL))[:-1] == [
        ("ok", "SPF", "b+1-x@b.example.org", "mx.google.com says pass"),
        ("ok", "DKIM", "@example.org", "mx.google.com says pass"),
        ("ok", "DMARC", "example.org", "mx.google.com says pass"),
    ]


def test_failures_come_with_a_hint() -> None:
    field = "mail.example 1; spf=softfail smtp.mailfrom=b.test; dkim=fail header.d=x; dmarc=none header.from=x"
    found = [*explain_results(copy(field))][:3]
    assert [each.check for each in found] == ["SPF", "DKIM", "DMARC"]
    assert all(each.level == "error" and each.meaning and each.hint for each in found)


def test_only_the_topmost_results_count() -> None:
    forged = "mx.google.com; spf=pass smtp.mailfrom=x; dkim=pass header.d=x; dmarc=pass header.from=x"
    assert [each[:2] for each in received_findings(copy("real.example; dmarc=fail header.from=x", forged))[:3]] == [
        ("error", "DMARC"),
        ("note", "SPF"),
        ("note", "DKIM"),
    ]


def test_an_email_without_results_is_an_error() -> None:
    (found,) = explain_results(BOTH + b"\nHello")
    assert found.message == "it has no Authentication-Results"


@given(st.text())
def test_any_field_can_be_read(text: str) -> None:
    server, results = parse_results(text)
    assert server
    assert all(result.outcome for result in results)


@given(st.binary())
def test_any_file_can_be_read(data: bytes) -> None:
    assert all(isinstance(each, Diagnosis) for each in explain_results(b"Authentication-Results: " + data))
