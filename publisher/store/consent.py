"""The history of each subscriber's consent, and the tokens in the links that were sent to them.

Events are only ever added, and are deleted only when their subscriber is erased. Every function works inside the
caller's transaction.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from publisher.store.subscriber_records import (
    ConsentEvent,
    Evidence,
    IssuedToken,
    PendingChange,
    decode_change,
    encode_change,
    source_of,
)
from publisher.store.tables import consent_events, subscribers, tokens

# The purposes of tokens that the store treats in a special way.
ADDRESS = "address"  # changes the subscriber's address
CONFIRM = "confirm"  # subscribes to newsletters

UNDO = "undo of import "  # how the source of changes made by undoing an import begins
_OF_FILES = source_of(""), UNDO  # how the source of an event begins that an import or its undoing has recorded


def first_source() -> sa.ScalarSelect[str]:
    """Return the SQL expression for where a subscriber came from: the source of their first event of consent."""
    events = sa.select(consent_events.c.source).where(consent_events.c.subscriber_id == subscribers.c.id)
    # With the id itself, PostgreSQL would read everybody's events in order to find the first one of this person.
    return events.order_by(consent_events.c.id + 0).limit(1).correlate(subscribers).scalar_subquery()


def event_row(subscriber_id: int, at: datetime, what: str, source: str, detail: str) -> dict[str, Any]:
    """Return a row of consent_events for an event that did not come from a form."""
    none = {"text_version": None, "ip": None, "user_agent": None}  # all rows of one statement need the same columns
    return {"subscriber_id": subscriber_id, "at": at, "what": what, "source": source, "detail": detail} | none


def record_event(
    connection: Connection, subscriber_id: int, at: datetime, what: str, evidence: Evidence, detail: str = ""
) -> None:
    """Add an event to a subscriber's history."""
    row = event_row(subscriber_id, at, what, evidence.source, detail) | {
        "text_version": evidence.text_version or None,
        "ip": evidence.ip or None,
        "user_agent": evidence.user_agent or None,
    }
    connection.execute(sa.insert(consent_events), [row])


def restored_row(subscriber_id: int, event: ConsentEvent) -> dict[str, Any]:
    """Return an event of an earlier export as a row of consent_events."""
    row = event_row(subscriber_id, event.at, event.what, event.source, event.detail)
    more = {"text_version": event.text_version, "ip": event.ip, "user_agent": event.user_agent}
    return row | {column: value or None for column, value in more.items()}


def moved_on(connection: Connection, subscriber_ids: Collection[int], source: str, since: datetime) -> set[int]:
    """Return the subscribers who, after a moment, have had an event from a source other than this one."""
    events = consent_events.c
    query = sa.select(events.subscriber_id).where(
        events.subscriber_id.in_(subscriber_ids), events.at > since, events.source != source
    )
    return {row.subscriber_id for row in connection.execute(query)}


def is_from_file(event: ConsentEvent) -> bool:
    """Return whether an import, or undoing one, has recorded an event."""
    return event.source.startswith(_OF_FILES)


def only_from_files(connection: Connection, subscriber_ids: Collection[int]) -> set[int]:
    """Return the subscribers whose events all come from imports, and who were never asked to confirm."""
    if not subscriber_ids:
        return set()
    events = consent_events.c
    sources = [
        sa.func.substr(events.source, 1, len(start)) != start for start in _OF_FILES
    ]  # LIKE ignores case on SQLite
    others = sa.select(events.subscriber_id).where(events.subscriber_id == subscribers.c.id, *sources)
    query = sa.select(subscribers.c.id).where(
        subscribers.c.id.in_(subscriber_ids), subscribers.c.asked_at.is_(None), ~others.exists()
    )
    return {row.id for row in connection.execute(query)}


def history(connection: Connection, subscriber_id: int) -> Sequence[ConsentEvent]:
    """Return a subscriber's events, oldest first."""
    return histories(connection, [subscriber_id]).get(subscriber_id, [])


def histories(connection: Connection, subscriber_ids: Collection[int]) -> dict[int, list[ConsentEvent]]:
    """Return the events of some subscribers, each oldest first."""
    query = sa.select(consent_events).where(consent_events.c.subscriber_id.in_(subscriber_ids))
    found: dict[int, list[ConsentEvent]] = {}
    for row in connection.execute(query.order_by(consent_events.c.id)):
        found.setdefault(row.subscriber_id, []).append(
            ConsentEvent(
                at=row.at,
                what=row.what,
                source=row.source,
                detail=row.detail,
                text_version=row.text_version or "",
                ip=row.ip or "",
                user_agent=row.user_agent or "",
            )
        )
    return found


def issue_token(connection: Connection, token: IssuedToken, address_key: str) -> None:
    """Record a token that is about to be sent, and delete the subscriber's expired ones."""
    old = sa.delete(tokens).where(tokens.c.subscriber_id == token.subscriber_id, tokens.c.expires_at <= token.made_at)
    connection.execute(old)
    row = {
        "token_hash": token.token_hash,
        "purpose": token.purpose,
        "subscriber_id": token.subscriber_id,
        "made_at": token.made_at,
        "expires_at": token.expires_at,
        "wish": encode_change(token.change),
        "address_key": address_key,
    }
    connection.execute(sa.insert(tokens), [row])


def find_token(connection: Connection, token_hash: str, purpose: str, now: datetime) -> IssuedToken | None:
    """Return the token with this hash if it is valid for the purpose and unused, else None."""
    query = sa.select(tokens).where(
        tokens.c.token_hash == token_hash,
        tokens.c.purpose == purpose,
        tokens.c.used_at.is_(None),
        tokens.c.expires_at > now,
    )
    row = connection.execute(query).first()
    return None if row is None else _token(row)


def use_token(connection: Connection, token: IssuedToken, now: datetime) -> bool:
    """Mark a token as used, along with the subscriber's other tokens for the same purpose.

    Return False if another process has used the token first.
    """
    unused = tokens.c.used_at.is_(None)
    this = sa.update(tokens).where(tokens.c.token_hash == token.token_hash, unused)
    if connection.execute(this.values(used_at=now)).rowcount == 0:
        return False
    void_tokens(connection, token.subscriber_id, token.purpose, now)
    return True


def void_tokens(connection: Connection, subscriber_id: int, purpose: str | None, now: datetime) -> None:
    """Mark all of a subscriber's tokens for a purpose, or for all purposes, as used."""
    good = [tokens.c.subscriber_id == subscriber_id, tokens.c.used_at.is_(None)]
    good += [tokens.c.purpose == purpose] if purpose else []
    connection.execute(sa.update(tokens).where(*good).values(used_at=now))


def change_token(connection: Connection, token: IssuedToken, change: PendingChange) -> None:
    """Replace the change that using this token makes."""
    this = sa.update(tokens).where(tokens.c.token_hash == token.token_hash)
    connection.execute(this.values(wish=encode_change(change)))


def tokens_of(connection: Connection, subscriber_id: int) -> list[IssuedToken]:
    """Return all tokens of a subscriber, oldest first."""
    query = sa.select(tokens).where(tokens.c.subscriber_id == subscriber_id).order_by(tokens.c.made_at)
    return [_token(row) for row in connection.execute(query)]


def newest_token(connection: Connection, subscriber_id: int, purpose: str, now: datetime) -> IssuedToken | None:
    """Return a subscriber's newest valid and unused token for a purpose, or None."""
    found = tokens_of(connection, subscriber_id)
    good = [t for t in found if t.purpose == purpose and t.used_at is None and t.expires_at > now]
    return max(good, key=lambda token: token.made_at, default=None)


def tokens_to_address(connection: Connection, keys: Sequence[str], since: datetime) -> list[IssuedToken]:
    """Return the tokens made since a moment to confirm one of these new addresses, whichever subscriber asked."""
    query = sa.select(tokens).where(
        tokens.c.address_key.in_(keys), tokens.c.purpose == ADDRESS, tokens.c.made_at > since
    )
    return [_token(row) for row in connection.execute(query)]


def mailed_change(connection: Connection, key: str, purpose: str, now: datetime) -> PendingChange | None:
    """Return the change of the newest valid and unused token of the subscriber with an address key, or None."""
    query = (
        sa.select(tokens.c.wish)
        .join_from(tokens, subscribers)
        .where(
            subscribers.c.address_key == key,
            tokens.c.purpose == purpose,
            tokens.c.used_at.is_(None),
            tokens.c.expires_at > now,
        )
        .order_by(tokens.c.made_at.desc())
        .limit(1)
    )
    row = connection.execute(query).first()
    return None if row is None else decode_change(row.wish)


def _token(row: Row[Any]) -> IssuedToken:
    return IssuedToken(
        token_hash=row.token_hash,
        purpose=row.purpose,
        subscriber_id=row.subscriber_id,
        made_at=row.made_at,
        expires_at=row.expires_at,
        used_at=row.used_at,
        change=decode_change(row.wish),
    )
