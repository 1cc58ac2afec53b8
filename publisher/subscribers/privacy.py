"""Operations that privacy law requires: exporting all data about a subscriber, and deleting data."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from publisher.core.frozen import dataclass
from publisher.core.newsletter_models import SuppressionReason
from publisher.store.subscriber_records import IssuedToken
from publisher.subscribers.address import normalise
from publisher.subscribers.export import as_json
from publisher.subscribers.policy import SubscriptionPolicy

if TYPE_CHECKING:
    from publisher.store import Store

# How long to keep tokens after they expire. They still show what was requested, but nobody needs that any longer.
TOKENS_KEPT = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Erased:
    """The result of an erasure.

    rows      how many rows were deleted; 0 for an unknown address
    scrubbed  whether the remains were also removed from the database files. If another process was using the files, or
              the disk is full, this is False, and erasing the same address again later removes the remains
    """

    rows: int
    scrubbed: bool


@dataclass(frozen=True, slots=True)
class Forgotten:
    """The number of unconfirmed subscribers and the number of expired tokens that were deleted."""

    people: int
    tokens: int


def export_data(store: Store, uid: str) -> dict[str, Any] | None:
    """Return everything that is stored about a subscriber as a dictionary for JSON, or None for an unknown uid."""
    subscriber = store.subscribers.by_uid(uid)
    if subscriber is None:
        return None
    return as_json(subscriber) | {
        "confirmed_at": _moment(subscriber.confirmed_at),
        "paused_until": _moment(subscriber.paused_until),
        "bounces": subscriber.bounces,
        "suppressed": store.suppressions.is_listed(subscriber.address),
        "consent": [
            {
                "at": _moment(event.at),
                "what": event.what,
                "source": event.source,
                "detail": event.detail,
                "text_version": event.text_version,
                "ip": event.ip,
                "user_agent": event.user_agent,
            }
            for event in store.subscribers.consent(subscriber.id)
        ],
        "tokens": [_token(token) for token in store.subscribers.tokens(subscriber.id)],
        "deliveries": [_row(row) for row in store.subscribers.deliveries(subscriber.id)],
        "actions": [
            {"at": _moment(each.at), "what": each.what, "via": each.via, "detail": each.detail}
            for each in store.actions.about(subscriber.id)
        ],
        "returned": [_row(row) for row in store.subscribers.bounces(subscriber.id)],
    }


def rows_about(store: Store, address: str, now: datetime) -> int:
    """Return how many rows `erase` would delete; 0 if nothing is stored about the address. Writes nothing."""
    bare = normalise(address)
    with store.subscribers.transaction(now, dry_run=True) as transaction:
        return transaction.erase(transaction.find(bare), bare)


def erase(store: Store, address: str, *, now: datetime, source: str) -> Erased:
    """Delete everything about an address, and remove the remains from the database files.

    A keyed hash stays on the suppression list, so that no import and no form can add the address again. Deliveries are
    also deleted, so the counts of past editions become smaller. Raises SubscriberError for an unusable address.
    """
    bare = normalise(address)
    with store.subscribers.transaction(now, alone=True) as transaction:
        subscriber = transaction.find(bare)
        transaction.suppress(bare, SuppressionReason.ERASED, source)
        rows = transaction.erase(subscriber, bare)
    store.sign_ups.forget(bare)
    return Erased(rows, store.subscribers.scrub())


def forget_unconfirmed(store: Store, policy: SubscriptionPolicy, now: datetime, *, dry_run: bool = False) -> Forgotten:
    """Delete subscribers who have not confirmed within `policy.forget_after`, and expired tokens.

    These subscribers are not suppressed, and can subscribe again. Running this repeatedly, or twice at the same time,
    does no harm.
    dry_run: only count the subscribers, delete nothing, and ignore tokens.
    """
    asked_before = now - max(policy.forget_after, policy.confirm_within)
    if dry_run:
        return Forgotten(store.subscribers.count_unconfirmed(asked_before), 0)
    people = 0
    while done := store.subscribers.delete_unconfirmed(asked_before):
        people += done
    return Forgotten(people, store.subscribers.delete_tokens(now - TOKENS_KEPT))


def _row(row: dict[str, Any]) -> dict[str, Any]:
    shown = {key: value for key, value in row.items() if key != "edition_id"}  # a row number says nothing
    return {key: _moment(value) if isinstance(value, datetime) else value for key, value in shown.items()}


def _token(token: IssuedToken) -> dict[str, Any]:
    return {
        "purpose": token.purpose,
        "made_at": _moment(token.made_at),
        "expires_at": _moment(token.expires_at),
        "used_at": _moment(token.used_at),
        "newsletters": [subscription.newsletter for subscription in token.change.subscriptions],
        "name": token.change.name,
        "language": token.change.language,
        "address": token.change.address,
    }


def _moment(value: datetime | None) -> str | None:
    return value.isoformat(timespec="seconds") if value else None
