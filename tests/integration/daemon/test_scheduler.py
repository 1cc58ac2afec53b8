"""The real scheduler with a clock moved by the tests: through changes of daylight saving time, and backwards."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import time_machine

from publisher.config import load_config
from publisher.daemon.scheduler import Scheduler
from publisher.publishing.wiring import Project as OpenProject
from publisher.publishing.wiring import open_project_store
from tests.support.clockwork import tick
from tests.support.store_samples import person

# Zone, schedule, the local day of the change; the slots of that day and the next, each once.
CHANGES = [
    ("America/New_York", "daily 01:30", "2026-11-01"),  # 01:30 occurs twice
    ("America/New_York", "daily 02:30", "2026-03-08"),  # 02:30 does not occur
    ("Africa/Cairo", "daily 00:00", "2026-04-24"),  # midnight does not occur
    ("Australia/Lord_Howe", "daily 01:45", "2026-04-05"),  # half an hour occurs twice
    ("Atlantic/Azores", "daily 00:30", "2026-03-29"),  # 00:00 to 01:00 does not occur
]
# Each half hour around the slots of both days, and every fourth hour between them.
MOMENTS = (*range(1, 17), 24, 32, 40, *range(48, 62))
SECONDS = 60


class Driven:
    """A scheduler whose clock the test moves, one call at a time."""

    def __init__(self, traveller: time_machine.Traveller) -> None:
        self.traveller, self.calls = traveller, 0
        self._called = threading.Semaphore(0)

    def called(self) -> None:
        self.calls += 1
        self._called.release()

    def move_to(self, moment: datetime, scheduler: Scheduler) -> None:
        """Move the clock to a moment more than a tick away, and wait until the scheduler has made its call."""
        while self._called.acquire(blocking=False):
            pass
        self.traveller.move_to(moment, tick=False)
        wake(scheduler)
        for _ in range(60):
            if self._called.acquire(timeout=1):
                return
            scheduler.now()  # the previous call has reported its end slightly early
        raise AssertionError(f"nothing was called in a minute, at {moment}")

    def wait(self) -> None:
        assert self._called.acquire(timeout=60)

    def idle(self, seconds: float = 0.2) -> bool:
        """Return whether the scheduler makes no call in this time."""
        return not self._called.acquire(timeout=seconds)


def wake(scheduler: Scheduler) -> None:
    """Make the scheduler notice that the clock was moved."""
    scheduler._scheduler.wakeup()


@contextmanager
def at(moment: datetime) -> Iterator[Driven]:
    with time_machine.travel(moment, tick=False) as traveller:
        yield Driven(traveller)


@pytest.mark.parametrize(("zone", "schedule", "day"), CHANGES, ids=lambda value: value.replace("/", "-"))
def test_each_slot_around_a_clock_change_is_made_once(zone: str, schedule: str, day: str, tmp_path: Path) -> None:
    (tmp_path / "posts").mkdir()
    (tmp_path / "publisher.toml").write_text(
        f'[site]\ntitle = "A"\nurl = "https://a.example"\ntimezone = "{zone}"\n'
        f'[[newsletters]]\nname = "daily"\nschedule = "{schedule}"\n'
    )
    first = datetime.fromisoformat(day).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC) - timedelta(hours=3)
    for hour in range(-2, 36):  # enough posts that there is always something new
        moment = first + timedelta(hours=hour)
        text = f"---\ntitle: Of {hour}\ndate: {moment.isoformat()}\n---\n\nText.\n"
        (tmp_path / f"posts/{hour + 2}.md").write_text(text)
    config = load_config(tmp_path, {})
    problems: list[object] = []
    with open_project_store(config) as store, at(first) as driven:
        store.subscribers.add(person("ada@example.org", "daily"), at=first, source="test")

        def once() -> None:
            problems.extend(tick(OpenProject(config, store, lambda: datetime.now(UTC))).problems)
            driven.called()

        scheduler = Scheduler({"tick": once}, SECONDS)
        scheduler.begin()
        driven.wait()
        for half_hours in MOMENTS:
            driven.move_to(first + timedelta(minutes=30 * half_hours), scheduler)
        scheduler.end()
        slots = [edition.slot for edition in store.editions.list()]
    today = datetime.fromisoformat(day)
    wanted = [f"{today + timedelta(days=days):%Y-%m-%d}" for days in (0, 1)]
    assert sorted(slot for slot in slots if slot >= day) == wanted
    assert len(slots) == len(set(slots))
    assert problems == []


def test_a_clock_set_back_does_not_delay_ticks() -> None:
    start = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
    with at(start) as driven:
        scheduler = Scheduler({"tick": driven.called}, SECONDS)
        scheduler.begin()
        driven.wait()
        driven.traveller.move_to(start - timedelta(hours=1), tick=False)
        wake(scheduler)
        assert driven.idle()
        scheduler.now()
        driven.wait()
        driven.move_to(start - timedelta(minutes=58), scheduler)
        scheduler.end()
    assert driven.calls == 3


def test_missed_calls_become_one() -> None:
    start, going, more = datetime(2026, 11, 23, 8, 0, tzinfo=UTC), threading.Event(), threading.Event()
    running: list[int] = []

    with at(start) as driven:

        def long() -> None:
            running.append(1)
            assert len(running) == 1
            going.set()
            assert more.wait(60)
            running.pop()
            driven.called()

        scheduler = Scheduler({"tick": long}, SECONDS)
        scheduler.begin()
        assert going.wait(60)
        driven.traveller.move_to(start + timedelta(hours=3), tick=False)
        wake(scheduler)
        assert driven.idle()
        more.set()
        driven.wait()
        driven.move_to(start + timedelta(hours=6), scheduler)
        scheduler.end()
    assert driven.calls == 2


def test_a_long_call_does_not_delay_others(caplog: pytest.LogCaptureFixture) -> None:
    start, going, more = datetime(2026, 11, 23, 8, 0, tzinfo=UTC), threading.Event(), threading.Event()

    def long() -> None:
        going.set()
        assert more.wait(60)
        scheduler.now("long")  # a callback may request another call, even at its end

    with at(start) as driven:
        scheduler = Scheduler({"long": long, "short": driven.called}, SECONDS)
        scheduler.begin()
        driven.wait()
        assert going.wait(60)
        for hour in (1, 2):
            driven.move_to(start + timedelta(hours=hour), scheduler)
        ending = threading.Thread(target=scheduler.end)
        ending.start()
        more.set()
        ending.join(60)
        assert not ending.is_alive()
    assert driven.calls >= 3
    assert caplog.messages == []
