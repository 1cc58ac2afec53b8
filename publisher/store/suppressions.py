"""The suppression list: addresses that must never get email again.

The list contains only keyed hashes. So it may remain when a subscriber is deleted, and without the project's secret
nobody can learn an address from it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from publisher.core.errors import StoreError
from publisher.core.newsletter_models import SuppressionReason
from publisher.core.signing import hashing_key, keyed_hash
from publisher.store.database import Database
from publisher.store.subscriber_records import SuppressedHash, address_key
from publisher.store.tables import suppressions

Secret = Callable[[], str]
PAGE = 1_000  # rows per query

LOST = "restore the project's secret; with a different one no address on the list would be recognised"


def no_secret() -> str:
    """Raise StoreError, because the store was opened without a secret."""
    raise StoreError("the suppression list cannot be read without the project's secret")


class Suppressions:
    """The suppression list. Methods with a connection work inside the caller's transaction.

    secret: a function that returns the project's secret. It is called when the secret is first needed.
    """

    def __init__(self, database: Database, secret: Secret) -> None:
        self._database = database
        self._secret = secret
        self._key = b""

    def among(self, connection: Connection, keys: Collection[str]) -> dict[str, SuppressionReason]:
        """Return the address keys that are on the list, each with the reason.

        Raises StoreError if the list was made with a different secret, because no address would be found in it.
        """
        if not keys or _is_empty(connection):
            return {}
        hashes = {self.hash(connection, key): key for key in keys}
        query = sa.select(suppressions.c.address_hash, suppressions.c.reason)
        found = connection.execute(query.where(suppressions.c.address_hash.in_(hashes)))
        return {hashes[row.address_hash]: row.reason for row in found}

    def entries_among(self, connection: Connection, keys: Collection[str]) -> dict[str, SuppressedHash]:
        """Return the entries of the address keys that are on the list; see `among`."""
        if not keys or _is_empty(connection):
            return {}
        hashes = {self.hash(connection, key): key for key in keys}
        found = connection.execute(sa.select(suppressions).where(suppressions.c.address_hash.in_(hashes)))
        return {hashes[row.address_hash]: _entry(row) for row in found}

    def add(
        self,
        connection: Connection,
        key: str,
        reason: SuppressionReason,
        at: datetime,
        source: str,
        number: int | None = None,
    ) -> bool:
        """Put an address key on the list; return whether the list changed.

        A key that is already on the list keeps its first reason. The exception is MOVED, which any other reason
        replaces, because the mailbox itself could undo it.
        number: the import that does this, which can be undone until something else puts the key on the list.
        """
        row = {"address_hash": self.hash(connection, key), "reason": reason, "at": at, "source": source}
        insert = self._database.insert_new(suppressions)
        if connection.execute(insert, [row | {"key_id": _identified(self._key), "import_id": number}]).rowcount > 0:
            return True
        others = suppressions.c.import_id.is_not(None) if number is None else suppressions.c.import_id != number
        again = sa.update(suppressions).where(suppressions.c.address_hash == row["address_hash"], others)
        connection.execute(again.values(import_id=None))
        moved = sa.and_(
            suppressions.c.address_hash == row["address_hash"], suppressions.c.reason == SuppressionReason.MOVED
        )
        stronger = sa.update(suppressions).where(moved, sa.literal(reason is not SuppressionReason.MOVED))
        return connection.execute(stronger.values(reason=reason, at=at, source=source)).rowcount > 0

    def drop(self, connection: Connection, key: str) -> bool:
        """Remove an address key from the list; return whether it was on the list."""
        if _is_empty(connection):
            return False
        entry = suppressions.c.address_hash == self.hash(connection, key)
        return connection.execute(sa.delete(suppressions).where(entry)).rowcount > 0

    def reason(self, address: str) -> SuppressionReason | None:
        """Return the reason why an address is on the list, or None if it is not."""
        with self._database.read() as connection:
            return self.among(connection, [key := address_key(address)]).get(key)

    def is_listed(self, address: str) -> bool:
        """Return whether an address must never get email.

        The reason MOVED does not count: an address that its subscriber no longer uses may subscribe again.
        """
        return self.reason(address) not in (None, SuppressionReason.MOVED)

    def entries(self) -> Iterator[SuppressedHash]:
        """Yield every entry of the list, in the order of the hashes, for an export. Memory use stays constant."""
        last = ""
        while True:
            query = sa.select(suppressions).where(suppressions.c.address_hash > last)
            with self._database.read() as connection:
                rows = connection.execute(query.order_by(suppressions.c.address_hash).limit(PAGE)).all()
            for row in rows:
                yield _entry(row)
            if len(rows) < PAGE:
                return
            last = rows[-1].address_hash

    def restore(self, entries: Sequence[SuppressedHash], number: int | None, *, dry_run: bool = False) -> None:
        """Put entries from an earlier export on the list. Entries that are already on the list stay as they are.

        number: the import that does this.
        """
        rows = [
            {
                "address_hash": entry.address_hash,
                "reason": entry.reason,
                "at": entry.at,
                "source": entry.source,
                "key_id": entry.key_id,
                "import_id": number,
            }
            for entry in entries
        ]
        hashes = [entry.address_hash for entry in entries]
        others = suppressions.c.import_id.is_not(None) if number is None else suppressions.c.import_id != number
        again = sa.update(suppressions).where(suppressions.c.address_hash.in_(hashes), others)
        with self._database.write(dry_run=dry_run) as connection:
            self._database.guard(connection, alone=True)
            connection.execute(again.values(import_id=None))
            connection.execute(self._database.insert_new(suppressions), rows)

    def knows(self, key_id: str) -> bool:
        """Return whether an entry of an export was hashed with the project's secret."""
        return key_id == self.key_id()

    def key_id(self) -> str:
        """Return a text that identifies the project's secret without revealing it."""
        return _identified(hashing_key(self._secret(), "suppression"))

    def counts(self) -> dict[SuppressionReason, int]:
        """Return how many addresses are on the list, by reason."""
        query = sa.select(suppressions.c.reason, sa.func.count().label("total")).group_by(suppressions.c.reason)
        with self._database.read() as connection:
            return {row.reason: row.total for row in connection.execute(query)}

    def hash(self, connection: Connection, key: str) -> str:
        """Return the hash of an address key. Raises StoreError if the list was made with a different secret."""
        if not self._key:
            made = hashing_key(self._secret(), "suppression")
            foreign = suppressions.c.key_id != _identified(made)
            if connection.execute(sa.select(suppressions.c.key_id).where(foreign).limit(1)).first() is not None:
                where = self._database.where
                raise StoreError("the suppressed addresses were hashed with a different secret", where=where, hint=LOST)
            self._key = made
        return keyed_hash(self._key, key)

    def hash_mailbox(self, connection: Connection, mailbox: str) -> str:
        """Return the hash of a mailbox, which differs from that of any address key. Raises StoreError like `hash`."""
        return self.hash(connection, f"mailbox {mailbox}")


def _identified(key: bytes) -> str:
    return keyed_hash(key, "")[:16]


def _entry(row: Row[Any]) -> SuppressedHash:
    return SuppressedHash(row.address_hash, row.reason, row.at, row.source, row.key_id or "")


def _is_empty(connection: Connection) -> bool:
    return connection.execute(sa.select(suppressions.c.address_hash).limit(1)).first() is None
