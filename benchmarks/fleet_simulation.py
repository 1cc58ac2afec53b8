"""A simulated fleet: how long 1 to 64 workers take for 1 to 100 million messages, and what the death of a worker costs.

    python -m benchmarks.fleet_simulation [--points FILE] [--connections 32] [--answer 0.1] [--database-cores 8]

What is measured, by benchmarks.scaling on one machine: the CPU time that a message costs a worker and the database at
several rates, and the rates of 1, 2 and 4 workers (MEASURED, or --points with a file written by its --json).

What is simulated: everything else. Each worker has its own core, and each connection waits for the answer of the mail
server, then for its worker, then for the database. These are the stations of a closed queueing network, solved by
approximate mean value analysis (Schweitzer 1979), with several cores as Seidmann's approximation (1987). The database
is a number of cores that share their work without loss. Its disk, locks and network are not simulated, nor are limits
of the mail servers and the time to make the edition: a real fleet is slower, never faster.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

from benchmarks.scaling import Point
from benchmarks.tables import markdown

FULL = 0.95
"""The share of the database's time above which it counts as full: more workers hardly help."""

TOLERANCE = 0.15
"""By how much the simulation may differ from a measured rate."""

CLAIMED_SECONDS = 1.0
LEAST_CLAIMED = 50
"""A worker leases what it sends in about this time, and at least this many messages (mail/smtp/edition_queue.py)."""

_HALVINGS = 100

# On 2026-11-30, on a machine with two cores that other programs kept busy at the same time:
# python -m benchmarks.scaling --connections 8 --seconds 6 --rounds 4
MEASURED: tuple[Point, ...] = (
    Point(1, 8, 0.1, 75.5, 0.001170, 0.000574, 0.000265, 65, busy=1.0, cores=2),
    Point(2, 8, 0.1, 144.4, 0.001100, 0.000401, 0.000183, 65, busy=1.0, cores=2),
    Point(4, 8, 0.1, 289.1, 0.000847, 0.000294, 0.000121, 65, busy=1.0, cores=2),
)
# The same with --connections 32 --seconds 10: what a message costs when many answers share a transaction. With four
# workers, this machine was full.
MEASURED_FAST: tuple[Point, ...] = (
    Point(1, 32, 0.1, 235.0, 0.000411, 0.000191, 0.000089, 66, busy=1.0, cores=2),
    Point(2, 32, 0.1, 394.3, 0.000399, 0.000278, 0.000078, 66, busy=1.0, cores=2),
    Point(4, 32, 0.1, 633.7, 0.000389, 0.000360, 0.000073, 66, busy=1.0, cores=2),
)


@dataclass(frozen=True, slots=True)
class Costs:
    """CPU seconds per message: what its worker uses, and what the database uses."""

    worker: float
    database: float

    @classmethod
    def of(cls, points: Sequence[Point]) -> Costs:
        """Return the highest costs among the points at which workers had the most connections.

        Answers that arrive while a transaction is written share the next one, so a message costs more in a worker that
        sends few. A slow fleet's speed hardly depends on that.
        """
        most = max(point.connections for point in points)
        fast = [point for point in points if point.connections == most]
        return cls(max(point.worker_cpu for point in fast), max(point.database_cpu for point in fast))


@dataclass(frozen=True, slots=True)
class Fleet:
    """A fleet. answer: seconds that the mail server takes for a message. connections: of each worker."""

    workers: int
    connections: int
    answer: float
    database_cores: int
    lease: float = 120.0


@dataclass(frozen=True, slots=True)
class Flow:
    """The steady state of a fleet: messages per second, and the share of time for which the database is busy."""

    rate: float
    database_use: float


def flow(fleet: Fleet, costs: Costs) -> Flow:
    """Return the steady state of a fleet, found by bisection. This is a pure function."""
    low, high = 0.0, fleet.workers * fleet.connections / fleet.answer
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        if _is_reached(middle, fleet, costs):
            low = middle
        else:
            high = middle
    return Flow(low, low * costs.database / fleet.database_cores)


def _is_reached(rate: float, fleet: Fleet, costs: Costs) -> bool:
    """Return whether all connections together send at least this many messages in a second.

    At a station that is busy for a share u of the time, an arriving message finds a queue of u / (1 - u) others
    (Schweitzer). So it stays there for its service time / (1 - u).
    """
    all_messages = fleet.workers * fleet.connections
    worker_use = rate / fleet.workers * costs.worker
    database_use = rate * costs.database / fleet.database_cores
    if worker_use > 1 or database_use > 1:
        return False
    at_worker = worker_use / (1 - worker_use * (fleet.connections - 1) / fleet.connections) * fleet.workers / rate
    at_database = database_use / (1 - database_use * (all_messages - 1) / all_messages) / rate
    # Several cores count as one as fast as all together, plus a delay for the rest of the time of one core (Seidmann).
    at_database += costs.database * (fleet.database_cores - 1) / fleet.database_cores
    return rate * (fleet.answer + at_worker + at_database) <= all_messages


def finish(fleet: Fleet, costs: Costs, messages: int) -> float:
    """Return how many seconds a fleet takes for this many messages."""
    return messages / flow(fleet, costs).rate


def full_at(fleet: Fleet, costs: Costs, most: int = 4_096) -> int | None:
    """Return how many workers bring the database to its limit; None if even `most` do not."""
    low, high = 1, most
    if flow(replace(fleet, workers=most), costs).database_use < FULL:
        return None
    while low < high:
        middle = (low + high) // 2
        if flow(replace(fleet, workers=middle), costs).database_use >= FULL:
            high = middle
        else:
            low = middle + 1
    return low


@dataclass(frozen=True, slots=True)
class Death:
    """The cost of losing one worker together with its host.

    in_doubt  the most messages that can have been handed over without an answer: one for each connection
    waiting   messages that the worker had leased, which have to wait for the end of its lease
    later     by how many seconds the end of the edition is delayed
    """

    in_doubt: int
    waiting: int
    later: float


def death(fleet: Fleet, costs: Costs, messages: int, done: float) -> Death:
    """Return the cost of a worker that dies once a share of the messages has been sent, and is not restarted.

    Other workers take over its leases when these end. The only worker of a fleet is restarted when its own lease has
    ended.
    """
    whole = flow(fleet, costs).rate
    left = messages * (1 - done)
    leased = min(left, max(LEAST_CLAIMED, whole / fleet.workers * CLAIMED_SECONDS) + fleet.connections)
    rest = replace(fleet, workers=max(1, fleet.workers - 1))
    rate = flow(rest, costs).rate
    free = left - leased if fleet.workers > 1 else 0.0
    # What it had leased is sent when its lease has ended, and in any case after everything else.
    over = max(free / rate, fleet.lease) + (left - free) / rate
    return Death(fleet.connections, round(leased), over - left / whole)


@dataclass(frozen=True, slots=True)
class Check:
    """A measured point, and the rate that the simulation gives for it.

    The points were measured on one machine, whose other processes make every message wait. So the wait is taken from
    the measurement of one worker with the same number of connections, and the rates of several workers are simulated.
    """

    point: Point
    simulated: float

    @property
    def error(self) -> float:
        """The error of the simulated rate, as a share of the measured one; positive if the simulation is too fast."""
        return self.simulated / self.point.rate - 1


def validation(points: Sequence[Point], costs: Costs) -> list[Check]:
    """Compare the simulation with the measured points of several workers that did not use all of the machine."""
    alone = {point.connections: point for point in points if point.workers == 1}
    checks = []
    for point in points:
        one = alone[point.connections]
        wait = one.connections / one.rate - costs.worker - costs.database
        if point is not one:
            checks.append(Check(point, flow(Fleet(point.workers, point.connections, wait, 1), costs).rate))
    return checks


def report(costs: Costs, fleet: Fleet, points: Sequence[Point]) -> str:
    """Return all tables."""
    parts = [
        "Measured (benchmarks.scaling): messages a second. Simulated: the last column.",
        markdown(("workers", "connections each", "measured", "simulated"), _validation_rows(points, costs)),
        f"Simulated: {fleet.connections} connections each, answers after {fleet.answer * 1000:.0f} ms, a database with "
        f"{fleet.database_cores} cores. {_full_line(fleet, costs)}",
        markdown(("workers", "a second", "database in use", *map(_count, _MESSAGES)), _time_rows(fleet, costs)),
        f"Simulated: one worker dies with its host when half of a million messages is sent; leases: {fleet.lease:g} s.",
        markdown(("workers", "in doubt, at most", "waiting for the lease", "over later by"), _death_rows(fleet, costs)),
    ]
    return "\n\n".join(parts)


_WORKERS = (1, 2, 4, 8, 16, 32, 64)
_MESSAGES = (1_000_000, 10_000_000, 100_000_000)


def _count(number: int) -> str:
    return f"{number // 1_000_000} million"


def _span(seconds: float) -> str:
    """Return a time in its two largest units."""
    if seconds < 120:
        return f"{seconds:.0f} s"
    if seconds < 7_200:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3_600:.1f} h" if seconds < 172_800 else f"{timedelta(seconds=seconds).days} days"


def _full_line(fleet: Fleet, costs: Costs) -> str:
    full = full_at(fleet, costs)
    return f"{full} workers fill it." if full else "No number of workers up to 4,096 fills it."


def _validation_rows(points: Sequence[Point], costs: Costs) -> list[tuple[str, ...]]:
    simulated = {check.point: f"{check.simulated:,.0f}/s ({check.error:+.0%})" for check in validation(points, costs)}
    return [
        (
            str(point.workers),
            str(point.connections),
            f"{point.rate:,.0f}/s",
            simulated.get(point, "the wait is taken from it"),
        )
        for point in points
    ]


def _time_rows(fleet: Fleet, costs: Costs) -> list[tuple[str, ...]]:
    rows = []
    for workers in _WORKERS:
        one = replace(fleet, workers=workers)
        found = flow(one, costs)
        times = [_span(finish(one, costs, messages)) for messages in _MESSAGES]
        rows.append((str(workers), f"{found.rate:,.0f}", f"{found.database_use:.0%}", *times))
    return rows


def _death_rows(fleet: Fleet, costs: Costs) -> list[tuple[str, ...]]:
    rows = []
    for workers in _WORKERS:
        cost = death(replace(fleet, workers=workers), costs, _MESSAGES[0], 0.5)
        rows.append((str(workers), str(cost.in_doubt), f"{cost.waiting:,}", _span(cost.later)))
    return rows


def main() -> int:
    """Print the tables."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.fleet_simulation", description=__doc__.split("\n")[0])
    parser.add_argument("--points", type=Path, metavar="FILE", help="a file written by benchmarks.scaling --json")
    parser.add_argument("--connections", type=int, default=32, help="connections per worker (default 32)")
    parser.add_argument(
        "--answer", type=float, default=0.1, help="seconds that the mail server takes to answer (default 0.1)"
    )
    parser.add_argument("--database-cores", type=int, default=8, help="cores of the database (default 8)")
    parser.add_argument("--lease", type=float, default=120.0, help="delivery.lease_seconds (default 120)")
    given = parser.parse_args()
    points, fast = MEASURED, MEASURED_FAST
    if given.points:
        points = fast = tuple(Point(**each) for each in json.loads(given.points.read_text(encoding="utf-8")))
    fleet = Fleet(1, given.connections, given.answer, given.database_cores, given.lease)
    print(report(Costs.of(fast), fleet, points))
    return 0


if __name__ == "__main__":
    sys.exit(main())
