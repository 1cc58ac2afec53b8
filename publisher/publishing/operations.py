"""What a person may do with an edition that is being sent: hold it, let it go on, try again, cancel the rest."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from time import monotonic, sleep
from typing import TYPE_CHECKING

from publisher.core.hold_reasons import HeldBy, Hold
from publisher.core.newsletter_models import DeliveryStatus, Edition
from publisher.mail.lifecycle import WAITING, DeliveryEvent, moves

if TYPE_CHECKING:
    from publisher.store import Store

# What can be tried again, and what can be cancelled, by the table of the lifecycle.
RETRIABLE = frozenset(moves(DeliveryEvent.RETRY))
CANCELLABLE = frozenset(moves(DeliveryEvent.CANCELLED))


def hold(store: Store, edition: Edition, why: str, by: HeldBy = HeldBy.PERSON) -> bool:
    """Let nothing more of the edition be sent until it is resumed; return whether it went before.

    Runs let go of what they have not handed over, within a second; see `in_hand`. why: a sentence for the person who
    finds it held, not "". One that is held keeps its reason.
    """
    return store.editions.hold(edition.id, Hold(by, why))


def resume(store: Store, edition: Edition, *, now: datetime) -> bool:
    """Let a held edition go on, with what was put off due at once; return whether it was held.

    One of which nothing was sent is dated anew, unless its time is still to come. Nothing is sent by this: the next
    run does.
    """
    store.editions.begin(edition.id, now)
    held = store.editions.release(edition.id)
    if held:
        retry(store, edition, WAITING, now=now)
    return held


def retry(store: Store, edition: Edition, statuses: Collection[DeliveryStatus], *, now: datetime) -> int:
    """Make deliveries in these statuses due at once; return how many there were.

    One that was uncertain may arrive a second time, with the same Message-ID. What is due already is not counted, and
    an edition whose time is still to come waits for it. A held edition stays held, and who left meanwhile gets
    nothing. Raises ValueError for a status that cannot be tried again (see RETRIABLE).
    """
    if refused := sorted(set(statuses) - RETRIABLE):
        raise ValueError(f"what is {refused[0]} cannot be tried again")
    early = edition.goes_at is not None and edition.goes_at > now
    chosen = {
        status: after
        for status, after in moves(DeliveryEvent.RETRY).items()
        if status in statuses and not (early and status in WAITING)
    }
    return store.ledger.move(edition.id, chosen, next_try_at=now, unless_due_by=now) if chosen else 0


def cancel(store: Store, edition: Edition, *, why: str, patience: float = 0.0) -> int:
    """Never send what still waits or is uncertain; return how many deliveries that were.

    What was refused stays refused. The edition is held for as long as runs need to let go of what they have not handed
    over, `patience` seconds at most; what is in their hands then may still go. why: stands as the reason of each.
    """
    if not patience or not in_hand(store, edition):
        return _cancelled(store, edition, why)
    held = hold(store, edition, f"being cancelled: {why}")
    try:
        in_hand(store, edition, patience=patience)
        return _cancelled(store, edition, why)
    finally:
        if held:
            store.editions.release(edition.id)


def in_hand(store: Store, edition: Edition, *, patience: float = 0.0) -> int:
    """Return how many deliveries are in the hands of runs. patience: wait so many seconds until there are none."""
    until = monotonic() + patience
    while count := store.deliveries.counts(edition.id)[DeliveryStatus.SENDING]:
        if monotonic() >= until:
            break
        sleep(0.1)
    return count


def _cancelled(store: Store, edition: Edition, why: str) -> int:
    return store.ledger.move(edition.id, moves(DeliveryEvent.CANCELLED), next_try_at=None, reason=why)
