"""A version of an edition for each choice of topics: 10,000 subscribers, 50 choices, 20 posts, on SQLite.

    python -m benchmarks.variants [--rounds 5] [--subscribers 10000] [--choices 50] [--posts 20] [--json FILE]

Each round plans, composes and makes one edition in its own process, from a fresh copy of the database, and stops before
anything is sent. Compositions are counted by calls, letters and deliveries in the database. The same is done for
subscribers without topics, for comparison. Times are medians; the peak is of the whole process.
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks import corpus
from benchmarks.measure import Usage, median, memory_folder, run

ROOT = Path(__file__).parent.parent
NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
SETTINGS = """\
[site]
title = "Benchmark"
url = "https://bench.example.org"
postal_address = "1 Long Road, 12345 Anytown"

[[newsletters]]
name = "weekly"
schedule = "weekly monday 08:00"
content = "{content}"
first = {posts}
maximum = {posts}
"""
RECORD = Path(".publisher") / "publisher.db"


@dataclass(frozen=True, slots=True)
class Figures:
    """The counts and seconds of one round; html is the size of the longest letter in bytes."""

    compositions: int
    letters: int
    deliveries: int
    html: int
    compose: float
    make: float


def write_project(folder: Path, posts: int, content: str) -> None:
    """Write a project with this many posts and no subscribers."""
    folder.mkdir()
    (folder / "publisher.toml").write_text(SETTINGS.format(posts=posts, content=content), encoding="utf-8")
    corpus.write_posts(folder / "posts", posts)


def subscribe(folder: Path, subscribers: int, choices: int) -> None:
    """Fill the project's database with subscribers, equally divided among this many choices of topics; 0: no topics."""
    from publisher.config import load_config
    from publisher.core.newsletter_models import Subscription
    from publisher.publishing.wiring import open_project_store
    from publisher.store.subscriber_records import NewSubscriber

    config = load_config(folder, {})
    held = distinct_choices(folder, choices) if choices else [()]
    wishes = [(Subscription("weekly", topics),) for topics in held]
    people = [
        NewSubscriber(f"reader{i}@example.org", subscriptions=wishes[i % len(wishes)]) for i in range(subscribers)
    ]
    with open_project_store(config) as store:
        for start in range(0, subscribers, 10_000):
            store.subscribers.add_many(people[start : start + 10_000], at=NOW, source="benchmark")


def distinct_choices(folder: Path, count: int) -> list[tuple[str, ...]]:
    """Return this many choices of two to four of the posts' tags; each selects different posts, none selects all."""
    from publisher.config import load_config
    from publisher.newsletters.select import has_tag
    from publisher.posts.archive import open_archive

    posts = open_archive(load_config(folder, {}), NOW, keep=False).posts
    tags = sorted({tag.slug for post in posts for tag in post.tags})
    chance = random.Random(1)
    found: dict[tuple[str, ...], tuple[str, ...]] = {}
    for _ in range(1_000 * count):
        topics = tuple(sorted(chance.sample(tags, chance.randint(2, 4))))
        taken = tuple(post.id for post in posts if has_tag(post, topics))
        if len(taken) < len(posts):
            found.setdefault(taken, topics)
        if len(found) == count:
            return list(found.values())
    sys.exit(f"{len(posts)} posts have not {count} different choices of topics")


def make_edition(folder: Path) -> Figures:
    """Plan, compose and make the project's next edition; count the work."""
    from publisher.config import load_config
    from publisher.publishing import render
    from publisher.publishing.publish import compose_plan, create_editions
    from publisher.publishing.wiring import Project, open_project_store

    calls = 0
    compose = render.compose

    def counted(*arguments: Any) -> Any:
        nonlocal calls
        calls += 1
        return compose(*arguments)

    render.compose = counted
    config = load_config(folder, {})
    with open_project_store(config) as store:
        start = time.perf_counter()
        plan, drafts = compose_plan(config, store, (), NOW)
        composed = time.perf_counter()
        ((_, edition),) = create_editions(Project(config, store, lambda: NOW), plan, drafts, NOW)
        done = time.perf_counter()
        letters = store.editions.letters(edition.id)
        deliveries = store.deliveries.counts(edition.id).total
    html = max(len(letter.html.encode()) for letter in letters)
    return Figures(calls, len(letters), deliveries, html, composed - start, done - composed)


def measure(folder: Path, rounds: int) -> tuple[list[Figures], list[Usage]]:
    """Make the edition this many times, each time from the same database, after a first round that is not counted."""
    kept, results = folder / "record.db", []
    shutil.copy(folder / RECORD, kept)
    usages = []
    for _ in range(rounds + 1):
        for left in (folder / RECORD.parent).glob("*"):
            left.unlink() if left.is_file() else shutil.rmtree(left)
        shutil.copy(kept, folder / RECORD)
        usages.append(run([sys.executable, "-m", "benchmarks.variants", "--make", folder], ROOT))
        results.append(Figures(**json.loads((folder / "figures.json").read_text(encoding="utf-8"))))
    return results[1:], usages[1:]


def table(rows: list[dict[str, Any]]) -> str:
    """Return the figures as plain text."""
    lines = ["letters of   choices  compositions  letters  deliveries  compose s  make s  peak MiB  HTML bytes"]
    lines += [
        f"{r['content']:<11}  {r['choices']:>7,}  {r['compositions']:>12,}  {r['letters']:>7,}  {r['deliveries']:>10,}"
        f"  {r['compose']:>9.2f}  {r['make']:>6.2f}"
        f"  {r['peak_mib']:>8.0f}  {r['html']:>10,}"
        for r in rows
    ]
    return "\n".join(lines)


def compete(scratch: Path, arguments: argparse.Namespace) -> list[dict[str, Any]]:
    """Measure every case in its own project, and return its medians."""
    rows = []
    for content in ("excerpt", "full"):
        for choices in (0, arguments.choices):
            print(f"{content}, {choices} choices", file=sys.stderr)
            folder = scratch / f"{content}-{choices}"
            write_project(folder, arguments.posts, content)
            fill = [sys.executable, "-m", "benchmarks.variants", "--subscribe", folder]
            run([*fill, "--subscribers", str(arguments.subscribers), "--choices", str(choices)], ROOT)
            results, usages = measure(folder, arguments.rounds)
            (counts,) = {(r.compositions, r.letters, r.deliveries, r.html) for r in results}
            names = ("compositions", "letters", "deliveries", "html")
            rows.append(
                {"content": content, "choices": choices, **dict(zip(names, counts, strict=True))}
                | {"compose": median([r.compose for r in results]), "make": median([r.make for r in results])}
                | {"peak_mib": median([u.peak_mib for u in usages])}
            )
    return rows


def parse_arguments() -> argparse.Namespace:
    """Return the command line's settings."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.variants", description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=5, help="rounds that are counted (default 5)")
    parser.add_argument("--subscribers", type=int, default=10_000, help="number of subscribers (default 10000)")
    parser.add_argument("--choices", type=int, default=50, help="how many distinct choices of topics (default 50)")
    parser.add_argument("--posts", type=int, default=20, help="how many posts the edition has (default 20)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures to FILE")
    parser.add_argument("--subscribe", type=Path, help=argparse.SUPPRESS)  # the steps, each in its own process
    parser.add_argument("--make", type=Path, help=argparse.SUPPRESS)
    return parser.parse_args()


def main() -> int:
    """Run, print the figures, and return 0 if each choice was composed once."""
    arguments = parse_arguments()
    if arguments.subscribe:
        subscribe(arguments.subscribe, arguments.subscribers, arguments.choices)
        return 0
    if arguments.make:
        figures = make_edition(arguments.make)
        (arguments.make / "figures.json").write_text(json.dumps(asdict(figures)), encoding="utf-8")
        return 0
    place, _ = memory_folder()
    with tempfile.TemporaryDirectory(prefix="publisher-bench-", dir=place) as scratch:
        rows = compete(Path(scratch), arguments)
    print(table(rows))
    if arguments.json:
        arguments.json.write_text(json.dumps(rows, indent=2), encoding="utf-8")
    expected = all(r["letters"] == r["compositions"] == r["choices"] + 1 for r in rows)
    print("each choice was composed once" if expected else "the numbers of compositions and choices differ")
    return 0 if expected else 1


if __name__ == "__main__":
    sys.exit(main())
