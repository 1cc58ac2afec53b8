"""How many readers there were, day by day, and the line of it. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

_MOST_POINTS = 60
WIDTH, HEIGHT = 600, 160
_ROOM = 6  # above the highest point, so that its line is whole


@dataclass(frozen=True, slots=True)
class Point:
    """How many were active at the end of a day, and how many came and left since the point before."""

    day: date
    active: int
    came: int
    left: int


@dataclass(frozen=True, slots=True)
class Chart:
    """A line over time.

    line, area  paths of SVG, in a box of WIDTH by HEIGHT
    top         what the upper edge stands for; the lower one is 0
    """

    points: tuple[Point, ...]
    line: str
    area: str
    top: int

    @property
    def said(self) -> str:
        """The line in words."""
        first, last = self.points[0], self.points[-1]
        return f"{first.active:,} on {first.day:%d %b %Y}, {last.active:,} on {last.day:%d %b %Y}"


def readers_over_time(joined: Mapping[str, int], left: Mapping[str, int], today: date) -> Chart | None:
    """Return the chart of active readers from the first day to today; None where nobody ever agreed.

    joined, left  how many on which day, as "2026-11-21". Days after today count as today.
    """
    came, went = _up_to(joined, today), _up_to(left, today)
    if not came:
        return None
    points, active = [], 0
    before = min(came) - timedelta(days=1)
    for day in _days(before + timedelta(days=1), today):
        more = sum(n for when, n in came.items() if before < when <= day)
        less = sum(n for when, n in went.items() if before < when <= day)
        active += more - less
        points.append(Point(day, max(active, 0), more, less))
        before = day
    return _drawn(points)


def share(part: int, whole: int) -> float:
    """Return a part in hundredths of the whole, for the width of a bar."""
    return round(part * 100 / whole, 2) if whole else 0.0


def _up_to(days: Mapping[str, int], today: date) -> dict[date, int]:
    found: dict[date, int] = {}
    for text, total in days.items():
        day = min(date.fromisoformat(text), today)
        found[day] = found.get(day, 0) + total
    return found


def _days(first: date, last: date) -> list[date]:
    """Return at most _MOST_POINTS days, evenly apart, the last of them among them."""
    span = (last - first).days
    step = max(1, -(-(span + 1) // _MOST_POINTS))
    return [last - timedelta(days=back) for back in range(span // step * step, -1, -step)]


def _drawn(points: Sequence[Point]) -> Chart:
    top = _round_number(max(point.active for point in points))
    across = WIDTH / max(len(points) - 1, 1)
    places = [
        (round(number * across, 1), round(HEIGHT - (HEIGHT - _ROOM) * point.active / top, 1))
        for number, point in enumerate(points)
    ]
    if len(places) == 1:
        places.append((WIDTH, places[0][1]))
    line = "M" + "L".join(f"{x:g} {y:g}" for x, y in places)
    return Chart(tuple(points), line, f"{line}L{WIDTH} {HEIGHT}L0 {HEIGHT}Z", top)


def _round_number(most: int) -> int:
    """Return the next of 4, 5, 6, 8, 10, 15, 20, 30, 40, 50 and so on."""
    unit = 1
    while most > unit * 10:
        unit *= 10
    return next(
        int(unit * factor) for factor in (1, 1.5, 2, 3, 4, 5, 6, 8, 10) if most <= unit * factor and unit * factor >= 4
    )
