"""Three hosts with different clocks send one edition, and are killed, destroyed and paused again and again.

    python -m benchmarks.fleet [--recipients 100000] [--interruptions 50] [--mode resend hold] [--connections 8]
                               [--lease 10] [--write]

Each host is a process with its own folder, host name and clock. One clock is two minutes behind, one is right, and one
is two minutes ahead. All use one PostgreSQL and send to one smtp-sink. At random moments one of them is interrupted in
one of three ways:

    process   its process is killed and another one started on the same host, which finds the lock free immediately
    host      its process is killed and its folder deleted; its replacement only has to wait for the end of the lease
    pause     it is stopped with SIGSTOP for longer than its lease, and then continues

Messages that the ledger lists as in doubt for a host that lost its work were in flight. The promises are judged by the
messages that the sink kept; the exit code is 1 if one is broken. --write puts the table into docs/delivery.md.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from benchmarks import kills
from benchmarks.editions import MADE_AT, add_readers, ledger, make_edition
from benchmarks.imports import databases
from benchmarks.senders import Order, Ration, Sender, departures
from benchmarks.sinks import Sink, sink
from benchmarks.tables import markdown, write
from publisher.core.newsletter_models import DeliveryStatus, Edition
from publisher.store import Store, open_store

CLOCKS = (-2, 0, 2)
WAYS = ("process", "host", "pause")
LONGEST_SECONDS = 600.0


@dataclass(frozen=True, slots=True)
class FleetTrial(kills.Trial):
    """One run of the proof. kills: the number of interruptions. lease: in seconds. rate: of the mail server."""

    lease: float = 10.0
    rate: str = ""


@dataclass(frozen=True, slots=True)
class FleetResult(kills.Result):
    """The outcome of a trial. ways: the number of interruptions by kind. errors: of hosts that ran to the end."""

    ways: Counter[str] = field(default_factory=Counter)
    errors: tuple[str, ...] = ()

    def _promises(self) -> dict[str, bool]:
        trial, by_address = self.trial, {row.address: row.id for row in self.rows}
        sent = {row.address for row in self.rows if row.status is DeliveryStatus.SENT}
        common = {
            "every interruption hit a host that was sending": self.ways.total() == trial.kills,
            "every subscriber has a row": len(self.rows) == trial.recipients,
            "nobody is lost": not self.lost,
            "duplicates are identical byte for byte": not self.unlike,
            "at most one message per connection was in flight": all(
                len(s) <= trial.connections for s in self.in_flight
            ),
            "every message marked as sent arrived": sent <= {one.recipient for one in self.taken},
            "every row is sent or uncertain": len(sent) + len(self.uncertain) == len(self.rows),
            "there are no errors except lost leases": all("have taken over" in each for each in self.errors),
        }
        if trial.mode == "hold":
            return common | {
                "nobody got duplicates": not self.copies,
                "only messages in flight are uncertain": self.uncertain <= self.doubted,
            }
        return common | {
            "every row is sent": not self.uncertain,
            "copies were in flight": all(by_address[who] in self.doubted for who in self.copies),
            "there are no more duplicates than messages in flight": self.copies.total() <= self.most_in_flight,
        }


class _Host:
    """A host: a sender in its own process, with its own folder."""

    def __init__(self, order: Order, minutes: int, name: str, lease: float) -> None:
        self.minutes, self.folder = minutes, order.folder / name
        more = (("minutes", minutes), ("host", name), ("lease", lease), ("stays", 1.0))
        self._order = Order(order.url, self.folder, order.servers, order.on_uncertain, more, order.ration)
        self.paused_until = 0.0
        self.begin()

    def begin(self) -> None:
        """Start the host's process."""
        self.folder.mkdir(exist_ok=True)
        self.sender = Sender(self._order)
        self.sender.go()

    @property
    def pid(self) -> int:
        return int(self.sender.process.pid or 0)

    def pause(self, seconds: float) -> None:
        """Freeze the process, as on a machine that has run out of memory."""
        os.kill(self.pid, signal.SIGSTOP)
        self.paused_until = time.monotonic() + seconds

    def go_on(self) -> None:
        """Let the process continue if its pause is over."""
        if self.paused_until and time.monotonic() >= self.paused_until:
            os.kill(self.pid, signal.SIGCONT)
            self.paused_until = 0.0


class _Fleet:
    """The hosts of one trial, and how often they were interrupted."""

    def __init__(self, trial: FleetTrial, store: Store, edition: Edition, order: Order, ration: Ration) -> None:
        self._trial, self._store, self._edition, self._order = trial, store, edition, order
        self._ration = ration
        self._dice = random.Random(f"fleet {trial}")
        self._number = 0
        self._hosts = [self._host(minutes) for minutes in CLOCKS]
        self.ways: Counter[str] = Counter()

    def run(self, to: Sink) -> list[str]:
        """Interrupt hosts at the trial's moments, and wait for the end; return the errors of the last hosts."""
        trial, dice = self._trial, self._dice
        room = range(trial.recipients // 50, trial.recipients * 4 // 5)
        ways = [WAYS[number % len(WAYS)] for number in range(trial.kills)]
        dice.shuffle(ways)
        for target, way in zip(sorted(dice.sample(room, trial.kills)), ways, strict=True):
            while to.count() < target or (way == "pause" and self._paused()):
                self._go_on()
                time.sleep(0.002)
            while not self._interrupt(way):
                self._go_on()
                time.sleep(0.002)
        self._ration.add(2 * trial.recipients)
        until = time.monotonic() + LONGEST_SECONDS
        while (self._open() or self._paused()) and time.monotonic() < until:
            self._go_on()
            time.sleep(0.05)
        return [error for host in self._hosts if (error := host.sender.stop())]

    def kill(self) -> None:
        """Kill all hosts that still run, in case the proof itself has failed."""
        for host in self._hosts:
            host.sender.kill()

    def _host(self, minutes: int) -> _Host:
        self._number = self._number + 1
        return _Host(self._order, minutes, f"host-{self._number}", self._trial.lease)

    def _interrupt(self, way: str) -> bool:
        """Interrupt a host that is sending; return False if there was none, or if it had just found nothing to send."""
        sending = self._sending()
        awake = [host for host in self._hosts if host.pid in sending and not host.paused_until]
        if not awake:
            return False
        host = self._dice.choice(awake)
        if way == "pause":
            host.pause(self._trial.lease * (1.2 + self._dice.random() / 2))
        elif not host.sender.kill():
            raise RuntimeError("a host ended by itself")
        is_hit = host.pid in self._sending()
        self.ways[way] += is_hit
        if way == "host":
            shutil.rmtree(host.folder)
            self._hosts[self._hosts.index(host)] = self._host(host.minutes)
        elif way == "process":
            host.begin()
        return is_hit

    def _sending(self) -> set[int]:
        """Return the process IDs of the hosts that are sending."""
        return {int(worker.name.rsplit(".", 2)[1]) for worker in self._store.workers.list()}

    def _open(self) -> bool:
        counts = self._store.deliveries.counts(self._edition.id)
        return any(
            counts[status] for status in (DeliveryStatus.QUEUED, DeliveryStatus.SENDING, DeliveryStatus.DEFERRED)
        )

    def _paused(self) -> bool:
        return any(host.paused_until for host in self._hosts)

    def _go_on(self) -> None:
        for host in self._hosts:
            host.go_on()


def prove(trial: FleetTrial, url: str, folder: Path) -> FleetResult:
    """Run one trial in an empty database."""
    with open_store(url, folder) as store, sink(folder / "sink") as to, departures(store) as gone:
        add_readers(store, trial.recipients)
        edition = make_edition(store, MADE_AT - timedelta(minutes=5))
        server = {"url": f"smtp://127.0.0.1:{to.port}", "tls": "none", "timeout": 300, "connections": trial.connections}
        server |= {"rate": trial.rate} if trial.rate else {}
        ration = Ration(trial.recipients * 9 // 10)
        fleet = _Fleet(trial, store, edition, Order(url, folder, (server,), trial.mode, ration=ration), ration)
        begun = time.perf_counter()
        try:
            errors = fleet.run(to)
        finally:
            fleet.kill()
        seconds = time.perf_counter() - begun
        rows, in_flight = tuple(ledger(url, folder)), tuple(noted for noted in gone.all().values() if noted)
        return FleetResult(trial, in_flight, tuple(to.taken()), rows, seconds, fleet.ways, tuple(errors))


HEADER = ("`on_uncertain`", "killed", "destroyed", "stopped", "in flight", "lost", "copies", "uncertain", "as promised")


def line(result: FleetResult) -> tuple[str, ...]:
    """Return a result as a line of the table."""
    figures = [result.ways[way] for way in WAYS]
    figures += [result.most_in_flight, len(result.lost), result.copies.total(), len(result.uncertain)]
    verdict = "yes" if not result.broken() else "NO: " + "; ".join(result.broken())
    return (f"`{result.trial.mode}`", *map(str, figures), verdict)


def section(results: Sequence[FleetResult]) -> str:
    """Return the part of the document."""
    trial = results[0].trial
    assert isinstance(trial, FleetTrial)
    said = (
        f"{trial.recipients:,} recipients, {len(CLOCKS)} hosts with {trial.connections} connections each, up to"
        f" {trial.kills} interruptions, `lease_seconds = {trial.lease:g}`, PostgreSQL."
    )
    return f"{said}\n\n{markdown(HEADER, [line(result) for result in results])}"


def main() -> int:
    """Run every requested trial, and print the table."""
    given = _arguments()
    results = []
    for mode in given.mode:
        numbers = (given.recipients, given.interruptions, given.connections, given.lease, given.rate)
        trial = FleetTrial("postgresql", len(CLOCKS), mode, *numbers)
        with tempfile.TemporaryDirectory(prefix="publisher-fleet-") as name:
            folder = Path(name)
            with databases("postgresql", folder / "database") as urls:
                results.append(result := prove(trial, urls[0], folder))
        print(f"{result.seconds:6.1f} s  {' | '.join(line(result))}  {result.errors}", file=sys.stderr, flush=True)
    print(section(results))
    if given.write:
        write("fleet", section(results))
    return 1 if any(result.broken() for result in results) else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.fleet", description=__doc__.split("\n")[0])
    parser.add_argument("--recipients", type=int, default=100_000, help="readers (default 100000)")
    parser.add_argument("--interruptions", type=int, default=50, help="kills and pauses (default 50)")
    parser.add_argument("--connections", type=int, default=8, help="connections per host (default 8)")
    parser.add_argument("--lease", type=float, default=10.0, help="lease_seconds of the hosts (default 10)")
    parser.add_argument("--rate", default="", help="rate of the mail server, such as 500/s (default none)")
    parser.add_argument("--mode", nargs="+", choices=("resend", "hold"), default=["resend", "hold"])
    parser.add_argument("--write", action="store_true", help="put the table into docs/delivery.md")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
