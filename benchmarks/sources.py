"""What sources cost: 1,000 unchanged ones, and an edition from 100 sources with 20 new items each.

    python -m benchmarks.sources [--sources 1000] [--blogs 100] [--items 20] [--json FILE]

Each source has its own host (127.0.0.1 to 127.0.255.254), so that each needs a connection. Each step has its own
process: the first fetch, the second fetch of unchanged sources, and for the blogs, fetching new items and making
the edition. Exits with 1 if a limit in MOST is exceeded, or if a source gets too many requests.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import ssl
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from benchmarks.measure import Usage, memory_folder, run

Converse = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]

ROOT = Path(__file__).parent.parent
NOW = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)  # a Saturday
SLOT = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
MOST = {"again cpu": 10.0, "again MiB": 150.0, "letter wall": 5.0}
SETTINGS = """\
[site]
title = "Benchmark"
url = "https://bench.example.org"
postal_address = "1 Long Road, 12345 Anytown"

[[newsletters]]
name = "weekly"
schedule = "weekly monday 09:00"
maximum = 1000
sources = [{names}]
"""
SOURCE = '\n[[sources]]\nname = "blog{number}"\nurl = "http://{host}:{port}/feed"\nallow_private = true\n'
WORDS = "The words of an item, of which there are some hundred in a post. " * 8


@dataclass
class Blogs:
    """A server of feeds: how many items each has, and the statuses of its answers."""

    items: int = 1
    port: int = 0
    statuses: Counter[int] = field(default_factory=Counter)

    async def converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer the requests of one connection."""
        try:
            while head := (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower():
                host = next(line for line in head.split("\r\n") if line.startswith("host:")).split(":")[1].strip()
                writer.write(self._answer(host, f'if-none-match: "{self.items}"' in head))
                await writer.drain()
        except (OSError, asyncio.IncompleteReadError):
            writer.close()

    def _answer(self, host: str, is_known: bool) -> bytes:
        status, body = ("304 Not Modified", b"") if is_known else ("200 OK", self._feed(host))
        self.statuses[int(status[:3])] += 1
        length = "" if is_known else f"Content-Length: {len(body)}\r\n"
        return f'HTTP/1.1 {status}\r\nETag: "{self.items}"\r\n{length}\r\n'.encode() + body

    def _feed(self, host: str) -> bytes:
        items = "".join(
            f"<item><title>Item {number} of {host}</title><link>http://{host}/{number}</link>"
            f"<guid>http://{host}/{number}</guid><pubDate>Sat, 21 Nov 2026 08:{number:02}:00 GMT</pubDate>"
            f"<description>&lt;p&gt;{WORDS}&lt;/p&gt;&lt;p&gt;{WORDS}&lt;/p&gt;</description></item>"
            for number in reversed(range(self.items))
        )
        head = f"<title>{host}</title><link>http://{host}/</link><description>x</description>"
        return f'<?xml version="1.0"?><rss version="2.0"><channel>{head}{items}</channel></rss>'.encode()


@contextmanager
def listening(converse: Converse, host: str, tls: ssl.SSLContext | None = None, backlog: int = 100) -> Iterator[int]:
    """Serve connections in a thread until the block ends; yield the port."""
    ready, stop = threading.Event(), asyncio.Event()
    loops: list[asyncio.AbstractEventLoop] = []
    ports: list[int] = []

    async def serve() -> None:
        server = await asyncio.start_server(converse, host, 0, ssl=tls, backlog=backlog)
        ports.append(server.sockets[0].getsockname()[1])
        loops.append(asyncio.get_running_loop())
        ready.set()
        await stop.wait()
        server.close()

    thread = threading.Thread(target=lambda: asyncio.run(serve()), daemon=True)
    thread.start()
    if not ready.wait(300):
        raise RuntimeError("the feeds are not served")
    try:
        yield ports[0]
    finally:
        loops[0].call_soon_threadsafe(stop.set)
        thread.join(300)


@contextmanager
def serving() -> Iterator[Blogs]:
    """Serve feeds on every loopback address of this machine until the block ends."""
    blogs = Blogs()
    with listening(blogs.converse, "0.0.0.0", backlog=1_000) as blogs.port:
        yield blogs


def write_project(folder: Path, sources: int, port: int) -> None:
    """Write a project with this many sources."""
    folder.mkdir()
    names = ", ".join(f'"blog{number}"' for number in range(sources))
    hosts = [f"127.0.{number // 250}.{number % 250 + 1}" for number in range(sources)]
    tables = "".join(SOURCE.format(number=number, host=host, port=port) for number, host in enumerate(hosts))
    (folder / "publisher.toml").write_text(SETTINGS.format(names=names) + tables, encoding="utf-8")
    (folder / "posts").mkdir()


def fetch(folder: Path, now: datetime) -> None:
    """Fetch the sources of a project that are due."""
    from publisher.config import load_config
    from publisher.publishing.fetch_sources import fetch_sources
    from publisher.publishing.wiring import Project, open_project_store

    config = load_config(folder, {})
    with open_project_store(config) as store:
        reports = fetch_sources(Project(config, store, lambda: now), now)
        if failed := [report.error for report in reports if report.error]:
            sys.exit(f"{len(failed)} sources failed, such as {failed[0]}")


def begin(folder: Path) -> None:
    """Let the newsletter begin to use its sources, so that all later items are new."""
    from publisher.config import load_config
    from publisher.core.newsletter_models import Subscription
    from publisher.publishing.source_slots import begin_with_sources
    from publisher.publishing.wiring import open_project_store
    from publisher.store.subscriber_records import NewSubscriber

    config = load_config(folder, {})
    with open_project_store(config) as store:
        person = NewSubscriber("reader@example.org", subscriptions=(Subscription("weekly"),))
        store.subscribers.add_many([person], at=NOW, source="benchmark")
        begin_with_sources(config, store, NOW)


def make_letter(folder: Path) -> None:
    """Plan, compose and make the edition of a project; write how long it took, and its number of posts."""
    from publisher.config import load_config
    from publisher.publishing.publish import compose_plan, create_editions
    from publisher.publishing.wiring import Project, open_project_store

    config = load_config(folder, {})
    with open_project_store(config) as store:
        start, used = time.perf_counter(), time.process_time()
        plan, drafts = compose_plan(config, store, (), SLOT)
        create_editions(Project(config, store, lambda: SLOT), plan, drafts, SLOT)
        took, used = time.perf_counter() - start, time.process_time() - used
    posts = sum(len(draft.posts) for draft in drafts)
    (folder / "letter.json").write_text(json.dumps({"wall": took, "cpu": used, "posts": posts}), encoding="utf-8")


def measure(scratch: Path, arguments: argparse.Namespace) -> dict[str, float]:
    """Run each step in its own process, and return its figures."""
    figures: dict[str, float] = {}

    def step(name: str, folder: Path, *words: str) -> None:
        print(name, file=sys.stderr)
        usage: Usage = run([sys.executable, "-m", "benchmarks.sources", "--folder", folder, *words], ROOT)
        figures.update({f"{name} cpu": usage.cpu, f"{name} wall": usage.wall, f"{name} MiB": usage.peak_mib})

    def at(hours: int) -> tuple[str, str]:
        return "--fetch", (NOW + timedelta(hours=hours)).isoformat()

    with serving() as blogs:
        write_project(scratch / "many", arguments.sources, blogs.port)
        step("first", scratch / "many", *at(0))
        step("again", scratch / "many", *at(1))
        figures |= {f"answers {status}": count for status, count in blogs.statuses.items()}
        blogs.items = 1
        write_project(scratch / "blogs", arguments.blogs, blogs.port)
        step("first of blogs", scratch / "blogs", *at(0))
        begin(scratch / "blogs")
        blogs.items = arguments.items + 1
        step("new items", scratch / "blogs", *at(1))
        step("letter, whole process", scratch / "blogs", "--letter")
    letter = json.loads((scratch / "blogs/letter.json").read_text(encoding="utf-8"))
    return figures | {f"letter {name}": value for name, value in letter.items()}


def main() -> int:
    """Measure, print the figures, and return 0 if every limit is kept."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.sources", description=__doc__.split("\n")[0])
    parser.add_argument("--sources", type=int, default=1_000, help="sources that have not changed (default 1000)")
    parser.add_argument("--blogs", type=int, default=100, help="sources with new items (default 100)")
    parser.add_argument("--items", type=int, default=20, help="new items of each blog (default 20)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures to FILE")
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)  # the steps, each in its own process
    parser.add_argument("--fetch", type=datetime.fromisoformat, help=argparse.SUPPRESS)
    parser.add_argument("--letter", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.folder:
        make_letter(arguments.folder) if arguments.letter else fetch(arguments.folder, arguments.fetch)
        return 0
    place, _ = memory_folder()
    with tempfile.TemporaryDirectory(prefix="publisher-bench-", dir=place) as scratch:
        figures = measure(Path(scratch), arguments)
    print("\n".join(f"{name:28} {value:10,.2f}" for name, value in figures.items()))
    if arguments.json:
        arguments.json.write_text(json.dumps(figures, indent=2), encoding="utf-8")
    over = [f"{name} is over {most:g}" for name, most in MOST.items() if figures[name] > most]
    if (figures["answers 200"], figures["answers 304"]) != (arguments.sources, arguments.sources):
        over.append("a source was not asked twice, once without a condition")
    print("\n".join(over) or "within the limits")
    return 1 if over else 0


if __name__ == "__main__":
    sys.exit(main())
