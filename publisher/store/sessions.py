"""The sessions of the admin page. A cookie holds a random token, and only its hash is stored here."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Row

from publisher.core.frozen import dataclass
from publisher.core.models import require_aware
from publisher.store.database import Database
from publisher.store.tables import sessions

# An owner has a few browsers. If one more logs in, the oldest session ends.
MOST_SESSIONS = 20


@dataclass(frozen=True, slots=True)
class LoginSession:
    """A session that has not ended.

    id        its number
    begun_at  when the owner logged in
    ends_at   when the owner has to log in again
    client    the network of the browser, or its IP address
    browser   a short name of the browser
    """

    id: int
    begun_at: datetime
    ends_at: datetime
    client: str
    browser: str


class LoginSessions:
    """The table of sessions; part of Store."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def begin(self, token: str, now: datetime, ends_at: datetime, *, client: str, browser: str, old: str = "") -> None:
        """Store a session, and delete those that are over.

        token  the random text in the cookie
        old    the token of a session that the new one replaces, or ""
        """
        require_aware("now", now)
        is_over = (sessions.c.ends_at <= now) | (sessions.c.token_hash == _hash(old))
        row = {"begun_at": now, "ends_at": ends_at, "client": client[:64], "browser": browser[:80]}
        newest = sa.select(sessions.c.id).order_by(sessions.c.id.desc()).limit(MOST_SESSIONS)
        with self._database.write() as connection:
            connection.execute(sa.delete(sessions).where(is_over))
            connection.execute(sa.insert(sessions).values(token_hash=_hash(token), **row))
            kept = connection.execute(newest).scalars().all()
            connection.execute(sa.delete(sessions).where(sessions.c.id.not_in(kept)))

    def find(self, token: str, now: datetime) -> LoginSession | None:
        """Return the session with a token; None if there is none or it is over."""
        require_aware("now", now)
        query = sa.select(sessions).where(sessions.c.token_hash == _hash(token), sessions.c.ends_at > now)
        with self._database.read() as connection:
            row = connection.execute(query).first()
        return None if row is None else _session(row)

    def list(self, now: datetime) -> Sequence[LoginSession]:
        """Return all sessions that are not over, newest first."""
        require_aware("now", now)
        query = sa.select(sessions).where(sessions.c.ends_at > now).order_by(sessions.c.id.desc())
        with self._database.read() as connection:
            return [_session(row) for row in connection.execute(query)]

    def end(self, token: str) -> bool:
        """End the session with a token; return whether there was one."""
        with self._database.write() as connection:
            gone = connection.execute(sa.delete(sessions).where(sessions.c.token_hash == _hash(token)))
            return gone.rowcount == 1

    def forget(self, now: datetime) -> None:
        """Delete the sessions that are over."""
        require_aware("now", now)
        with self._database.write() as connection:
            connection.execute(sa.delete(sessions).where(sessions.c.ends_at <= now))

    def end_others(self, token: str) -> int:
        """End every session except the one with a token; return how many there were."""
        with self._database.write() as connection:
            others = sessions.c.token_hash != _hash(token)
            return connection.execute(sa.delete(sessions).where(others)).rowcount

    def end_all(self) -> int:
        """End every session; return how many there were."""
        with self._database.write() as connection:
            return connection.execute(sa.delete(sessions)).rowcount


def _hash(token: str) -> str:
    # No salt and no slow hash: a token is 256 random bits, which nobody can guess.
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()


def _session(row: Row[Any]) -> LoginSession:
    return LoginSession(row.id, row.begun_at, row.ends_at, row.client, row.browser)
