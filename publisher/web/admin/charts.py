"""The number of subscribers over time, as a line chart in SVG. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

_MOST_POINTS = 60
WIDTH, HEIGHT = 600, 160
_MARGIN = 6  # above the highest point, so that the full width of its line is visible


@dataclass(frozen=True, slots=True)
class Point:
    """How many were active at the end of a day, and how many joined and left since the point before."""

    day: date
    active: int
    joined: int
    left: int


@dataclass(frozen=True, slots=True)
class Chart:
    """A line over time.

    line, area  SVG paths in a box of WIDTH by HEIGHT
    top         the value at the upper edge; the lower edge is 0
    """

    points: tuple[Point, ...]
    line: str
    area: str
    top: int

    @property
    def summary(self) -> str:
        """The first and the last point in words."""
        first, last = self.points[0], self.points[-1]
        return f"{first.active:,} on {first.day:%d %b %Y}, {last.active:,} on {last.day:%d %b %Y}"


def subscribers_over_time(joined: Mapping[str, int], left: Mapping[str, int], today: date) -> Chart | None:
    """Return the chart of active subscribers from the first day to today; None if no one ever subscribed.

    joined, left  how many on each day, by days such as "2026-11-21". Days after today count as today.
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
    """Return at most _MOST_POINTS days at equal distances, ending with the last."""
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
    """Return the smallest of 4, 5, 6, 8, 10, 15, 20, 30, 40, 50 and so on that is at least this."""
    unit = 1
    while least > unit * 10:
        unit *= 10
    return next(
        int(unit * factor) for factor in (1, 1.5, 2, 3, 4, 5, 6, 8, 10) if least <= unit * factor and unit * factor >= 4
    )
