"""A bounce message is judged by its status, and trusted only if it contains our signature."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from publisher.bounces.reading import Signatures, read_message
from publisher.bounces.verdict import judge, short_words
from publisher.core.bounce_report import Addressee, Verdict
from publisher.mail.verp import ReturnPath
from tests.support.bounce_samples import (
    AUTOMATIC,
    EXCHANGE,
    EXIM,
    GMAIL,
    LINKS,
    POSTFIX,
    READER,
    RETURN_PATH,
    SENDMAIL,
    SIGNATURES,
    complaint,
    failed,
    letter,
    old_exim,
    plain,
    qmail,
    report,
)

SERVERS = {"Postfix": POSTFIX, "Exim": EXIM, "sendmail": SENDMAIL, "Exchange": EXCHANGE, "Gmail": GMAIL}


@pytest.mark.parametrize("server", SERVERS)
def test_reports_of_a_dead_mailbox_from_every_server_are_read(server: str) -> None:
    found = read_message(SERVERS[server], SIGNATURES)
    assert (found.verdict, found.addressee) == (Verdict.PERMANENT, Addressee(delivery_id=7))
    assert found.keys == ("delivery 7 permanent",)
    assert READER not in found.words


@pytest.mark.parametrize(
    ("status", "words", "verdict"),
    [
        ("5.1.1", "", "permanent"),
        ("5.1.2", "550 no such host", "permanent"),
        ("5.1.10", "550 5.1.10 null MX", "permanent"),
        ("5.2.1", "550 5.2.1 the account is disabled", "permanent"),
        ("5.2.1", "550 5.2.1 gets mail too quickly", "temporary"),
        ("5.4.4", "Host not found", "permanent"),
        ("5.2.2", "552 5.2.2 mailbox full", "temporary"),
        ("5.7.1", "550 5.7.1 message looks like spam", "refused"),
        ("5.1.1", "550 5.7.1 your network is on a list", "refused"),
        ("5.7.1", "550 5.1.1 user unknown", "permanent"),
        ("5.6.0", "554 5.6.0 content", "refused"),
        ("5.2.3", "too long", "refused"),
        ("5.1.8", "sender's domain has no MX", "refused"),
        ("5.3.0", "", "temporary"),
        ("5.0.0", "550 5.1.1 nobody", "permanent"),
        ("5.0.0", "550 <ada@reader.example>: User unknown", "permanent"),
        ("5.0.0", "550 User unknown, and your address is blocked", "refused"),
        ("5.0.0", "554 transaction failed", "temporary"),
        ("5.0.0", "451 user unknown, try again", "temporary"),
        ("4.4.7", "expired", "temporary"),
        ("4.1.1", "user unknown", "temporary"),
        ("5.5.0", "550 mailbox unavailable", "permanent"),
        ("5.0.0", "550 host 192.5.1.1 said no", "temporary"),
        ("", "", "temporary"),
        ("5.1.1 (bad destination mailbox address)", "", "permanent"),
        ("ⅴ.1.1", "５.１.１", "temporary"),
    ],
)
def test_a_status_says_whether_the_mailbox_exists(status: str, words: str, verdict: str) -> None:
    assert judge(status, words) == verdict


@pytest.mark.parametrize("shape", [qmail, old_exim])
def test_a_plain_text_report_is_judged_by_the_answer_of_the_server(shape: object) -> None:
    assert callable(shape)
    said = {
        "550 5.1.1 user unknown": Verdict.PERMANENT,
        "550 sorry, no mailbox here by that name": Verdict.PERMANENT,
        "552 5.2.2 mailbox full": Verdict.TEMPORARY,
        "550 5.7.1 refused": Verdict.REFUSED,
        "554 something else": Verdict.TEMPORARY,
    }
    for words, verdict in said.items():
        found = read_message(shape(f"Remote host said: {words}"), SIGNATURES)
        assert (found.verdict, found.addressee.delivery_id) == (verdict, 7), words


@pytest.mark.parametrize("name", AUTOMATIC)
def test_replies_do_nothing(name: str) -> None:
    found = read_message(AUTOMATIC[name], SIGNATURES)
    assert (found.verdict, found.keys) == (Verdict.NOTHING, ())


def test_a_plain_text_report_counts_only_from_a_mail_server() -> None:
    assert (
        read_message(qmail("550 5.1.1 user unknown", sender="ada@reader.example"), SIGNATURES).verdict
        is Verdict.NOTHING
    )


def test_a_failure_for_one_of_two_recipients_is_temporary() -> None:
    groups = failed("5.1.1", "550 5.1.1 unknown")
    for action in ("delivered", "relayed", "expanded", "delayed"):
        both = groups + f"\nFinal-Recipient: rfc822; bob@reader.example\nAction: {action}\nStatus: 2.0.0\n"
        assert read_message(report(both), SIGNATURES).verdict is Verdict.TEMPORARY, action
    twice = groups + "\nFinal-Recipient: rfc822; bob@reader.example\nAction: failed\nStatus: 5.2.2\n"
    assert read_message(report(twice), SIGNATURES).verdict is Verdict.TEMPORARY


def test_an_attached_report_is_not_the_report() -> None:
    outer = report(failed("4.4.1", "", "delayed")).decode()
    inner = POSTFIX.decode().replace("b1", "b9")
    assert (
        read_message(outer.replace(letter().replace("\n", "\r\n"), inner).encode(), SIGNATURES).verdict
        is Verdict.NOTHING
    )


def test_a_forwarded_report_is_not_the_report() -> None:
    head = 'Subject: Look\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary="b0"'
    attached = "--b0\nContent-Type: message/rfc822\n\n" + POSTFIX.decode() + "\n--b0--"
    for sender in ("ada@reader.example", "MAILER-DAEMON@mx.example"):
        assert read_message(plain(f"From: {sender}\n{head}", attached), SIGNATURES).verdict is Verdict.NOTHING


def test_a_reply_about_failure_is_not_a_failure() -> None:
    answer = b"Auto-Submitted: auto-replied\nIn-Reply-To: <letter-1@letters.example>\n"
    assert read_message(answer + qmail("550 5.1.1 user unknown"), SIGNATURES).verdict is Verdict.NOTHING
    assert read_message(qmail("550 5.1.1 user unknown"), SIGNATURES).verdict is Verdict.PERMANENT


def test_the_text_of_the_enclosed_message_changes_nothing() -> None:
    for below in (b"Warning: this was delayed. We will keep trying.\n", b"<ada@reader.example>: 550 5.7.1 spam\n"):
        assert read_message(qmail("550 5.1.1 user unknown") + below, SIGNATURES).verdict is Verdict.PERMANENT


@pytest.mark.parametrize(
    ("address", "verdict"),
    [
        ("bounces@letters.example", "foreign"),
        ("ada@elsewhere.example", "foreign"),
        ("bounces+7-aaaaaaaaaaaaaaaa@letters.example", "forged"),
        ("bounces+7@letters.example", "forged"),
        (RETURN_PATH.of(7).replace("+7-", "+8-"), "forged"),
        (ReturnPath("bounces@letters.example", "another secret").of(7), "forged"),
        (RETURN_PATH.of(7).replace("letters", "evil"), "foreign"),
        (f"{RETURN_PATH.of(7)}, {RETURN_PATH.of(8)}", "foreign"),
        ("", "foreign"),
    ],
)
def test_only_a_signed_address_names_the_delivery(address: str, verdict: str) -> None:
    found = read_message(report(failed("5.1.1"), to=address), SIGNATURES)
    assert (found.verdict, bool(found.addressee), found.keys) == (verdict, False, ())


def test_an_enclosed_return_path_is_not_believed() -> None:
    assert RETURN_PATH.of(7).encode() in POSTFIX
    assert read_message(report(failed("5.1.1"), to="postmaster@letters.example"), SIGNATURES).verdict is Verdict.FOREIGN


def test_capitals_and_other_headers_identify_the_delivery_too() -> None:
    shouted = report(failed("5.1.1"), to=RETURN_PATH.of(7).upper())
    assert read_message(shouted, SIGNATURES).addressee.delivery_id == 7
    hidden = report(failed("5.1.1"), to="catchall@letters.example", extra=f"X-Original-To: {RETURN_PATH.of(9)}\n")
    assert read_message(hidden, SIGNATURES).addressee.delivery_id == 9


@pytest.mark.parametrize("as_headers", [False, True])
def test_the_enclosed_message_names_the_subscriber(as_headers: bool) -> None:
    found = read_message(complaint(as_headers=as_headers), SIGNATURES)
    assert (found.verdict, found.addressee, found.keys) == (
        Verdict.COMPLAINT,
        Addressee(delivery_id=7),
        ("delivery 7 complaint",),
    )
    hidden = read_message(complaint(inside=letter(path="redacted"), as_headers=as_headers), SIGNATURES)
    assert (hidden.verdict, hidden.addressee) == (Verdict.COMPLAINT, Addressee(uid="u7"))


def test_a_complaint_may_name_the_return_path() -> None:
    fields = f"Original-Mail-From: <{RETURN_PATH.of(5)}>\n"
    assert read_message(complaint(inside="Subject: gone\n\n", fields=fields), SIGNATURES).addressee.delivery_id == 5
    assert (
        read_message(complaint(inside="Subject: gone\n\n", to=RETURN_PATH.of(6)), SIGNATURES).addressee.delivery_id == 6
    )


@pytest.mark.parametrize("kind", ["not-spam", "virus", "auth-failure", "other", "x-unheard-of", ""])
def test_other_feedback_is_not_a_complaint(kind: str) -> None:
    assert read_message(complaint(kind), SIGNATURES).verdict is Verdict.NOTHING


def test_an_unsigned_complaint_is_foreign() -> None:
    token = LINKS.unsubscribe("u7", "weekly").rpartition("/")[2]
    forged = letter(path="x@elsewhere.example").replace(token, token[:-3] + "AAA")
    assert read_message(complaint(inside=forged), SIGNATURES).verdict is Verdict.FOREIGN
    false_path = letter(path="bounces+7-aaaaaaaaaaaaaaaa@letters.example").replace(token, "x")
    assert read_message(complaint(inside=false_path), SIGNATURES).verdict is Verdict.FORGED
    preferences = LINKS.preferences("u7").rpartition("/")[2]
    other = letter(path="").replace(token, preferences)
    assert read_message(complaint(inside=other), SIGNATURES).verdict is Verdict.FOREIGN


def test_without_return_paths_only_complaints_are_read() -> None:
    marks = Signatures(None, LINKS)
    assert read_message(POSTFIX, marks).verdict is Verdict.FOREIGN
    assert read_message(complaint(), marks).addressee == Addressee(uid="u7")


def test_texts_are_stored_short_and_without_addresses() -> None:
    said = short_words("550 <bob@other.example>: no\r\n\x1b[31mred ada@reader.example\u202e " + "long " * 100)
    assert "@" not in said
    assert said.startswith("550 <…>: no [31mred …")
    assert len(said) <= 200 and said.isprintable()


ALL = [*SERVERS.values(), *AUTOMATIC.values(), qmail("550 5.1.1 user unknown"), old_exim("550 5.1.1 no"), complaint()]
LINES = st.sampled_from([line for message in ALL for line in message.splitlines(keepends=True)])


def check(data: bytes) -> None:
    """Check that the message is read, and that it has an effect only if it contains a signed address or link."""
    found = read_message(data, SIGNATURES)
    signed = RETURN_PATH.of(7).encode() in data.lower() or b"/unsubscribe/" in data
    assert not found.keys or signed
    assert bool(found.keys) == (found.verdict in (Verdict.PERMANENT, Verdict.TEMPORARY, Verdict.REFUSED, "complaint"))


@settings(max_examples=2 * settings.default.max_examples)
@given(st.lists(LINES | st.binary(max_size=60), max_size=60))
def test_torn_and_mixed_messages_are_never_an_error(lines: list[bytes]) -> None:
    check(b"".join(lines))


@settings(max_examples=2 * settings.default.max_examples)
@given(st.sampled_from(ALL), st.lists(st.tuples(st.integers(0, 4_000), st.binary(max_size=4)), max_size=12))
def test_damaged_reports_are_never_an_error(message: bytes, wounds: list[tuple[int, bytes]]) -> None:
    for place, new in wounds:
        message = message[:place] + new + message[place + len(new) :]
    check(message)


@settings(max_examples=settings.default.max_examples)
@given(st.sampled_from([qmail, old_exim]), st.text(max_size=80), st.randoms())
def test_unclear_words_are_never_permanent(shape: object, words: str, chance: random.Random) -> None:
    assert callable(shape)
    neutral = "".join(
        c for c in words if c.isalpha() and c not in "nN"
    )  # every phrase about a dead mailbox contains an n
    found = read_message(shape(f"Remote host said: 550 {neutral}"), SIGNATURES)
    assert found.verdict is not Verdict.PERMANENT


def test_a_thousand_nested_parts_are_read() -> None:
    deep = b"".join(
        b'Content-Type: multipart/mixed; boundary="x%d"\n\n--x%d\n' % (number, number) for number in range(1_000)
    )
    check(f"To: {RETURN_PATH.of(7)}\n".encode() + deep)
    check(b"Content-Type: message/rfc822\n\n" * 2_000)


@pytest.mark.parametrize(
    "piece", [b"-", b"-- ", b"a", b"@", b"<", b"5.", b"<a@b.example>: ", b"warning ", b"\n", b"\t>"]
)
def test_an_endless_message_is_read_within_the_time_limit(piece: bytes) -> None:
    start = qmail("550 5.1.1 user unknown").partition(b"Hi.")[0]
    check(start + b"Hi. This is the qmail-send program at mx.example.\n" + piece * 100_000)
    check(b"To: " + piece.strip() * 100_000 + b"\n" + start)
