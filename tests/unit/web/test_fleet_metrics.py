"""The metrics that Prometheus reads about newsletters, hosts and workers."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.core import Metric

from publisher.store.fleet import Backlog, HostActivity
from publisher.store.hosts import Host
from publisher.web.fleet_metrics import SHARE, SparingCount, backlog_metrics, host_metrics
from tests.support.store_samples import NOW, later


def values(metrics: Iterable[Metric]) -> dict[str, float]:
    """Return the value of each sample by its name and labels, as Prometheus shows them but without quotes."""
    found = {}
    for sample in (sample for metric in metrics for sample in metric.samples):
        labels = ",".join(f"{name}={value}" for name, value in sample.labels.items())
        found[f"{sample.name.removeprefix('publisher_')}{{{labels}}}"] = sample.value
    return found


def active(host_id: str, name: str, seconds: float | None, **numbers: int) -> HostActivity:
    counts = dict.fromkeys(("workers", "in_hand", "in_doubt", "sent"), 0) | numbers
    silent = None if seconds is None else timedelta(seconds=seconds)
    return HostActivity(Host(host_id, name, NOW, NOW, version="1.0"), silent, **counts)


def test_newsletters_are_reported_with_and_without_deliveries() -> None:
    backlog = Backlog("weekly", due=3, later=4, held=5, in_hand=6, oldest=later(seconds=-90))
    assert values(backlog_metrics([backlog], ["daily", "weekly"], NOW)) == {
        "open_deliveries{newsletter=daily,state=due}": 0,
        "open_deliveries{newsletter=daily,state=later}": 0,
        "open_deliveries{newsletter=daily,state=held}": 0,
        "open_deliveries{newsletter=daily,state=in_hand}": 0,
        "open_deliveries{newsletter=weekly,state=due}": 3,
        "open_deliveries{newsletter=weekly,state=later}": 4,
        "open_deliveries{newsletter=weekly,state=held}": 5,
        "open_deliveries{newsletter=weekly,state=in_hand}": 6,
        "oldest_due_delivery_seconds{newsletter=daily}": 0,
        "oldest_due_delivery_seconds{newsletter=weekly}": 90,
    }


def test_hosts_with_the_same_name_are_one_and_silent_ones_are_left_out() -> None:
    hosts = [
        active("1", "a", 30, workers=1, in_hand=5, in_doubt=2, sent=100),
        active("2", "a", 10, workers=1, in_hand=1, in_doubt=1, sent=10),
        active("3", "b", 8 * 86_400, sent=7),
        active("4", "c", None, sent=7),
    ]
    assert values(host_metrics(hosts, NOW)) == {
        "host_info{host=a,version=1.0,may_send=yes}": 1,
        "host_last_seen_timestamp_seconds{host=a}": NOW.timestamp() - 10,
        "host_workers{host=a}": 2,
        "host_messages_in_hand{host=a}": 6,
        "host_messages_in_doubt{host=a}": 3,
        "host_messages_sent_total{host=a}": 110,
    }


@given(st.lists(st.tuples(st.floats(0, 100), st.floats(0.001, 10)), min_size=1, max_size=30))
def test_counting_takes_a_small_part_of_the_time(calls: list[tuple[float, float]]) -> None:
    clock, cost, counts = 0.0, 0.0, []

    def count() -> list[Backlog]:
        nonlocal clock  # each count takes as long as `cost` says
        began, clock = clock, clock + cost
        counts.append((began, cost))
        return [Backlog("weekly", due=len(counts))]

    sparing = SparingCount(count, lambda: clock)
    for pause, takes in calls:
        clock, cost = clock + pause, takes
        assert sparing() == [Backlog("weekly", due=len(counts))]
    assert len(counts) >= 1
    for (began, took), (after, _) in pairwise(counts):
        assert took <= (after - began) * SHARE * 1.001
