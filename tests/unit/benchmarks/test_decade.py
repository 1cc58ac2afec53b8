"""Short versions of the proofs in `python -m benchmarks.decade` and `python -m benchmarks.lateness`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from benchmarks.decade import SCHEDULES, ZONES, prove
from benchmarks.lateness import CASES as LATENESS
from benchmarks.lateness import (
    Bench,
    copied_and_confirmed,
    copied_to_another_host,
    down_for_three_weeks_to_between_slots,
    host,
    look,
)


@pytest.mark.parametrize("number", range(len(ZONES)))
def test_an_unreliable_clock_makes_each_slot_due_once_and_on_time(number: int) -> None:
    zone, schedules = ZONES[number], [SCHEDULES[number], SCHEDULES[number - 5]]
    for schedule in schedules:
        found = prove(zone, schedule, 2011, 1.1, seed=number)
        assert found.slots > 10
        assert found.holds, found


def test_no_day_is_lost_when_cairo_skips_midnight() -> None:
    found = prove("Africa/Cairo", "daily 00:00", 2014, 0.5, seed=1)
    assert found.holds
    assert found.slots == found.once == 182


@pytest.mark.parametrize("case", [copied_to_another_host, copied_and_confirmed, down_for_three_weeks_to_between_slots])
def test_delays_and_copies_have_the_documented_outcome(case: Callable[[Bench], str], tmp_path: Path) -> None:
    with host("home"):
        row = look(case, dict(LATENESS)[case], tmp_path)
    assert row.found == row.wanted
