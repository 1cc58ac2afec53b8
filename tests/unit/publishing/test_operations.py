"""Similar replies from servers are shown to people as one group."""

from __future__ import annotations

from publisher.core.newsletter_models import DeliveryStatus
from publisher.publishing.operations import group_reasons
from publisher.store.ledger import ReasonCount


def test_replies_that_differ_only_in_an_address_or_an_id_are_grouped() -> None:
    failed, deferred = DeliveryStatus.FAILED, DeliveryStatus.DEFERRED
    see = "see https://support.google.com/mail/?p=OverQuotaPerm"
    reasons = [
        ReasonCount(failed, "550 5.1.1 <ada@example.org>: user unknown", 1),
        ReasonCount(failed, "550 5.1.1 <bob@example.org>: user unknown", 2),
        ReasonCount(failed, f"552 5.2.2 full, {see} 5b1f17b1804b1-47.79 - gsmtp", 1),
        ReasonCount(failed, f"552 5.2.2 full, {see} 5b1f17b1804c2-49.80 - gsmtp", 1),
        ReasonCount(failed, "451 4.7.500 busy [AMS0EPF000001 prod42-eurprd05 2026-11-29T05:00]", 1),
        ReasonCount(deferred, "550 5.1.1 <eve@example.org>: user unknown", 1),
    ]
    assert group_reasons(reasons) == [
        ReasonCount(failed, "550 5.1.1 <…>: user unknown", 3),
        ReasonCount(failed, f"552 5.2.2 full, {see} … - gsmtp", 2),
        ReasonCount(deferred, "550 5.1.1 <…>: user unknown", 1),
        ReasonCount(failed, "451 4.7.500 busy [… … …]", 1),
    ]
