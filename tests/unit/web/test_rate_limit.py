"""Events are counted for an hour from the first event on, and the number of counts is limited."""

from __future__ import annotations

from publisher.web.rate_limit import HOUR, HourlyCounts, RateLimits


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_count_begins_again_an_hour_after_its_first_event() -> None:
    clock = Clock()
    counts = HourlyCounts(clock)
    assert [counts.add("form", "a") for _ in range(3)] == [1, 2, 3]
    clock.now += HOUR - 1
    assert counts.add("form", "a") == 4
    assert counts.seconds_left("form", "a") == 1
    clock.now += 1
    assert counts.get("form", "a") == 0
    assert counts.add("form", "a") == 1
    assert counts.seconds_left("form", "a") == HOUR


def test_kinds_and_keys_are_counted_apart() -> None:
    counts = HourlyCounts(Clock())
    assert [counts.add(*each) for each in (("form", "a"), ("form", "b"), ("guess", "a"), ("form", "a"))] == [1, 1, 1, 2]


def test_the_oldest_of_too_many_counts_are_forgotten() -> None:
    clock = Clock()
    counts = HourlyCounts(clock, most=3)
    for key in "abcd":
        counts.add("form", key)
        clock.now += 1
    assert [counts.get("form", key) for key in "abcd"] == [0, 1, 1, 1]
    clock.now += HOUR
    counts.add("form", "b")
    assert len(counts._counts) == 1


def test_limits_are_inclusive_and_a_household_is_one_client() -> None:
    limits = RateLimits(2, 1, 3)
    assert [limits.allow_form("2001:db8::1"), limits.allow_form("2001:db8::2"), limits.allow_form("2001:db8::3")] == [
        True,
        True,
        False,
    ]
    assert 3_590 < limits.seconds_until_reset("2001:db8::4") <= 3_600
    assert [limits.allow_request("Ada@example.org"), limits.allow_request(" ada@example.org")] == [True, False]
