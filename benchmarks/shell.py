"""Does `publisher run` keep its pace and lose nothing when everything goes wrong while it sends an edition?

    python -m benchmarks.shell [--letters 20000] [--seconds 10]

A real mail server accepts an edition at a limited rate. Meanwhile these troubles follow one another: a path of 62 KB
that once took half a minute to log, idle connections, wrong passwords, a post and a template that hang a build, the
death of each child process, a full disk (only for root, who may mount a small one) and a clock that jumps (only with
libfaketime, whose path LIBFAKETIME may give). The process may open 1,024 files, as systemd allows by default. For each
trouble the table has the messages a second and the longest pause between two; the time from a new post of another
newsletter to its edition; the slowest answer of /healthz; and the longest time between two pings of the watchdog. In
the end every message is counted at the mail server. Exit code 1 if one is lost or duplicated, or if a figure exceeds
its limit.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import httpx

from benchmarks import troubles
from benchmarks.free_ports import free_port
from benchmarks.sinks import Sink, sink
from benchmarks.troubles import Target
from publisher.config import load_config
from publisher.core.newsletter_models import Subscription
from publisher.publishing.tick import create_due
from publisher.publishing.wiring import Project, open_project_store
from publisher.store.subscriber_records import NewSubscriber

CONFIG = """\
[site]
title = "Shell"
url = "http://127.0.0.1:{web}"
authority = "shell.example,2026"

[web]
listen = "127.0.0.1:{web}"
public_url = "http://127.0.0.1:{web}"
trusted_proxies = ["127.0.0.1"]

[mail]
sender = "Ada <ada@shell.example>"
transport = "smtp"
smtp = {{ url = "smtp://127.0.0.1:{mail}", tls = "none", rate = "{rate}/s" }}

[delivery]
on_uncertain = "hold"

[run]
tick_seconds = 15
log = "json"

[[newsletters]]
name = "large"
schedule = "each post"
tags = ["large"]
settle_minutes = 0

[[newsletters]]
name = "small"
schedule = "each post"
tags = ["small"]
settle_minutes = 0
"""
# The most that each trouble may cause: seconds without a message, until an edition is made, for /healthz, between
# pings.
PAUSE, TICK, HEALTH, PING = 5.0, 60.0, 5.0, 10.0
# With a full disk nothing can be recorded, so nothing may be sent; it continues two ticks later.
PAUSE_OF_FULL_DISK = 60.0
DISK = "96m"
WATCHDOG_SECONDS = 30
FILES = 1_024

Trouble = Callable[[Target], Any]


@dataclass(frozen=True, slots=True)
class Row:
    """The figures measured during one trouble."""

    name: str
    rate: float
    pause: float
    tick: float
    health: float
    ping: float

    def text(self) -> str:
        """Return the row of the table."""
        seconds = f"{self.pause:7.1f}  {self.tick:6.1f}  {self.health:8.2f}  {self.ping:6.1f}"
        return f"{self.name:24}  {self.rate:9.1f}  {seconds}"

    def faults(self) -> list[str]:
        """Return the figures that exceed their limits."""
        pause = PAUSE_OF_FULL_DISK if self.name == "full disk" else PAUSE
        limits = {"pause": (self.pause, pause), "tick": (self.tick, TICK), "health": (self.health, HEALTH)}
        limits["ping"] = (self.ping, PING)
        return [f"{self.name}: {what} of {found:.1f} s" for what, (found, most) in limits.items() if found > most]


@dataclass(frozen=True, slots=True)
class Outcome:
    """The outcome: the rows, and the messages that were lost or duplicated."""

    rows: list[Row]
    lost: int
    twice: int
    uncertain: int
    ended_in: float

    def faults(self) -> list[str]:
        """Return the promises that were broken."""
        found = [fault for row in self.rows for fault in row.faults()]
        found += [f"{self.lost} lost"] * bool(self.lost) + [f"{self.twice} twice"] * bool(self.twice)
        return found


def all_troubles(*, idle: tuple[int, int] = (1_100, 10_000), guesses: int = 200) -> dict[str, Trouble]:
    """Return every trouble that can be made on this machine, by name."""
    found: dict[str, Trouble] = {
        "before": troubles.calm,
        "endless path": troubles.endless_paths,
        f"{idle[0]:,} idle connections": troubles.idle(idle[0]),
        f"{idle[1]:,} idle connections": troubles.idle(idle[1]),
        f"{guesses} wrong passwords": troubles.guesses(guesses),
        "slow post": troubles.slow_post,
        "hanging build": troubles.hanging_build,
        "build killed": troubles.killed("publisher build"),
        "web killed": troubles.killed("publisher web"),
        "starter killed": troubles.killed("publisher start"),
    }
    if troubles.faketime_library():
        found["clock 2 h ahead, back"] = troubles.jump(7_200)
    if os.geteuid() == 0:
        found["full disk"] = troubles.full_disk
    return found | {"after": troubles.calm}


def prove(root: Path, wanted: Mapping[str, Trouble], letters: int, seconds: float, rate: int = 0) -> Outcome:
    """Send this many messages, with each trouble for this many seconds, and return the outcome.

    rate  messages a second; by default chosen so that they last for all troubles
    """
    project = root / "project"
    rate = rate or max(1, round(letters / (len(wanted) * (seconds + 4) + 5)))
    with sink(root / "sink") as to, _small_disk(project, "full disk" in wanted):
        web = _make_project(project, to.port, rate, letters)
        with _running(root, project, web) as (target, watchdog, process):
            _post(project, "large", datetime.now(UTC))
            os.kill(target.pid, signal.SIGHUP)
            _until(lambda: to.count() > 0, 240)
            assert to.count(), (root / "run.log").read_text(encoding="utf-8")
            rows = []
            for name, trouble in wanted.items():
                rows.append(_measure(name, trouble, target, to, watchdog, seconds))
                print(rows[-1].text(), flush=True)
            _until(lambda: not _waiting(project), 600)
            began = time.monotonic()
            process.send_signal(signal.SIGTERM)
            process.wait(60)
            ended_in = time.monotonic() - began
        return _count(project, to, rows, ended_in)


class Watchdog:
    """Receives the watchdog pings in systemd's place."""

    def __init__(self, path: Path) -> None:
        self._wire = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._wire.bind(str(path))
        self.times, self.is_ready = [time.monotonic()], False
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        while True:
            said = self._wire.recv(100)
            self.is_ready |= b"READY=1" in said
            if b"WATCHDOG=1" in said:
                self.times.append(time.monotonic())

    def longest(self, since: float) -> float:
        """Return the longest time between two pings since a given time, including that from the last one until now."""
        times = [*(at for at in self.times if at >= since - WATCHDOG_SECONDS), time.monotonic()]
        gaps = [after - before for before, after in pairwise(times) if after >= since]
        return max(gaps, default=0.0)


def _measure(name: str, trouble: Trouble, target: Target, to: Sink, watchdog: Watchdog, seconds: float) -> Row:
    """Measure for this many seconds from the start of the trouble, and until everything works again."""
    began, first = time.monotonic(), to.count()
    health = _Prober(lambda: _healthz(target.url, 30).raise_for_status())
    pace = _Pace(to)
    with trouble(target):
        tick = 0.0 if name == "full disk" else _tick(target)
        while time.monotonic() - began < seconds:
            time.sleep(0.05)
    if name == "full disk":
        tick, known = _tick(target), to.count()  # no edition can be made before there is room
        _until(lambda: to.count() > known or not _waiting(target.project), PAUSE_OF_FULL_DISK)
    pause = pace.end()
    rate = (to.count() - first) / (time.monotonic() - began)
    return Row(name, rate, pause, tick, health.end(), watchdog.longest(began))


def _healthz(url: str, timeout: float) -> httpx.Response:
    # Without TLS, as loading the certificates would take 20 ms of CPU time for each request.
    return httpx.get(f"{url}/healthz", timeout=timeout, verify=False)


class _Prober:
    """Sends requests in a thread, and keeps the longest time until a correct answer."""

    def __init__(self, ask: Callable[[], object]) -> None:
        self._ask, self._over, self._longest = ask, threading.Event(), 0.0
        self._thread = threading.Thread(target=self._probe, daemon=True)
        self._thread.start()

    def _probe(self) -> None:
        since = time.monotonic()
        while True:
            with suppress(httpx.HTTPError):
                self._ask()
                self._longest = max(self._longest, time.monotonic() - since)
                if self._over.wait(0.2):
                    return
                since = time.monotonic()
            if time.monotonic() - since > 60:
                self._longest = time.monotonic() - since
                return

    def end(self) -> float:
        """Wait for the last answer, and return the longest time."""
        self._over.set()
        self._thread.join()
        return self._longest


class _Pace:
    """Watches the arriving messages in a thread, and keeps the longest pause."""

    def __init__(self, to: Sink) -> None:
        self._to, self._over, self._longest = to, threading.Event(), 0.0
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def _watch(self) -> None:
        known, since = self._to.record.stat().st_size, time.monotonic()
        while not self._over.wait(0.05):
            size = self._to.record.stat().st_size
            if size != known:
                self._longest = max(self._longest, time.monotonic() - since)
                known, since = size, time.monotonic()
        self._longest = max(self._longest, time.monotonic() - since)

    def end(self) -> float:
        """Return the longest time without a message."""
        self._over.set()
        self._thread.join()
        return self._longest


def _tick(target: Target) -> float:
    """Write a post of the other newsletter, wake the scheduler, and return the seconds until its edition."""
    began, before = time.monotonic(), _made(target.project)
    _post(target.project, "small", datetime.now(UTC))
    while _made(target.project) == before and time.monotonic() - began < 90:
        os.kill(target.pid, signal.SIGHUP)
        time.sleep(0.3)
    return time.monotonic() - began


def _made(project: Path) -> int:
    lines = (project.parent / "run.log").read_text(encoding="utf-8", errors="replace").splitlines()
    return sum('"edition made"' in line for line in lines)


def _post(project: Path, tag: str, moment: datetime) -> None:
    name = f"{tag}-{time.monotonic_ns()}"
    text = f"---\ntitle: Of {name}\ndate: {moment.isoformat()}\ntags: [{tag}]\n---\n\nWhat was new.\n"
    beside = project / f"{name}.part"
    beside.write_text(text, encoding="utf-8")
    beside.rename(project / f"posts/{name}.md")


def _make_project(project: Path, mail: int, rate: int, letters: int) -> int:
    """Make a project with subscribers and a password, and return the port at which it will listen."""
    web = free_port()
    (project / "posts").mkdir(parents=True)
    (project / "posts/first.md").write_text("---\ntitle: First\ndate: 2026-01-01\n---\n\nHello.\n", encoding="utf-8")
    (project / "publisher.toml").write_text(CONFIG.format(web=web, mail=mail, rate=rate), encoding="utf-8")
    config, now = load_config(project), datetime.now(UTC)
    with open_project_store(config) as store:
        create_due(
            Project(config, store, lambda: now)
        )  # posts that exist when a newsletter is first seen are never sent
        people = [NewSubscriber(f"r{n}@shell.example", subscriptions=(Subscription("large"),)) for n in range(letters)]
        people.append(NewSubscriber("small@shell.example", subscriptions=(Subscription("small"),)))
        store.subscribers.add_many(people, at=now - timedelta(days=1), source="benchmark")
    program = [sys.executable, "-m", "publisher", "-C", str(project), "admin", "password"]
    subprocess.run(program, input="correct horse battery staple\n", text=True, check=True, stdout=subprocess.DEVNULL)
    return web


@contextmanager
def _running(root: Path, project: Path, web: int) -> Iterator[tuple[Target, Watchdog, subprocess.Popen[bytes]]]:
    watchdog, clock, library = Watchdog(root / "notify"), root / "clock", troubles.faketime_library()
    environment = os.environ | {
        "NOTIFY_SOCKET": str(root / "notify"),
        "WATCHDOG_USEC": str(WATCHDOG_SECONDS * 1_000_000),
    }
    if library:
        troubles.set_clock(clock, 0)
        environment |= {
            "LD_PRELOAD": library,
            "FAKETIME_TIMESTAMP_FILE": str(clock),
            "FAKETIME_CACHE_DURATION": "1",
            "DONT_FAKE_MONOTONIC": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        }
    with (root / "run.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "publisher", "-C", str(project), "run"],
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=log,
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (FILES, FILES)),
        )
    target = Target(process.pid, web, project, clock if library else None)
    try:
        # The web application answers a little before the parent listens for SIGHUP.
        _until(lambda: watchdog.is_ready and _healthz(target.url, 60).status_code == 200, 240)
        yield target, watchdog, process
    finally:
        process.kill()
        process.wait()


@contextmanager
def _small_disk(project: Path, is_wanted: bool) -> Iterator[None]:
    """Put the project's database on a small file system in memory, if requested."""
    if not is_wanted:
        yield
        return
    folder = project / ".publisher"
    folder.mkdir(parents=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK},mode=700", "tmpfs", str(folder)], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def _waiting(project: Path) -> bool:
    with suppress(Exception), open_project_store(load_config(project)) as store:
        return bool(store.editions.unfinished())
    return True


def _until(found: Callable[[], bool], seconds: float) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        with suppress(httpx.HTTPError):
            if found():
                return
        time.sleep(0.1)


def _count(project: Path, to: Sink, rows: list[Row], ended_in: float) -> Outcome:
    """Compare the messages that the mail server accepted with the database."""
    counts: Counter[str] = Counter()
    with open_project_store(load_config(project)) as store:
        for edition in store.editions.list():
            found = store.deliveries.counts(edition.id).by_status
            counts.update({status.value: number for status, number in found.items()})
    taken = Counter((each.message_id, each.recipient) for each in to.taken())
    wanted = sum(counts.values())
    twice = taken.total() - len(taken)
    print(f"deliveries {json.dumps(counts)}; taken by the mail server {taken.total():,}")
    return Outcome(rows, wanted - len(taken) - counts["uncertain"], twice, counts["uncertain"], ended_in)


def main() -> None:
    """Read the options, cause all troubles, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--letters", type=int, default=20_000)
    parser.add_argument("--seconds", type=float, default=10.0, help="how long each trouble lasts")
    options = parser.parse_args()
    files = troubles.raise_file_limit()
    wanted = all_troubles(idle=(1_100, min(10_000, files - 500)))
    for name, why in (("full disk", "only root may mount one"), ("clock", "there is no libfaketime")):
        if not any(each.startswith(name) for each in wanted):
            print(f"left out: {name} ({why})")
    print(f"{'':24}  letters/s  pause s  tick s  health s  ping s", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        outcome = prove(Path(folder), wanted, options.letters, options.seconds)
    print(f"lost {outcome.lost}, twice {outcome.twice}, in doubt and held {outcome.uncertain}")
    print(f"SIGTERM: ended in {outcome.ended_in:.1f} s")
    for fault in outcome.faults():
        print(f"beyond its limit: {fault}")
    raise SystemExit(bool(outcome.faults()))


if __name__ == "__main__":
    main()
