"""Rates, shares, quotas and the health of servers, with a clock that the tests move."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from publisher.config.mail import parse_domain_rate, parse_rate
from publisher.core.errors import ProjectError
from publisher.mail.smtp.limits import DailyQuota, RateLimit
from publisher.mail.smtp.pool import AHEAD, WorkShare, may_take
from publisher.mail.smtp.server_health import FAILURES, LONGEST_REST, ServerHealth

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


@given(
    rate=st.floats(0.05, 5_000),
    late=st.lists(st.floats(0, 0.04), min_size=1, max_size=40),
)
def test_a_rate_is_exact_despite_late_timers(rate: float, late: list[float]) -> None:
    limit, now, turns = RateLimit(rate, burst=0.05), 1_000.0, 0
    seconds = 200 / rate + 5
    while now < 1_000 + seconds:
        while not limit.wait(now):
            limit.take(now)
            turns += 1
        now += limit.wait(now) + late[turns % len(late)]
    # The first turn does not wait, nor do those of the burst.
    assert 0.98 * rate * seconds - 2 <= turns <= 1.02 * rate * seconds + 1 + 0.05 * rate


def test_idle_time_earns_no_extra_turns() -> None:
    limit = RateLimit(10, burst=0.05)
    limit.take(0.0)
    assert limit.wait(3_600.0) == 0
    limit.take(3_600.0)
    assert limit.wait(3_600.0) == pytest.approx(0.05)


def test_without_a_rate_there_is_no_limit() -> None:
    limit = RateLimit(0)
    for _ in range(3):
        assert limit.wait(5.0) == 0
        limit.take(5.0)


@pytest.mark.parametrize(
    ("text", "rate"), [("", 0), ("14/s", 14), ("30/min", 0.5), ("500 / h", 500 / 3600), ("86400/day", 1)]
)
def test_rates_are_parsed(text: str, rate: float) -> None:
    assert parse_rate(text) == rate


@pytest.mark.parametrize("text", ["0/s", "fast", "10", "1.5/s", "-1/s", "10/year", "/s"])
def test_an_invalid_rate_gets_an_example(text: str) -> None:
    with pytest.raises(ValueError, match="write it like 14/s"):
        parse_rate(text)


def test_a_domain_has_its_own_rate() -> None:
    assert parse_domain_rate("Gmail.com 120/min") == ("gmail.com", 2)
    for text in ("gmail.com", "20/min", "a@gmail.com 2/s", "gmail.com soon"):
        with pytest.raises(ValueError, match="write it like"):
            parse_domain_rate(text)


def test_pauses_double_until_a_server_is_given_up() -> None:
    health, now, rests = ServerHealth().reached(), 0.0, []
    while not health.given_up:
        health = health.failed(now, "hung up")
        rests.append(health.until - now)
        now = health.until
    assert rests == [1, 2, 4, 8, 16]
    assert len(rests) == FAILURES


def test_connections_that_break_together_are_one_failure() -> None:
    health = ServerHealth().reached()
    for moment in (10.0, 10.1, 10.5):
        health = health.failed(moment, "reset")
    assert health.failures == 1
    assert health.resting(10.9)
    assert not health.resting(11.0)
    assert health.failed(11.0, "reset").failures == 2
    assert health.well() == ServerHealth(worked=True, reason="reset")


def test_an_unreachable_server_is_given_up_immediately() -> None:
    assert ServerHealth().failed(0, "refused").given_up
    assert ServerHealth().reached().failed(0, "no such user", "see username", broken=True).given_up
    assert ServerHealth(rest=100).reached().failed(0, "slow").until == LONGEST_REST


@pytest.mark.slow
@given(st.lists(st.integers(1, 20), min_size=2, max_size=5))
def test_shares_match_the_weights(weights: list[int]) -> None:
    taken = Counter[int]()
    for turn in range(1_000):
        for number in range(turn, turn + len(weights)):
            relay = number % len(weights)
            shares = [WorkShare(taken[i], weight, lively=True) for i, weight in enumerate(weights)]
            if may_take(shares[relay], shares[:relay] + shares[relay + 1 :]):
                taken[relay] += 1
    for i, weight in enumerate(weights):
        for j, other in enumerate(weights):
            assert taken[i] / weight <= taken[j] / other + AHEAD / weight + 1 / weight


def test_a_slow_server_does_not_hold_others_back() -> None:
    assert may_take(WorkShare(1_000, 1, lively=True), [WorkShare(0, 9, lively=False)])
    assert not may_take(WorkShare(1_000, 1, lively=True), [WorkShare(0, 9, lively=True)])


def accepted(workers: list[DailyQuota], messages: int) -> int:
    """Let the workers take turns at sending this many messages; return how many the quota allows."""
    count = 0
    for turn in range(messages):
        worker = workers[turn % len(workers)]
        if worker.left():
            worker.take()
            count += 1
    return count


def test_workers_share_a_daily_quota(tmp_path: Path) -> None:
    now = [NOON]
    workers = [DailyQuota(tmp_path, "relay:25", 120, lambda: now[0]) for _ in range(2)]
    assert accepted(workers, messages=500) == 120
    assert not any(worker.left() for worker in workers)
    now[0] += timedelta(hours=12)
    assert workers[0].left()


def test_unused_reservations_are_returned(tmp_path: Path) -> None:
    first = DailyQuota(tmp_path, "relay:25", 60, lambda: NOON)
    assert first.left()
    first.take()
    first.take()
    first.give_back()
    first.close()
    second = DailyQuota(tmp_path, "relay:25", 60, lambda: NOON)
    assert accepted([second], messages=100) == 59


@pytest.mark.parametrize("garbage", [b"many", b"-5", b"\xff\x00", b"9" * 5_000])
def test_an_unreadable_count_is_an_error_with_a_hint(tmp_path: Path, garbage: bytes) -> None:
    quota = DailyQuota(tmp_path, "relay:25", 60, lambda: NOON)
    assert quota.left()
    (path,) = tmp_path.iterdir()
    path.write_bytes(garbage)
    with pytest.raises(ProjectError) as caught:
        quota.close()
    assert str(caught.value) == (
        f"{path}: is not a count of today's recipients, so the limit of 60 cannot be kept "
        "(delete it to count from 0, or write today's number into it)"
    )
    path.unlink()
    assert DailyQuota(tmp_path, "relay:25", 60, lambda: NOON).left()
