"""The log of actions: what people did with buttons and commands, and who logged in.

An address is never copied into it. An action on a subscriber refers to their row, and if their data is deleted, the
action stays but no longer says whom it concerned.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Row

from publisher.core.action_kinds import ON_A_PERSON, ActionKind, Via
from publisher.core.frozen import dataclass
from publisher.core.logging import redacted
from publisher.core.models import require_aware
from publisher.store.database import Database
from publisher.store.tables import actions, subscribers

# There is one owner so far. The column exists for the day when several people may log in.
OWNER = "owner"
_SOMEONE = "someone"  # a person who does not know the password may not be the owner
_LONGEST_TEXT = 300


@dataclass(frozen=True, slots=True)
class Action:
    """One entry of the log.

    id       its number
    at       when it was done
    who      the user who did it
    via      the way in which it was done
    client   the origin: a network or an IP address, or the name of the host whose command line was used
    what     what was done
    about    the object of the action, in words; the address of a subscriber who still exists; or ""
    detail   the reason, a number, or anything else worth knowing; or ""
    """

    id: int
    at: datetime
    who: str
    via: str
    client: str
    what: str
    about: str
    detail: str


class ActionLog:
    """The table of actions; part of Store."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def record(
        self,
        what: ActionKind,
        at: datetime,
        *,
        via: Via,
        client: str,
        about: str = "",
        subscriber_id: int | None = None,
        detail: str = "",
    ) -> None:
        """Add an entry. If its texts contain an address, for example in a reason, only the domain is stored.

        subscriber_id: the subscriber on whom something was done, if there is one
        """
        require_aware("at", at)
        who = _SOMEONE if what is ActionKind.LOGIN_FAILED else OWNER
        row = {"at": at, "who": who, "via": via.value, "client": client[:64], "what": what.value}
        texts = {"about": redacted(about)[:_LONGEST_TEXT], "detail": redacted(detail)[:_LONGEST_TEXT]}
        # Somebody else may just have deleted the subscriber.
        known = sa.select(subscribers.c.id).where(subscribers.c.id == subscriber_id).scalar_subquery()
        with self._database.write() as connection:
            connection.execute(sa.insert(actions).values(**row, **texts, subscriber_id=known))

    def list(self, *, limit: int | None, before: int | None = None) -> Sequence[Action]:
        """Return the newest entries, newest first.

        limit   how many at most; None for all
        before  only entries with a smaller number
        """
        query = (
            sa.select(actions, subscribers.c.address)
            .join_from(actions, subscribers, isouter=True)
            .order_by(actions.c.id.desc())
            .limit(limit)
        )
        if before is not None:
            query = query.where(actions.c.id < before)
        with self._database.read() as connection:
            return [_action(row) for row in connection.execute(query)]

    def about(self, subscriber_id: int) -> Sequence[Action]:
        """Return the entries about a subscriber, oldest first."""
        query = (
            sa.select(actions, subscribers.c.address)
            .join_from(actions, subscribers)
            .where(actions.c.subscriber_id == subscriber_id)
            .order_by(actions.c.id)
        )
        with self._database.read() as connection:
            return [_action(row) for row in connection.execute(query)]

    def forget(self, before: datetime) -> int:
        """Delete the entries that are older than a moment; return their number."""
        require_aware("before", before)
        old = sa.delete(actions).where(actions.c.at < before)
        with self._database.read() as connection:
            if connection.execute(sa.select(actions.c.id).where(actions.c.at < before).limit(1)).first() is None:
                return 0
        with self._database.write() as connection:
            return connection.execute(old).rowcount


def _action(row: Row[Any]) -> Action:
    nobody = "an address that is no longer known" if row.what in ON_A_PERSON else ""
    about = row.address or row.about or nobody
    return Action(row.id, row.at, row.who, row.via, row.client, row.what, about, row.detail)
