"""Reads reports from Amazon SES that arrive through SNS, signed with a certificate that is fetched from Amazon."""

from __future__ import annotations

import base64
import binascii
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509 import Certificate, load_pem_x509_certificate

from publisher.bounces.arf import COMPLAINTS
from publisher.bounces.providers.webhook_request import (
    MOST_EVENTS,
    WebhookError,
    WebhookRequest,
    addressee_of,
    event_in,
    event_key,
    parsed,
    report,
    rows,
    same,
    settled,
    table,
    text,
)
from publisher.bounces.verdict import weigh
from publisher.core.bounce_report import Addressee, Report, Verdict

if TYPE_CHECKING:
    import httpx

Fetch = Callable[[str], bytes]
"""Returns the content of a URL; raises OSError if there is no answer."""

FETCH_SECONDS = 10
FETCH_BYTES = 100_000

_HOST = re.compile(r"sns\.[a-z]{2}(-[a-z]+)+-\d{1,2}\.amazonaws\.com(\.cn)?")
_MOST_CERTIFICATES = 20

# The signed fields in their order, each name and value on a line of its own; Subject only if there is one.
_NOTIFICATION = ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type")
_CONFIRMATION = ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type")

# The field for the kind of an event: in a notification of SES, and in an event of a configuration set.
_KINDS = ("notificationType", "eventType")
# Subtypes of a bounce that are conclusive, including the reasons on Amazon's own suppression lists.
_SUBTYPES = {
    "ContentRejected": Verdict.REFUSED,
    "AttachmentRejected": Verdict.REFUSED,
    "MessageTooLarge": Verdict.REFUSED,
    "Suppressed": Verdict.PERMANENT,
    "OnAccountSuppressionList": Verdict.PERMANENT,
    "UnsubscribedRecipient": Verdict.UNSUBSCRIBED,
}


@dataclass
class Sns:
    """Reads requests from SNS, and caches the certificates, which change only every few years.

    fetch  returns the content of an Amazon URL, and raises OSError if there is no answer
    """

    fetch: Fetch
    _certificates: dict[str, Certificate] = field(default_factory=dict)

    def read(self, request: WebhookRequest, topic_arn: str) -> list[Report]:
        """Return the reports in a request; confirm a subscription to our own topic by fetching its URL.

        Raises WebhookError with status 403 for a different topic or an invalid signature, 400 if there is no event,
        or 503 if the certificate or the confirmation URL cannot be fetched, so that SNS tries again.
        """
        message = table(parsed(request.body))
        if not same(text(message.get("TopicArn")), topic_arn):
            raise WebhookError(403)
        kind = text(message.get("Type"))
        names = _NOTIFICATION if kind == "Notification" else _CONFIRMATION
        self._verify(message, names, request.now)
        if kind == "Notification":
            return _read_event(request, event_in(parsed(_whole_text(message.get("Message"))), *_KINDS))
        if kind == "SubscriptionConfirmation":
            self._confirm(text(message.get("SubscribeURL")))
        return []

    def _confirm(self, url: str) -> None:
        if not is_amazons(url):
            raise WebhookError(403)
        try:
            self.fetch(url)
        except OSError as error:
            raise WebhookError(503) from error

    def _verify(self, message: dict[str, Any], names: tuple[str, ...], now: datetime) -> None:
        # Version 1, the default of SNS, is SHA-1; version 2 is SHA-256.
        versions = {"1": hashes.SHA1(), "2": hashes.SHA256()}  # noqa: S303 - the signer chooses
        algorithm = versions.get(text(message.get("SignatureVersion")))
        certificate = self._certificate(text(message.get("SigningCertURL")), now)
        key = certificate.public_key()
        if algorithm is None or not isinstance(key, rsa.RSAPublicKey):
            raise WebhookError(403)
        try:
            signature = base64.b64decode(text(message.get("Signature")), validate=True)
            key.verify(signature, signed_text(message, names), padding.PKCS1v15(), algorithm)
        except (InvalidSignature, binascii.Error, ValueError) as error:
            raise WebhookError(403) from error

    def _certificate(self, url: str, now: datetime) -> Certificate:
        if not is_amazons(url) or not urlsplit(url).path.endswith(".pem"):
            raise WebhookError(403)
        if url not in self._certificates:
            found = self._fetched(url)
            if len(self._certificates) >= _MOST_CERTIFICATES:
                self._certificates.clear()
            self._certificates[url] = found
        found = self._certificates[url]
        if not found.not_valid_before_utc <= now <= found.not_valid_after_utc:
            raise WebhookError(403)
        return found

    def _fetched(self, url: str) -> Certificate:
        try:
            return load_pem_x509_certificate(self.fetch(url))
        except (OSError, ValueError) as error:
            raise WebhookError(503) from error


def is_amazons(url: str) -> bool:
    """Return whether a URL starts with https and an Amazon SNS host, without a port or user name."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    plain = url.isascii() and url.isprintable() and " " not in url and "\\" not in url
    return plain and parts.scheme == "https" and _HOST.fullmatch(parts.netloc) is not None


def signed_text(message: dict[str, Any], names: tuple[str, ...]) -> bytes:
    """Return the part of an SNS message that its signature covers."""
    lines = [f"{name}\n{_whole_text(message[name])}\n" for name in names if name in message]
    return "".join(lines).encode("utf-8", "surrogatepass")


def _whole_text(value: Any) -> str:
    """Return a JSON string in full, because all of it is signed; "" for anything else."""
    return value if isinstance(value, str) else ""


def fetch_from_amazon(url: str) -> bytes:
    """Return the content of a URL.

    Raises OSError if there is no complete answer within FETCH_SECONDS, for a redirect or any other status than 200, and
    for more than FETCH_BYTES.
    """
    import httpx  # the import takes 60 ms, and a certificate is rarely fetched

    try:
        with httpx.Client(timeout=FETCH_SECONDS, follow_redirects=False) as client:
            return _fetched(client, url)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise OSError(f"no answer: {type(error).__name__}") from error


def _fetched(client: httpx.Client, url: str) -> bytes:
    end, data = time.monotonic() + FETCH_SECONDS, b""
    with client.stream("GET", url) as answer:
        if answer.status_code != 200:
            raise OSError(f"answered {answer.status_code}")
        for part in answer.iter_bytes():
            data += part
            if len(data) > FETCH_BYTES or time.monotonic() > end:  # httpx's own timeout starts again with every byte
                raise OSError("the answer is too long or too slow")
    return data


def _read_event(request: WebhookRequest, event: dict[str, Any]) -> list[Report]:
    """Return a report for each recipient of a bounce, complaint or unsubscribe; an empty list for anything else."""
    kind = next((kind for name in _KINDS if (kind := text(event.get(name)))), "")
    if kind == "Bounce":
        return list(_bounces(request, event, table(event.get("bounce"))))
    if kind == "Complaint":
        return list(_complaints(request, event, table(event.get("complaint"))))
    if kind == "Subscription":
        return list(_unsubscribes(request, event, table(event.get("subscription"))))
    return []


def _bounces(request: WebhookRequest, event: dict[str, Any], bounce: dict[str, Any]) -> Iterator[Report]:
    kind, detail = text(bounce.get("bounceType")), text(bounce.get("bounceSubType"))
    for each in rows(bounce.get("bouncedRecipients")):
        address, words = text(each.get("emailAddress")), text(each.get("diagnosticCode"))
        status = text(each.get("status"))
        key = event_key("ses", text(bounce.get("feedbackId")), address)
        judged = _SUBTYPES.get(detail) or _judged_by(kind, status, words)
        yield report(judged, _addressee(request, event, address), key, status=status or words, words=words)


def _judged_by(kind: str, status: str, words: str) -> Verdict:
    if kind == "Undetermined":
        return settled(status, words)
    return weigh(Verdict.PERMANENT if kind == "Permanent" else Verdict.TEMPORARY, status, words)


def _unsubscribes(request: WebhookRequest, event: dict[str, Any], change: dict[str, Any]) -> Iterator[Report]:
    """Yield a report for each recipient who unsubscribed from the contact list, or from all of its topics."""
    wanted = table(change.get("newTopicPreferences"))
    topics = [text(topic.get("subscriptionStatus")) for topic in rows(wanted.get("topicSubscriptionStatus"))]
    if wanted.get("unsubscribeAll") is not True and (not topics or any(each != "OptOut" for each in topics)):
        return
    mail = table(event.get("mail"))
    found = mail.get("destination")
    for address in map(text, found[:MOST_EVENTS] if isinstance(found, list) else []):
        key = event_key("ses", "subscription", text(mail.get("messageId")), address, text(change.get("timestamp")))
        yield report(Verdict.UNSUBSCRIBED, _addressee(request, event, address), key)


def _complaints(request: WebhookRequest, event: dict[str, Any], complaint: dict[str, Any]) -> Iterator[Report]:
    kind = text(complaint.get("complaintFeedbackType")).lower()
    verdict = Verdict.COMPLAINT if not kind or kind in COMPLAINTS else Verdict.NOTHING
    for each in rows(complaint.get("complainedRecipients")):
        address = text(each.get("emailAddress"))
        key = event_key("ses", text(complaint.get("feedbackId")), address)
        yield report(verdict, _addressee(request, event, address), key)


def _addressee(request: WebhookRequest, event: dict[str, Any], address: str) -> Addressee:
    mail = table(event.get("mail"))
    headers = [row for row in rows(mail.get("headers")) if text(row.get("name")).lower() == "list-unsubscribe"]
    links = [text(row.get("value")) for row in headers]
    return addressee_of(request, address, sender=text(mail.get("source")), unsubscribe=links)
