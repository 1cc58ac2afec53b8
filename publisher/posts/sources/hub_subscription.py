"""Subscriptions to the hubs of sources (W3C WebSub, sections 5 and 6): pure functions that send nothing.

A hub reports new items within seconds. A source with a hub is polled all the same. A report is only a reason to fetch
the feed: its content is not read, so a forged one cannot bring anything into a letter.

The callback's URL contains a token that nobody can guess, and the hub signs its reports with a secret of the lease.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from publisher.core import patterns
from publisher.core.source_records import HubLease
from publisher.posts.sources.network_addresses import destination_of

# The lease that we ask for, and the limits of what a hub may grant.
LEASE = timedelta(days=10)
_SHORTEST, _LONGEST = timedelta(minutes=5), timedelta(days=30)
# A lease is renewed when a quarter of it is left, so that a hub can fail for days.
_LEFT = 4
# When a hub that has not agreed is asked again.
ASK_AGAIN = timedelta(hours=1)
_LONGEST_CHALLENGE = 4_000
_SIGNATURE = patterns.compile(r"(sha1|sha256|sha384|sha512)=([0-9a-fA-F]{40,128})")


def lease_for(before: HubLease | None, hub: str, topic: str) -> HubLease | None:
    """Return the lease of a source once a document has been read: the same lease if the hub and topic are the same.

    hub    the hub that the document names; "" if it names none
    topic  the address under which the hub knows the feed
    """
    try:
        hub, topic = destination_of(hub).url, destination_of(topic).url
    except ValueError:
        return None
    if before is not None and (before.hub, before.topic) == (hub, topic):
        return before
    return HubLease(hub, topic, secrets.token_urlsafe(24), secrets.token_urlsafe(32))


def is_due(lease: HubLease, now: datetime) -> bool:
    """Return whether the hub should be asked: for the first time, again after a refusal, or for a longer lease."""
    if lease.asked_at is None:
        return True
    since = now - lease.asked_at
    if lease.lease_until is None or lease.lease_until <= now:
        return since >= ASK_AGAIN
    return since >= _SHORTEST and lease.lease_until - now < (lease.lease_until - lease.asked_at) / _LEFT


def subscription_form(lease: HubLease, callback: str) -> tuple[tuple[str, str], ...]:
    """Return the fields of the form that asks the hub for a lease (section 5.1)."""
    return (
        ("hub.callback", callback),
        ("hub.mode", "subscribe"),
        ("hub.topic", lease.topic),
        ("hub.lease_seconds", str(int(LEASE.total_seconds()))),
        ("hub.secret", lease.secret),
    )


def after_verification(lease: HubLease, query: Mapping[str, str], now: datetime) -> tuple[HubLease, str] | None:
    """Return the lease after a hub has asked whether we want it (section 5.3), and the answer to send.

    None means that we don't want that subscription, so the answer is 404. We never ask to end a subscription.
    """
    if query.get("hub.topic") != lease.topic or lease.asked_at is None:
        return None
    if query.get("hub.mode") == "denied":  # section 5.2
        return replace(lease, lease_until=None, asked_at=now), ""
    challenge = query.get("hub.challenge", "")
    if query.get("hub.mode") != "subscribe" or not 0 < len(challenge) <= _LONGEST_CHALLENGE:
        return None
    return replace(lease, asked_at=now, lease_until=now + _granted(query.get("hub.lease_seconds", ""))), challenge


def signature_check(lease: HubLease, header: str) -> tuple[hmac.HMAC, str] | None:
    """Return the hash object to update with a report's body, and the digest to expect (section 7.1.2).

    Returns None if the header X-Hub-Signature is missing, or has a form that we don't know.
    """
    found = _SIGNATURE.fullmatch(header.strip())
    if found is None:
        return None
    return hmac.new(lease.secret.encode(), digestmod=getattr(hashlib, found[1])), found[2].lower()


def _granted(seconds: str) -> timedelta:
    if not seconds.isascii() or not seconds.isdigit() or len(seconds) > 12:
        return LEASE
    return min(max(timedelta(seconds=int(seconds)), _SHORTEST), _LONGEST)
