"""Addresses that must never be mailed again, as keyed hashes: the list outlives whoever was on it, and cannot be
read back without the project's secret.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from publisher.errors import StoreError
from publisher.model import SuppressionReason
from publisher.signing import hashing_key, keyed_hash
from publisher.store.addresses import address_key
from publisher.store.engine import Database
from publisher.store.tables import suppressions

Secret = Callable[[], str]

LOST = "restore the project's secret; with another one nobody on the list would be recognised"


def no_secret() -> str:
    """Stand for the secret of a store that was opened without one. Raises StoreError when it is needed."""
    raise StoreError("the list of suppressed addresses cannot be read without the project's secret")


class Suppressions:
    """The list inside a caller's transaction. The secret is asked for when there is something to hash."""

    def __init__(self, database: Database, secret: Secret) -> None:
        self._database = database
        self._secret = secret
        self._key = b""

    def among(self, connection: Connection, keys: Collection[str]) -> set[str]:
        """Return which of these address keys are on the list.

        Raises StoreError where the list was made with another secret: nobody on it would be found.
        """
        if not keys or connection.execute(sa.select(suppressions.c.address_hash).limit(1)).first() is None:
            return set()
        hashes = {self._hash(connection, key): key for key in keys}
        query = sa.select(suppressions.c.address_hash).where(suppressions.c.address_hash.in_(hashes))
        return {hashes[row.address_hash] for row in connection.execute(query)}

    def add(self, connection: Connection, key: str, reason: SuppressionReason, at: datetime, source: str) -> bool:
        """Put an address key on the list; the first reason stays. Return whether it is new there."""
        row = {"address_hash": self._hash(connection, key), "reason": reason, "at": at, "source": source}
        insert = self._database.insert_new(suppressions)
        return connection.execute(insert, [row | {"key_id": self._key_id()}]).rowcount > 0

    def drop(self, connection: Connection, key: str) -> bool:
        """Take an address key off the list; return whether it was there."""
        entry = suppressions.c.address_hash == self._hash(connection, key)
        return connection.execute(sa.delete(suppressions).where(entry)).rowcount > 0

    def is_listed(self, address: str) -> bool:
        """Return whether an address is on the list."""
        with self._database.read() as connection:
            return bool(self.among(connection, [address_key(address)]))

    def counts(self) -> dict[SuppressionReason, int]:
        """Return how many addresses are on the list, by reason."""
        query = sa.select(suppressions.c.reason, sa.func.count().label("total")).group_by(suppressions.c.reason)
        with self._database.read() as connection:
            return {row.reason: row.total for row in connection.execute(query)}

    def _hash(self, connection: Connection, key: str) -> str:
        if not self._key:
            made = hashing_key(self._secret(), "suppression")
            foreign = suppressions.c.key_id != keyed_hash(made, "")[:16]
            if connection.execute(sa.select(suppressions.c.key_id).where(foreign).limit(1)).first() is not None:
                where = self._database.where
                raise StoreError("the suppressed addresses were hashed with another secret", where=where, mend=LOST)
            self._key = made
        return keyed_hash(self._key, key)

    def _key_id(self) -> str:
        return keyed_hash(self._key, "")[:16]
