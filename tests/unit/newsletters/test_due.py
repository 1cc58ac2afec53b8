"""An edition is due at the right time, however the clock moves. benchmarks.decade tests the same over ten years."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import takewhile
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from publisher.config.schedule import parse_duration, parse_schedule
from publisher.newsletters.slots import Due, Early, Late, SlotHistory, decide, post_timing, upcoming

BERLIN = ZoneInfo("Europe/Berlin")
MONDAYS = parse_schedule("weekly monday 08:00")
SLOT = datetime(2026, 11, 23, 7, tzinfo=UTC)
BEFORE = SLOT - timedelta(days=3)
HALF_A_DAY = timedelta(hours=12)
ZONES = [
    "America/New_York", "Africa/Cairo", "America/Santiago", "Atlantic/Azores", "Australia/Lord_Howe", "Pacific/Apia",
    "Asia/Kathmandu", "Europe/Berlin", "America/Sao_Paulo", "Africa/Casablanca", "Asia/Tehran", "UTC",
]  # fmt: skip
SCHEDULES = [
    "weekly monday 08:00", "weekly sunday 01:30", "daily 00:00", "daily 02:30", "weekdays 07:30", "monthly 1 00:00",
    "monthly last friday 09:00", "monthly 31 02:15", "30 1 * * 0", "0 */6 * * *",
]  # fmt: skip


def decided(now: datetime, record: SlotHistory | None = None, **more: timedelta) -> object:
    known = record or SlotHistory(since=BEFORE)
    return decide(MONDAYS, BERLIN, known, now, max_lateness=more.pop("max_lateness", HALF_A_DAY), **more)


def test_a_slot_is_due_and_then_late() -> None:
    assert decided(SLOT - timedelta(seconds=1)) is None
    for passed in (timedelta(), timedelta(hours=3), HALF_A_DAY):
        found = decided(SLOT + passed)
        assert isinstance(found, Due)
        assert (found.slot.label, found.slot.at) == ("2026-W48", SLOT)
    late = decided(SLOT + HALF_A_DAY + timedelta(seconds=1))
    assert isinstance(late, Late)
    assert late.slot.label == "2026-W48"


def test_only_the_newest_missed_slot_counts() -> None:
    found = decided(SLOT + timedelta(weeks=3, hours=2))
    assert isinstance(found, Due)
    assert found.slot.label == "2026-W51"


def test_slots_before_the_first_sight_are_ignored() -> None:
    assert decided(SLOT + timedelta(hours=1), SlotHistory(since=SLOT + timedelta(minutes=1))) is None
    assert decided(SLOT, SlotHistory(since=SLOT)) is None


def test_a_finished_slot_is_never_due_again() -> None:
    for record in (SlotHistory(BEFORE, None, {"2026-W48"}), SlotHistory(BEFORE, SLOT)):
        for hours in (0, 1, -1, 0, 24):
            assert decided(SLOT + timedelta(hours=hours), record) is None


def test_an_edition_for_approval_is_made_early() -> None:
    day = timedelta(days=1)
    assert decided(SLOT - day - timedelta(seconds=1), lead=day) is None
    assert isinstance(decided(SLOT - day, lead=day), Early)
    assert isinstance(decided(SLOT, lead=day), Due)
    assert isinstance(decided(SLOT + day, lead=day), Late)


def test_a_post_is_due_once_it_has_settled() -> None:
    rest, noon = timedelta(minutes=10), datetime(2026, 11, 21, 12, tzinfo=UTC)

    def state(changed: timedelta | None, after: timedelta) -> tuple[bool, bool]:
        file = None if changed is None else noon + changed
        found = post_timing(noon, file, noon + after, settle=rest, max_lateness=HALF_A_DAY)
        return found.ready, found.late

    minute = timedelta(minutes=1)
    assert state(None, 9 * minute) == (False, False)
    assert state(None, 10 * minute) == (True, False)
    assert state(5 * minute, 14 * minute) == (False, False)
    assert state(5 * minute, 15 * minute) == (True, False)
    assert state(-timedelta(days=2), 10 * minute) == (True, False)
    assert state(timedelta(days=900), 10 * minute) == (True, False)  # the clock of the file system was wrong
    assert state(None, timedelta(days=1)) == (True, True)


@given(
    zone=st.sampled_from(ZONES),
    text=st.sampled_from(SCHEDULES),
    start=st.datetimes(datetime(2011, 1, 1), datetime(2027, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
    steps=st.lists(st.integers(-90, 600), min_size=20, max_size=60),
)
def test_a_jumping_clock_repeats_and_skips_nothing(zone: str, text: str, start: datetime, steps: list[int]) -> None:
    """Ticks come at odd minutes, and some go back in time; each makes the edition that is due."""
    schedule, place, allowed = parse_schedule(text), ZoneInfo(zone), timedelta(days=40)
    now, furthest, taken, made = start, start, set[str](), list[str]()
    for minutes in steps:
        now += timedelta(minutes=minutes)
        furthest = max(now, furthest)
        found = decide(schedule, place, SlotHistory(start, None, taken), now, max_lateness=allowed)
        if found is not None:
            assert isinstance(found, Due)
            taken.add(found.slot.label)
            made.append(found.slot.label)
    slots = [slot.label for slot in takewhile(lambda slot: slot.at <= furthest, upcoming(schedule, start, place))]
    assert len(made) == len(set(made))
    assert set(made) <= set(slots)
    newest = decide(schedule, place, SlotHistory(start, None, taken), furthest, max_lateness=allowed)
    assert newest is None or newest.slot.label == slots[-1]


@pytest.mark.parametrize(("text", "span"), [("90m", 5_400), ("12h", 43_200), ("2d", 172_800), ("1 W", 604_800)])
def test_a_duration_has_a_number_and_a_unit(text: str, span: int) -> None:
    assert parse_duration(text).total_seconds() == span


@pytest.mark.parametrize("text", ["", "12", "h", "-1h", "1.5h", "12 hours", "１h"])
def test_anything_else_is_not_a_duration(text: str) -> None:
    with pytest.raises(ValueError, match="12h"):
        parse_duration(text)


def test_a_duration_has_at_most_four_digits() -> None:
    assert parse_duration("9999d").days == 9_999
    with pytest.raises(ValueError, match="too long for a duration"):
        parse_duration("99999d")
