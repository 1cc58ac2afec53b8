"""What an owner can do with an edition: approve or skip it, hold it, resume it, retry or cancel its messages."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from time import monotonic, sleep
from typing import TYPE_CHECKING

from publisher.core.hold_reasons import HeldBy, Hold, by_person
from publisher.core.newsletter_models import DeliveryStatus, Edition
from publisher.mail.lifecycle import WAITING, DeliveryEvent, moves
from publisher.newsletters.slots import is_post_slot

if TYPE_CHECKING:
    from publisher.store import Store

# The statuses from which a delivery can be retried, and cancelled.
RETRIABLE = frozenset(moves(DeliveryEvent.RETRY))
CANCELLABLE = frozenset(moves(DeliveryEvent.CANCELLED))

_SKIPPED = by_person("skipped by the owner")


def waits(edition: Edition) -> bool:
    """Return whether the owner is asked to approve or skip the edition."""
    return edition.hold is not None and edition.hold.asks_owner


def approve(store: Store, edition: Edition, *, now: datetime) -> bool:
    """Release an edition that waits for the owner, to be sent now or at its later slot; return whether it waited."""
    return waits(edition) and resume(store, edition, now=now)


def skip(store: Store, edition: Edition) -> bool:
    """Never send an edition that waits for the owner; return whether it waited.

    Its posts go into the newsletter's next edition, unless the newsletter sends each post by itself.
    """
    if not waits(edition):
        return False
    cancel(store, edition, why=_SKIPPED.why)
    store.editions.give_up(edition.id, _SKIPPED, frees_posts=not is_post_slot(edition.slot))
    return True


def hold(store: Store, edition: Edition, why: str, by: HeldBy = HeldBy.PERSON) -> bool:
    """Send nothing more of the edition until it is resumed; return whether it was not on hold already.

    Running deliveries stop within a second; see `in_hand`. An edition that is on hold keeps its reason. why: a
    sentence for whoever finds it on hold, not "".
    """
    return store.editions.hold(edition.id, Hold(by, why))


def resume(store: Store, edition: Edition, *, now: datetime) -> bool:
    """Release an edition that is on hold, with its deferred messages due at once; return whether it was on hold.

    If none of it was sent yet, it gets a new date, unless its time is still to come. Sends nothing: the next run does.
    """
    store.editions.begin(edition.id, now)
    held = store.editions.release(edition.id)
    if held:
        retry(store, edition, WAITING, now=now)
    return held


def retry(store: Store, edition: Edition, statuses: Collection[DeliveryStatus], *, now: datetime) -> int:
    """Make deliveries in these statuses due at once; return how many there were.

    An uncertain message may arrive twice, with the same Message-ID. Deliveries that are due already are not counted.
    An edition whose time is still to come waits for it, one on hold stays on hold, and people who have unsubscribed
    get nothing. Raises ValueError for a status that cannot be retried (see RETRIABLE).
    """
    if refused := sorted(set(statuses) - RETRIABLE):
        raise ValueError(f"a delivery that is {refused[0]} cannot be retried")
    early = edition.goes_at is not None and edition.goes_at > now
    chosen = {
        status: after
        for status, after in moves(DeliveryEvent.RETRY).items()
        if status in statuses and not (early and status in WAITING)
    }
    return store.ledger.move(edition.id, chosen, next_try_at=now, unless_due_by=now) if chosen else 0


def cancel(store: Store, edition: Edition, *, why: str, patience: float = 0.0) -> int:
    """Never send the messages that are waiting or uncertain; return how many there were.

    Rejected messages stay rejected. Meanwhile the edition is on hold, for at most `patience` seconds, until running
    deliveries have let go of it; messages that they hold after that may still go out. why: recorded as the reason
    for each message.
    """
    if not patience or not in_hand(store, edition):
        return _cancel_waiting(store, edition, why)
    held = hold(store, edition, f"being cancelled: {why}")
    try:
        in_hand(store, edition, patience=patience)
        return _cancel_waiting(store, edition, why)
    finally:
        if held:
            store.editions.release(edition.id)


def in_hand(store: Store, edition: Edition, *, patience: float = 0.0) -> int:
    """Return how many messages are being sent right now. patience: seconds to wait for there to be none."""
    until = monotonic() + patience
    while count := store.deliveries.counts(edition.id)[DeliveryStatus.SENDING]:
        if monotonic() >= until:
            break
        sleep(0.1)
    return count


def _cancel_waiting(store: Store, edition: Edition, why: str) -> int:
    return store.ledger.move(edition.id, moves(DeliveryEvent.CANCELLED), next_try_at=None, reason=why)
