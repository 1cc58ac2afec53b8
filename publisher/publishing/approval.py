"""The owner's word on an edition that the clock holds: it goes, or it is skipped. Either is said once."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from publisher.core.hold_reasons import by_person
from publisher.core.newsletter_models import Edition
from publisher.newsletters.slots import is_post_slot
from publisher.publishing.operations import cancel, resume

if TYPE_CHECKING:
    from publisher.store import Store

_SKIPPED = by_person("skipped by the owner")


def waits(edition: Edition) -> bool:
    """Return whether the owner is asked to approve or skip the edition."""
    return edition.hold is not None and edition.hold.asks_owner


def approve(store: Store, edition: Edition, *, now: datetime) -> bool:
    """Let a waiting edition go, at its time where that is still to come; return whether it waited."""
    return waits(edition) and resume(store, edition, now=now)


def skip(store: Store, edition: Edition) -> bool:
    """Never send a waiting edition; return whether it waited.

    Its posts go with the newsletter's next edition, unless the edition was one of a post by itself.
    """
    if not waits(edition):
        return False
    cancel(store, edition, why=_SKIPPED.why)
    store.editions.give_up(edition.id, _SKIPPED, frees_posts=not is_post_slot(edition.slot))
    return True
