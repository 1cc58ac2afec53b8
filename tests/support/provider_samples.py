"""Webhook requests of providers, signed with our own keys."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.x509.oid import NameOID

from publisher.bounces.providers.sendgrid import SIGNATURE, TIMESTAMP
from publisher.bounces.providers.webhook_request import WebhookError, WebhookRequest
from publisher.core.bounce_report import Addressee, Report
from tests.support.bounce_samples import SIGNATURES
from tests.support.store_samples import NOW

TOPIC = "arn:aws:sns:eu-west-1:123456789012:bounces"
CERTIFICATE_URL = "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-abc.pem"
CONFIRM_URL = "https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription&Token=t"
ADA = Addressee(address="ada@example.org")
SECRET = "correct horse battery staple"

AMAZON = rsa.generate_private_key(65_537, 2_048)
STRANGER = rsa.generate_private_key(65_537, 2_048)
TWILIO = ec.generate_private_key(ec.SECP256R1())


def certificate(key: rsa.RSAPrivateKey, days: int = 30) -> bytes:
    """Return a certificate of a key, valid until this many days after NOW."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sns.amazonaws.com")])
    built = x509.CertificateBuilder(name, name, key.public_key(), 1, NOW - timedelta(40), NOW + timedelta(days))
    return built.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


@dataclass
class Amazon:
    """Takes the place of Amazon's servers, and remembers the requested URLs."""

    certificate: bytes = field(default_factory=lambda: certificate(AMAZON))
    asked: list[str] = field(default_factory=list)

    def __call__(self, url: str) -> bytes:
        self.asked.append(url)
        return self.certificate if url.endswith(".pem") else b"<ConfirmSubscriptionResponse/>"


def call(body: Any, *, now: Any = NOW, **headers: str) -> WebhookRequest:
    """Return a request with this JSON body, or bytes."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return WebhookRequest({name.replace("_", "-"): value for name, value in headers.items()}, data, now, SIGNATURES)


def refused(read: Callable[[], Any]) -> int:
    """Return the status with which a request is refused."""
    with pytest.raises(WebhookError) as caught:
        read()
    return caught.value.status


def described(reports: list[Report]) -> list[tuple[str, Addressee, str]]:
    return [(report.verdict.value, report.addressee, report.status) for report in reports]


def sns(
    message: Any, *, kind: str = "Notification", version: str = "2", key: rsa.RSAPrivateKey = AMAZON, **changes: str
) -> dict[str, str]:
    """Return a signed message of SNS; `changes` are made before signing."""
    body = {
        "Type": kind,
        "MessageId": "m-1",
        "TopicArn": TOPIC,
        "Message": message if isinstance(message, str) else json.dumps(message),
        "Timestamp": "2026-11-21T09:00:00.000Z",
        "SignatureVersion": version,
        "SigningCertURL": CERTIFICATE_URL,
    }
    names = ["Message", "MessageId", "Timestamp", "TopicArn", "Type"]
    if kind != "Notification":
        body |= {"SubscribeURL": CONFIRM_URL, "Token": "t"}
        names = ["Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"]
    elif "Subject" in changes:
        names.insert(2, "Subject")
    body |= changes
    text = "".join(f"{name}\n{body[name]}\n" for name in names).encode()
    algorithm = hashes.SHA1() if version == "1" else hashes.SHA256()
    body["Signature"] = base64.b64encode(key.sign(text, padding.PKCS1v15(), algorithm)).decode()
    return body


def ses_bounce(kind: str = "Permanent", detail: str = "General", source: str = "x@letters.example", **rest: str) -> Any:
    recipient = {"emailAddress": "ada@example.org"} | rest
    bounce = {"bounceType": kind, "bounceSubType": detail, "bouncedRecipients": [recipient], "feedbackId": "f-1"}
    return {"notificationType": "Bounce", "bounce": bounce, "mail": {"source": source}}


def basic(password: str, user: str = "hook") -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def mailgun(event: Any, *, key: str = SECRET, seconds: int = 0, token: str = "t" * 50) -> dict[str, Any]:
    timestamp = str(int(NOW.timestamp()) + seconds)
    signature = hmac.new(key.encode(), (timestamp + token).encode(), hashlib.sha256).hexdigest()
    return {"signature": {"timestamp": timestamp, "token": token, "signature": signature}, "event-data": event}


def mailgun_failure(severity: str = "permanent", reason: str = "bounce", **status: Any) -> Any:
    event = {"event": "failed", "severity": severity, "reason": reason, "id": "e-1", "recipient": "ada@example.org"}
    return event | {"delivery-status": status}


TWILIO_KEY = base64.b64encode(
    TWILIO.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
).decode()


def sendgrid(events: Any, key: ec.EllipticCurvePrivateKey = TWILIO, timestamp: str = "1763715600") -> WebhookRequest:
    body = json.dumps(events).encode()
    signature = base64.b64encode(key.sign(timestamp.encode() + body, ec.ECDSA(hashes.SHA256()))).decode()
    return WebhookRequest({SIGNATURE: signature, TIMESTAMP: timestamp}, body, NOW, SIGNATURES)


def sendgrid_event(kind: str, **rest: str) -> dict[str, str]:
    return {"event": kind, "email": "ada@example.org", "sg_event_id": "s-1"} | rest
