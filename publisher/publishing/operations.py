"""The actions of an owner on an edition: approve, skip, hold or resume it, and retry or cancel its messages."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from time import monotonic, sleep
from typing import TYPE_CHECKING

from publisher.core.action_kinds import ActionKind
from publisher.core.hold_reasons import HeldBy, Hold, by_person
from publisher.core.newsletter_models import DeliveryCounts, DeliveryStatus, Edition
from publisher.mail.lifecycle import WAITING, DeliveryEvent, moves
from publisher.newsletters.slots import is_post_slot

if TYPE_CHECKING:
    from publisher.config import Config
    from publisher.store import Store
    from publisher.store.ledger import ReasonCount

# The statuses in which a delivery can be retried, and those in which it can be cancelled.
RETRIABLE = frozenset(moves(DeliveryEvent.RETRY))
CANCELLABLE = frozenset(moves(DeliveryEvent.CANCELLED))

# A word that differs from message to message: an address, or a long word with a digit, such as the id of a queued
# message. Reply codes (550 5.1.1) and links to explanations stay.
_LONG_WORD = 6
_LASTING = re.compile(r"https?://|\d\.\d{1,3}\.\d{1,3}\b")

_SKIPPED = by_person("skipped by the owner")

# What is remembered about delivered editions, and for how long.
_DELIVERED, _REMEMBERED = "delivered", timedelta(days=30)

# How many of the last actions are searched for the cancellation of an edition.
_ACTIONS = 200


def edition_label(edition: Edition) -> str:
    """Return a short name for an edition in the log of actions, such as "edition 3, weekly 2026-W48"."""
    return f"edition {edition.id}, {edition.newsletter}" + ("" if is_post_slot(edition.slot) else f" {edition.slot}")


def waits(edition: Edition) -> bool:
    """Return whether the edition waits for the owner to approve or skip it."""
    return edition.hold is not None and edition.hold.asks_owner


def approve(store: Store, edition: Edition, *, now: datetime) -> bool:
    """Release an edition that waits for the owner; return whether it was waiting.

    It is sent by the next run, or at its slot if that is still to come.
    """
    return waits(edition) and resume(store, edition, now=now)


def skip(store: Store, edition: Edition) -> bool:
    """Give up an edition that waits for the owner, so that it is never sent; return whether it was waiting.

    Its posts go into the newsletter's next edition, unless the newsletter sends each post separately. Items that came
    when more than half of a feed suddenly appeared as new do not: the owner has looked at them, and does not want them.
    """
    if not waits(edition):
        return False
    cancel(store, edition, why=_SKIPPED.why)
    unwanted = store.sources.suspects().keys() & {post.id for post in edition.posts}
    frees_posts = not is_post_slot(edition.slot)
    store.editions.give_up(edition.id, _SKIPPED, frees_posts=frees_posts, passes_over=unwanted)
    return True


def hold(store: Store, edition: Edition, why: str, by: HeldBy = HeldBy.PERSON) -> bool:
    """Put an edition on hold until it is resumed; if it is already on hold, change nothing and return False.

    Running deliveries stop within a second; see `in_hand`.

    why  the reason, for the person who finds the edition on hold; it must not be ""
    """
    return store.editions.hold(edition.id, Hold(by, why))


def resume(store: Store, edition: Edition, *, now: datetime) -> bool:
    """Release an edition that is on hold, and make its deferred messages due now; return whether it was on hold.

    If none of its messages has been sent, the edition gets a new date, unless its slot is still to come. The next run
    sends the messages.
    """
    store.editions.begin(edition.id, now)
    held = store.editions.release(edition.id)
    if held:
        retry(store, edition, WAITING, now=now)
    return held


def retry(store: Store, edition: Edition, statuses: Collection[DeliveryStatus], *, now: datetime) -> int:
    """Make deliveries in these statuses due now; return how many were changed.

    An uncertain message may arrive twice, with the same Message-ID. Deliveries that are due already are not counted.
    An edition whose slot is still to come waits for it, and an edition on hold stays on hold. People who have
    unsubscribed get nothing. Raises ValueError for a status that cannot be retried (see RETRIABLE).
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
    """Cancel the messages that are waiting or uncertain, so that they are never sent; return their number.

    Rejected messages stay rejected. If messages are being sent, the edition is first put on hold for up to `patience`
    seconds until running deliveries stop. Messages still being sent after that may still go out.

    why       recorded as the reason for each message
    patience  seconds to wait for running deliveries
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


def finish(store: Store, edition: Edition, counts: DeliveryCounts, now: datetime) -> bool:
    """Return True to the first process that asks once a whole edition is delivered, and False in all other cases.

    It is delivered if no message is waiting or with a worker any longer, here or elsewhere. An edition that is on hold,
    was skipped or was cancelled is not delivered. When more has been sent, for instance after a retry, it is delivered
    again.

    counts: the counts of the edition, after a run
    """
    if edition.held or counts.open or counts.missing or not counts[DeliveryStatus.SENT]:
        return False
    label = edition_label(edition)
    if any((each.what, each.about) == (ActionKind.CANCEL, label) for each in store.actions.list(limit=_ACTIONS)):
        return False
    store.owner.expire_alerts(_DELIVERED, now - _REMEMBERED)
    counted = sorted((status.value, count) for status, count in counts.by_status.items())
    return store.owner.claim_alert(_DELIVERED, f"{edition.id} {counted}", now)


def make_complete(store: Store, edition: Edition) -> int:
    """Write the messages that an edition lacks because its creation was interrupted; return their number.

    The number is 0 if the edition was complete. After that, counts include everything that can be retried, cancelled or
    sent.
    """
    before = store.deliveries.counts(edition.id)
    if not before.missing:
        return 0
    store.editions.complete(edition.id)
    return max(0, store.deliveries.counts(edition.id).total - before.total)


def take_over_dead(config: Config, store: Store, now: datetime) -> int:
    """Free the messages of senders that are dead; return their number.

    After that, the messages wait or are uncertain, and no longer count as being sent right now.
    """
    from publisher.mail.queue import take_over  # not at the top: loads SQLAlchemy
    from publisher.publishing.mail_wiring import delivery_options

    return take_over(store, options=delivery_options(config), now=now)


def in_hand(store: Store, edition: Edition, *, patience: float = 0.0) -> int:
    """Return how many messages are being sent right now, waiting up to `patience` seconds until there are none."""
    until = monotonic() + patience
    while count := store.deliveries.counts(edition.id)[DeliveryStatus.SENDING]:
        if monotonic() >= until:
            break
        sleep(0.1)
    return count


def _cancel_waiting(store: Store, edition: Edition, why: str) -> int:
    return store.ledger.move(edition.id, moves(DeliveryEvent.CANCELLED), next_try_at=None, reason=why)


def group_reasons(reasons: Iterable[ReasonCount]) -> list[ReasonCount]:
    """Return the servers' replies with a "…" for each word that varies between messages, most frequent first.

    Mail servers write the recipient and an id into their replies, so without grouping every reply would be different.
    """
    from publisher.store.ledger import ReasonCount  # not at the top: loads SQLAlchemy

    totals: Counter[tuple[DeliveryStatus, str]] = Counter()
    for each in reasons:
        totals[each.status, re.sub(r"\S+", lambda word: _shown(word[0]), each.reason)] += each.count
    ordered = sorted(totals.items(), key=lambda item: (-item[1], item[0]))
    return [ReasonCount(status, reason, total) for (status, reason), total in ordered]


def _shown(word: str) -> str:
    bare = word.strip("<>()[],;:")
    varies = "@" in bare or (len(bare) >= _LONG_WORD and any(map(str.isdigit, bare)) and not _LASTING.match(bare))
    return word.replace(bare, "…") if varies else word
