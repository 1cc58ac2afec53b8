"""The start-up benchmark reports which of its promises are kept."""

from __future__ import annotations

from benchmarks.measure import Usage
from benchmarks.start import limits


def test_a_promise_is_kept_by_the_median_of_the_rounds() -> None:
    names = ("--help", "status", "run, until it is ready", "publish, large, nothing new")
    rounds = [Usage(0.05, 0.2, 1.0), Usage(0.05, 0.2, 1.0), Usage(9.0, 9.0, 1.0)]
    assert [limit.holds for limit in limits(dict.fromkeys(names, rounds), 10)] == [True] * 4
    slow = [Usage(0.07, 1.1, 1.0)] * 3
    assert [limit.holds for limit in limits(dict.fromkeys(names, slow), 10)] == [False] * 4
