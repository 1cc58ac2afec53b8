"""What people agreed to and took back: rows that are only ever added, and go only when the person is erased."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from publisher.store.tables import consent_events


@dataclass(frozen=True, slots=True)
class Evidence:
    """How an agreement, or its end, came to us.

    source        the form, link, file or command
    text_version  which wording of the form the person saw; "" where there was none
    ip            "" unless the project keeps it; likewise user_agent
    """

    source: str
    text_version: str = ""
    ip: str = ""
    user_agent: str = ""


@dataclass(frozen=True, slots=True)
class ConsentEvent:
    """One entry of a person's consent history, which only grows."""

    at: datetime
    what: str
    source: str
    detail: str
    text_version: str = ""
    ip: str = ""
    user_agent: str = ""


def consent_row(subscriber_id: int, at: datetime, what: str, source: str, detail: str) -> dict[str, Any]:
    """Return one row of consent_events that no form is behind."""
    return {"subscriber_id": subscriber_id, "at": at, "what": what, "source": source, "detail": detail}


def record(
    connection: Connection, subscriber_id: int, at: datetime, what: str, evidence: Evidence, detail: str = ""
) -> None:
    """Add one event to a person's history."""
    row = consent_row(subscriber_id, at, what, evidence.source, detail) | {
        "text_version": evidence.text_version or None,
        "ip": evidence.ip or None,
        "user_agent": evidence.user_agent or None,
    }
    connection.execute(sa.insert(consent_events), [row])


def newest(events: Sequence[ConsentEvent], kinds: Sequence[str]) -> str:
    """Return which of some kinds happened last, as far as it was about all mail; "" where none did."""
    whole = (event.what for event in reversed(events) if event.what in kinds and not _is_of_one(event))
    return next(whole, "")


def _is_of_one(event: ConsentEvent) -> bool:
    return event.what == "removed" and bool(event.detail)


def history(connection: Connection, subscriber_id: int) -> Sequence[ConsentEvent]:
    """Return a person's events, oldest first."""
    query = (
        sa.select(consent_events).where(consent_events.c.subscriber_id == subscriber_id).order_by(consent_events.c.id)
    )
    return [
        ConsentEvent(
            at=row.at,
            what=row.what,
            source=row.source,
            detail=row.detail,
            text_version=row.text_version or "",
            ip=row.ip or "",
            user_agent=row.user_agent or "",
        )
        for row in connection.execute(query)
    ]


RENAMED = "renamed"


def now_called(name: str, history: Sequence[ConsentEvent]) -> str:
    """Return what a newsletter is called after the renamings in a person's history."""
    for event in history:
        before, _, after = event.detail.partition(" ")
        if event.what == RENAMED and name == before:
            name = after
    return name
