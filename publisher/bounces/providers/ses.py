"""Amazon SES by SNS: messages signed with a certificate of Amazon's, which is fetched from Amazon alone."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from publisher.bounces.providers.requests import Call, CallError, event_in, parsed, same, table, text
from publisher.bounces.providers.ses_events import KINDS, read_event
from publisher.core.bounce_report import Report

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

Fetch = Callable[[str], bytes]
"""Returns the first bytes behind a URL; raises OSError where there is no answer."""

_HOST = re.compile(r"sns\.[a-z]{2}(-[a-z]+)+-\d{1,2}\.amazonaws\.com(\.cn)?")
_MOST_CERTIFICATES = 20

# What is signed, in this order, each name and value on a line; Subject only where there is one.
_NOTIFICATION = ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type")
_CONFIRMATION = ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type")


def is_amazons(url: str) -> bool:
    """Return whether a URL is https at an SNS host of Amazon's, without port and login."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    plain = url.isascii() and url.isprintable() and " " not in url and "\\" not in url
    return plain and parts.scheme == "https" and _HOST.fullmatch(parts.netloc) is not None


@dataclass
class Sns:
    """Reads calls of SNS; remembers certificates, which change once in years. fetch: asks Amazon."""

    fetch: Fetch
    _certificates: dict[str, Certificate] = field(default_factory=dict)

    def read(self, call: Call, topic_arn: str) -> list[Report]:
        """Return what a call reports; confirm a subscription to our own topic by fetching its address.

        Raises CallError: 403 for another topic or a false signature, 400 for no event, 503 where Amazon gave no
        certificate or took no confirmation, so that SNS tries again.
        """
        told = table(parsed(call.body))
        if not same(text(told.get("TopicArn")), topic_arn):
            raise CallError(403)
        kind = text(told.get("Type"))
        names = _NOTIFICATION if kind == "Notification" else _CONFIRMATION
        self._prove(told, names, call.now)
        if kind == "Notification":
            return read_event(call, event_in(parsed(text_whole(told.get("Message"))), *KINDS))
        if kind == "SubscriptionConfirmation":
            self._confirm(text(told.get("SubscribeURL")))
        return []

    def _confirm(self, url: str) -> None:
        if not is_amazons(url):
            raise CallError(403)
        try:
            self.fetch(url)
        except OSError as error:
            raise CallError(503) from error

    def _prove(self, told: dict[str, Any], names: tuple[str, ...], now: datetime) -> None:
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives import hashes
        from cryptography.hazmat.primitives.asymmetric import padding, rsa

        # SHA-1 is what version 1 is made of, and SNS's default; version 2 is SHA-256.
        versions = {"1": hashes.SHA1(), "2": hashes.SHA256()}  # noqa: S303 - the signer chooses
        algorithm = versions.get(text(told.get("SignatureVersion")))
        certificate = self._certificate(text(told.get("SigningCertURL")), now)
        key = certificate.public_key()
        if algorithm is None or not isinstance(key, rsa.RSAPublicKey):
            raise CallError(403)
        try:
            signature = base64.b64decode(text(told.get("Signature")), validate=True)
            key.verify(signature, signed_text(told, names), padding.PKCS1v15(), algorithm)
        except (InvalidSignature, binascii.Error, ValueError) as error:
            raise CallError(403) from error

    def _certificate(self, url: str, now: datetime) -> Certificate:
        if not is_amazons(url) or not urlsplit(url).path.endswith(".pem"):
            raise CallError(403)
        if url not in self._certificates:
            found = self._fetched(url)
            if len(self._certificates) >= _MOST_CERTIFICATES:
                self._certificates.clear()
            self._certificates[url] = found
        found = self._certificates[url]
        if not found.not_valid_before_utc <= now <= found.not_valid_after_utc:
            raise CallError(403)
        return found

    def _fetched(self, url: str) -> Certificate:
        from cryptography.x509 import load_pem_x509_certificate

        try:
            return load_pem_x509_certificate(self.fetch(url))
        except (OSError, ValueError) as error:
            raise CallError(503) from error


def signed_text(told: dict[str, Any], names: tuple[str, ...]) -> bytes:
    """Return what SNS signs of a message."""
    lines = [f"{name}\n{text_whole(told[name])}\n" for name in names if name in told]
    return "".join(lines).encode("utf-8", "surrogatepass")


def text_whole(value: Any) -> str:
    """Return a string, uncut: all of it is signed."""
    return value if isinstance(value, str) else ""
