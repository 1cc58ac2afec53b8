"""A line chart of the number of subscribers over time, in SVG. Pure functions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta

from publisher.core.frozen import dataclass

_MOST_POINTS = 60
WIDTH, HEIGHT = 600, 160
_MARGIN = 6  # above the highest point, so that the full width of its line is visible


@dataclass(frozen=True, slots=True)
class Point:
    """A point of the chart.

    active        the number of active subscribers at the end of the day
    joined, left  the numbers of people who subscribed and unsubscribed since the previous point
    """

    day: date
    active: int
    joined: int
    left: int


@dataclass(frozen=True, slots=True)
class Chart:
    """A line chart over time.

    line, area  the SVG paths of the line and of the area below it, in a box of WIDTH by HEIGHT
    top         the value at the upper edge of the box; the lower edge is 0
    """

    points: tuple[Point, ...]
    line: str
    area: str
    top: int

    @property
    def summary(self) -> str:
        """A description of the first and the last point."""
        first, last = self.points[0], self.points[-1]
        return f"{first.active:,} on {first.day:%d %b %Y}, {last.active:,} on {last.day:%d %b %Y}"


def subscribers_over_time(joined: Mapping[str, int], left: Mapping[str, int], today: date) -> Chart | None:
    """Return the chart of active subscribers from the first day to today; None if no one has ever subscribed.

    joined, left  the numbers of people who subscribed and unsubscribed, keyed by days such as "2026-11-21". A day after
                  today counts as today.
    """
    joins, leaves = _until(joined, today), _until(left, today)
    if not joins:
        return None
    points, active = [], 0
    before = min(joins) - timedelta(days=1)
    for day in _days(before + timedelta(days=1), today):
        more = sum(n for when, n in joins.items() if before < when <= day)
        less = sum(n for when, n in leaves.items() if before < when <= day)
        active += more - less
        points.append(Point(day, max(active, 0), more, less))
        before = day
    return _drawn(points)


def share(part: int, whole: int) -> float:
    """Return a part as a percentage of the whole, for the width of a bar."""
    return round(part * 100 / whole, 2) if whole else 0.0


def _until(days: Mapping[str, int], today: date) -> dict[date, int]:
    found: dict[date, int] = {}
    for text, total in days.items():
        day = min(date.fromisoformat(text), today)
        found[day] = found.get(day, 0) + total
    return found


def _days(first: date, last: date) -> list[date]:
    """Return at most _MOST_POINTS days at equal intervals. The last one is always `last`."""
    span = (last - first).days
    step = max(1, -(-(span + 1) // _MOST_POINTS))
    return [last - timedelta(days=back) for back in range(span // step * step, -1, -step)]


def _drawn(points: Sequence[Point]) -> Chart:
    top = _round_number(max(point.active for point in points))
    across = WIDTH / max(len(points) - 1, 1)
    places = [
        (round(number * across, 1), round(HEIGHT - (HEIGHT - _MARGIN) * point.active / top, 1))
        for number, point in enumerate(points)
    ]
    if len(places) == 1:
        places.append((WIDTH, places[0][1]))
    line = "M" + "L".join(f"{x:g} {y:g}" for x, y in places)
    return Chart(tuple(points), line, f"{line}L{WIDTH} {HEIGHT}L0 {HEIGHT}Z", top)


def _round_number(least: int) -> int:
    """Return the smallest number in 4, 5, 6, 8, 10, 15, 20, 30, 40, 50 and so on that is at least `least`."""
    unit = 1
    while least > unit * 10:
        unit *= 10
    return next(
        int(unit * factor) for factor in (1, 1.5, 2, 3, 4, 5, 6, 8, 10) if least <= unit * factor and unit * factor >= 4
    )
