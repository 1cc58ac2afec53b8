"""The rates and daily limits that workers share on PostgreSQL."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa

from publisher.core.errors import StoreAwayError
from publisher.store import Store, open_store, sending_limits
from publisher.store.database import Database
from publisher.store.sending_limits import AHEAD_SECONDS, GRANT_SECONDS, RateGrant, SendingLimits, most_turns


@pytest.fixture
def shared(postgres_url: str, tmp_path: Path) -> Iterator[Store]:
    with open_store(postgres_url, tmp_path) as store:
        yield store


# A turn that was not used may be used this many seconds late. With FOREVER, a test may be slow.
LATE, FOREVER = 0.02, 3_600.0


def take(store: Store, rate: float, turns: int, name: str = "relay", late: float = LATE) -> RateGrant:
    return store.limits.take_turns(name, rate, turns, late=late, timer=time.monotonic)


def database_time(store: Store) -> float:
    """Return the present time of the database's clock."""
    with store.database.read() as connection:
        moment: datetime = connection.execute(sa.select(sa.func.clock_timestamp())).scalar_one()
    return moment.timestamp()


def taken(store: Store, rate: float, turns: int, seconds: float) -> list[RateGrant]:
    """Request turns for some seconds, always as soon as they are available; return the grants."""
    grants, until = [], time.monotonic() + seconds
    while time.monotonic() < until:
        if (grant := take(store, rate, turns)).turns:
            grants.append(grant)
        else:
            time.sleep(max(0.0, grant.at - grant.read_at))
    return grants


def test_only_workers_on_postgresql_share_limits(store: Store, store_url: str) -> None:
    assert store.limits.shared == store_url.startswith("postgresql")


def test_the_first_turn_may_be_used_at_once(shared: Store) -> None:
    before = database_time(shared)
    grant = take(shared, 20, 100)
    assert grant.turns == most_turns(20) == 10
    assert before <= grant.at <= grant.read_at
    assert grant.asked <= grant.answered


def test_a_second_grant_begins_where_the_first_ends(shared: Store) -> None:
    first, second = (take(shared, 20, turns, late=FOREVER) for turns in (4, 100))
    assert second.at == pytest.approx(first.at + 4 / 20, abs=1e-5)


def test_no_one_gets_turns_far_ahead(shared: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("GRANT_SECONDS", "AHEAD_SECONDS"):
        monkeypatch.setattr(sending_limits, name, 600.0)  # more than the test takes
    grants = [take(shared, 20, 12_000) for _ in range(4)]
    assert [grant.turns for grant in grants] == [12_000, 12_000, 0, 0]
    assert grants[-1].at == pytest.approx(grants[0].at + 2 * 600 - 600, abs=1e-4)


def test_a_slow_rate_has_no_queue(shared: Store) -> None:
    first, second = take(shared, 1 / 3_600, 5), take(shared, 1 / 3_600, 5)
    assert (first.turns, second.turns) == (1, 0)
    assert second.at == pytest.approx(first.at + 3_600 - AHEAD_SECONDS, abs=1e-3)


def test_simultaneous_workers_get_disjoint_turns_at_the_rate(shared: Store) -> None:
    with ThreadPoolExecutor(4) as pool:
        parts = [pool.submit(taken, shared, 200, 7, 1.0) for _ in range(4)]
        grants = sorted((grant for part in parts for grant in part.result()), key=lambda grant: grant.at)
    for before, after in pairwise(grants):
        assert after.at >= before.at + before.turns / 200 - 1e-5
    assert all(grant.at <= grant.read_at + AHEAD_SECONDS + 1e-5 for grant in grants)


def test_unused_turns_are_not_saved_up(shared: Store) -> None:
    first = take(shared, 1_000, 1)
    time.sleep(0.1)
    before = database_time(shared)
    grant = take(shared, 1_000, 1)
    assert grant.at >= before - LATE > first.at + 1 / 1_000


def test_the_turns_of_a_dead_worker_are_lost(shared: Store, postgres_url: str, tmp_path: Path) -> None:
    with open_store(postgres_url, tmp_path) as mortal:
        lost = take(mortal, 20, 10)
    assert take(shared, 20, 10, late=FOREVER).at == pytest.approx(lost.at + GRANT_SECONDS, abs=1e-4)


def test_each_rate_is_counted_separately(shared: Store) -> None:
    assert take(shared, 1, 1, "relay").turns == take(shared, 1, 1, "relay gmail.com").turns == 1


@pytest.mark.parametrize("ahead", [timedelta(hours=20), timedelta(seconds=5)])
def test_a_faster_rate_or_a_clock_that_was_set_back_does_not_wait_for_hours(
    shared: Store, postgres_url: str, ahead: timedelta
) -> None:
    take(shared, 20, 1)
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute("UPDATE sending_rates SET next_at = clock_timestamp() + %s", [ahead])
    before = database_time(shared)
    grant = take(shared, 20, 1)
    assert grant.turns == 1
    assert before <= grant.at - AHEAD_SECONDS <= grant.read_at


@pytest.mark.usefixtures("one_day")
def test_several_workers_never_exceed_the_daily_recipients(shared: Store) -> None:
    def take_all() -> int:
        return sum([shared.limits.take_recipients("relay", 7, 100).recipients for _ in range(10)])

    with ThreadPoolExecutor(4) as pool:
        assert sum([each.result() for each in [pool.submit(take_all) for _ in range(4)]]) == 100


@pytest.mark.usefixtures("one_day")
def test_the_day_is_that_of_the_database_in_utc(shared: Store) -> None:
    grant = shared.limits.take_recipients("relay", 1, 100)
    assert grant.day == f"{datetime.fromtimestamp(database_time(shared), UTC):%Y-%m-%d}"
    assert 0 < grant.left <= 86_400


@pytest.mark.usefixtures("one_day")
def test_returned_recipients_may_be_used_again(shared: Store) -> None:
    grant = shared.limits.take_recipients("relay", 60, 60)
    assert not shared.limits.take_recipients("relay", 1, 60).recipients
    shared.limits.return_recipients("relay", grant.day, 25)
    assert shared.limits.take_recipients("relay", 60, 60).recipients == 25


@pytest.mark.usefixtures("one_day")
def test_a_lower_limit_returns_nothing(shared: Store) -> None:
    assert shared.limits.take_recipients("relay", 60, 60).recipients == 60
    assert shared.limits.take_recipients("relay", 60, 50).recipients == 0


def test_counts_of_earlier_days_are_deleted(shared: Store, postgres_url: str) -> None:
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute("INSERT INTO daily_recipients VALUES ('relay', '2026-01-01', 5), ('other', '2026-01-01', 5)")
        shared.limits.take_recipients("relay", 1, 60)
        left = connection.execute("SELECT server, recipients FROM daily_recipients ORDER BY 1, 2").fetchall()
    assert left == [("other", 5), ("relay", 1)]


def test_an_unreachable_database_is_an_error(tmp_path: Path) -> None:
    limits = SendingLimits(Database("postgresql://nobody@127.0.0.1:1/none", tmp_path))
    with pytest.raises(StoreAwayError):
        limits.take_turns("relay", 1, 1, late=0, timer=time.monotonic)
