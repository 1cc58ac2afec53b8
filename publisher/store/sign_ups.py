"""Requests of the sign-up form that have been accepted and not carried out yet.

The form says thank you only once the request is in this table. A request is stored whether its address is known or not,
so neither the answer nor its timing reveals which; and it is carried out even if the process is killed right after the
answer. The rows are encrypted, so that an address leaves no readable trace in the database's log of changes.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime

import sqlalchemy as sa

from publisher.core.signing import open_sealed, seal
from publisher.store.database import Database
from publisher.store.subscriber_records import (
    Evidence,
    PendingChange,
    SignUp,
    address_key,
    decode_change,
    encode_change,
)
from publisher.store.suppressions import Secret
from publisher.store.tables import sign_ups

_PURPOSE = "sign-up"


class SignUps:
    """The table of accepted requests; part of Store. secret: returns the project's secret."""

    def __init__(self, database: Database, secret: Secret) -> None:
        self._database, self._secret = database, secret

    def add(self, address: str, change: PendingChange, evidence: Evidence, at: datetime) -> SignUp:
        """Store a request, and return it with its id. Nothing is looked up. evidence: only what may be stored."""
        text = json.dumps({"address": address, "change": encode_change(change), "evidence": asdict(evidence)})
        values = {"at": at, "sealed": seal(self._secret(), _PURPOSE, text)}
        with self._database.write() as connection:
            (number,) = connection.execute(sa.insert(sign_ups).values(values)).inserted_primary_key or (0,)
        return SignUp(number, address, change, evidence, at)

    def list(self) -> Sequence[SignUp]:
        """Return the requests that are not carried out, oldest first, except those encrypted with an earlier secret."""
        with self._database.read() as connection:
            rows = connection.execute(sa.select(sign_ups).order_by(sign_ups.c.id)).all()
        texts = [(row, open_sealed(self._secret(), _PURPOSE, row.sealed)) for row in rows]
        return [_sign_up(row.id, text, row.at) for row, text in texts if text]

    def remove(self, number: int) -> None:
        """Delete a request, because it has been carried out or is too old."""
        with self._database.write() as connection:
            connection.execute(sa.delete(sign_ups).where(sign_ups.c.id == number))

    def forget(self, address: str) -> None:
        """Delete all requests for an address."""
        for each in self.list():
            if address_key(each.address) == address_key(address):
                self.remove(each.id)


def _sign_up(number: int, text: str, at: datetime) -> SignUp:
    value = json.loads(text)
    return SignUp(number, value["address"], decode_change(value["change"]), Evidence(**value["evidence"]), at)
