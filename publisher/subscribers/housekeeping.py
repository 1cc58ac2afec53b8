"""What need not be kept of people is not: who never confirmed, and tokens whose time is over."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from publisher.subscribers.terms import Terms

if TYPE_CHECKING:
    from publisher.store import Store

# An expired token still says in somebody's data what was mailed to them; a day later it says nothing of use.
TOKENS_KEPT = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Forgotten:
    """How many people who never confirmed, and how many tokens, were deleted."""

    people: int
    tokens: int


def forget_unconfirmed(store: Store, terms: Terms, now: datetime, *, rehearse: bool = False) -> Forgotten:
    """Delete the people who were asked to confirm and did not within `terms.forget_after`, and expired tokens.

    They are not suppressed: who asks again is asked again. Running it again, or twice at once, does no harm.
    rehearse: only count, tokens left out.
    """
    asked_before = now - max(terms.forget_after, terms.confirm_within)
    if rehearse:
        return Forgotten(store.subscribers.count_unconfirmed(asked_before), 0)
    people = 0
    while done := store.subscribers.forget_unconfirmed(asked_before):
        people += done
    return Forgotten(people, store.subscribers.forget_tokens(now - TOKENS_KEPT))
