"""Starts and ends senders in their own processes (see benchmarks.deliverer), and notes what they leave in doubt."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from benchmarks.deliverer import deliver_all
from benchmarks.forking import PROCESSES
from publisher.store import Store
from publisher.store.fleet_tables import workers


class Ration:
    """The number of messages that the senders of a proof may settle. The sender that settles one more waits.

    So no sender finishes an edition before the proof has met all of its moments, however slow this process is.
    """

    def __init__(self, messages: int) -> None:
        self.left = PROCESSES.Semaphore(messages)

    def add(self, messages: int) -> None:
        """Allow more messages."""
        for _ in range(messages):
            self.left.release()


@dataclass(frozen=True, slots=True)
class Order:
    """The settings of a sender. servers: the keys of each mail server. more: see benchmarks.deliverer."""

    url: str
    folder: Path
    servers: tuple[dict[str, Any], ...]
    on_uncertain: str = "resend"
    more: tuple[tuple[str, float | str], ...] = ()
    ration: Ration | None = None

    def words(self) -> dict[str, Any]:
        """Return the settings as benchmarks.deliverer reads them."""
        told = {"url": self.url, "folder": str(self.folder), "servers": self.servers, "on_uncertain": self.on_uncertain}
        return told | dict(self.more) | ({"ration": self.ration.left} if self.ration else {})


class Sender:
    """A sender whose process has been started; it begins to send after `go`."""

    def __init__(self, order: Order) -> None:
        self.order = order
        self._line, theirs = PROCESSES.Pipe()
        self.process = PROCESSES.Process(target=deliver_all, args=(order.words(), theirs))
        self.process.start()
        theirs.close()

    @property
    def running(self) -> bool:
        """Whether its process is running."""
        return self.process.is_alive()

    def go(self) -> None:
        """Let the sender begin as soon as it is ready."""
        try:
            self._line.recv()
        except EOFError as error:
            raise RuntimeError("the sender did not start") from error
        self._line.send("go")

    def kill(self) -> bool:
        """Kill the process with SIGKILL; return whether it was still running."""
        was_running = self.running
        self.process.kill()
        self.process.join()
        return was_running and self.process.exitcode == -signal.SIGKILL

    def stop(self) -> str:
        """End a sender that looks for work until it is told to stop; return its errors."""
        self._line.send("stop")
        return self.finish()

    def finish(self) -> str:
        """Wait until the sender ends; return the error that it reported, or ""."""
        try:
            said = str(self._line.recv()) if self._line.poll(600) else "it did not end"
        except EOFError:
            said = "it ended without a word"
        self.process.join(timeout=600)
        return said


def deliver(order: Order) -> str:
    """Run one sender to its end; return its error."""
    sender = Sender(order)
    sender.go()
    return sender.finish()


_NOTES = "CREATE TABLE departures (worker TEXT, in_doubt TEXT)"
_NOTE = "INSERT INTO departures VALUES (OLD.worker, OLD.in_doubt);"
_SQLITE = (_NOTES, f"CREATE TRIGGER departing AFTER DELETE ON workers BEGIN {_NOTE} END")
_POSTGRESQL = (
    _NOTES,
    f"CREATE FUNCTION note_departure() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN {_NOTE} RETURN OLD; END$$",
    "CREATE TRIGGER departing AFTER DELETE ON workers FOR EACH ROW EXECUTE FUNCTION note_departure()",
)
_departures = sa.table("departures", sa.column("worker"), sa.column("in_doubt"))


class Departures:
    """The deliveries that the ledger lists as in doubt for workers, even if others have taken over their work."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def in_doubt(self, worker: str) -> frozenset[int]:
        """Return the deliveries in doubt for a worker, alive or not.

        PostgreSQL may still be running the last transaction of a dead process; the lock waits for its end.
        """
        here = sa.select(workers.c.in_doubt).where(workers.c.worker == worker).with_for_update()
        gone = sa.select(_departures.c.in_doubt).where(_departures.c.worker == worker)
        with self._store.database.write() as connection:
            found = [*connection.execute(here).scalars()] or [*connection.execute(gone).scalars()]
        return frozenset(int(each) for text in found for each in (text or "").split())

    def all(self) -> dict[str, frozenset[int]]:
        """Return the deliveries that were in doubt for each worker that is no longer listed, when it was removed."""
        with self._store.database.read() as connection:
            rows = connection.execute(sa.select(_departures)).all()
        return {row.worker: frozenset(map(int, (row.in_doubt or "").split())) for row in rows}


@contextmanager
def departures(store: Store) -> Iterator[Departures]:
    """Note what is in doubt for each worker when the store removes it, until the block ends.

    A trigger notes it in the transaction that removes the worker. Otherwise another sender could take over the work of
    a killed one before the proof looks.
    """
    is_sqlite = store.database.is_sqlite
    with store.database.write() as connection:
        for statement in _SQLITE if is_sqlite else _POSTGRESQL:
            connection.exec_driver_sql(statement)
    yield Departures(store)
    with store.database.write() as connection:
        connection.exec_driver_sql("DROP TRIGGER departing" + ("" if is_sqlite else " ON workers"))
        if not is_sqlite:
            connection.exec_driver_sql("DROP FUNCTION note_departure")
        connection.exec_driver_sql("DROP TABLE departures")
