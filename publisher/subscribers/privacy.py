"""What a person may ask of whoever keeps their data: all of it, its end, and never to hear again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from publisher.core.newsletter_models import SuppressionReason
from publisher.subscribers.address import normalise
from publisher.subscribers.export import as_json
from publisher.subscribers.policy import SubscriptionPolicy

if TYPE_CHECKING:
    from publisher.store import Store
    from publisher.store.issued_tokens import IssuedToken


@dataclass(frozen=True, slots=True)
class Erased:
    """What an erasure did.

    rows      how many rows were deleted; 0 for an address that was not there
    scrubbed  whether the files were written anew too; where not, another process was reading, and erasing
              again later, also an address that is gone, makes up for it
    """

    rows: int
    scrubbed: bool


def export_data(store: Store, uid: str) -> dict[str, Any] | None:
    """Return everything that is kept of a person, as JSON's own kinds; None for a uid that is not there."""
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
        "returned": [_row(row) for row in store.subscribers.bounces(subscriber.id)],
    }


def _row(row: dict[str, Any]) -> dict[str, Any]:
    return {key: _moment(value) if isinstance(value, datetime) else value for key, value in row.items()}


def erase(store: Store, address: str, *, now: datetime, source: str) -> Erased:
    """Delete everything of an address, and leave no byte of it in the database's files.

    What stays is a keyed hash on the list of suppressed addresses, so that no import and no form brings it
    back. Rows of the ledger go too: the counts of past editions become smaller. Raises SubscriberError for an
    unusable address.
    """
    bare = normalise(address)
    with store.subscribers.transaction(now, alone=True) as transaction:
        subscriber = transaction.find(bare)
        transaction.suppress(bare, SuppressionReason.ERASED, source)
        rows = transaction.erase(subscriber, bare)
    return Erased(rows, store.subscribers.scrub())


def _token(token: IssuedToken) -> dict[str, Any]:
    return {
        "purpose": token.purpose,
        "made_at": _moment(token.made_at),
        "expires_at": _moment(token.expires_at),
        "used_at": _moment(token.used_at),
        "newsletters": [wish.newsletter for wish in token.wish.subscriptions],
        "name": token.wish.name,
        "language": token.wish.language,
        "address": token.wish.address,
    }


def _moment(value: datetime | None) -> str | None:
    return value.isoformat(timespec="seconds") if value else None


# An expired token still says in somebody's data what was mailed to them; a day later it says nothing of use.
TOKENS_KEPT = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Forgotten:
    """How many people who never confirmed, and how many tokens, were deleted."""

    people: int
    tokens: int


def forget_unconfirmed(store: Store, policy: SubscriptionPolicy, now: datetime, *, dry_run: bool = False) -> Forgotten:
    """Delete the people who were asked to confirm and did not within `terms.forget_after`, and expired tokens.

    They are not suppressed: who asks again is asked again. Running it again, or twice at once, does no harm.
    dry_run: only count, tokens left out.
    """
    asked_before = now - max(policy.forget_after, policy.confirm_within)
    if dry_run:
        return Forgotten(store.subscribers.count_unconfirmed(asked_before), 0)
    people = 0
    while done := store.subscribers.forget_unconfirmed(asked_before):
        people += done
    return Forgotten(people, store.subscribers.forget_tokens(now - TOKENS_KEPT))
