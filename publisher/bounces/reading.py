"""Turns the bytes of a message into a report. It has no side effects, and never raises an error."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from email.message import Message

from publisher.bounces.arf import read_arf, return_addresses, unsubscribe_tokens
from publisher.bounces.dsn import Failure, read_dsn
from publisher.bounces.legacy import is_from_server, read_full_mailbox, read_legacy
from publisher.bounces.parts import addresses_in, header, headers, of_type, parse_report
from publisher.bounces.verdict import short_words
from publisher.core.bounce_report import Addressee, Report, Verdict
from publisher.core.frozen import dataclass
from publisher.core.mime import BROKEN
from publisher.mail.links import LinkPurpose, Links
from publisher.mail.verp import ReturnPath

MOST_BYTES = 1_000_000
"""How much of a report is read. A longer one has a long message attached at its end."""

# Headers in which servers record the recipient of a message. They are not trusted without our signature.
_RECIPIENTS = ("Delivered-To", "X-Original-To", "Envelope-To", "X-Envelope-To", "X-Delivered-To", "X-RCPT-To", "To")

# Headers that only reports of failures have.
_REPORTS = ("X-Failed-Recipients", "X-MS-Exchange-Message-Is-Ndr")

# Errors that the email package and flufl.bounce raise for malformed or malicious messages.
_BROKEN = (*BROKEN, RecursionError)


@dataclass(frozen=True, slots=True)
class Signatures:
    """The signatures that identify our own messages, in their return paths and in their links."""

    return_path: ReturnPath | None
    links: Links


def read_message(data: bytes, signatures: Signatures) -> Report:
    """Return the report in a message, with its addressee. Never raises. A request to unsubscribe is a report as well.

    A failure is trusted only if the report was sent to the return address of one delivery, which has our signature.
    A complaint is also trusted if the message enclosed in it has our signature. All other addresses are ignored.
    """
    try:
        return _read(parse_report(data[:MOST_BYTES]), data[:MOST_BYTES], signatures)
    except _BROKEN:
        return Report(Verdict.FOREIGN)


def _read(message: Message, data: bytes, signatures: Signatures) -> Report:
    complaint = read_arf(message)
    if complaint is not None:
        return _complaint(message, signatures) if complaint else Report(Verdict.NOTHING)
    recipients = list(_recipients(message))
    if (left := _unsubscribed(message, data, recipients, signatures)) is not None:
        return left
    addressee = _by_return_path(recipients, signatures)
    if not addressee:
        return Report(_stranger(recipients, signatures))  # nothing in a stranger's message is read
    failure = _failure(message)
    if failure is None or failure.verdict is Verdict.NOTHING:
        return Report(Verdict.NOTHING, addressee)
    return _report(failure, addressee)


def _unsubscribed(message: Message, data: bytes, recipients: Iterable[str], signatures: Signatures) -> Report | None:
    """Return the report of a message to an address for unsubscribing (RFC 2369, 3.2); None for other messages.

    The address is the request, whatever the message says. Only a failure report does not count, because no person sent
    it. A message counts only once, so that a copy does not unsubscribe someone who has subscribed again since.
    """
    path = signatures.return_path
    found = {read for each in recipients if path and (read := path.read_unsubscribing(each))}
    if len(found) != 1 or of_type(message, "message/delivery-status"):
        return None
    uid, key = found.pop()
    identity = header(message, "Message-ID") or hashlib.sha256(data).hexdigest()
    keys = (f"unsubscribe {uid} {key} {identity[:300]}",)
    return Report(Verdict.UNSUBSCRIBED, Addressee(uid=uid), keys=keys, newsletter_key=key)


def _failure(message: Message) -> Failure | None:
    """Return the failure that a message reports; None for personal and automatic replies."""
    # Dovecot reports a full mailbox as a disposition (RFC 8098), otherwise a person's program.
    if of_type(message, "message/disposition-notification") and not is_from_server(message):
        return None
    if failure := read_dsn(message):
        return failure
    return read_full_mailbox(message) if _is_answer(message) else read_legacy(message)


def _is_answer(message: Message) -> bool:
    """Return whether a message is an automatic reply (RFC 3834).

    Servers that report failures also set Auto-Submitted, but not In-Reply-To.
    """
    if any(header(message, name) for name in ("X-Autoreply", "X-Autorespond", "X-Autoresponder", "X-Vacation")):
        return True
    if header(message, "Precedence").lower() in ("auto_reply", "auto-reply"):
        return True
    submitted = header(message, "Auto-Submitted").lower()
    if not submitted.startswith("auto-") or any(name in message for name in _REPORTS):
        return False
    replied = submitted.startswith("auto-replied") and bool(header(message, "In-Reply-To"))
    return replied or not is_from_server(message)


def _report(failure: Failure, addressee: Addressee) -> Report:
    keys = (f"{addressee.key} {failure.verdict}",)
    return Report(failure.verdict, addressee, failure.status, short_words(failure.words), keys)


def _complaint(message: Message, signatures: Signatures) -> Report:
    """Return the report of a complaint.

    Its addressee is found by the return path or unsubscribe link of the enclosed message, or else by the address to
    which the complaint was sent.
    """
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
    """Return the addressee whom signed addresses identify; an empty Addressee if there are none or several."""
    path = signatures.return_path
    if path is None:
        return Addressee()
    found = {Addressee(delivery_id=path.read(each), asked=path.read_notice(each)) for each in addresses} - {Addressee()}
    return found.pop() if len(found) == 1 else Addressee()


def _stranger(addresses: Iterable[str], signatures: Signatures) -> Verdict:
    """Return FORGED if an address imitates one of our return addresses, else FOREIGN."""
    path = signatures.return_path
    forged = path is not None and any(path.pretends(address) for address in addresses)
    return Verdict.FORGED if forged else Verdict.FOREIGN
