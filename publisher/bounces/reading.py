"""From a message's bytes to a report: pure, and never an error, whatever the bytes are."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.errors import MessageError
from email.message import Message

from publisher.bounces.arf import read_arf, return_addresses, unsubscribe_tokens
from publisher.bounces.dsn import Failure, read_dsn
from publisher.bounces.legacy import read_legacy
from publisher.bounces.parts import addresses_in, header, headers, of_type
from publisher.bounces.status import short_words
from publisher.core.bounce_report import Report, Verdict, Whose
from publisher.mail.links import LinkPurpose, Links
from publisher.mail.verp import ReturnPath

MOST_BYTES = 1_000_000
"""A report is judged by its first bytes: what is longer carries a long letter at its end."""

# Where the servers on the way write to whom a message came. None of it is believed without our signature.
_RECIPIENTS = ("Delivered-To", "X-Original-To", "Envelope-To", "X-Envelope-To", "X-Delivered-To", "X-RCPT-To", "To")

# What the email package and flufl.bounce raise at bytes that were made to hurt them.
_BROKEN = (
    *(ValueError, LookupError, TypeError, AttributeError, AssertionError, ArithmeticError),
    *(RecursionError, MessageError),
)


@dataclass(frozen=True, slots=True)
class Marks:
    """By what we know our own letters again: the signatures of their return paths and of their links."""

    return_path: ReturnPath | None
    links: Links


def read_message(data: bytes, marks: Marks) -> Report:
    """Return what a message reports, and of whose letter. Never raises.

    A failure is believed only where the message came to the return address of one letter, signed by us;
    a complaint also where the letter inside it bears a signature of ours. Whatever else a message says of
    addresses is not looked at.
    """
    try:
        return _read(message_from_bytes(data[:MOST_BYTES], policy=policy.compat32), marks)
    except _BROKEN:
        return Report(Verdict.FOREIGN)


def _read(message: Message, marks: Marks) -> Report:
    complaint = read_arf(message)
    if complaint is not None:
        return _complaint(message, marks) if complaint else Report(Verdict.NOTHING)
    recipients = list(_recipients(message))
    whose = _by_return_path(recipients, marks)
    failure = _failure(message)
    if not whose:
        return Report(_stranger(recipients, marks))
    if failure is None or failure.verdict is Verdict.NOTHING:
        return Report(Verdict.NOTHING, whose)
    return _report(failure, whose)


def _failure(message: Message) -> Failure | None:
    """Return the failure a message tells of; None for all that people and their machines answer."""
    if of_type(message, "message/disposition-notification"):
        return None
    return read_dsn(message) or (None if _is_answer(message) else read_legacy(message))


def _is_answer(message: Message) -> bool:
    """Return whether a machine answered for its owner (RFC 3834); servers that report failures say so too,
    but do not answer to one letter's subject."""
    if any(header(message, name) for name in ("X-Autoreply", "X-Autorespond", "X-Autoresponder", "X-Vacation")):
        return True
    if header(message, "Precedence").lower() in ("auto_reply", "auto-reply"):
        return True
    replied = header(message, "Auto-Submitted").lower().startswith("auto-replied")
    return replied and bool(header(message, "In-Reply-To")) and not header(message, "X-Failed-Recipients")


def _report(failure: Failure, whose: Whose) -> Report:
    keys = (f"{whose.letter} {failure.verdict}",)
    return Report(failure.verdict, whose, failure.status, short_words(failure.words), keys)


def _complaint(message: Message, marks: Marks) -> Report:
    """A complaint: by the letter's own return path, by its link to leave, or by where the report came."""
    inside, outside = list(return_addresses(message)), list(_recipients(message))
    if whose := _by_return_path(inside, marks):
        pass
    elif uids := {found[0] for token in unsubscribe_tokens(message) if (found := _read_token(token, marks))}:
        whose = Whose(uid=uids.pop()) if len(uids) == 1 else Whose()
    else:
        whose = _by_return_path(outside, marks)
    if not whose:
        return Report(_stranger([*inside, *outside], marks))
    return Report(Verdict.COMPLAINT, whose, keys=(f"{whose.letter} {Verdict.COMPLAINT}",))


def _read_token(token: str, marks: Marks) -> tuple[str, ...] | None:
    return marks.links.read(LinkPurpose.UNSUBSCRIBE, token)


def _recipients(message: Message) -> Iterable[str]:
    for value in headers(message, *_RECIPIENTS):
        yield from addresses_in(value)


def _by_return_path(addresses: Iterable[str], marks: Marks) -> Whose:
    """Return the one letter that signed addresses name; nobody's where there are none, or several."""
    path = marks.return_path
    if path is None:
        return Whose()
    found = {Whose(delivery_id=path.read(each), asked=path.read_notice(each)) for each in addresses} - {Whose()}
    return found.pop() if len(found) == 1 else Whose()


def _stranger(addresses: Iterable[str], marks: Marks) -> Verdict:
    """Tell an address that pretends to be one of ours from all others."""
    path = marks.return_path
    forged = path is not None and any(path.pretends(address) for address in addresses)
    return Verdict.FORGED if forged else Verdict.FOREIGN
