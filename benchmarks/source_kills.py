"""A project with a source is killed while it fetches, parses, writes, makes and sends: is anything lost or duplicated?

    python -m benchmarks.source_kills [--kills 25] [--phases make send] [--readers 5] [--database sqlite]

A feed gets two items an hour, which an hourly newsletter puts into an edition. Each hour the process is killed with
SIGKILL at a random moment of one phase, and restarted eleven minutes later. In the end each item must be in one
edition, and each subscriber must have each edition once. Exit code 1 if not.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import subprocess
import sys
import tempfile
import threading
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from benchmarks.mortal_rounds import PHASES
from benchmarks.ticking import database
from publisher.config import load_config
from publisher.core.newsletter_models import Subscription
from publisher.publishing.wiring import open_project_store
from publisher.store.subscriber_records import NewSubscriber

START = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
# The claim of a killed process lasts ten minutes.
LATER = timedelta(minutes=11)
OLD, EACH_HOUR, WINDOW = 3, 2, 10
# A kill that came after its phase is tried again, sooner each time: the last one comes when the phase begins.
_TRIES = 4

CONFIG = """\
[site]
title = "Hourly"
url = "https://hourly.example"
authority = "hourly.example,2026"

[database]
url = "{url}"

[[sources]]
name = "blog"
url = "http://127.0.0.1:{port}/feed"
allow_private = true

[[newsletters]]
name = "hourly"
schedule = "0 * * * *"
sources = ["blog"]
settle_minutes = 0
"""
FEED = "<rss version='2.0'><channel><title>A blog</title><link>http://127.0.0.1/</link>{items}</channel></rss>"
ITEM = "<item><title>Post {n}</title><link>http://127.0.0.1/{n}</link><guid>post-{n}</guid><description>{n}</description></item>"


@dataclass
class Feed:
    """A growing feed and its server. asked: the ETag sent with each request, "" for none."""

    count: int = OLD
    asked: list[str] = field(default_factory=list)

    def answer(self, known: str) -> tuple[int, bytes, str]:
        """Return status, body and ETag for a request with an ETag."""
        self.asked.append(known)
        tag = f'"{self.count}"'
        if known == tag:
            return 304, b"", tag
        newest_first = range(self.count, max(0, self.count - WINDOW), -1)
        return 200, FEED.format(items="".join(ITEM.format(n=n) for n in newest_first)).encode(), tag

    @contextmanager
    def served(self) -> Iterator[int]:
        """Serve the feed on a port of this machine; yield the port."""
        feed = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                status, body, tag = feed.answer(self.headers.get("If-None-Match", ""))
                self.send_response(status)
                self.send_header("ETag", tag)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            server.server_close()


@dataclass(frozen=True, slots=True)
class Outcome:
    """The outcome. lost, twice: items; unsent, copies: emails; met: kills that hit the process, by phase."""

    items: int
    lost: int
    twice: int
    emails: int
    unsent: int
    copies: int
    met: Counter[str]
    problems: tuple[str, ...]

    @property
    def is_sound(self) -> bool:
        """Whether everything happened once."""
        return not (self.lost or self.twice or self.unsent or self.copies or self.problems)


class Rounds:
    """The process whose forks run the rounds."""

    def __init__(self, root: Path) -> None:
        program = [sys.executable, "-m", "benchmarks.mortal_rounds", str(root)]
        self._process = subprocess.Popen(program, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def do(self, now: datetime, phase: str = "", delay: float = 0.0) -> dict[str, Any]:
        """Run a round, and kill it this many seconds after a phase has begun."""
        assert self._process.stdin and self._process.stdout
        self._process.stdin.write(json.dumps({"now": now.isoformat(), "phase": phase, "delay": delay}) + "\n")
        self._process.stdin.flush()
        found: dict[str, Any] = json.loads(self._process.stdout.readline())
        return found

    def end(self) -> None:
        self._process.communicate()


def prove(root: Path, url: str, phases: Sequence[str], readers: int, seed: int = 17) -> Outcome:
    """Kill a project in one phase each hour; count the outcome."""
    feed, chance = Feed(), random.Random(seed)
    met, problems = Counter[str](), list[str]()
    with feed.served() as port:
        (root / "posts").mkdir(parents=True)
        (root / "publisher.toml").write_text(CONFIG.format(url=url, port=port), encoding="utf-8")
        with open_project_store(load_config(root)) as store:
            hourly = (Subscription("hourly"),)
            people = [NewSubscriber(f"r{n}@example.org", subscriptions=hourly) for n in range(readers)]
            store.subscribers.add_many(people, at=START - HOUR, source="benchmark")
        rounds = Rounds(root)
        try:
            rounds.do(START - HOUR / 2)
            now, took = START, rounds.do(START).get("took", {})
            waiting = deque((phase, 0) for phase in phases)
            while waiting:
                phase, missed = waiting.popleft()
                feed.count += EACH_HOUR
                now += HOUR
                share = chance.random() * (1 - missed / (_TRIES - 1))
                killed = "killed" in rounds.do(now, phase, share * took.get(phase, 0.01))
                met[phase] += killed
                if not killed and missed + 1 < _TRIES:  # it was faster than before
                    waiting.append((phase, missed + 1))
                after = rounds.do(now + LATER)
                took |= after.get("took", {})
                problems += after.get("problems", ["the round did not end"])
            problems += rounds.do(now + 2 * LATER).get("problems", ["the round did not end"])
        finally:
            rounds.end()
    return _count(root, feed.count, readers, met, problems)


def _count(root: Path, items: int, readers: int, met: Counter[str], problems: list[str]) -> Outcome:
    config = load_config(root)
    with open_project_store(config) as store:
        editions = store.editions.list()
    titles = Counter(post.title for edition in editions for post in edition.posts)
    letters = Counter(_letters(config.root / config.outbox))
    emails = len(editions) * readers
    return Outcome(
        items,
        lost=sum(f"Post {n}" not in titles for n in range(1, items + 1)),
        twice=sum(titles.values()) - len(titles),
        emails=emails,
        unsent=emails - len(letters),
        copies=sum(letters.values()) - len(letters),
        met=met,
        problems=tuple(problems),
    )


def _letters(outbox: Path) -> Iterator[tuple[str, str]]:
    """Yield the Message-ID and recipient of each message, from its own headers instead of its file name."""
    for path in outbox.glob("*/*.eml"):
        head, _, _ = path.read_text("utf-8", "replace").replace("\r\n", "\n").partition("\n\n")
        identity = re.search(r"^Message-ID:\s*(\S+)", head, re.MULTILINE | re.IGNORECASE)
        address = re.search(r"^To: .*?([\w.]+@[\w.]+)", head, re.MULTILINE)
        assert identity and address, head
        yield identity[1], address[1]


def main() -> None:
    """Read the options, run the proof on each database, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=25, help="in each phase")
    parser.add_argument("--readers", type=int, default=5)
    parser.add_argument("--phases", nargs="+", choices=list(PHASES), default=list(PHASES))
    parser.add_argument("--database", choices=("sqlite", "postgresql", "both"), default="both")
    options = parser.parse_args()
    phases = [phase for phase in options.phases for _ in range(options.kills)]
    random.Random(17).shuffle(phases)
    kinds = ("sqlite", "postgresql") if options.database == "both" else (options.database,)
    print("database    items  lost  twice  emails  unsent  copies  kills that met the phase")
    is_sound = True
    for kind in kinds:
        with tempfile.TemporaryDirectory() as folder, database(kind) as url:
            found = prove(Path(folder) / "project", url, phases, options.readers)
        items = f"{found.items:5}  {found.lost:4}  {found.twice:5}"
        emails = f"{found.emails:6}  {found.unsent:6}  {found.copies:6}"
        met = ", ".join(f"{phase} {count}" for phase, count in found.met.items())
        print(f"{kind:10}  {items}  {emails}  {met}", flush=True)
        print(*dict.fromkeys(found.problems), sep="\n", end="", file=sys.stderr)
        is_sound &= found.is_sound
    raise SystemExit(not is_sound)


if __name__ == "__main__":
    main()
