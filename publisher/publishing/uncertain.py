"""Problems with the messages of recent editions: uncertain messages, which wait for a decision, and failed ones."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from publisher.core.models import Problem, Severity

if TYPE_CHECKING:
    from publisher.store import Store
    from publisher.store.ledger import Undelivered

RECENT = timedelta(days=30)
"""How long after its creation an edition is included."""

DECIDE = "They are not sent again until you decide, because each of them may have arrived."


def undelivered(store: Store, now: datetime) -> Sequence[Undelivered]:
    """Return the editions made within RECENT that have uncertain or failed messages, oldest first."""
    return store.ledger.undelivered(now - RECENT)


def how_to_see(edition_id: int, status: str) -> str:
    """Return the command that lists the messages of an edition that are in a status."""
    return f"publisher deliveries list {edition_id} --status {status}"


def uncertain_messages(store: Store, now: datetime) -> list[Problem]:
    """Return a warning for each recent edition with uncertain messages. Its text does not depend on their number.

    So the owner gets one email about an edition, and not one for each message.
    """
    found = []
    for each in undelivered(store, now):
        if each.uncertain:
            see, again = how_to_see(each.id, "uncertain"), f"publisher deliveries retry {each.id} --status uncertain"
            hint = f"to see them: `{see}`; to send them again: `{again}`"
            message = f"edition {each.id} has uncertain messages, which wait for your decision"
            found.append(Problem(f"{each.newsletter} {each.slot}", 0, message, hint, Severity.WARNING))
    return found
