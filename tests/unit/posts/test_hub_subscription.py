"""Leases of hubs: what is requested, what a hub may grant, and which notifications are authentic."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import replace
from datetime import timedelta

from publisher.core.source_records import HubLease
from publisher.posts.sources.hub_subscription import (
    after_verification,
    is_due,
    lease_for,
    signature_check,
    subscription_form,
)
from tests.support.store_samples import NOW

HUB, TOPIC = "https://hub.example/", "https://blog.example/feed"
ASKED = HubLease(HUB, TOPIC, "token", "secret", asked_at=NOW)
WANTED = {"hub.mode": "subscribe", "hub.topic": TOPIC, "hub.challenge": "word", "hub.lease_seconds": "864000"}


def test_a_lease_lasts_while_the_feed_names_the_same_hub_and_topic() -> None:
    first = lease_for(None, HUB, TOPIC)
    assert first is not None
    assert len(first.token) >= 32
    assert len(first.secret) >= 32
    assert first.secret != first.token
    assert lease_for(first, "https://hub.example", TOPIC) is first
    for hub, topic in ((HUB, f"{TOPIC}?2"), ("https://other.example/", TOPIC)):
        other = lease_for(first, hub, topic)
        assert other is not None
        assert (other.token, other.secret) != (first.token, first.secret)
    for hub in ("", "ftp://hub.example/", "hub", "https://ann:pw@hub.example/", "http://2130706433/"):
        assert lease_for(first, hub, TOPIC) is None


def test_a_request_is_repeated_after_an_hour_and_renewed_before_the_lease_ends() -> None:
    lease = lease_for(None, HUB, TOPIC)
    assert lease is not None
    agreed = replace(ASKED, lease_until=NOW + timedelta(days=8))
    cases = [
        (lease, 0, True),
        (ASKED, 59, False),
        (ASKED, 60, True),
        (agreed, 5 * 1440, False),
        (agreed, 6 * 1440 + 1, True),
        (replace(agreed, asked_at=NOW + timedelta(days=7)), 7 * 1440 + 60, False),
        (agreed, 9 * 1440, True),
        (replace(agreed, asked_at=NOW + timedelta(days=9)), 9 * 1440 + 30, False),
        (replace(agreed, lease_until=NOW + timedelta(seconds=300)), 4, False),
    ]
    for known, minutes, expected in cases:
        assert is_due(known, NOW + timedelta(minutes=minutes)) is expected, (known, minutes)


def test_the_request_to_a_hub_is_complete() -> None:
    assert dict(subscription_form(ASKED, "https://letters.example/hooks/websub/token")) == {
        "hub.callback": "https://letters.example/hooks/websub/token",
        "hub.mode": "subscribe",
        "hub.topic": TOPIC,
        "hub.lease_seconds": "864000",
        "hub.secret": "secret",
    }


def test_only_requested_subscriptions_are_confirmed() -> None:
    found = after_verification(ASKED, WANTED, NOW)
    assert found == (replace(ASKED, lease_until=NOW + timedelta(days=10)), "word")
    for wrong in (
        {"hub.topic": "https://other.example/feed"},
        {"hub.topic": ""},
        {"hub.mode": "unsubscribe"},
        {"hub.mode": "publish"},
        {"hub.challenge": ""},
        {"hub.challenge": "x" * 5000},
    ):
        assert after_verification(ASKED, WANTED | wrong, NOW) is None, wrong
    assert after_verification(replace(ASKED, asked_at=None), WANTED, NOW) is None
    agreed = replace(ASKED, lease_until=NOW + timedelta(days=10))
    denied = after_verification(agreed, {"hub.mode": "denied", "hub.topic": TOPIC, "hub.reason": "no"}, NOW)
    assert denied == (ASKED, "")


def test_a_lease_is_neither_shorter_than_minutes_nor_longer_than_a_month() -> None:
    for granted, expected in {
        "600": timedelta(minutes=10),
        "1": timedelta(minutes=5),
        "99999999999": timedelta(days=30),
        "9" * 400: timedelta(days=10),
        "": timedelta(days=10),
        "-5": timedelta(days=10),
        "²": timedelta(days=10),
    }.items():
        found = after_verification(ASKED, WANTED | {"hub.lease_seconds": granted}, NOW)
        assert found is not None
        assert found[0].lease_until == NOW + expected, granted


def test_a_notification_is_authentic_with_the_signature_of_its_lease() -> None:
    for method in ("sha1", "sha256", "sha384", "sha512"):
        right = hmac.new(b"secret", b"<feed/>", getattr(hashlib, method)).hexdigest()
        check = signature_check(ASKED, f" {method}={right.upper()}")
        assert check is not None
        check[0].update(b"<feed/>")
        assert (check[0].hexdigest() == check[1]) is True
    for header in ("", "sha1=", "md5=" + "0" * 32, "sha1=xyz", "sha256", "sha1=" + "g" * 40, "shake_128=" + "0" * 40):
        assert signature_check(ASKED, header) is None, header
