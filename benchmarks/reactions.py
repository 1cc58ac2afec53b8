"""How soon a small edition is sent during a large one, and how soon all processes notice a hold or a cancellation.

    python -m benchmarks.reactions [--readers 100000] [--rates 0 50] [--write]

One process on SQLite, one on PostgreSQL, or three on PostgreSQL send a large edition as `publisher run` does, at full
speed or with a rate. Half-way through, an edition for one subscriber becomes due. Then the large one is put on hold,
resumed and cancelled. The sink records when messages arrived. The exit code is 1 if the small edition takes more than 5
s, or a message of an edition on hold arrives after more than 2 s. --write puts the table into docs/delivery.md.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from multiprocessing.connection import Connection
from pathlib import Path

from benchmarks.editions import add_readers, make_edition
from benchmarks.forking import PROCESSES
from benchmarks.imports import databases
from benchmarks.sinks import Sink, sink
from benchmarks.tables import markdown, write
from publisher.config import load_config
from publisher.core.newsletter_models import Subscription
from publisher.daemon.jobs import SendJob
from publisher.mail.run_options import Stop
from publisher.publishing import operations
from publisher.publishing.wiring import check_in_host, open_project_store
from publisher.store import Store
from publisher.store.subscriber_records import NewSubscriber

SMALL = "single@example.org"
PROMISED_FIRST, PROMISED_HOLD = 5.0, 2.0

# The sink is quiet if nothing has arrived for this many seconds.
QUIET_SECONDS = 3.0
LONGEST_SECONDS = 120.0

CONFIG = """\
[site]
title = "Reactions"
url = "https://reactions.example"
authority = "reactions.example,2026"

[mail]
sender = "Ada <ada@reactions.example>"
transport = "smtp"
smtp = {{ url = "smtp://127.0.0.1:{port}", tls = "none", connections = 8{rate} }}

[database]
url = "{url}"

[pages]
enabled = false

[[newsletters]]
name = "weekly"

[[newsletters]]
name = "other"
"""


@dataclass(frozen=True, slots=True)
class Reactions:
    """The measured times, in seconds.

    first      from the time when the small edition was made to the arrival of its message
    held       from the hold of the large edition to its last message
    resumed    from its resumption to the next message
    cancelled  from the beginning of its cancellation to the last message
    """

    first: float
    held: float
    resumed: float
    cancelled: float

    @property
    def in_time(self) -> bool:
        """Whether all times are as promised."""
        return self.first <= PROMISED_FIRST and max(self.held, self.cancelled) <= PROMISED_HOLD


def send(root: str, line: Connection) -> None:
    """Send what is due, again and again, until told to end, as `publisher run` does."""
    with (Path(root) / "log").open("ab") as file:
        os.dup2(file.fileno(), 2)
    config, stop = load_config(Path(root)), Stop()
    os.environ["PUBLISHER_HOST"] = "one"  # all processes belong to one confirmed host
    job = SendJob(lambda: config, lambda: datetime.now(UTC), stop)
    while not line.poll(0.5):
        job()


def measure(url: str, folder: Path, processes: int, readers: int, rate: int) -> Reactions:
    """Send, interfere, and measure."""
    with ExitStack() as stack:
        to = stack.enter_context(sink(folder / "sink"))
        root = folder / "project"
        root.mkdir()
        limit = f', rate = "{rate}/s"' if rate else ""
        (root / "publisher.toml").write_text(CONFIG.format(port=to.port, url=url, rate=limit))
        config = load_config(root)
        store = stack.enter_context(open_project_store(config))
        add_readers(store, readers)
        os.environ["PUBLISHER_HOST"] = "one"
        check_in_host(config, store, datetime.now(UTC))
        large = make_edition(store)
        for _ in range(processes):
            ours, theirs = PROCESSES.Pipe()
            process = PROCESSES.Process(target=send, args=(str(root), theirs))
            process.start()
            stack.callback(process.join)
            stack.callback(process.kill)
            stack.callback(ours.close)
        _await(lambda: to.count() > (rate * 5 or readers // 20))
        first = _first(store, to)
        began = time.monotonic()
        operations.hold(store, large, "a look at it")
        held = _last_arrival(to) - began
        began = time.monotonic()
        operations.resume(store, large, now=datetime.now(UTC))
        arrived = to.count()
        _await(lambda: to.count() > arrived)
        resumed = time.monotonic() - began
        _await(lambda: to.count() > arrived + (rate * 2 or readers // 50))
        began = time.monotonic()
        operations.cancel(store, large, why="a mistake", patience=10.0)
        return Reactions(first, held, resumed, max(0.0, _last_arrival(to) - began))


def _first(store: Store, to: Sink) -> float:
    store.subscribers.add_many(
        [NewSubscriber(SMALL, subscriptions=(Subscription("other"),))], at=datetime.now(UTC), source="benchmark"
    )
    began, place = time.monotonic(), to.record.stat().st_size
    make_edition(store, datetime.now(UTC), "other")
    with to.record.open("rb") as file:
        file.seek(place)
        while SMALL.encode() not in file.read() and time.monotonic() - began < LONGEST_SECONDS:
            file.seek(-min(file.tell() - place, len(SMALL)), os.SEEK_CUR)
            time.sleep(0.02)
    return time.monotonic() - began


def _last_arrival(to: Sink) -> float:
    """Wait until nothing arrives any more; return when the last message arrived."""
    last, count = time.monotonic(), to.count()
    until = last + LONGEST_SECONDS
    while time.monotonic() - last < QUIET_SECONDS and time.monotonic() < until:
        time.sleep(0.02)
        if to.count() > count:
            last, count = time.monotonic(), to.count()
    return last


def _await(condition: Callable[[], bool]) -> None:
    until = time.monotonic() + LONGEST_SECONDS
    while not condition() and time.monotonic() < until:
        time.sleep(0.02)


HEADER = ("database", "processes", "rate", "small edition after", "held after", "resumed after", "cancelled after")


def line(kind: str, processes: int, rate: int, found: Reactions) -> tuple[str, ...]:
    """Return the measured times as a line of the table."""
    name = "SQLite" if kind == "sqlite" else "PostgreSQL"
    times = (found.first, found.held, found.resumed, found.cancelled)
    return (name, str(processes), f"{rate}/s" if rate else "none", *(f"{each:.1f} s" for each in times))


def section(readers: int, lines: Sequence[Sequence[str]]) -> str:
    """Return the part of the document."""
    return f"{readers:,} readers of the large edition, 8 connections for each process.\n\n{markdown(HEADER, lines)}"


def main() -> int:
    """Run the requested measurements, and print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.reactions", description=__doc__.split("\n")[0])
    parser.add_argument("--readers", type=int, default=100_000, help="of the large edition (default 100000)")
    parser.add_argument("--rates", type=int, nargs="+", default=[0, 50], help="messages a second; 0: no limit")
    parser.add_argument("--write", action="store_true", help="put the table into docs/delivery.md")
    given = parser.parse_args()
    lines, in_time = [], True
    for kind, processes in (("sqlite", 1), ("postgresql", 1), ("postgresql", 3)):
        for rate in given.rates:
            with tempfile.TemporaryDirectory(prefix="publisher-reactions-") as name:
                folder = Path(name)
                with databases(kind, folder / "database") as urls:
                    found = measure(urls[0], folder, processes, given.readers, rate)
            lines.append(line(kind, processes, rate, found))
            in_time &= found.in_time
            print(" | ".join(lines[-1]), file=sys.stderr, flush=True)
    print(section(given.readers, lines))
    if given.write:
        write("reactions", section(given.readers, lines))
    return 0 if in_time else 1


if __name__ == "__main__":
    sys.exit(main())
