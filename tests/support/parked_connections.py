"""Keeps connections to PostgreSQL that stores close, so that later stores on the same database can use them.

A test opens several stores. For a new connection, the server starts a process, which loads the definition of each table
before its first use; together this takes five milliseconds of CPU time.
"""

from __future__ import annotations

import os
import threading
from contextlib import suppress
from typing import Any

import psycopg
import pytest
from psycopg._preparing import PrepareManager
from psycopg.pq import TransactionStatus
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg

_MOST = 12
_USABLE = (TransactionStatus.IDLE, TransactionStatus.INTRANS, TransactionStatus.INERROR)

Connection = psycopg.Connection[Any]


class ParkedConnections:
    """The connections to one server that are kept. When they are used again, they look like new ones."""

    def __init__(self, patch: pytest.MonkeyPatch, folder: str) -> None:
        """Begin to keep the connections that SQLAlchemy closes. folder: where the server's socket is."""
        self._lock, self._process = threading.Lock(), os.getpid()
        self._parked: list[tuple[str, Connection]] = []
        self._keys: dict[int, str] = {}
        connect, close = PGDialect_psycopg.connect, PGDialect_psycopg.do_close

        def connecting(dialect: Any, *given: Any, **named: Any) -> Any:
            if named.get("host") != folder or os.getpid() != self._process:
                return connect(dialect, *given, **named)
            key = str(sorted((name, value) for name, value in named.items() if isinstance(value, str | int)))
            found = self._taken(key) or connect(dialect, *given, **named)
            self._keys[id(found)] = key
            return found

        def closing(dialect: Any, connection: Any) -> None:
            key = self._keys.pop(id(connection), "")
            if not (key and os.getpid() == self._process and self._park(key, connection)):
                close(dialect, connection)

        patch.setattr(PGDialect_psycopg, "connect", connecting)
        patch.setattr(PGDialect_psycopg, "do_close", closing)

    def close(self) -> None:
        """Close all connections that are kept."""
        for _, connection in self._parked:
            connection.close()

    def _taken(self, key: str) -> Connection | None:
        """Return a connection that was opened in the same way and still works, or None."""
        while True:
            with self._lock:
                found = next((each for each in reversed(self._parked) if each[0] == key), None)
                if found is None:
                    return None
                self._parked.remove(found)
            with suppress(psycopg.Error):  # if the server has ended it
                found[1].execute("SELECT 1")
                found[1].autocommit = False
                return found[1]

    def _park(self, key: str, connection: Connection) -> bool:
        """Reset a connection to its first state, and keep it; return whether that was possible."""
        if connection.info.transaction_status not in _USABLE:
            return False
        try:
            connection.rollback()
            connection.isolation_level = connection.read_only = connection.deferrable = None
            connection.autocommit = True
            connection.execute("DISCARD ALL")
        except psycopg.Error:
            return False
        connection._prepared, connection.prepare_threshold = PrepareManager(), 5
        connection._notice_handlers.clear()
        with self._lock:
            self._parked.append((key, connection))
            surplus = self._parked[:-_MOST]
            del self._parked[:-_MOST]
        for _, each in surplus:
            each.close()
        return True
