"""Senders are killed with SIGKILL again and again: who gets nothing, who gets duplicates, who was really in doubt?

    python -m benchmarks.kills [--recipients 20000] [--kills 25] [--database both] [--senders 1 2]
                               [--mode resend hold] [--connections 8] [--write]

An edition is sent to a real smtp-sink, which keeps all messages. At random moments a sender is killed and another one
started. Messages that the ledger lists as in doubt for the dead sender were in flight. The promises are judged by the
messages that the sink kept; the exit code is 1 if one is broken. --write puts the table into docs/delivery.md.
"""

from __future__ import annotations

import argparse
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.editions import add_readers, ledger, make_edition
from benchmarks.imports import databases
from benchmarks.senders import Departures, Order, Ration, Sender, departures
from benchmarks.sinks import Sink, Taken, sink
from benchmarks.tables import markdown, write
from publisher.core.newsletter_models import DeliveryStatus
from publisher.store import Store, open_store
from publisher.store.ledger import LedgerRow

_SEED = 20261122
# Only dead senders lose their work, however slow this computer is.
_LEASE_SECONDS = 3_600.0
# How often a sender may be killed while the server does not answer, until one has had a message in flight.
_STALLS = 20


@dataclass(frozen=True, slots=True)
class Trial:
    """One run of the proof."""

    database: str
    senders: int
    mode: str
    recipients: int
    kills: int
    connections: int


@dataclass(frozen=True, slots=True)
class Result:
    """The outcome of a trial. in_flight: the ids in doubt at each kill."""

    trial: Trial
    in_flight: tuple[frozenset[int], ...]
    taken: tuple[Taken, ...]
    rows: tuple[LedgerRow, ...]
    seconds: float

    @property
    def doubted(self) -> frozenset[int]:
        """All deliveries that were in flight at any kill."""
        return frozenset[int]().union(*self.in_flight)

    @property
    def most_in_flight(self) -> int:
        return sum(map(len, self.in_flight))

    @property
    def lost(self) -> set[str]:
        """Recipients that got nothing and are not listed as uncertain."""
        listed = {row.address for row in self.rows if row.status is DeliveryStatus.UNCERTAIN and row.reason}
        return {row.address for row in self.rows} - {one.recipient for one in self.taken} - listed

    @property
    def copies(self) -> Counter[str]:
        """Recipients that got more than one message, with the number of duplicates."""
        return Counter({who: n - 1 for who, n in Counter(one.recipient for one in self.taken).items() if n > 1})

    @property
    def unlike(self) -> set[str]:
        """Recipients whose messages differ, in the Message-ID or anywhere else."""
        seen: dict[str, set[tuple[str, str]]] = {}
        for one in self.taken:
            seen.setdefault(one.recipient, set()).add((one.message_id, one.digest))
        return {who for who, kinds in seen.items() if len(kinds) > 1}

    @property
    def uncertain(self) -> frozenset[int]:
        return frozenset(row.id for row in self.rows if row.status is DeliveryStatus.UNCERTAIN)

    def broken(self) -> list[str]:
        """Return the promises that were broken."""
        return [promise for promise, holds in self._promises().items() if not holds]

    def _promises(self) -> dict[str, bool]:
        trial, by_address = self.trial, {row.address: row.id for row in self.rows}
        ids = {one.message_id for one in self.taken}
        common = {
            "every kill hit a sender at work": len(self.in_flight) >= trial.kills,
            "some messages were in flight at a kill": self.most_in_flight > 0,
            "every subscriber has a row": len(self.rows) == trial.recipients,
            "nobody is lost": not self.lost,
            "duplicates are identical byte for byte": not self.unlike,
            "each subscriber has a Message-ID": len(ids) == len({one.recipient for one in self.taken}),
            "at most one message per connection was in flight": all(
                len(s) <= trial.connections for s in self.in_flight
            ),
            "every message marked as sent arrived": self._sent() <= {one.recipient for one in self.taken},
        }
        if trial.mode == "hold":
            return common | {
                "nobody got duplicates": not self.copies,
                "exactly the messages in flight are uncertain": self.uncertain == self.doubted,
                "every row is sent or uncertain": len(self._sent()) + len(self.uncertain) == len(self.rows),
            }
        return common | {
            "every row is sent": len(self._sent()) == len(self.rows),
            "copies were in flight at a kill": all(by_address[who] in self.doubted for who in self.copies),
            "there are no more duplicates than messages in flight": self.copies.total() <= self.most_in_flight,
        }

    def _sent(self) -> set[str]:
        return {row.address for row in self.rows if row.status is DeliveryStatus.SENT}


class _Proof:
    """The senders of one trial, and what was in doubt whenever one of them was killed."""

    def __init__(self, trial: Trial, store: Store, order: Order, gone: Departures, ration: Ration) -> None:
        self._trial, self._store, self._order = trial, store, order
        self._gone, self._ration = gone, ration
        self._standby = Sender(order)
        self._dice = random.Random(f"{_SEED} {trial}")
        self._killed: list[str] = []

    def run(self, to: Sink) -> None:
        """Kill senders at the trial's moments, then let a last one finish."""
        trial = self._trial
        senders = [self._next() for _ in range(trial.senders)]
        for target in sorted(self._dice.sample(_room(trial), trial.kills)):
            while to.count() < target:
                self._replace_ended(senders)
                time.sleep(0.002)
            while not self._kill_one(senders):
                self._replace_ended(senders)
        for _ in range(_STALLS):
            if any(self.in_flight()):
                break
            self._kill_in_flight(senders, to)
        self._ration.add(2 * trial.recipients)
        for sender in [*senders, self._next()]:
            if error := sender.finish():
                raise RuntimeError(error)
        self._standby.kill()

    def in_flight(self) -> list[frozenset[int]]:
        """Return what was in doubt at each kill."""
        return [self._gone.in_doubt(worker) for worker in self._killed]

    def _next(self) -> Sender:
        """Let the waiting sender begin, and start another one to wait."""
        sender, self._standby = self._standby, Sender(self._order)
        sender.go()
        return sender

    def _worker(self, sender: Sender) -> str | None:
        """Return the worker name of a sender; None if it is not sending."""
        names = [each.name for each in self._store.workers.list()]
        return next((name for name in names if f".{sender.process.pid}." in name), None)

    def _replace_ended(self, senders: list[Sender]) -> None:
        """Replace senders that found nothing to send, because another one had claimed everything."""
        for number, sender in enumerate(senders):
            if not sender.running:
                if error := sender.finish():
                    raise RuntimeError(error)
                senders[number] = self._next()

    def _kill_one(self, senders: list[Sender]) -> bool:
        """Kill a sender at a random moment, and replace it; return False if it was not at work."""
        victim = self._dice.randrange(len(senders))
        worker = self._worker(senders[victim])
        time.sleep(self._dice.random() * 0.005)
        return worker is not None and self._kill(senders, victim, worker)

    def _kill_in_flight(self, senders: list[Sender], to: Sink) -> None:
        """Kill a sender while the mail server does not answer, if one gets a message in flight soon."""
        self._ration.add(8 * self._trial.connections)
        to.process.send_signal(signal.SIGSTOP)
        try:
            until = time.monotonic() + 1
            while time.monotonic() < until:
                for victim, sender in enumerate(senders):
                    worker = self._worker(sender)
                    if worker and self._gone.in_doubt(worker):
                        self._kill(senders, victim, worker)
                        return
                time.sleep(0.002)
        finally:
            to.process.send_signal(signal.SIGCONT)

    def _kill(self, senders: list[Sender], victim: int, worker: str) -> bool:
        if not senders[victim].kill():
            return False
        self._killed.append(worker)
        senders[victim] = self._next()
        return True


def _room(trial: Trial) -> range:
    """Return how many messages may have arrived at a kill."""
    return range(trial.recipients // 50, trial.recipients * 4 // 5)


def prove(trial: Trial, url: str, folder: Path) -> Result:
    """Run one trial in an empty database."""
    with open_store(url, folder) as store, sink(folder / "sink") as to, departures(store) as gone:
        add_readers(store, trial.recipients)
        make_edition(store)
        server = {"url": f"smtp://127.0.0.1:{to.port}", "tls": "none", "timeout": 300, "connections": trial.connections}
        ration = Ration(trial.recipients * 9 // 10)
        order = Order(url, folder, (server,), trial.mode, (("lease", _LEASE_SECONDS),), ration)
        proof = _Proof(trial, store, order, gone, ration)
        begun = time.perf_counter()
        proof.run(to)
        seconds = time.perf_counter() - begun
        in_flight = tuple(proof.in_flight())
        return Result(trial, in_flight, tuple(to.taken()), tuple(ledger(url, folder)), seconds)


def prove_in_new_database(trial: Trial) -> Result:
    """Make a database for one trial, and run it."""
    with tempfile.TemporaryDirectory(prefix="publisher-kills-") as name:
        folder = Path(name)
        with databases(trial.database, folder / "database") as urls:
            url = f"sqlite:///{folder}/publisher.db" if trial.database == "sqlite" else urls[0]
            return prove(trial, url, folder)


HEADER = (
    "database",
    "senders",
    "`on_uncertain`",
    "kills",
    "in flight",
    "lost",
    "copies",
    "unlike",
    "uncertain",
    "as promised",
)


def line(result: Result) -> tuple[str, ...]:
    """Return a result as a line of the table."""
    trial = result.trial
    figures = (result.most_in_flight, len(result.lost), result.copies.total(), len(result.unlike))
    words = ("SQLite" if trial.database == "sqlite" else "PostgreSQL", str(trial.senders), f"`{trial.mode}`")
    verdict = "yes" if not result.broken() else "NO: " + "; ".join(result.broken())
    return (*words, str(len(result.in_flight)), *map(str, figures), str(len(result.uncertain)), verdict)


def section(results: Sequence[Result]) -> str:
    """Return the part of the document."""
    trial = results[0].trial
    said = (
        f"{trial.recipients:,} recipients, {trial.connections} connections a sender, {trial.kills} kills at random"
        f" moments, {len(results)} trials."
    )
    return f"{said}\n\n{markdown(HEADER, [line(result) for result in results])}"


def main() -> int:
    """Run every requested trial, and print the table."""
    given = _arguments()
    kinds = ("sqlite", "postgresql") if given.database == "both" else (given.database,)
    trials = [
        Trial(kind, senders, mode, given.recipients, given.kills, given.connections)
        for kind in kinds
        for senders in given.senders
        for mode in given.mode
    ]
    results = []
    for trial in trials:
        results.append(result := prove_in_new_database(trial))
        print(f"{result.seconds:6.1f} s  {' | '.join(line(result))}", file=sys.stderr, flush=True)
    print(section(results))
    if given.write:
        write("kills", section(results))
    return 1 if any(result.broken() for result in results) else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.kills", description=__doc__.split("\n")[0])
    parser.add_argument("--recipients", type=int, default=20_000, help="readers (default 20000)")
    parser.add_argument("--kills", type=int, default=25, help="kills in each trial (default 25)")
    parser.add_argument("--connections", type=int, default=8, help="connections per sender (default 8)")
    parser.add_argument("--database", choices=("sqlite", "postgresql", "both"), default="both")
    parser.add_argument(
        "--senders", type=int, nargs="+", choices=(1, 2), default=[1, 2], help="how many senders at the same time"
    )
    parser.add_argument("--mode", nargs="+", choices=("resend", "hold"), default=["resend", "hold"])
    parser.add_argument("--write", action="store_true", help="put the table into docs/delivery.md")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
