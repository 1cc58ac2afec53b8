"""Every regular expression that sees text from outside takes linear time, even for its worst repetition."""

from __future__ import annotations

import re
from functools import cache

import pytest

from tests.support.patterns import Row, Use, growth, table, uses

LENGTH = 1_000
MOST_GROWTH = 2.5
ROOMS = sorted({row.module.partition("/")[0] for row in table()})


@cache
def known() -> dict[tuple[str, str], Use]:
    return {use.key: use for use in uses()}


def slow(row: Row) -> str:
    """Return a message if the pattern takes more than linear time, or "" if it does not."""
    pattern = known()[row.module, row.written].pattern
    assert pattern is not None
    found = growth(pattern, row, LENGTH)
    return (
        f"{row.module}: {row.written} takes {found:.1f} times as long for twice {row.worst}"
        if found > MOST_GROWTH
        else ""
    )


def test_every_pattern_is_listed_with_what_it_sees() -> None:
    listed = {(row.module, row.written) for row in table()}
    assert sorted(known().keys() - listed) == []  # python -m tests.support.patterns adds them; write down what they see
    assert sorted(listed - known().keys()) == []
    assert {row.sees for row in table()} == {"foreign", "own"}
    assert [row for row in table() if row.sees == "foreign" and row.worst is None] == []


@pytest.mark.parametrize("room", ROOMS)
def test_no_pattern_takes_more_than_linear_time(room: str) -> None:
    rows = [row for row in table() if row.module.startswith(f"{room}/") and row.sees == "foreign"]
    assert [found for row in rows if (found := slow(row))] == []


@pytest.mark.parametrize(("pattern", "unit"), [(r"<[^>]*>", "<"), (r"([a-z]+)*!", "a"), (r"\s*x$", " ")])
def test_a_slow_pattern_is_found_by_its_worst_repetition(pattern: str, unit: str) -> None:
    row = Row("", "", ("search",), "foreign", ("", unit, "\0"))
    assert growth(re.compile(pattern), row, LENGTH // 4) > MOST_GROWTH
