"""What a person may ask of whoever keeps their data: all of it, its end, and never to hear again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from publisher.core.errors import SubscriberError
from publisher.core.newsletter_models import SubscriberStatus, SuppressionReason
from publisher.core.subscriber_status import REFUSALS, SubscriberEvent
from publisher.subscribers.address import normalise
from publisher.subscribers.exporting import as_json

if TYPE_CHECKING:
    from publisher.store import Store
    from publisher.store.tokens import IssuedToken


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
    person = store.subscribers.by_uid(uid)
    if person is None:
        return None
    return as_json(person) | {
        "confirmed_at": _moment(person.confirmed_at),
        "paused_until": _moment(person.paused_until),
        "bounces": person.bounces,
        "suppressed": store.suppressions.is_listed(person.address),
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
            for event in store.subscribers.consent(person.id)
        ],
        "tokens": [_token(token) for token in store.subscribers.tokens(person.id)],
        "deliveries": [_row(row) for row in store.subscribers.deliveries(person.id)],
        "returned": [_row(row) for row in store.subscribers.bounces(person.id)],
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
    with store.subscribers.change(now, alone=True) as change:
        person = change.find(bare)
        change.suppress(bare, SuppressionReason.ERASED, source)
        rows = change.erase(person, bare)
    return Erased(rows, store.subscribers.scrub())


def suppress(store: Store, address: str, *, now: datetime, source: str) -> bool:
    """Let an address never be mailed again, whether it is known or not; return whether that is new.

    Raises SubscriberError for an unusable address.
    """
    from publisher.store.consent import Evidence

    bare = normalise(address)
    with store.subscribers.change(now, alone=True) as change:
        person = change.find(bare)
        if person is not None and change.happened(person, SubscriberEvent.SUPPRESSED) is not person.status:
            change.record(person, "suppressed", Evidence(source))
        return change.suppress(bare, SuppressionReason.SUPPRESSED, source)


def lift_suppression(store: Store, address: str, *, now: datetime, source: str) -> bool:
    """Take an address off the list; return whether it was on it. Nobody is mailed by that alone.

    Raises SubscriberError for an unusable address, and for somebody who reported a letter as spam.
    """
    from publisher.store.consent import Evidence

    bare = normalise(address)
    with store.subscribers.change(now, alone=True) as change:
        person = change.find(bare)
        if person is not None and person.status is SubscriberStatus.COMPLAINED:
            raise SubscriberError(f"{bare} {REFUSALS[person.status]}")
        if person is not None and change.happened(person, SubscriberEvent.LIFTED) is not person.status:
            change.record(person, "lifted", Evidence(source))
        return change.lift(bare)


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
