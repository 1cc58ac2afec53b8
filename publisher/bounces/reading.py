"""From the bytes of a message to a report: pure, and never an error, whatever the bytes are."""

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
from publisher.bounces.verdict import short_words
from publisher.core.bounce_report import Addressee, Report, Verdict
from publisher.mail.links import LinkPurpose, Links
from publisher.mail.verp import ReturnPath

MOST_BYTES = 1_000_000
"""How much of a report is read. A longer one has a long message attached at its end."""

# Where servers write down whom a message was for. Nothing in them is believed without our signature.
_RECIPIENTS = ("Delivered-To", "X-Original-To", "Envelope-To", "X-Envelope-To", "X-Delivered-To", "X-RCPT-To", "To")

# What the email package and flufl.bounce raise for bytes that were made to break them.
_BROKEN = (
    *(ValueError, LookupError, TypeError, AttributeError, AssertionError, ArithmeticError),
    *(RecursionError, MessageError),
)


@dataclass(frozen=True, slots=True)
class Signatures:
    """What identifies our own messages: the signatures of their return paths and of their links."""

    return_path: ReturnPath | None
    links: Links


def read_message(data: bytes, signatures: Signatures) -> Report:
    """Return what a message reports, and about whom. Never raises.

    A failure is believed only if the message came to the return address of one delivery, which we have signed; a
    complaint also if the message enclosed in it has a signature of ours. Any other address in it is ignored.
    """
    try:
        return _read(message_from_bytes(data[:MOST_BYTES], policy=policy.compat32), signatures)
    except _BROKEN:
        return Report(Verdict.FOREIGN)


def _read(message: Message, signatures: Signatures) -> Report:
    complaint = read_arf(message)
    if complaint is not None:
        return _complaint(message, signatures) if complaint else Report(Verdict.NOTHING)
    recipients = list(_recipients(message))
    addressee = _by_return_path(recipients, signatures)
    failure = _failure(message)
    if not addressee:
        return Report(_stranger(recipients, signatures))
    if failure is None or failure.verdict is Verdict.NOTHING:
        return Report(Verdict.NOTHING, addressee)
    return _report(failure, addressee)


def _failure(message: Message) -> Failure | None:
    """Return the failure that a message reports; None for replies of people and automatic replies."""
    if of_type(message, "message/disposition-notification"):
        return None
    return read_dsn(message) or (None if _is_answer(message) else read_legacy(message))


def _is_answer(message: Message) -> bool:
    """Return whether a message is an automatic reply (RFC 3834).

    Servers that report failures also set Auto-Submitted, but don't reply to one message in particular.
    """
    if any(header(message, name) for name in ("X-Autoreply", "X-Autorespond", "X-Autoresponder", "X-Vacation")):
        return True
    if header(message, "Precedence").lower() in ("auto_reply", "auto-reply"):
        return True
    replied = header(message, "Auto-Submitted").lower().startswith("auto-replied")
    return replied and bool(header(message, "In-Reply-To")) and not header(message, "X-Failed-Recipients")


def _report(failure: Failure, addressee: Addressee) -> Report:
    keys = (f"{addressee.key} {failure.verdict}",)
    return Report(failure.verdict, addressee, failure.status, short_words(failure.words), keys)


def _complaint(message: Message, signatures: Signatures) -> Report:
    """Whom a complaint is about: by the message's return path, its unsubscribe link, or the report's own address."""
    inside, outside = list(return_addresses(message)), list(_recipients(message))
    if addressee := _by_return_path(inside, signatures):
        pass
    elif uids := {found[0] for token in unsubscribe_tokens(message) if (found := _read_token(token, signatures))}:
        addressee = Addressee(uid=uids.pop()) if len(uids) == 1 else Addressee()
    else:
        addressee = _by_return_path(outside, signatures)
    if not addressee:
        return Report(_stranger([*inside, *outside], signatures))
    return Report(Verdict.COMPLAINT, addressee, keys=(f"{addressee.key} {Verdict.COMPLAINT}",))


def _read_token(token: str, signatures: Signatures) -> tuple[str, ...] | None:
    return signatures.links.read(LinkPurpose.UNSUBSCRIBE, token)


def _recipients(message: Message) -> Iterable[str]:
    for value in headers(message, *_RECIPIENTS):
        yield from addresses_in(value)


def _by_return_path(addresses: Iterable[str], signatures: Signatures) -> Addressee:
    """Return the one delivery that signed addresses name; nobody if there are none, or several."""
    path = signatures.return_path
    if path is None:
        return Addressee()
    found = {Addressee(delivery_id=path.read(each), asked=path.read_notice(each)) for each in addresses} - {Addressee()}
    return found.pop() if len(found) == 1 else Addressee()


def _stranger(addresses: Iterable[str], signatures: Signatures) -> Verdict:
    """Return FORGED if an address pretends to be one of ours, else FOREIGN."""
    path = signatures.return_path
    forged = path is not None and any(path.pretends(address) for address in addresses)
    return Verdict.FORGED if forged else Verdict.FOREIGN
