"""Three hosts with different clocks and one PostgreSQL make and send the editions of ten years of slots.

    python -m benchmarks.clocks [--from 2015] [--years 10] [--seed 1]

Each host has its own folder. One clock is two minutes behind, one is right, and one is two minutes ahead; now and then
one is set back by up to two hours. A weekly and a monthly newsletter have slots at hours that daylight saving time
skips or repeats; around each slot, all three hosts tick several times, each time together. The judge of
benchmarks.decade works out the expected slots from the calendar. The exit code is 1 unless each slot has one edition,
and each subscriber has got one message of each edition.
"""

from __future__ import annotations

import argparse
import os
import random
import re
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from benchmarks.decade import HOUR, MINUTE, expected_slots
from benchmarks.ticker import tick
from benchmarks.ticking import database
from publisher.config import Config, load_config
from publisher.core.newsletter_models import Subscription
from publisher.publishing.wiring import Project, open_project_store
from publisher.store.subscriber_records import NewSubscriber

ZONE = "Europe/London"
SCHEDULES = {"weekly": "weekly sunday 01:30", "monthly": "monthly 31 02:15"}
OFFSETS = (-2 * MINUTE, 0 * MINUTE, 2 * MINUTE)
READERS = 2

CONFIG = """\
[site]
title = "Clocks"
url = "https://clocks.example"
authority = "clocks.example,2026"
timezone = "{zone}"

[database]
url = "{url}"

[pages]
enabled = false

[[newsletters]]
name = "weekly"
schedule = "{weekly}"

[[newsletters]]
name = "monthly"
schedule = "{monthly}"
"""


@dataclass(frozen=True, slots=True)
class Made:
    """What became of the slots. problems: what the hosts reported."""

    slots: int
    missing: int
    twice: int
    others: int
    messages: int
    lost: int
    copies: int
    problems: Counter[str]
    seconds: float

    @property
    def holds(self) -> bool:
        """Whether each slot has one edition, sent once to each subscriber."""
        return not (self.missing or self.twice or self.others or self.lost or self.copies)


def prove(url: str, folder: Path, first_year: int, years: float, seed: int = 1) -> Made:
    """Let the three hosts tick through the years."""
    began, dice = time.perf_counter(), random.Random(seed)
    start = datetime(first_year, 1, 1, tzinfo=UTC)
    end = start + timedelta(days=365.25 * years)
    expected = {
        (name, label): at
        for name, schedule in SCHEDULES.items()
        for label, at in expected_slots(ZONE, schedule, start, end).items()
    }
    configs = [_host(folder / f"host-{number}", folder / "posts", url) for number in range(len(OFFSETS))]
    os.environ["PUBLISHER_HOST"] = "one"  # all hosts are confirmed
    with open_project_store(configs[0]) as store:
        wishes = tuple(Subscription(name) for name in SCHEDULES)
        people = [NewSubscriber(f"r{number}@example.org", subscriptions=wishes) for number in range(READERS)]
        store.subscribers.add_many(people, at=start - timedelta(days=1), source="benchmark")
    problems = Counter[str]()
    with ThreadPoolExecutor(len(configs)) as hosts:
        for moment in _moments(sorted(expected.values()), start, folder / "posts", dice):
            clocks = [moment + offset - _set_back(dice) for offset in OFFSETS]
            for found in hosts.map(_tick, configs, clocks):
                problems.update(found)
    return _counted(configs, expected, problems, time.perf_counter() - began)


def _host(root: Path, posts: Path, url: str) -> Config:
    root.mkdir(parents=True)
    posts.mkdir(exist_ok=True)
    (root / "posts").symlink_to(posts)
    (root / "publisher.toml").write_text(CONFIG.format(zone=ZONE, url=url, **SCHEDULES))
    return load_config(root)


def _moments(slots: list[datetime], start: datetime, posts: Path, dice: random.Random) -> Iterator[datetime]:
    """Yield the moments at which all hosts tick: before, at and after each slot. Before each slot, add a new post."""
    yield start + MINUTE
    for number, slot in enumerate(slots):
        moment = slot - HOUR * 5
        text = f"---\ntitle: Post {number}\ndate: {moment.isoformat()}\n---\n\nNumber {number}.\n"
        (posts / f"post-{number}.md").write_text(text)
        yield slot + MINUTE * dice.uniform(-2.5, -0.5)
        yield slot + MINUTE * dice.uniform(-0.5, 2)
        yield slot + MINUTE * dice.uniform(3, 8)


def _set_back(dice: random.Random) -> timedelta:
    return 2 * HOUR * dice.random() if dice.random() < 0.05 else timedelta()


def _tick(config: Config, now: datetime) -> list[str]:
    with open_project_store(config) as store:
        return [str(problem) for problem in tick(Project(config, store, lambda: now))]


def _counted(
    configs: list[Config], expected: dict[tuple[str, str], datetime], problems: Counter[str], seconds: float
) -> Made:
    with open_project_store(configs[0]) as store:
        editions = store.editions.list()
    made = Counter((edition.newsletter, edition.slot) for edition in editions)
    posts = Counter((edition.newsletter, post.id) for edition in editions for post in edition.posts)
    got = Counter(each for config in configs for each in _messages(config))
    wanted = {(name, slot, f"r{number}@example.org") for name, slot in made for number in range(READERS)}
    return Made(
        slots=len(expected),
        missing=len(expected.keys() - made.keys()),
        twice=made.total() - len(made) + posts.total() - len(posts),
        others=len(made.keys() - expected.keys()),
        messages=got.total(),
        lost=len(wanted) - len(got),
        copies=got.total() - len(got),
        problems=problems,
        seconds=seconds,
    )


def _messages(config: Config) -> Iterator[tuple[str, str]]:
    """Yield the Message-ID and the recipient of each message; one ID belongs to one edition and subscriber."""
    for path in (config.root / config.outbox).glob("*/*.eml"):
        head = path.read_text("utf-8", "replace").replace("\r\n", "\n").partition("\n\n")[0]
        message_id = re.search(r"^Message-ID:\s*(\S+)", head, re.MULTILINE | re.IGNORECASE)
        address = re.search(r"^To: .*?([\w.]+@[\w.]+)", head, re.MULTILINE)
        assert message_id and address, head
        yield message_id[1], address[1]


def main() -> int:
    """Run the proof, and print the result."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--from", dest="first", type=int, default=2015)
    parser.add_argument("--years", type=float, default=10)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="publisher-clocks-") as folder, database("postgresql") as url:
        made = prove(url, Path(folder), given.first, given.years, given.seed)
    print("slots  missing  twice  others  messages  lost  copies  seconds")
    figures = f"{made.slots:5}  {made.missing:7}  {made.twice:5}  {made.others:6}  {made.messages:8}"
    print(f"{figures}  {made.lost:4}  {made.copies:6}  {made.seconds:7.1f}")
    for problem, times in made.problems.most_common(10):
        print(f"  {times} times: {problem}")
    return 0 if made.holds else 1


if __name__ == "__main__":
    sys.exit(main())
