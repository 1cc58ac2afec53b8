"""A decade of ticks in twelve time zones for every kind of schedule: each slot once, on time, and none missing.

    python -m benchmarks.decade [--from 2009] [--years 10] [--seed 1] [--json FILE]

The scheduler's decisions are driven by a clock that ticks at odd moments, just before and at each slot; now and then it
stops for up to three days or is set back by up to two hours. The judge shares no code with the program: it counts civil
times on the calendar, and finds the offsets of a time zone by looking at its clock hour by hour.
"""

from __future__ import annotations

import argparse
import calendar
import json
import random
import sys
import time
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from publisher.config.schedule import parse_schedule
from publisher.newsletters.slots import Due, SlotHistory, decide

ZONES = (
    "America/New_York", "Africa/Cairo", "America/Santiago", "Atlantic/Azores", "Australia/Lord_Howe", "Pacific/Apia",
    "Asia/Kathmandu", "Europe/Berlin", "America/Sao_Paulo", "Africa/Casablanca", "Asia/Tehran", "UTC",
)  # fmt: skip
SCHEDULES = (
    "daily 00:00", "daily 02:30", "weekdays 07:30", "weekly monday 08:00", "weekly sunday 01:30", "monthly 1 00:00",
    "monthly 31 02:15", "monthly last friday 09:00", "monthly second sunday 02:00", "30 1 * * 0", "0 0 * * *",
    "0 */6 * * *",
)  # fmt: skip
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Figures:
    """What became of the slots of one schedule in one zone. If all is well, `once` equals `slots`; the rest is 0."""

    zone: str
    schedule: str
    ticks: int
    slots: int
    once: int
    missing: int
    twice: int
    at_another_moment: int
    never_due: int

    @property
    def holds(self) -> bool:
        """Whether each slot was due once and on time, and nothing else was."""
        return self.slots == self.once and not (self.missing or self.twice or self.at_another_moment or self.never_due)


def prove(zone: str, schedule: str, first_year: int, years: float, seed: int) -> Figures:
    """Drive the decisions through the years and have the judge check the result."""
    start = datetime(first_year, 1, 1, tzinfo=UTC)
    end = start + timedelta(days=365.25 * years)
    expected = expected_slots(zone, schedule, start, end)
    parsed, place, dice = parse_schedule(schedule), ZoneInfo(zone), random.Random(f"{seed} {zone} {schedule}")
    taken: set[str] = set()
    made: list[tuple[str, datetime, datetime]] = []
    ticks = 0
    for now in _ticks(sorted(expected.values()), start, end, dice):
        ticks += 1
        found = decide(parsed, place, SlotHistory(start, None, taken), now, max_lateness=HOUR * 1_000)
        if isinstance(found, Due):
            taken.add(found.slot.label)
            made.append((found.slot.label, found.slot.at, now))
    labels = [label for label, _, _ in made]
    times = Counter(labels)
    return Figures(
        zone,
        schedule,
        ticks,
        slots=len(expected),
        once=sum(times[label] == 1 for label in expected),
        missing=len(expected.keys() - set(labels)),
        twice=len(labels) - len(set(labels)),
        at_another_moment=sum(expected.get(label, at) != at or now < at for label, at, now in made),
        never_due=len(set(labels) - expected.keys()),
    )


def _ticks(slots: list[datetime], start: datetime, end: datetime, dice: random.Random) -> Iterator[datetime]:
    """Yield moments shown by an unreliable clock, which still reaches each slot before the next one."""
    now = start
    for position, slot in enumerate(slots):
        following = slots[position + 1] if position + 1 < len(slots) else end
        yield slot - timedelta(seconds=1)
        # Up to three days late, but not so late that the next slot replaces this one.
        now = slot + min(timedelta(days=3), following - slot - MINUTE) * dice.choice((0, 0, 0, dice.random()))
        yield now
        for _ in range(dice.randrange(3)):
            yield now - dice.random() * 2 * HOUR  # set back
        yield now + dice.random() * (following - now - MINUTE)


def expected_slots(zone: str, schedule: str, start: datetime, end: datetime) -> dict[str, datetime]:
    """Return the moment of each slot by its label: calendar times, converted with the offsets of the zone."""
    stretches = _stretches(zone, start - timedelta(days=3), end + timedelta(days=3))
    by_moment: dict[datetime, str] = {}
    for label, civil in _civil(schedule, start.date() - timedelta(days=2), end.date() + timedelta(days=2)):
        by_moment[_moment(civil, stretches)] = label  # two at the same moment: the later civil time is the label
    return {label: at for at, label in by_moment.items() if start < at < end}


def _stretches(zone: str, start: datetime, end: datetime) -> list[tuple[datetime, timedelta]]:
    """Return when each offset of a time zone begins."""
    place = ZoneInfo(zone)

    def offset(moment: datetime) -> timedelta:
        return moment.astimezone(place).replace(tzinfo=None) - moment.replace(tzinfo=None)

    found = [(start, offset(start))]
    hour = start
    while hour < end:
        if offset(hour + HOUR) != found[-1][1]:
            minute = next(m for n in range(1, 61) if offset(m := hour + n * MINUTE) != found[-1][1])
            found.append((minute, offset(minute)))
        hour += HOUR
    return found


def _moment(civil: datetime, stretches: list[tuple[datetime, timedelta]]) -> datetime:
    """Return the first moment at which a wall clock shows the civil time or a later one."""
    first = max(0, bisect_right(stretches, civil.replace(tzinfo=UTC) - timedelta(hours=30), key=lambda s: s[0]) - 1)
    for position in range(first, len(stretches)):
        begins, offset = stretches[position]
        ends = stretches[position + 1][0] if position + 1 < len(stretches) else datetime.max.replace(tzinfo=UTC)
        at = max((civil - offset).replace(tzinfo=UTC), begins)
        if at < ends:
            return at
    raise AssertionError("the last stretch has no end")


def _civil(schedule: str, first: date, last: date) -> Iterator[tuple[str, datetime]]:
    """Yield the labels and civil times of the slots."""
    day = first
    while day <= last:
        for clock in _clocks(schedule, day):
            civil = datetime.combine(day, datetime.strptime(clock, "%H:%M").time())  # noqa: DTZ007 - civil time
            yield _label(schedule, day, clock), civil
        day += timedelta(days=1)


def _clocks(schedule: str, day: date) -> list[str]:
    """Return the times of day at which a schedule is due on a day."""
    last = calendar.monthrange(day.year, day.month)[1]
    fridays = [n for n in range(1, last + 1) if date(day.year, day.month, n).weekday() == calendar.FRIDAY]
    sundays = [n for n in range(1, last + 1) if date(day.year, day.month, n).weekday() == calendar.SUNDAY]
    falls = {
        "daily 00:00": True,
        "daily 02:30": True,
        "weekdays 07:30": day.weekday() < calendar.SATURDAY,
        "weekly monday 08:00": day.weekday() == calendar.MONDAY,
        "weekly sunday 01:30": day.weekday() == calendar.SUNDAY,
        "monthly 1 00:00": day.day == 1,
        "monthly 31 02:15": day.day == last,
        "monthly last friday 09:00": day.day == fridays[-1],
        "monthly second sunday 02:00": day.day == sundays[1],
        "30 1 * * 0": day.weekday() == calendar.SUNDAY,
        "0 0 * * *": True,
        "0 */6 * * *": True,
    }[schedule]
    cron = {"30 1 * * 0": ["01:30"], "0 0 * * *": ["00:00"], "0 */6 * * *": ["00:00", "06:00", "12:00", "18:00"]}
    return cron.get(schedule, [schedule[-5:]]) if falls else []


def _label(schedule: str, day: date, clock: str) -> str:
    if schedule.startswith("weekly"):
        return f"{day:%G-W%V}"
    if schedule.startswith("monthly"):
        return f"{day:%Y-%m}"
    return f"{day}T{clock}" if "*" in schedule else f"{day}"


def main() -> int:
    """Run every zone with every schedule, print a table, and return 1 if anything is wrong."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--from", dest="first", type=int, default=2009)
    parser.add_argument("--years", type=float, default=10)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    began, found = time.perf_counter(), []
    print(
        f"{'zone':<22}{'schedules':>10}{'ticks':>12}{'slots':>9}{'once':>9}{'missing':>9}{'twice':>7}{'elsewhen':>10}"
    )
    for zone in ZONES:
        rows = [prove(zone, schedule, options.first, options.years, options.seed) for schedule in SCHEDULES]
        sums = [sum(getattr(row, name) for row in rows) for name in ("ticks", "slots", "once", "missing", "twice")]
        other = sum(row.at_another_moment + row.never_due for row in rows)
        print(f"{zone:<22}{len(rows):>10}{sums[0]:>12,}{sums[1]:>9,}{sums[2]:>9,}{sums[3]:>9}{sums[4]:>7}{other:>10}")
        found += rows
    wrong = [row for row in found if not row.holds]
    for row in wrong:
        print(f"not as it should be: {row}")
    ticks, slots = sum(row.ticks for row in found), sum(row.slots for row in found)
    print(f"{slots:,} slots, {ticks:,} ticks, {len(wrong)} wrong, {time.perf_counter() - began:.0f} s")
    if options.json:
        options.json.write_text(json.dumps([asdict(row) for row in found], indent=1) + "\n", encoding="utf-8")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
