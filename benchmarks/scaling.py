"""One, two and four workers over one PostgreSQL: messages a second, and what each costs the worker and the database.

    python -m benchmarks.scaling [--workers 1 2 4] [--connections 8 32] [--answer 0.1] [--seconds 15] [--rounds 1]
                                 [--json FILE]

Each worker is a process with its own folder. The server answers each message after 100 ms, like a distant one, so a
connection sends at most ten messages a second. After some seconds of warming up, the messages that arrive in a window
of time are counted, along with the CPU time of all workers, all processes of PostgreSQL, and the server. On one
machine, all of them share its cores. Of several rounds, the fastest for each number of workers counts, because other
programs disturbed it least. benchmarks.fleet_simulation uses the figures.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import product
from pathlib import Path

import psutil

from benchmarks.arrivals import Arrivals, arrivals
from benchmarks.editions import add_readers, make_edition
from benchmarks.imports import databases
from benchmarks.senders import Order, Sender
from benchmarks.tables import markdown
from publisher.store import open_store

WARM_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Point:
    """The measurement with one number of workers.

    answer        after how many seconds the server answered a message
    rate          messages that arrived in a second
    worker_cpu    CPU seconds of the workers per message
    database_cpu  the same for PostgreSQL
    server_cpu    the same for the mail server
    peak_mib      the highest memory of a worker, including what it shares with others
    busy          the share of all cores that was in use by any process of the machine
    cores         the number of cores of the machine
    """

    workers: int
    connections: int
    answer: float
    rate: float
    worker_cpu: float
    database_cpu: float
    server_cpu: float
    peak_mib: float
    busy: float
    cores: int

    @property
    def used(self) -> float:
        """Return how many cores the workers, the database and the mail server used together."""
        return self.rate * (self.worker_cpu + self.database_cpu + self.server_cpu)


@dataclass(frozen=True, slots=True)
class _Reading:
    at: float
    messages: int
    workers: float
    database: float
    server: float


def measure(workers: int, connections: int, answer: float, seconds: float) -> Point:
    """Measure one point in an empty database."""
    with tempfile.TemporaryDirectory(prefix="publisher-scaling-") as name:
        folder = Path(name)
        with databases("postgresql", folder / "database") as urls, arrivals(folder / "server", answer) as server:
            with open_store(urls[0], folder) as store:
                # Twice as many as the connections can send; the rest is not sent.
                add_readers(store, int(workers * connections / answer * (seconds + 2 * WARM_SECONDS)) + 1_000)
                make_edition(store)
            senders = [Sender(_order(urls[0], folder, number, connections, server)) for number in range(workers)]
            try:
                return _measure(senders, server, folder, connections, answer, seconds)
            finally:
                for sender in senders:
                    sender.kill()


def _order(url: str, folder: Path, number: int, connections: int, server: Arrivals) -> Order:
    keys = {"url": f"smtp://127.0.0.1:{server.port}", "tls": "none", "connections": connections, "messages": 100_000}
    return Order(url, folder / f"worker{number}", (keys,))


def _measure(
    senders: Sequence[Sender], server: Arrivals, folder: Path, connections: int, answer: float, seconds: float
) -> Point:
    pids = [sender.process.pid for sender in senders if sender.process.pid]
    database = next(folder.glob("database/**/postmaster.pid")).read_text().split()[0]
    for sender in senders:
        sender.go()
    time.sleep(WARM_SECONDS)
    psutil.cpu_percent()
    first = _read(pids, int(database), server)
    time.sleep(seconds)
    last, busy = _read(pids, int(database), server), psutil.cpu_percent() / 100
    if not all(sender.running for sender in senders):
        raise RuntimeError("a sender has ended before the end of the window")
    messages = last.messages - first.messages
    return Point(
        workers=len(senders),
        connections=connections,
        answer=answer,
        rate=messages / (last.at - first.at),
        worker_cpu=(last.workers - first.workers) / messages,
        database_cpu=(last.database - first.database) / messages,
        server_cpu=(last.server - first.server) / messages,
        peak_mib=max(_peak_mib(pid) for pid in pids),
        busy=busy,
        cores=os.cpu_count() or 1,
    )


def _read(pids: Sequence[int], database: int, server: Arrivals) -> _Reading:
    postgres = psutil.Process(database)
    # The CPU time of ended processes counts for the first one, which has waited for them.
    ended = postgres.cpu_times().children_user + postgres.cpu_times().children_system
    return _Reading(
        at=time.monotonic(),
        messages=len(server.times()),
        workers=sum(map(_cpu, pids)),
        database=ended + sum(_cpu(each.pid) for each in [postgres, *postgres.children(recursive=True)]),
        server=_cpu(server.pid),
    )


def _cpu(pid: int) -> float:
    try:
        used = psutil.Process(pid).cpu_times()
    except psutil.NoSuchProcess:
        return 0.0
    return float(used.user + used.system)


def _peak_mib(pid: int) -> float:
    lines = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    return int(lines["VmHWM"].split()[0]) / 1024


HEADER = (
    "workers",
    "connections each",
    "a second",
    "worker",
    "database",
    "server",
    "peak of a worker",
    "cores used",
    "machine busy",
)


def table(points: Sequence[Point]) -> str:
    """Return the points as a Markdown table; CPU time in milliseconds per message."""
    return markdown(
        HEADER,
        [
            (
                str(point.workers),
                str(point.connections),
                f"{point.rate:,.0f}",
                f"{point.worker_cpu * 1000:.2f} ms",
                f"{point.database_cpu * 1000:.2f} ms",
                f"{point.server_cpu * 1000:.2f} ms",
                f"{point.peak_mib:.0f} MiB",
                f"{point.used:.2f} of {point.cores}",
                f"{point.busy:.0%}",
            )
            for point in points
        ],
    )


def main() -> int:
    """Measure all points, and print them."""
    given = _arguments()
    print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores; answers after {given.answer * 1000:.0f} ms")
    fastest: dict[tuple[int, int], Point] = {}
    for turn in range(given.rounds):
        for connections, workers in product(given.connections, given.workers):
            point = measure(workers, connections, given.answer, given.seconds)
            print(f"round {turn + 1}: {workers} x {connections}: {point.rate:.0f}/s", file=sys.stderr, flush=True)
            known = fastest.setdefault((connections, workers), point)
            fastest[connections, workers] = max(known, point, key=lambda each: each.rate)
    points = list(fastest.values())
    print(table(points))
    if given.json:
        given.json.write_text(json.dumps([asdict(point) for point in points], indent=1) + "\n", encoding="utf-8")
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scaling", description=__doc__.split("\n")[0])
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2, 4], help="how many (default 1 2 4)")
    parser.add_argument(
        "--connections", type=int, nargs="+", default=[8, 32], help="connections per worker (default 8 32)"
    )
    parser.add_argument("--answer", type=float, default=0.1, help="seconds after which a message is answered")
    parser.add_argument("--seconds", type=float, default=15.0, help="length of the window (default 15)")
    parser.add_argument("--rounds", type=int, default=1, help="rounds, of which the fastest counts (default 1)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures to FILE")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
