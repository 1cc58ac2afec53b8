"""What real ticks of a real project do after delays, trouble with clocks, or copying the project, as a table.

    python -m benchmarks.lateness [--json FILE]

Each case is a separate project with a weekly newsletter (Monday 08:00 in Berlin, max_lateness 12h) and two
subscribers, whose last tick was on the Friday before. The database and the outbox show what was made, put on hold and
sent.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from email import policy
from email.parser import BytesParser
from pathlib import Path
from typing import Any

SLOT = datetime(2026, 11, 23, 7, tzinfo=UTC)
MINUTE, HOUR, DAY, WEEK = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1), timedelta(weeks=1)
SETTINGS = """\
[site]
title = "Late"
url = "https://late.example.net"
timezone = "Europe/Berlin"
postal_address = "1 Long Road, 12345 Anytown"

[mail]
sender = "Late <late@late.example.net>"

[[newsletters]]
name = "weekly"
schedule = "weekly monday 08:00"
"""
READERS = ("ada@example.net", "bob@example.net")


@dataclass(frozen=True, slots=True)
class Row:
    """One case: the documented and the actual outcome."""

    case: str
    wanted: str
    found: str

    @property
    def holds(self) -> bool:
        """Whether the outcome is as documented."""
        return self.wanted == self.found


class Bench:
    """One project whose clock is set by the case."""

    def __init__(self, folder: Path) -> None:
        self.root = folder
        (folder / "posts").mkdir(parents=True)
        (folder / "publisher.toml").write_text(SETTINGS, encoding="utf-8")
        self.post("hello", "2026-11-18 09:00")
        with self.store() as store:
            from publisher.core.newsletter_models import Subscription
            from publisher.store.subscriber_records import NewSubscriber

            people = [NewSubscriber(address, subscriptions=(Subscription("weekly"),)) for address in READERS]
            store.subscribers.add_many(people, at=SLOT - 9 * DAY, source="benchmark")
        self.tick(SLOT - 3 * DAY)

    def post(self, name: str, when: str) -> None:
        """Write a post."""
        path = self.root / "posts" / f"{name}.md"
        path.write_text(f"---\ntitle: {name}\ndate: {when}\n---\n\nA paragraph about it.\n", encoding="utf-8")

    def store(self) -> Any:
        """Open the database."""
        from publisher.config import load_config
        from publisher.publishing.wiring import open_project_store

        return open_project_store(load_config(self.root, {}))

    def tick(self, *moments: datetime) -> None:
        """Set the clock to each of these moments and tick. Each tick starts with an empty memory."""
        from benchmarks.ticker import tick
        from publisher.config import load_config
        from publisher.publishing.wiring import Project

        for moment in moments:
            with self.store() as store:
                tick(Project(load_config(self.root, {}), store, lambda moment=moment: moment))

    def found(self) -> str:
        """Return the editions with their posts, whether they are on hold, and how many messages each subscriber got."""
        with self.store() as store:
            editions = sorted(store.editions.list(), key=lambda edition: edition.id)
        said = [
            f"{each.slot}{' held' if each.held else ''}: {', '.join(post.title for post in each.posts)}"
            for each in editions
        ]
        mailed = [self._messages(reader) for reader in READERS]
        return f"{'; '.join(said) or 'nothing'} | {' and '.join(map(str, mailed))} mails"

    def _messages(self, reader: str) -> int:
        files = (self.root / ".publisher/outbox/new").glob("*.eml")
        parser = BytesParser(policy=policy.default)
        return sum(parser.parsebytes(path.read_bytes())["To"].addresses[0].addr_spec == reader for path in files)


@contextmanager
def host(name: str) -> Any:
    """Pretend to be a different machine."""
    before = os.environ.get("PUBLISHER_HOST")
    os.environ["PUBLISHER_HOST"] = name
    try:
        yield
    finally:
        os.environ.pop("PUBLISHER_HOST")
        if before is not None:
            os.environ["PUBLISHER_HOST"] = before


def on_time(bench: Bench) -> str:
    bench.tick(*(SLOT + n * MINUTE for n in range(-2, 3)))
    return bench.found()


def down_for_three_hours(bench: Bench) -> str:
    bench.tick(SLOT - HOUR, SLOT + 2 * HOUR, SLOT + 2 * HOUR + MINUTE)
    return bench.found()


def down_for_two_days(bench: Bench) -> str:
    bench.tick(SLOT - HOUR, SLOT + 2 * DAY, SLOT + 2 * DAY + MINUTE)
    return bench.found()


def down_for_three_weeks_to_an_hour_after_a_slot(bench: Bench) -> str:
    bench.post("second", "2026-12-01 09:00")
    bench.tick(SLOT - HOUR, SLOT + 3 * WEEK + HOUR, SLOT + 3 * WEEK + 2 * HOUR)
    return bench.found()


def down_for_three_weeks_to_between_slots(bench: Bench) -> str:
    bench.post("second", "2026-12-01 09:00")
    bench.tick(SLOT - HOUR, SLOT + 3 * WEEK + 2 * DAY, SLOT + 3 * WEEK + 2 * DAY + MINUTE)
    return bench.found()


def clock_set_back_an_hour(bench: Bench) -> str:
    bench.tick(SLOT)
    bench.post("second", "2026-11-22 09:00")
    bench.tick(*(SLOT + n * MINUTE for n in (1, -59, -30, -1, 0, 1, 60)))
    return bench.found()


def copied_to_another_host(bench: Bench) -> str:
    copy = bench.root.with_name("copy")
    shutil.copytree(bench.root, copy)
    other = Bench.__new__(Bench)
    other.root = copy
    with host("another"):
        other.tick(SLOT, SLOT + HOUR)
    bench.tick(SLOT)
    return f"copy: {other.found()}; original: {bench.found()}"


def copied_and_confirmed(bench: Bench) -> str:
    from publisher.core.host_id import host_id

    with host("another"):
        bench.tick(SLOT)
        with bench.store() as store:
            store.hosts.confirm(host_id(bench.root, os.environ), SLOT + HOUR)
        bench.tick(SLOT + HOUR)
    return bench.found()


def post_dated_back_by_a_year(bench: Bench) -> str:
    bench.tick(SLOT)
    bench.post("old", "2025-11-20 09:00")
    bench.tick(SLOT + WEEK, SLOT + 2 * WEEK)
    return bench.found()


CASES: Sequence[tuple[Callable[[Bench], str], str]] = (
    (on_time, "2026-W48: hello | 1 and 1 mails"),
    (down_for_three_hours, "2026-W48: hello | 1 and 1 mails"),
    (down_for_two_days, "2026-W48 held: hello | 0 and 0 mails"),
    (down_for_three_weeks_to_an_hour_after_a_slot, "2026-W51: second, hello | 1 and 1 mails"),
    (down_for_three_weeks_to_between_slots, "2026-W51 held: second, hello | 0 and 0 mails"),
    (clock_set_back_an_hour, "2026-W48: hello | 1 and 1 mails"),
    (
        copied_to_another_host,
        "copy: nothing | 0 and 0 mails; original: 2026-W48: hello | 1 and 1 mails",
    ),
    (copied_and_confirmed, "2026-W48: hello | 1 and 1 mails"),
    (post_dated_back_by_a_year, "2026-W48: hello; 2026-W49: old | 2 and 2 mails"),
)


def look(case: Callable[[Bench], str], wanted: str, folder: Path) -> Row:
    """Run one case in its own folder."""
    return Row(case.__name__.replace("_", " "), wanted, case(Bench(folder / case.__name__ / "project")))


def main() -> int:
    """Run every case, print a table, and return 1 if an outcome is not as documented."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="publisher-lateness-") as folder, host("home"):
        rows = [look(case, wanted, Path(folder)) for case, wanted in CASES]
    for row in rows:
        print(f"{'as written' if row.holds else 'NOT SO':<11}{row.case}\n           {row.found}")
        if not row.holds:
            print(f"           wanted: {row.wanted}")
    if options.json:
        options.json.write_text(json.dumps([asdict(row) for row in rows], indent=1) + "\n", encoding="utf-8")
    return 0 if all(row.holds for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
