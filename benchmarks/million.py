"""A million messages end to end: `publisher`, run as users do, makes an edition and sends it to smtp-sink.

    python -m benchmarks.million [--recipients 1000000] [--database sqlite] [--workers 1] [--connections 16]
                                [--write]

A `publisher run` finds a new post, makes the edition and sends it; on PostgreSQL, workers help it. The subscribers are
inserted into the database in bulk beforehand. During the run, the memory of each process is recorded. In the end the
messages are counted in the ledger and by the mail server, which also counts them by recipient. The exit code is 1 if a
message is lost or duplicated, or if a sending process uses more than 150 MiB or keeps growing. --write puts the table
into docs/delivery.md.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import psutil
import sqlalchemy as sa

from benchmarks.editions import add_readers_at_once
from benchmarks.free_ports import free_port
from benchmarks.imports import databases
from benchmarks.sinks import Tally, tally
from benchmarks.tables import markdown, write
from publisher.config import load_config
from publisher.core.newsletter_models import DeliveryStatus
from publisher.publishing.joining import join_token
from publisher.publishing.mail_wiring import project_secret
from publisher.publishing.tick import create_due
from publisher.publishing.wiring import Project, check_in_host, open_project_store
from publisher.store import Store
from publisher.store.edition_filling import unfilled_editions

CONFIG = """\
[site]
title = "A million"
url = "https://letters.example.org"
postal_address = "1 Long Road, 12345 Anytown"

[database]
url = "{url}"

[mail]
sender = "Ada <ada@letters.example.org>"
transport = "smtp"
smtp = {{ url = "smtp://127.0.0.1:{port}", tls = "none", connections = {connections} }}

[run]
tick_seconds = 15
log = "json"

[[newsletters]]
name = "weekly"
schedule = "each post"
settle_minutes = 0
"""
POST = """\
---
title: What was new
date: {moment}
---

{paragraphs}
"""
PARAGRAPH = "A paragraph with [a link](https://example.org/) and some words, as most emails have them.\n\n"

MOST_MIB = 150.0
# By how many MiB memory may grow between the second and the last tenth of the time. Keeping even one number for each
# message would take 30 MiB for a million; the heap itself grows by some MiB now and then.
MOST_GROWTH = 8.0
SAMPLE_SECONDS = 0.5
LEAST_MESSAGES = 20_000  # that show whether memory grows
LONGEST_SECONDS = 3_600.0


@dataclass(slots=True)
class Memory:
    """The memory of one process while the edition is sent. samples: (seconds, MiB); peak: MiB."""

    samples: list[tuple[float, float]] = field(default_factory=list)
    peak: float = 0.0

    def note(self, process: psutil.Process) -> None:
        """Add a sample."""
        self.samples.append((time.monotonic(), process.memory_info().rss / 2**20))
        lines = dict(line.split(":", 1) for line in Path(f"/proc/{process.pid}/status").read_text().splitlines())
        self.peak = max(self.peak, int(lines["VmHWM"].split()[0]) / 1024)

    def peak_in(self, tenth: int) -> float:
        """Return the highest value in one tenth of its samples. tenth: counted from 1."""
        size = len(self.samples)
        part = self.samples[size * (tenth - 1) // 10 : size * tenth // 10] or self.samples
        return max(mib for _, mib in part)


@dataclass(frozen=True, slots=True)
class Outcome:
    """The outcome of sending the edition.

    made    seconds from the first to the last row of the edition
    sent    seconds from the first to the last message
    rates   messages a second in the first, the middle and the last tenth
    memory  of the sending processes, by name
    others  the peaks of the other processes
    counts  the counts of the ledger
    """

    recipients: int
    made: float
    sent: float
    rates: tuple[float, ...]
    memory: Mapping[str, Memory]
    others: Mapping[str, Memory]
    counts: Mapping[DeliveryStatus, int]
    lost: int
    twice: int
    taken: int
    counted: int

    def faults(self) -> list[str]:
        """Return the promises that were broken."""
        wanted = {
            f"{self.lost} lost": not self.lost,
            f"{self.twice} twice": not self.twice,
            f"the ledger says {dict(self.counts)}": self.counts == {DeliveryStatus.SENT: self.recipients},
            f"the mail server counted {self.counted}": self.counted == self.taken == self.recipients,
        }
        for name, memory in self.memory.items():
            early, late = memory.peak_in(2), memory.peak_in(10)
            is_flat = late <= early + MOST_GROWTH or self.recipients < LEAST_MESSAGES
            wanted[f"{name} had {memory.peak:.0f} MiB"] = memory.peak <= MOST_MIB
            wanted[f"{name} grew from {early:.0f} to {late:.0f} MiB"] = is_flat
        return [fault for fault, holds in wanted.items() if not holds]

    def table(self) -> str:
        """Return the outcome as a Markdown table."""
        rows = [
            ("recipients", f"{self.recipients:,}"),
            ("edition made in", f"{self.made:.1f} s"),
            ("sent in", f"{self.sent:.0f} s"),
            ("messages a second at the beginning, middle, end", ", ".join(f"{rate:,.0f}" for rate in self.rates)),
            ("lost, twice", f"{self.lost}, {self.twice}"),
            ("counted by the mail server", f"{self.counted:,}"),
        ]
        for name, memory in self.memory.items():
            early, late = memory.peak_in(2), memory.peak_in(10)
            figures = f"{early:.0f}, {late:.0f}, {memory.peak:.0f} MiB"
            rows.append((f"memory of {name}: second tenth, last tenth, peak", figures))
        rows += [(f"peak of {name}", f"{memory.peak:.0f} MiB") for name, memory in self.others.items()]
        return markdown(("what", "figure"), rows)


@dataclass(frozen=True, slots=True)
class Trial:
    """The options. workers: in addition to `publisher run`; only on PostgreSQL."""

    recipients: int
    workers: int = 1
    connections: int = 16


def prove(trial: Trial, url: str, folder: Path) -> Outcome:
    """Make and send the edition from an empty database, and count everything."""
    project, server = folder / "project", folder / "server"
    server.mkdir(parents=True)
    with tally(server, trial.recipients) as to, ExitStack() as stack:
        _make_project(project, CONFIG.format(url=url, port=to.port, connections=trial.connections), trial.recipients)
        senders = {"publisher run": stack.enter_context(_running(project, "run", "--port", str(free_port())))}
        for number in range(1, trial.workers + 1):
            senders[f"worker {number}"] = stack.enter_context(_worker(project, folder / f"worker{number}"))
        with open_project_store(load_config(project, {})) as store:
            watch = _Watch(store, to, senders)
            watch.until_sent(trial.recipients)
            counts = store.deliveries.counts(watch.edition).by_status
        return _outcome(trial, to, watch, {status: count for status, count in counts.items() if count})


def _outcome(trial: Trial, to: Tally, watch: _Watch, counts: Mapping[DeliveryStatus, int]) -> Outcome:
    rates = [_rate(to, trial.recipients * start // 20, trial.recipients * (start + 2) // 20) for start in (0, 9, 18)]
    return Outcome(
        recipients=trial.recipients,
        made=watch.complete_at - watch.begun_at,
        sent=to.marks[-1][0] - to.marks[0][0],
        rates=tuple(rates),
        memory=watch.memory,
        others=watch.others,
        counts=counts,
        lost=to.copies.count(0),
        twice=sum(each > 1 for each in to.copies),
        taken=to.total,
        counted=to.own_count,
    )


def _rate(to: Tally, first: int, last: int) -> float:
    """Return the messages per second between two messages, given by their positions in the order of arrival."""
    (since, before), *_ = [mark for mark in to.marks if mark[1] >= first] or to.marks[-1:]
    (until, after), *_ = [mark for mark in to.marks if mark[1] >= last] or to.marks[-1:]
    return (after - before) / (until - since) if until > since else 0.0


class _Watch:
    """Watches the edition and the processes. senders: by name."""

    def __init__(self, store: Store, to: Tally, senders: Mapping[str, psutil.Process]) -> None:
        self._store, self._to, self._senders = store, to, senders
        self.memory = {name: Memory() for name in senders}
        self.others: dict[str, Memory] = {}
        self.edition = 0
        self.begun_at = self.complete_at = self._sampled_at = 0.0

    def until_sent(self, recipients: int) -> None:
        """Watch until the whole edition is sent, or nothing has happened for five minutes."""
        self._until_made()
        moved, known = time.monotonic(), 0
        while time.monotonic() - moved < 300:
            self._sample()
            time.sleep(0.1)
            if self._to.total > known:
                moved, known = time.monotonic(), self._to.total
                continue
            if known >= recipients and not self._store.editions.unfinished():
                return

    def _until_made(self) -> None:
        until = time.monotonic() + LONGEST_SECONDS
        while not self.complete_at and time.monotonic() < until:
            with self._store.database.read() as connection:
                open_ = connection.execute(sa.select(sa.func.count()).select_from(unfilled_editions)).scalar_one()
            if not self.begun_at and (found := self._store.editions.list()):
                self.begun_at, self.edition = time.monotonic(), found[0].id
            elif self.begun_at and not open_:
                self.complete_at = time.monotonic()
            if self.begun_at:  # before that, the processes are still starting
                self._sample()
            time.sleep(0.02)

    def _sample(self) -> None:
        if time.monotonic() - self._sampled_at < SAMPLE_SECONDS:
            return
        self._sampled_at = time.monotonic()
        for name, process in self._senders.items():
            self.memory[name].note(process)
            for child in process.children(recursive=True):
                with suppress(psutil.Error, OSError, KeyError):  # it may have just ended
                    self.others.setdefault(f"{name}: {child.name()}", Memory()).note(child)


def _make_project(project: Path, config: str, recipients: int) -> None:
    """Make a project with a newsletter, its subscribers, and a post that no edition has contained yet."""
    (project / "posts").mkdir(parents=True)
    (project / "publisher.toml").write_text(config, encoding="utf-8")
    loaded, now = load_config(project, {}), datetime.now(UTC)
    with open_project_store(loaded) as store:
        check_in_host(loaded, store, now)
        create_due(
            Project(loaded, store, lambda: now)
        )  # posts that exist when a newsletter is first seen are never sent
        add_readers_at_once(store, recipients)
        with store.database.write() as connection:
            connection.execute(sa.text("ANALYZE"))  # as the database does automatically within minutes
    text = POST.format(moment=datetime.now(UTC).isoformat(), paragraphs=PARAGRAPH * 10)
    (project / "posts/new.md").write_text(text, encoding="utf-8")


@contextmanager
def _worker(project: Path, folder: Path) -> Iterator[psutil.Process]:
    """Run a worker with its own folder and host name."""
    folder.mkdir()
    (folder / "publisher.toml").write_bytes((project / "publisher.toml").read_bytes())
    config = load_config(project, {})
    own = {"PUBLISHER_JOIN": join_token(config), "PUBLISHER_SECRET": project_secret(config)}
    own["PUBLISHER_HOST"] = folder.name
    with _running(folder, "worker", environment=own) as process:
        yield process


@contextmanager
def _running(folder: Path, *words: str, environment: Mapping[str, str] | None = None) -> Iterator[psutil.Process]:
    """Run a command of Publisher until the block ends, then stop it as systemd does; its log is in its folder."""
    with (folder / f"{words[0]}.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "publisher", "-C", str(folder), *words],
            env=os.environ | (environment or {}),
            stdout=log,
            stderr=log,
        )
    try:
        yield psutil.Process(process.pid)
    finally:
        process.send_signal(signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            process.wait(60)
        process.kill()
        process.wait()


def main() -> int:
    """Measure and print; exit code 1 if a promise is broken."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.million", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--recipients", type=int, default=1_000_000, help="subscribers (default 1000000)")
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="postgresql")
    parser.add_argument(
        "--workers", type=int, default=1, help="in addition to `publisher run`, on PostgreSQL (default 1)"
    )
    parser.add_argument("--connections", type=int, default=16, help="connections per sending process (default 16)")
    parser.add_argument("--write", action="store_true", help="put the table into docs/delivery.md")
    given = parser.parse_args()
    workers = given.workers if given.database == "postgresql" else 0
    begun = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="publisher-million-") as name:
        folder = Path(name)
        with databases(given.database, folder / "database") as urls:
            url = "sqlite:///.publisher/publisher.db" if given.database == "sqlite" else urls[0]
            outcome = prove(Trial(given.recipients, workers, given.connections), url, folder)
    took = f"load {os.getloadavg()[0]:.1f}, {time.monotonic() - begun:.0f} s in all"
    print(took)
    kind = "SQLite" if given.database == "sqlite" else "PostgreSQL"
    whom = f"{kind}, `publisher run` and {workers} workers with {given.connections} connections each."
    section = f"{whom}\n\n{outcome.table()}"
    print(section)
    if given.write:
        write("million", section)
    for fault in outcome.faults():
        print(f"not as promised: {fault}")
    return 1 if outcome.faults() else 0


if __name__ == "__main__":
    sys.exit(main())
