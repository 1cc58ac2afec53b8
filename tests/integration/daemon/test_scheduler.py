"""The real scheduler with a clock moved by the tests: through changes of daylight saving time, and backwards."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import time_machine
from apscheduler.events import EVENT_JOB_EXECUTED, EVENT_JOB_SUBMITTED

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


class Driven(Scheduler):
    """A scheduler whose clock the test moves. Each step waits for what the scheduler does, however long that takes.

    begun, ended  how many calls of each name it has begun, and how many of them are over
    """

    def __init__(self, traveller: time_machine.Traveller, calls: Mapping[str, Callable[[], None]]) -> None:
        super().__init__(calls, SECONDS)
        self.begun, self.ended = Counter[str](), Counter[str]()
        self._traveller, self._changed, self._asked, self._seen = traveller, threading.Condition(), 0, 0
        self._scheduler.add_listener(lambda event: self._note(self.begun, event.job_id), EVENT_JOB_SUBMITTED)
        self._scheduler.add_listener(lambda event: self._note(self.ended, event.job_id), EVENT_JOB_EXECUTED)
        self._look = self._scheduler._process_jobs
        self._scheduler._process_jobs = self._looking

    def _note(self, calls: Counter[str], name: str) -> None:
        with self._changed:
            calls[name] += 1
            self._changed.notify_all()

    def _looking(self) -> float | None:
        asked = self._asked
        try:
            return self._look()
        finally:
            with self._changed:
                self._seen = asked
                self._changed.notify_all()

    def move_to(self, moment: datetime) -> None:
        """Move the clock, and wait until the scheduler has begun the calls that are due then."""
        self._traveller.move_to(moment, tick=False)
        with self._changed:
            self._asked += 1
            self._scheduler.wakeup()
            assert self._changed.wait_for(lambda: self._seen == self._asked, 240)

    def wait(self, name: str, count: int) -> None:
        """Wait until this many calls of a name are over, so that the next one can begin."""
        with self._changed:
            assert self._changed.wait_for(lambda: self.ended[name] >= count, 240)


@contextmanager
def at(moment: datetime, **calls: Callable[[], None]) -> Iterator[Driven]:
    """Run a scheduler of these calls, with a clock that shows a time until it is moved."""
    with time_machine.travel(moment, tick=False) as traveller:
        scheduler = Driven(traveller, calls)
        scheduler.begin()
        try:
            yield scheduler
        finally:
            scheduler.end()


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
    with open_project_store(config) as store:
        store.subscribers.add(person("ada@example.org", "daily"), at=first, source="test")

        def once() -> None:
            problems.extend(tick(OpenProject(config, store, lambda: datetime.now(UTC))).problems)

        with at(first, tick=once) as scheduler:
            scheduler.wait("tick", 1)
            for count, half_hours in enumerate(MOMENTS, 2):
                scheduler.move_to(first + timedelta(minutes=30 * half_hours))
                scheduler.wait("tick", count)
        slots = [edition.slot for edition in store.editions.list()]
    today = datetime.fromisoformat(day)
    wanted = [f"{today + timedelta(days=days):%Y-%m-%d}" for days in (0, 1)]
    assert sorted(slot for slot in slots if slot >= day) == wanted
    assert len(slots) == len(set(slots))
    assert problems == []


def test_a_clock_set_back_does_not_delay_ticks() -> None:
    start = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
    with at(start, tick=lambda: None) as scheduler:
        scheduler.wait("tick", 1)
        scheduler.move_to(start - timedelta(hours=1))
        assert scheduler.begun["tick"] == 1
        scheduler.now()
        scheduler.wait("tick", 2)
        scheduler.move_to(start - timedelta(minutes=58))
    assert scheduler.begun["tick"] == 3


def test_missed_calls_become_one() -> None:
    start, going, more = datetime(2026, 11, 23, 8, 0, tzinfo=UTC), threading.Event(), threading.Event()
    running: list[int] = []

    def long() -> None:
        running.append(1)
        assert len(running) == 1
        going.set()
        assert more.wait(240)
        running.pop()

    with at(start, tick=long) as scheduler:
        assert going.wait(240)
        scheduler.move_to(start + timedelta(hours=3))
        assert scheduler.begun["tick"] == 1
        more.set()
        scheduler.wait("tick", 1)
        scheduler.move_to(start + timedelta(hours=6))
    assert (scheduler.begun["tick"], scheduler.ended["tick"]) == (2, 2)


def test_a_long_call_does_not_delay_others(caplog: pytest.LogCaptureFixture) -> None:
    start, going, more = datetime(2026, 11, 23, 8, 0, tzinfo=UTC), threading.Event(), threading.Event()

    def long() -> None:
        going.set()
        assert more.wait(240)
        scheduler.now("long")  # a callback may request another call, even at its end

    with at(start, long=long, short=lambda: None) as scheduler:
        scheduler.wait("short", 1)
        assert going.wait(240)
        for hour in (1, 2):
            scheduler.move_to(start + timedelta(hours=hour))
            scheduler.wait("short", 1 + hour)
        assert scheduler.begun == {"long": 1, "short": 3}
        ending = threading.Thread(target=scheduler.end)
        ending.start()
        more.set()
        ending.join(60)
        assert not ending.is_alive()
    assert scheduler.begun["short"] == 3
    assert caplog.messages == []
