"""In the simulated fleet, more workers are never slower, and the results agree with the measurements."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.fleet_simulation import (
    FULL,
    MEASURED,
    MEASURED_FAST,
    TOLERANCE,
    Costs,
    Fleet,
    death,
    finish,
    flow,
    full_at,
    report,
    validation,
)
from benchmarks.scaling import Point

COSTS = Costs.of(MEASURED_FAST)
FLEET = Fleet(workers=1, connections=32, answer=0.1, database_cores=8)
ANY_COSTS = st.builds(Costs, st.floats(0.0001, 0.01), st.floats(0.0001, 0.01))
ANY_FLEET = st.builds(
    Fleet, st.integers(1, 64), st.integers(1, 64), st.floats(0.001, 2.0), st.integers(1, 32), st.floats(10, 3_600)
)


@given(ANY_FLEET, ANY_COSTS)
def test_a_fleet_is_never_faster_than_its_parts(fleet: Fleet, costs: Costs) -> None:
    found = flow(fleet, costs)
    assert 0 < found.rate <= fleet.workers * fleet.connections / fleet.answer
    assert found.rate * costs.database <= fleet.database_cores
    assert found.rate * costs.worker <= fleet.workers
    assert 0 <= found.database_use <= 1


@given(ANY_FLEET, ANY_COSTS)
def test_another_worker_core_or_connection_is_never_slower(fleet: Fleet, costs: Costs) -> None:
    rate = flow(fleet, costs).rate * (1 - 1e-9)
    assert flow(replace(fleet, workers=fleet.workers + 1), costs).rate >= rate
    assert flow(replace(fleet, connections=fleet.connections + 1), costs).rate >= rate
    assert flow(replace(fleet, database_cores=fleet.database_cores + 1), costs).rate >= rate
    assert flow(replace(fleet, answer=fleet.answer / 2), costs).rate >= rate


def test_an_empty_fleet_is_as_fast_as_its_connections() -> None:
    free = Costs(1e-9, 1e-9)
    assert flow(replace(FLEET, workers=3), free).rate == pytest.approx(3 * 32 / 0.1, rel=1e-3)


def test_twice_the_messages_take_twice_the_time() -> None:
    assert finish(FLEET, COSTS, 2_000_000) == pytest.approx(2 * finish(FLEET, COSTS, 1_000_000))


def test_the_simulation_agrees_with_the_measurements() -> None:
    checks = validation(MEASURED, COSTS)
    assert {check.point.workers for check in checks} == {2, 4}
    assert [check for check in checks if abs(check.error) > TOLERANCE] == []


def test_measured_rates_rise_with_the_number_of_workers() -> None:
    rates = {point.workers: point.rate for point in MEASURED if point.connections == 8}
    assert [rates[number] / rates[1] for number in (2, 4)] == [pytest.approx(2, rel=0.15), pytest.approx(4, rel=0.15)]


def test_the_number_of_workers_that_fills_the_database_is_the_smallest() -> None:
    number = full_at(FLEET, COSTS)
    assert number is not None
    uses = [flow(replace(FLEET, workers=workers), COSTS).database_use for workers in (number - 1, number)]
    assert uses[0] < FULL <= uses[1]
    assert full_at(replace(FLEET, database_cores=100_000), COSTS) is None


def test_a_death_leaves_one_message_per_connection_in_doubt_until_the_lease_ends() -> None:
    fleet = replace(FLEET, workers=4)
    early, late = death(fleet, COSTS, 10_000_000, 0.5), death(fleet, COSTS, 10_000_000, 0.999999)
    assert early.in_doubt == late.in_doubt == 32
    # Early, the other workers have a third more to do; at the end, messages wait for the end of the dead worker's
    # lease.
    half = finish(fleet, COSTS, 5_000_000)
    assert early.later == pytest.approx(half / 3, rel=0.1)
    assert 120 - 1 < late.later < 120 + 1
    assert death(replace(fleet, lease=20), COSTS, 10_000_000, 0.999999).later < 21


def test_costs_are_the_highest_with_the_most_connections() -> None:
    def point(connections: int, worker: float, database: float) -> Point:
        return Point(2, connections, 0.1, 80, worker, database, server_cpu=0, peak_mib=0, busy=0.5, cores=2)

    points = [point(8, 0.009, 0.008), point(32, 0.003, 0.002), point(32, 0.001, 0.004)]
    assert Costs.of(points) == Costs(worker=0.003, database=0.004)


def test_the_report_distinguishes_measured_and_simulated_figures() -> None:
    text = report(COSTS, FLEET, MEASURED)
    assert text.startswith("Measured (benchmarks.scaling)")
    assert text.count("\nSimulated: ") == 2
    assert "| 64 |" in text
