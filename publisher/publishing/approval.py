"""The owner's word on an edition that the clock holds: it goes, or it is skipped. Either is said once."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from publisher.core import hold_reasons as holds
from publisher.core.newsletter_models import Edition
from publisher.newsletters.slots import is_post_slot
from publisher.publishing.operations import cancel, resume

if TYPE_CHECKING:
    from publisher.store import Store

SKIPPED = "skipped by the owner"


def waits(edition: Edition) -> bool:
    """Return whether the owner's word is asked for: the clock holds the edition, and not a person."""
    return holds.by_clock(edition.held)


def approve(store: Store, edition: Edition, *, now: datetime) -> bool:
    """Let a waiting edition go, at its time where that is still to come; return whether it waited."""
    return waits(edition) and resume(store, edition, now=now)


def skip(store: Store, edition: Edition) -> bool:
    """Never send a waiting edition; return whether it waited.

    Its posts go with the newsletter's next edition, unless the edition was one of a post by itself.
    """
    if not waits(edition):
        return False
    cancel(store, edition, why=SKIPPED)
    store.editions.give_up(edition.id, SKIPPED, frees_posts=not is_post_slot(edition.slot))
    return True
