"""One rate for four workers: how many messages a server gets in each second, and what a kill changes.

    python -m benchmarks.rates [--seconds 120] [--workers 4] [--rate 20] [--limit rate domain day] [--connections 4]

Four workers, each a process with its own folder, send an edition over one PostgreSQL to a server that notes when each
message arrives. Half-way through, one is killed. They are limited first by a rate of the server, then by a rate of the
receiving domain, then by a daily number of recipients. The exit code is 1 if more messages arrived than allowed.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.arrivals import Arrivals, arrivals
from benchmarks.editions import add_readers, make_edition
from benchmarks.imports import databases
from benchmarks.senders import Order, Sender
from publisher.store import open_store

# The share by which an aligned second may exceed the rate, and by which a minute may differ from it.
MOST_OVER, MOST_ASTRAY = 0.10, 0.02

# After a kill, the full rate must be reached again within this many seconds.
LONGEST_BACK = 5.0


@dataclass(frozen=True, slots=True)
class Trial:
    """One trial. limit: "rate", "domain" or "day". seconds: its length from the first message to the end."""

    limit: str
    rate: int
    workers: int
    seconds: float
    connections: int

    @property
    def per_day(self) -> int:
        """The daily limit of recipients, which is reached after three quarters of the time."""
        return int(self.rate * self.seconds * 0.75) if self.limit == "day" else 0

    def server(self, port: int) -> dict[str, Any]:
        """Return the server's keys in the configuration of a worker."""
        keys = {"url": f"smtp://127.0.0.1:{port}", "tls": "none", "connections": self.connections}
        if self.limit == "domain":
            return keys | {"domains": (f"example.org {self.rate}/s",)}
        return keys | {"rate": f"{self.rate}/s", "per_day": self.per_day}


@dataclass(frozen=True, slots=True)
class Outcome:
    """The Unix times, in seconds, at which messages arrived and a worker was killed."""

    trial: Trial
    times: Sequence[float]
    recipients: Sequence[str]
    killed_at: float
    ended_at: float

    @property
    def most(self) -> int:
        """The highest number of messages in one second of the server's clock."""
        return max(Counter(int(moment) for moment in self.times).values())

    def astray(self, begin: float, end: float) -> list[float]:
        """Return the relative difference from the rate in each minute of a period, or in all of it if it is shorter."""
        minutes = max(1, int((end - begin) // 60))
        length = min(60.0, end - begin)
        starts = [begin + length * number for number in range(minutes)]
        counts = [sum(start <= moment < start + length for moment in self.times) for start in starts]
        return [count / (self.trial.rate * length) - 1 for count in counts]

    @property
    def before(self) -> list[float]:
        """The relative difference from the rate in each minute before the kill."""
        return self.astray(self.times[0], self.killed_at)

    @property
    def after(self) -> list[float]:
        """The relative difference from the rate in each minute, beginning five seconds after the kill."""
        return self.astray(self.killed_at + LONGEST_BACK, self.ended_at)

    @property
    def back(self) -> float:
        """The seconds from the kill until the rate is reached again, with at least 98 % of it for five seconds."""
        for step in range(int((self.ended_at - self.killed_at - LONGEST_BACK) * 20)):
            start = self.killed_at + step / 20
            count = sum(start <= moment < start + LONGEST_BACK for moment in self.times)
            if count >= (1 - MOST_ASTRAY) * self.trial.rate * LONGEST_BACK:
                return step / 20
        return self.ended_at - self.killed_at

    def broken(self) -> list[str]:
        """Return the promises that were broken."""
        trial, wrong = self.trial, []
        if self.most > trial.rate * (1 + MOST_OVER):
            wrong.append(f"{self.most} in a second")
        if len(self.recipients) != len(set(self.recipients)) and trial.limit == "day":
            wrong.append("copies")
        if trial.limit == "day":
            if len(self.times) > trial.per_day:
                wrong.append(f"{len(self.times)} in a day")
            return wrong
        wrong += [f"{part:+.1%} in a minute" for part in (*self.before, *self.after) if abs(part) > MOST_ASTRAY]
        if self.back > LONGEST_BACK:
            wrong.append(f"back after {self.back:.1f} s")
        return wrong


def run(trial: Trial, url: str, folder: Path) -> Outcome:
    """Run one trial in an empty database."""
    with open_store(url, folder) as store, arrivals(folder / "server") as server:
        add_readers(store, int(trial.rate * (trial.seconds + 30)))
        make_edition(store)
        orders = [Order(url, folder / f"worker{n}", (trial.server(server.port),)) for n in range(trial.workers)]
        senders = [Sender(order) for order in orders]
        for sender in senders:
            sender.go()
        try:
            killed_at = _kill_one(trial, senders, server)
            _wait(server, trial.seconds, senders, again=trial.limit == "domain")
            ended_at = time.time()
        finally:
            for sender in senders:
                sender.kill()
        return Outcome(trial, server.times(), server.recipients(), killed_at, ended_at)


def _kill_one(trial: Trial, senders: list[Sender], server: Arrivals) -> float:
    """Wait for half of the time, and kill the first sender; return the time of the kill."""
    _wait(server, trial.seconds / 2, senders, again=trial.limit == "domain")
    killed_at = time.time()
    if not senders[0].kill():
        raise RuntimeError(f"the sender had ended: {senders[0].finish()}")
    del senders[0]
    return killed_at


def _wait(server: Arrivals, seconds: float, senders: list[Sender], *, again: bool) -> None:
    """Wait until this many seconds after the first message, or until all senders have ended.

    again: restart senders that have ended; they end while all messages to the domain are waiting in the ledger
    """
    begun = time.monotonic()
    while any(sender.running for sender in senders):
        for number, sender in enumerate(senders):
            if again and not sender.running:
                senders[number] = Sender(sender.order)
                senders[number].go()
        times = server.times() if server.record.exists() else []
        if times and time.time() >= times[0] + seconds:
            return
        if not times and time.monotonic() > begun + 60:
            raise RuntimeError("no message came within a minute")
        time.sleep(0.05 if not times else min(0.5, max(0.0, times[0] + seconds - time.time())))


def report(outcome: Outcome) -> str:
    """Return an outcome as a line."""
    trial, total = outcome.trial, len(outcome.times)
    name = {"rate": "the server's rate", "domain": "a domain's rate", "day": "recipients of a day"}[trial.limit]
    said = f"{name}: {total:,} messages, at most {outcome.most} in a second at {trial.rate}/s"
    if trial.limit == "day":
        said += f"; {trial.per_day:,} allowed in the day"
    else:
        minutes = ", ".join(f"{part:+.2%}" for part in outcome.before)
        later = ", ".join(f"{part:+.2%}" for part in outcome.after)
        said += f"; minutes {minutes} before the kill, {later} after it; the full rate {outcome.back:.2f} s after it"
    return f"{said}; {'as promised' if not outcome.broken() else 'BROKEN: ' + '; '.join(outcome.broken())}"


def main() -> int:
    """Run the requested trials, and print their outcomes."""
    given = _arguments()
    good = True
    for limit in given.limit:
        trial = Trial(limit, given.rate, given.workers, given.seconds, given.connections)
        with tempfile.TemporaryDirectory(prefix="publisher-rates-") as name:
            folder = Path(name)
            with databases("postgresql", folder / "database") as urls:
                outcome = run(trial, urls[0], folder)
        print(report(outcome), flush=True)
        good = good and not outcome.broken()
    return 0 if good else 1


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.rates", description=__doc__.split("\n")[0])
    parser.add_argument("--seconds", type=float, default=120.0, help="how long each trial takes (default 120)")
    parser.add_argument("--workers", type=int, default=4, help="workers (default 4)")
    parser.add_argument("--rate", type=int, default=20, help="messages a second (default 20)")
    parser.add_argument("--connections", type=int, default=4, help="connections per worker (default 4)")
    parser.add_argument("--limit", nargs="+", choices=("rate", "domain", "day"), default=["rate", "domain", "day"])
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
