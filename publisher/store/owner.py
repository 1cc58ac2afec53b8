"""The one who may open the admin page."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from publisher.store.engine import Database
from publisher.store.tables import owner

_ONLY = 1


class Owner:
    """The table of the owner, with one row at most; part of Store."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def password_hash(self) -> str:
        """Return what the password is tested against; "" as long as none was set."""
        with self._database.read() as connection:
            return connection.execute(sa.select(owner.c.password_hash)).scalar() or ""

    def set_password(self, password_hash: str, at: datetime) -> None:
        """Keep the hash of a password, in place of any before it."""
        with self._database.write() as connection:
            connection.execute(sa.delete(owner))
            connection.execute(sa.insert(owner).values(id=_ONLY, password_hash=password_hash, set_at=at))
