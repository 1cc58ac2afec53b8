"""The SMTP protocol without I/O is given replies, and returns bytes to send and the fate of each message."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from publisher.mail.smtp.protocol import Extensions, Fate, Message, MessageFate, SmtpProtocol, dot_stuffed
from publisher.mail.transport import Accepted, Deferred, GivenBack, RefusedAt, Rejected, Unanswered
from tests.support.smtp_protocol_samples import (
    FIRST,
    LOCKSTEP,
    PIPELINING,
    SECOND,
    Server,
    body,
    converse,
    fates,
    message,
    usual,
)

BOTH = pytest.mark.parametrize("offer", [PIPELINING, LOCKSTEP], ids=["pipelining", "lockstep"])


def test_the_next_envelope_is_sent_together_with_the_body_before_it() -> None:
    protocol = SmtpProtocol(PIPELINING)
    protocol.add(FIRST)
    assert b"".join(protocol.data_to_send()) == (
        b"MAIL FROM:<ada@example.org>\r\nRCPT TO:<reader1@example.org>\r\nDATA\r\n"
    )
    protocol.add(SECOND)
    assert protocol.data_to_send() == []
    assert protocol.receive(b"250 a\r\n250 b\r\n354 c\r\n") == []
    assert b"".join(protocol.data_to_send()) == (
        b"Message 1\r\n.\r\nMAIL FROM:<ada@example.org>\r\nRCPT TO:<reader2@example.org>\r\nDATA\r\n"
    )
    assert protocol.receive(b"250 taken\r\n250 a\r\n250 b\r\n354 c\r\n") == [MessageFate(FIRST, Accepted())]
    assert b"".join(protocol.data_to_send()) == b"Message 2\r\n.\r\n"
    assert protocol.receive(b"250 taken\r\n") == [MessageFate(SECOND, Accepted())]
    assert not protocol.busy


def test_without_pipelining_commands_wait_for_replies() -> None:
    protocol = SmtpProtocol(LOCKSTEP)
    protocol.add(FIRST)
    protocol.add(SECOND)
    writes = []
    for answer in (b"250 a", b"250 b", b"354 c", b"250 d", b"250 a"):
        writes.append(b"".join(protocol.data_to_send()).split(b"\r\n")[0].split(b":")[0])
        protocol.receive(answer + b"\r\n")
    assert writes == [b"MAIL FROM", b"RCPT TO", b"DATA", b"Message 1", b"MAIL FROM"]


def test_a_body_can_be_held_back() -> None:
    protocol = SmtpProtocol(PIPELINING)
    protocol.add(FIRST)
    protocol.data_to_send()
    protocol.receive(b"250 a\r\n250 b\r\n354 c\r\n")
    assert protocol.data_to_send(hand_over=False) == []
    assert protocol.end("enough") == [MessageFate(FIRST, GivenBack("enough", suspect=True))]


@pytest.mark.parametrize(
    ("said", "suspect"),
    [
        (b"", FIRST),
        (b"250 a\r\n421 busy\r\n", FIRST),
        (b"250 a\r\n250 b\r\n354 c\r\n|421 d\r\n", FIRST),
        (b"250 a\r\n250 b\r\n354 c\r\n|250 d\r\n", SECOND),
        (b"250 a\r\n250 b\r\n354 c\r\n|250 d\r\n421 e\r\n", SECOND),
    ],
)
def test_only_the_current_message_is_suspect(said: bytes, suspect: Message) -> None:
    protocol = SmtpProtocol(PIPELINING)
    protocol.add(FIRST)
    protocol.data_to_send()
    protocol.add(SECOND)
    answers = []
    for part in said.split(b"|"):
        answers += protocol.receive(part)
        protocol.data_to_send()
    answers += protocol.end("gone")
    back = [(answer.message, answer.fate) for answer in answers if isinstance(answer.fate, GivenBack)]
    assert [letter for letter, fate in back if fate.suspect] == [suspect]


LATER = ("450 4.2.1 busy", Deferred("450 4.2.1 busy"))
NOBODY = ("550 5.1.1 nobody", Rejected("550 5.1.1 nobody"))
SPAM = ("554 5.7.1 spam", Rejected("554 5.7.1 spam"))
TOO_LARGE = ("552 5.3.4 too large", Rejected("552 5.3.4 too large"))
# A sender that is permanently refused stops the run: this has its own test.
REFUSALS = [("MAIL", LATER), ("MAIL", TOO_LARGE)] + [
    (word, refusal) for word in ("RCPT", "DATA", ".") for refusal in (LATER, NOBODY, SPAM, TOO_LARGE)
]


@BOTH
@pytest.mark.parametrize(("word", "refusal"), REFUSALS)
def test_a_refusal_concerns_one_message(offer: Extensions, word: str, refusal: tuple[str, Fate]) -> None:
    said, fate = refusal
    count = {"MAIL": 0, "RCPT": 0, "DATA": 0, ".": 0}

    def answer(heard: str, _: int) -> str:
        if heard in count:
            count[heard] += 1
        return said if heard == word and count[heard] == 2 else usual(heard, 0)

    server = Server(answer)
    answers = converse(SmtpProtocol(offer), server, [message(n) for n in range(4)])
    if word == "MAIL" and isinstance(fate, Deferred | Rejected):
        fate = replace(fate, at=RefusedAt.SENDER)
    assert fates(answers) == {f"reader{n}": fate if n == 1 else Accepted() for n in range(4)}
    assert [b for b in server.taken if b] == [body(message(n)) for n in (0, 2, 3)]


def test_a_refused_message_may_get_an_empty_body() -> None:
    server = Server(lambda word, n: "550 no" if (word, n) == ("RCPT", 1) else usual(word, n))
    answers = converse(SmtpProtocol(PIPELINING), server, [FIRST, SECOND])
    assert fates(answers) == {"reader1": Rejected("550 no"), "reader2": Accepted()}
    assert server.taken == [b"", body(SECOND)]
    assert "RSET" not in server.commands


def test_an_envelope_without_body_is_reset() -> None:
    def answer(word: str, number: int) -> str:
        return {("RCPT", 1): "550 no", ("DATA", 2): "503 no recipients"}.get((word, number), usual(word, number))

    server = Server(answer)
    converse(SmtpProtocol(PIPELINING), server, [FIRST, SECOND])
    assert server.commands[:6] == ["MAIL", "RCPT", "DATA", "RSET", "MAIL", "RCPT"]
    assert server.taken == [body(SECOND)]


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (b"", {"reader1": GivenBack("gone"), "reader2": GivenBack("gone")}),
        (b"250 a\r\n550 no\r\n", {"reader1": GivenBack("gone"), "reader2": GivenBack("gone")}),
        (b"421 busy\r\n", {"reader1": GivenBack("421 busy"), "reader2": GivenBack("421 busy")}),
        (b"250 a\r\n250 b\r\n354 c\r\n", {"reader1": Unanswered("gone"), "reader2": GivenBack("gone")}),
        (b"250 a\r\n250 b\r\n354 c\r\n|250 d\r\n250 e", {"reader1": Accepted(), "reader2": GivenBack("gone")}),
        (b"250 a\r\n250 b\r\n354 c\r\n|421 d\r\n", {"reader1": GivenBack("421 d"), "reader2": GivenBack("421 d")}),
    ],
)
def test_only_a_message_that_was_handed_over_is_in_doubt(said: bytes, expected: dict[str, Fate]) -> None:
    protocol = SmtpProtocol(PIPELINING)
    protocol.add(FIRST)
    protocol.data_to_send()
    protocol.add(SECOND)
    answers = []
    for part in said.split(b"|"):
        answers += protocol.receive(part)
        protocol.data_to_send()
    answers += protocol.end("gone")
    assert fates(answers) == expected
    assert protocol.ending is not None


@pytest.mark.parametrize(
    ("said", "reason", "hint"),
    [
        (b"550 5.7.1 not you\r\n", "refuses the sender ada@example.org: 550", "see mail.sender"),
        (b"530 5.7.0 first\r\n", "requires a login: 530", "username"),
        (b"what?\r\n", "broke the protocol", ""),
        (b"354 too early\r\n", "broke the protocol", ""),
        (b"250 a\r\n250 b\r\n250 no body?\r\n", "broke the protocol", ""),
    ],
)
def test_a_fault_that_concerns_no_message_only_ends_the_conversation(said: bytes, reason: str, hint: str) -> None:
    protocol = SmtpProtocol(PIPELINING)
    protocol.add(FIRST)
    protocol.data_to_send()
    (answer,) = protocol.receive(said)
    assert isinstance(answer.fate, GivenBack)
    assert protocol.ending is not None
    assert reason in protocol.ending.reason
    assert hint in protocol.ending.hint


def test_an_unexpected_reply_ends_the_conversation() -> None:
    protocol = SmtpProtocol(PIPELINING)
    assert protocol.receive(b"250 hello?\r\n") == []
    assert protocol.ending is not None
    assert not protocol.has_room


def test_extensions_are_used_if_offered_and_needed() -> None:
    everything = Extensions(pipelining=True, eight_bit=True, size=True, smtputf8=True)

    def first_line(offer: Extensions, letter: Message) -> bytes:
        protocol = SmtpProtocol(offer)
        protocol.add(letter)
        return b"".join(protocol.data_to_send()).split(b"\r\n")[0].removeprefix(b"MAIL FROM:<ada@example.org>")

    assert first_line(everything, FIRST) == b" SIZE=11"
    assert first_line(everything, message(1, utf8=True, eight_bit=True)) == b" SIZE=11 BODY=8BITMIME SMTPUTF8"
    assert first_line(PIPELINING, message(1, eight_bit=True)) == b""
    (answer,) = SmtpProtocol(PIPELINING).add(message(1, utf8=True))
    assert isinstance(answer.fate, Rejected)
    assert "SMTPUTF8" in answer.fate.reason


def test_quit_ends_the_conversation() -> None:
    protocol = SmtpProtocol(PIPELINING)
    converse(protocol, Server(usual), [FIRST])
    protocol.quit()
    assert protocol.data_to_send() == [b"QUIT\r\n"]
    assert protocol.receive(b"221 bye\r\n") == []
    assert protocol.ending is not None


CODES = """
    250 ok|250-two\r\n250 lines|354 go|421 4.3.2 down|450 4.2.0 later|452 full|550 5.1.1 gone|554 5.7.1 spam
    |530 5.7.0 login|503 order|221 bye|garbage|250-cut\r\n550 x
"""
SAID = [code.strip(" \n") for code in CODES.split("|")]


@given(
    script=st.lists(st.sampled_from(SAID), max_size=60),
    usually=st.integers(0, 3),
    chunks=st.lists(st.integers(1, 40), min_size=1, max_size=30),
    pipelining=st.booleans(),
)
def test_every_message_gets_exactly_one_fate(
    script: list[str], usually: int, chunks: list[int], pipelining: bool
) -> None:
    letters = [message(n) for n in range(8)]

    def answer(word: str, number: int) -> str:
        odd = number < len(script) and number % (usually + 1) == 0
        return script[number] if odd else usual(word, number)

    server, protocol = Server(answer), SmtpProtocol(Extensions(pipelining=pipelining))
    waiting, answers, pending, turn = list(letters), [], b"", 0
    while True:
        while waiting and protocol.has_room:
            answers += protocol.add(waiting.pop(0))
        heard = server.hear(b"".join(protocol.data_to_send()))
        pending += "".join(f"{line}\r\n" for line in heard).encode()
        if not pending or protocol.ending:
            break
        size = chunks[turn % len(chunks)]
        answers += protocol.receive(pending[:size])
        pending, turn = pending[size:], turn + 1
    answers += protocol.end("the end")

    assert sorted(id(a.message) for a in answers) == sorted(id(m) for m in letters if m not in waiting)
    accepted = [body(a.message) for a in answers if isinstance(a.fate, Accepted)]
    assert all(content in server.taken for content in accepted)
    assert len([a for a in answers if isinstance(a.fate, Unanswered)]) <= 1
    unsure = [body(a.message) for a in answers if isinstance(a.fate, Accepted | Unanswered)]
    assert all(content in unsure for content in server.taken if content)  # accepted messages are never given back


@given(st.lists(st.sampled_from([b".", b"..", b"\r\n", b"\n", b"a", b"\r"]), max_size=12).map(b"".join))
def test_content_never_contains_the_end_mark(body: bytes) -> None:
    content = dot_stuffed(body)
    assert content.endswith(b"\r\n")
    assert b"\n.\r\n" not in b"\r\n" + content
    assert b"\n.\n" not in b"\r\n" + content
