"""How one worker applies the limits that workers share. The tests script the grants and control the clock."""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from publisher.mail.smtp.shared_limits import (
    MOST_RECIPIENTS,
    PREFETCH_SECONDS,
    REMEMBERED_SECONDS,
    ClockDifference,
    SharedQuota,
    SharedRate,
    lateness,
)
from publisher.store.sending_limits import DayGrant, most_turns


def rate_of(rate: float) -> tuple[SharedRate, list[int]]:
    """Return a shared rate, and the list to which it appends the number of turns in each request."""
    asked: list[int] = []
    return SharedRate(rate, asked.append), asked


def used(rate: SharedRate, now: float) -> int:
    """Take all turns that are available now; return their number."""
    count = 0
    while not rate.wait(now):
        rate.take(now)
        count += 1
    return count


def test_nothing_is_requested_without_messages() -> None:
    rate, asked = rate_of(20)
    rate.want(0, 0, 50)
    assert asked == []
    assert rate.wait(0) > 0


def test_only_as_many_turns_are_requested_as_messages_are_waiting() -> None:
    rate, asked = rate_of(20)
    rate.want(0, 3, 50)
    assert asked == [3]


def test_only_as_many_turns_are_requested_as_connections_can_use() -> None:
    rate, asked = rate_of(20)
    rate.want(0, 500, 4)
    assert asked == [4]


def test_a_worker_that_is_slower_than_its_turns_requests_fewer() -> None:
    rate, asked = rate_of(2_000)
    for second in range(9):
        rate.want(float(second), 5_000, 5_000)
        rate.granted(asked[-1], float(second))
    assert asked[:4] == [1_000, 500, 250, 125]
    assert asked[-1] < 10


def test_only_one_request_is_open_at_a_time() -> None:
    rate, asked = rate_of(20)
    for _ in range(3):
        rate.want(0, 500, 50)
    assert asked == [most_turns(20)]


def test_turns_come_at_the_pace_of_the_rate() -> None:
    rate, _ = rate_of(20)
    rate.granted(3, 10.0)
    assert rate.wait(9.5) == pytest.approx(0.5)
    assert [used(rate, moment) for moment in (10.0, 10.04, 10.051, 10.11)] == [1, 0, 1, 1]
    assert rate.wait(10.2) > 0


def test_a_missed_turn_is_lost() -> None:
    rate, _ = rate_of(20)
    rate.granted(10, 10.0)
    assert used(rate, 10.0 + 6 / 20 + 0.001) == 1
    assert rate.wait(11.0) > 0


def test_turns_are_requested_again_before_they_are_used_up() -> None:
    rate, asked = rate_of(20)
    rate.want(0, 500, 50)
    rate.granted(10, 0.0)
    now = 0.0
    while now < 0.5 - PREFETCH_SECONDS - 0.001:
        used(rate, now)
        rate.want(now, 500, 50)
        now += 0.05
    assert asked == [10]
    used(rate, now)
    rate.want(now, 500, 50)
    assert asked == [10, 10]
    rate.granted(10, 0.5)
    assert rate.wait(0.5) == 0


def test_turns_for_a_trickle_of_messages_are_not_requested_one_by_one() -> None:
    rate, asked = rate_of(2_000)
    now, answered, count = 0.0, 0, 0
    while now < 2:
        rate.want(now, 5, 50)
        if answered < len(asked):
            rate.granted(asked[-1], now)
            answered += 1
        count += used(rate, now)
        now += 0.005
    assert count > 1_000
    assert len(asked) < count / 20


def test_a_refusal_is_not_followed_by_an_immediate_request() -> None:
    rate, asked = rate_of(1 / 60)
    rate.want(0, 5, 50)
    rate.refused(59.5)
    rate.want(30, 5, 50)
    assert asked == [1]
    assert rate.wait(30) == pytest.approx(29.5)
    rate.want(59.5, 5, 50)
    assert asked == [1, 1]


def test_a_slow_rate_forgives_more_lateness() -> None:
    rate, _ = rate_of(1 / 60)
    rate.granted(1, 10.0)
    assert rate.wait(10.45) == 0
    assert rate.wait(10.55) > 0


@dataclass
class Fleet:
    """Workers that share a rate. Requests are granted in order; each answer arrives after the delay of its worker."""

    rate: float
    workers: list[SharedRate] = field(default_factory=list)
    answers: deque[tuple[float, int, int]] = field(default_factory=deque)  # when, for which worker, how many
    next_at: float = 0.0
    now: float = 0.0

    def hire(self, delay: float) -> None:
        """Add a worker that gets the answers to its requests after this many seconds."""
        number = len(self.workers)
        self.workers.append(SharedRate(self.rate, lambda turns: self.answers.append((self.now + delay, number, turns))))

    def answer(self) -> None:
        """Deliver the answers that are due."""
        for each in [each for each in self.answers if each[0] <= self.now]:
            self.answers.remove(each)
            _, number, turns = each
            if self.next_at > self.now + 0.5:
                self.workers[number].refused(self.next_at - 0.5)
                continue
            start = max(self.next_at, self.now - lateness(self.rate) / 2)
            self.next_at = start + turns / self.rate
            self.workers[number].granted(turns, start)


@given(
    rate=st.sampled_from([3.0, 20.0, 200.0, 2_000.0]),
    delays=st.lists(st.floats(0, 0.1), min_size=1, max_size=5),
    pauses=st.lists(st.floats(0.001, 0.02), min_size=1, max_size=50),
)
def test_workers_together_keep_to_the_rate_and_reach_it(rate: float, delays: list[float], pauses: list[float]) -> None:
    fleet, sent, rounds = Fleet(rate), Counter[int](), 0
    for delay in delays:
        fleet.hire(delay)
    while fleet.now < 8:
        fleet.answer()
        for worker in fleet.workers:
            worker.want(fleet.now, 100_000, 8)
            sent[int(fleet.now)] += used(worker, fleet.now)
        fleet.now += pauses[rounds % len(pauses)]
        rounds += 1
    assert max(sent.values()) <= rate * (1 + lateness(rate)) + 1
    assert sum(sent[second] for second in range(3, 8)) >= 0.95 * rate * 5 - 1


def test_a_worker_that_dies_takes_its_turns_with_it() -> None:
    fleet, sent = Fleet(20), Counter[int]()
    for _ in range(2):
        fleet.hire(0.005)
    while fleet.now < 6:
        fleet.answer()
        for number, worker in enumerate(fleet.workers):
            if number == 0 or fleet.now < 3:
                worker.want(fleet.now, 1_000, 8)
                sent[int(fleet.now)] += used(worker, fleet.now)
        fleet.now += 0.01
    assert max(sent.values()) <= 22
    assert sent[5] >= 19


@dataclass
class Day:
    """A shared quota, with the time of the event loop and the amounts that were requested."""

    now: float = 100.0
    asked: list[int] = field(default_factory=list)
    quota: SharedQuota = field(init=False)

    def __post_init__(self) -> None:
        self.quota = SharedQuota("relay", MOST_RECIPIENTS, lambda: self.now, self.asked.append)

    def grant(self, recipients: int, left: float = 40_000.0, day: str = "2026-11-21") -> None:
        self.quota.granted(DayGrant(recipients, day, left), self.now)


def test_a_quota_that_has_not_been_requested_is_not_reached() -> None:
    day = Day()
    assert day.quota.left()
    assert day.quota.wait(day.now) > 0


def test_a_reached_quota_is_remembered_for_a_moment() -> None:
    day = Day()
    day.quota.want(day.now, 5)
    day.grant(0)
    assert not day.quota.left()
    day.quota.want(day.now, 5)
    assert day.asked == [1]
    day.now += REMEMBERED_SECONDS
    assert day.quota.left()
    day.quota.want(day.now, 5)
    assert day.asked == [1, 1]


def test_recipients_are_used_once_and_refused_ones_are_returned() -> None:
    day = Day()
    day.quota.want(day.now, 5)
    day.grant(1)
    assert day.quota.wait(day.now) == 0
    day.quota.take()
    assert day.quota.wait(day.now) > 0
    day.quota.give_back()
    assert day.quota.wait(day.now) == 0
    assert day.quota.give_up() == 1
    assert day.quota.give_up() == 0


def test_more_recipients_are_requested_the_faster_they_are_used() -> None:
    day = Day()
    for _ in range(12):
        day.quota.want(day.now, 10_000)
        day.grant(day.asked[-1])
        while not day.quota.wait(day.now):
            day.quota.take()
        day.now += 0.01
    assert day.asked == [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, MOST_RECIPIENTS, MOST_RECIPIENTS]
    day.now += 5
    day.quota.want(day.now, 10_000)
    assert day.asked[-1] == 1


def test_recipients_of_yesterday_are_not_used_today() -> None:
    day = Day()
    day.quota.want(day.now, 5)
    day.grant(1, left=10.0)
    day.now += 10.0
    assert day.quota.wait(day.now) > 0
    assert day.quota.give_up() == 0
    day.quota.want(day.now, 5)
    day.grant(1, left=86_399.0, day="2026-11-22")
    day.quota.give_back()
    assert day.quota.give_up() == 1


def test_the_quickest_exchange_says_how_the_clocks_differ() -> None:
    clocks = ClockDifference()
    clocks.compare(10.0, 1_000.3, 10.8)
    clocks.compare(11.0, 1_001.002, 11.004)
    clocks.compare(12.0, 1_002.3, 12.6)
    assert clocks.by_loop(1_005.0) == pytest.approx(15.0)


def test_a_change_of_the_clock_is_followed() -> None:
    clocks = ClockDifference()
    clocks.compare(11.0, 1_001.002, 11.004)
    clocks.compare(12.0, 2_002.3, 12.6)
    assert clocks.by_loop(2_003.0) == pytest.approx(13.0)


def test_an_old_exchange_does_not_count() -> None:
    clocks = ClockDifference()
    clocks.compare(11.0, 1_001.002, 11.004)
    clocks.compare(211.0, 1_201.3, 211.2)
    assert clocks.by_loop(1_300.0) == pytest.approx(309.8)
