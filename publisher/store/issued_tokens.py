"""Tokens that were mailed, as hashes: which are still good, and what each of them makes true."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from publisher.core.newsletter_models import Subscription
from publisher.store.tables import subscribers, tokens

ADDRESS = "address"  # the purpose of tokens for a new address


@dataclass(frozen=True, slots=True)
class PendingChange:
    """What comes true when a token is used.

    subscriptions  newsletters to gain, or whose topics to change
    address        the new address, where that is what is confirmed
    mailed         the newsletters that the mail names; the others were asked for after it, perhaps by somebody else
    """

    subscriptions: tuple[Subscription, ...] = ()
    name: str = ""
    language: str = ""
    address: str = ""
    mailed: tuple[str, ...] = ()

    @property
    def named(self) -> tuple[Subscription, ...]:
        """The subscriptions that the mail names."""
        return tuple(wish for wish in self.subscriptions if wish.newsletter in self.mailed)

    def joined(self, later: PendingChange) -> PendingChange:
        """Return this wish with the newsletters of a later one beside its own.

        Whoever asked later may be another than who asked first: they change nothing of what the mail is about.
        """
        names = {wish.newsletter for wish in self.subscriptions}
        more = tuple(wish for wish in later.subscriptions if wish.newsletter not in names)
        return replace(self, subscriptions=self.subscriptions + more)


@dataclass(frozen=True, slots=True)
class IssuedToken:
    """A token as the record knows it: never the token itself."""

    token_hash: str
    purpose: str
    subscriber_id: int
    made_at: datetime
    expires_at: datetime
    used_at: datetime | None
    wish: PendingChange


def issue(connection: Connection, token: IssuedToken, address_key: str) -> None:
    """Write down a token that is about to be mailed; expired ones of the same person go."""
    old = sa.delete(tokens).where(tokens.c.subscriber_id == token.subscriber_id, tokens.c.expires_at <= token.made_at)
    connection.execute(old)
    row = {
        "token_hash": token.token_hash,
        "purpose": token.purpose,
        "subscriber_id": token.subscriber_id,
        "made_at": token.made_at,
        "expires_at": token.expires_at,
        "wish": encode_wish(token.wish),
        "address_key": address_key,
    }
    connection.execute(sa.insert(tokens), [row])


def find(connection: Connection, token_hash: str, purpose: str, now: datetime) -> IssuedToken | None:
    """Return a token that is good for this purpose and was not used; None for any other."""
    query = sa.select(tokens).where(
        tokens.c.token_hash == token_hash,
        tokens.c.purpose == purpose,
        tokens.c.used_at.is_(None),
        tokens.c.expires_at > now,
    )
    row = connection.execute(query).first()
    return None if row is None else _token(row)


def use(connection: Connection, token: IssuedToken, now: datetime) -> bool:
    """Use up a token, and the person's others of its purpose; return False where another was faster."""
    unused = tokens.c.used_at.is_(None)
    this = sa.update(tokens).where(tokens.c.token_hash == token.token_hash, unused)
    if connection.execute(this.values(used_at=now)).rowcount == 0:
        return False
    void(connection, token.subscriber_id, token.purpose, now)
    return True


def void(connection: Connection, subscriber_id: int, purpose: str, now: datetime) -> None:
    """Let no token of a person for a purpose be good any more."""
    good = (tokens.c.subscriber_id == subscriber_id, tokens.c.purpose == purpose, tokens.c.used_at.is_(None))
    connection.execute(sa.update(tokens).where(*good).values(used_at=now))


def made_for(connection: Connection, marks: Sequence[str], since: datetime) -> list[IssuedToken]:
    """Return the tokens that were made for a new address since a moment, of whomever."""
    query = sa.select(tokens).where(
        tokens.c.address_key.in_(marks), tokens.c.purpose == ADDRESS, tokens.c.made_at > since
    )
    return [_token(row) for row in connection.execute(query)]


def newest(connection: Connection, subscriber_id: int, purpose: str, now: datetime) -> IssuedToken | None:
    """Return the person's newest good token of a purpose."""
    found = of_person(connection, subscriber_id)
    good = [t for t in found if t.purpose == purpose and t.used_at is None and t.expires_at > now]
    return max(good, key=lambda token: token.made_at, default=None)


def mailed(connection: Connection, key: str, purpose: str, since: datetime, now: datetime) -> PendingChange | None:
    """Return the wish of the newest good token of an address key, if a mail went there after `since`."""
    query = (
        sa.select(tokens.c.wish)
        .join_from(tokens, subscribers)
        .where(
            subscribers.c.address_key == key,
            subscribers.c.asked_at > since,
            tokens.c.purpose == purpose,
            tokens.c.used_at.is_(None),
            tokens.c.expires_at > now,
        )
        .order_by(tokens.c.made_at.desc())
        .limit(1)
    )
    row = connection.execute(query).first()
    return None if row is None else decode_wish(row.wish)


def of_person(connection: Connection, subscriber_id: int) -> list[IssuedToken]:
    """Return all tokens that are kept of a person, oldest first."""
    query = sa.select(tokens).where(tokens.c.subscriber_id == subscriber_id).order_by(tokens.c.made_at)
    return [_token(row) for row in connection.execute(query)]


def change_wish(connection: Connection, token: IssuedToken, wish: PendingChange) -> None:
    """Let a token that was mailed already make something else true."""
    change = sa.update(tokens).where(tokens.c.token_hash == token.token_hash)
    connection.execute(change.values(wish=encode_wish(wish)))


def encode_wish(wish: PendingChange) -> str:
    """Return the wish as JSON."""
    chosen = [[each.newsletter, list(each.topics)] for each in wish.subscriptions]
    value = {"subscriptions": chosen, "name": wish.name, "language": wish.language, "address": wish.address}
    value["mailed"] = list(wish.mailed)
    return json.dumps({key: part for key, part in value.items() if part}, ensure_ascii=False)


def decode_wish(text: str) -> PendingChange:
    """Return the wish of an encoded text."""
    value = json.loads(text)
    chosen = tuple(Subscription(newsletter, tuple(topics)) for newsletter, topics in value.pop("subscriptions", ()))
    # Tokens of before this was kept: all of it.
    mailed = tuple(value.pop("mailed", [wish.newsletter for wish in chosen]))
    return PendingChange(chosen, **value, mailed=mailed)


def _token(row: Row[Any]) -> IssuedToken:
    return IssuedToken(
        token_hash=row.token_hash,
        purpose=row.purpose,
        subscriber_id=row.subscriber_id,
        made_at=row.made_at,
        expires_at=row.expires_at,
        used_at=row.used_at,
        wish=decode_wish(row.wish),
    )
