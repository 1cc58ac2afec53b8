"""What is done once, by whichever process comes first: chores at their rhythm, and mails to the owner."""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from datetime import datetime, timedelta

import sqlalchemy as sa

from publisher.core.models import require_aware
from publisher.store.engine import Database
from publisher.store.time_tables import chores, told


class Chores:
    """The tables of chores and of what was told; part of Store."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def begin(self, name: str, now: datetime, every: timedelta) -> bool:
        """Return whether a chore is due and is the caller's: nobody else gets it before `every` is over again.

        One that was begun at a time to come, by a clock that was wrong, is due.
        """
        require_aware("now", now)
        known = sa.select(chores.c.begun_at).where(chores.c.name == name)
        with self._database.read() as connection:
            begun_at = connection.execute(known).scalar()
        if begun_at is not None and now - every < begun_at <= now:
            return False
        with self._database.write() as connection:
            if begun_at is None:
                new = self._database.insert_new(chores).values(name=name, begun_at=now)
                return connection.execute(new).rowcount == 1
            same = chores.c.name == name, chores.c.begun_at == begun_at
            return connection.execute(sa.update(chores).where(*same).values(begun_at=now)).rowcount == 1

    def tell(self, kind: str, what: str, now: datetime) -> bool:
        """Return whether something was not told yet and is the caller's to tell."""
        require_aware("now", now)
        digest = _digest(what)
        query = sa.select(told.c.at).where(told.c.kind == kind, told.c.digest == digest)
        with self._database.read() as connection:
            if connection.execute(query).first() is not None:
                return False
        with self._database.write() as connection:
            new = self._database.insert_new(told).values(kind=kind, digest=digest, at=now)
            return connection.execute(new).rowcount == 1

    def untell(self, kind: str, what: str) -> None:
        """Take back that something was told: the mail could not be sent."""
        with self._database.write() as connection:
            connection.execute(sa.delete(told).where(told.c.kind == kind, told.c.digest == _digest(what)))

    def told_only(self, kind: str, still: Collection[str]) -> None:
        """Forget that anything of a kind was told but what is `still` there: if it comes back, it is news again."""
        digests = {_digest(what) for what in still}
        with self._database.read() as connection:
            known = set(connection.execute(sa.select(told.c.digest).where(told.c.kind == kind)).scalars())
        if gone := known - digests:
            with self._database.write() as connection:
                connection.execute(sa.delete(told).where(told.c.kind == kind, told.c.digest.in_(gone)))

    def told_since(self, kind: str, moment: datetime) -> None:
        """Forget that anything of a kind was told before a moment: if it is still there, it is told again."""
        require_aware("moment", moment)
        old = told.c.kind == kind, told.c.at < moment
        with self._database.read() as connection:
            if connection.execute(sa.select(told.c.digest).where(*old).limit(1)).first() is None:
                return
        with self._database.write() as connection:
            connection.execute(sa.delete(told).where(*old))


def _digest(what: str) -> str:
    return hashlib.sha256(what.encode("utf-8", "surrogatepass")).hexdigest()
