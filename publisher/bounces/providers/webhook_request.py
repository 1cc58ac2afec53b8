"""Code that all webhooks share: the request, readers for its untrusted JSON, and functions that build reports."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from publisher.bounces.arf import UNSUBSCRIBE_TOKEN
from publisher.bounces.reading import Signatures
from publisher.bounces.verdict import judge, short_words, status_in
from publisher.core.bounce_report import APPLIED, Addressee, Report, Verdict
from publisher.core.frozen import dataclass
from publisher.mail.links import LinkPurpose

MOST_BYTES = 1_000_000
MOST_EVENTS = 2_000


class WebhookError(Exception):
    """An error for a request that is refused.

    status  the HTTP status of the answer: 403 for an invalid signature, 400 for an invalid request, or 503 if the
            provider should try again
    """

    def __init__(self, status: int) -> None:
        super().__init__(f"request refused with {status}")
        self.status = status


@dataclass(frozen=True, slots=True)
class WebhookRequest:
    """A provider's request.

    headers     the HTTP headers by lower-case name
    signatures  the signatures that identify our own messages
    """

    headers: Mapping[str, str]
    body: bytes
    now: datetime
    signatures: Signatures


def parsed(body: bytes | str) -> Any:
    """Return the JSON value in a body; raises WebhookError(400) for invalid JSON."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        raise WebhookError(400) from error


def table(value: Any) -> dict[str, Any]:
    """Return a JSON value if it is an object; return an empty object for any other value."""
    return value if isinstance(value, dict) else {}


def event_in(value: Any, *kinds: str) -> dict[str, Any]:
    """Return a JSON object with a kind of event under one of the keys `kinds`; raises WebhookError(400) otherwise."""
    if not any(text(table(value).get(kind)) for kind in kinds):
        raise WebhookError(400)
    return table(value)


def rows(value: Any) -> list[dict[str, Any]]:
    """Return the objects in a JSON array, at most MOST_EVENTS; return an empty list for any other value."""
    return [each for each in value[:MOST_EVENTS] if isinstance(each, dict)] if isinstance(value, list) else []


def text(value: Any) -> str:
    """Return a JSON string or whole number as text; return "" for any other value."""
    return str(value)[:10_000] if isinstance(value, str | int) and not isinstance(value, bool) else ""


def same(one: str, other: str) -> bool:
    """Return whether two secrets are equal, in a time that doesn't depend on where they differ."""
    return hmac.compare_digest(one.encode("utf-8", "surrogatepass"), other.encode("utf-8", "surrogatepass"))


def has_secret(request: WebhookRequest, secret: str) -> bool:
    """Return whether a request has our secret: as the password of basic authentication, or in X-Webhook-Secret."""
    given = (_password(request), request.headers.get("x-webhook-secret", ""))
    return any(same(each, secret) for each in given)


def _password(request: WebhookRequest) -> str:
    kind, _, coded = request.headers.get("authorization", "").partition(" ")
    if kind.lower() != "basic":
        return ""
    try:
        return base64.b64decode(coded.strip(), validate=True).decode("utf-8").partition(":")[2]
    except (binascii.Error, ValueError):
        return ""


def event_key(provider: str, *parts: str) -> str:
    """Return a key for an event, which is the same if the provider repeats the event."""
    joined = "\0".join(parts).encode("utf-8", "surrogatepass")
    return f"{provider} {hashlib.sha256(joined).hexdigest()}"


def report(
    verdict: Verdict,
    addressee: Addressee,
    key: str,
    *,
    status: str = "",
    words: str = "",
    more: str = "",
    newsletter: str = "",
) -> Report:
    """Return the report of one event.

    key   the key of the event. If the delivery is known, the delivery's own key is used instead, so that a DSN and a
          webhook about one message count only once
    more  a second key that must be new; "" if there is none
    newsletter  see Report
    """
    keys = [more] if more else []
    if verdict in APPLIED:
        keys.append(f"delivery {addressee.delivery_id} {verdict}" if addressee.delivery_id else key)
    return Report(verdict, addressee, status_in(status, words), short_words(words), tuple(keys), newsletter)


def addressee_of(
    request: WebhookRequest, address: str, *, sender: str = "", unsubscribe: Iterable[str] = ()
) -> Addressee:
    """Return the addressee of an event, found by our return path, by the unsubscribe link, or else by the address.

    address      the address that the provider reports; the provider has already been verified
    sender       the envelope sender of the message
    unsubscribe  the values of the message's List-Unsubscribe header
    """
    path, links = request.signatures.return_path, request.signatures.links
    delivery = path.read(sender) if path is not None else None
    if delivery is not None:
        return Addressee(delivery_id=delivery)
    tokens = [token for value in unsubscribe for token in UNSUBSCRIBE_TOKEN.findall(value)]
    uids = {found[0] for token in tokens if (found := links.read(LinkPurpose.UNSUBSCRIBE, token))}
    if len(uids) == 1:
        return Addressee(uid=uids.pop())
    return Addressee(address=_bare(address))


def _bare(address: str) -> str:
    """Return an email address without its display name; "" if there is none."""
    found = re.search(r"(?<![^\s<>\"])[^\s<>\"]+@[^\s<>\"]+", address[:1_000])
    return found[0] if found else ""


def settled(status: str, words: str) -> Verdict:
    """Return the verdict on a final failure that the provider does not judge, as for a DSN.

    It is PERMANENT only if the server's answer proves that the mailbox doesn't exist.
    """
    return judge(status, words) if status or words else Verdict.TEMPORARY
