"""The Prometheus metrics about newsletters, hosts and workers. All of them come from the database.

So every `publisher run` of a project reports the same values, also about hosts that serve no pages.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from publisher.config import Config
from publisher.mail.daily_limit import limit_reached_until
from publisher.store import Store
from publisher.store.fleet import Backlog, HostActivity

SHARE = 0.05
"""The share of the time that may be spent on counting deliveries. The rest of the time, the last result is used."""

SHOWN = timedelta(days=7)
"""How long a host is reported after its last sign of life."""


class SparingCount:
    """Counts the open deliveries, but uses the last result while counting would take more than SHARE of the time.

    A count takes milliseconds for a thousand deliveries, and seconds for ten million.
    """

    def __init__(self, count: Callable[[], Sequence[Backlog]], seconds: Callable[[], float] = time.monotonic) -> None:
        """Store how to count. seconds: returns the reading of a stopwatch."""
        self._count, self._seconds = count, seconds
        self._counted: Sequence[Backlog] = ()
        self._again_at = float("-inf")

    def __call__(self) -> Sequence[Backlog]:
        """Return the open deliveries of each newsletter that has any."""
        began = self._seconds()
        if began >= self._again_at:
            self._counted = self._count()
            ended = self._seconds()
            self._again_at = ended + (ended - began) / SHARE
        return self._counted


class FleetMetrics(Collector):
    """Collects the metrics each time they are read."""

    def __init__(self, config: Config, store: Store, now: Callable[[], datetime]) -> None:
        """Store where the values are. config: its newsletters are reported even if they have no deliveries."""
        self._config, self._store, self._now = config, store, now
        self._newsletters = [each.name for each in config.newsletters]
        self._backlogs = SparingCount(lambda: store.fleet.backlogs(now()))

    def collect(self) -> Iterable[Metric]:
        """Return the metrics; raise StoreError if the database cannot be read."""
        now = self._now()
        yield from backlog_metrics(self._backlogs(), self._newsletters, now)
        yield from host_metrics(self._store.fleet.hosts(now), now)
        reached = limit_reached_until(self._config.mail, self._config.state_dir, self._store, now)
        text = "1 while every mail server has reached its daily limit of recipients (UTC), otherwise 0."
        yield GaugeMetricFamily("publisher_daily_limit_reached", text, value=int(reached is not None))

    def describe(self) -> Iterable[Metric]:
        """Return no metrics. Without this method, registering the collector would query the database."""
        return ()


def backlog_metrics(backlogs: Sequence[Backlog], newsletters: Sequence[str], now: datetime) -> Iterable[Metric]:
    """Return the metrics about open deliveries. newsletters: the newsletters to report in any case."""
    found = {name: Backlog(name) for name in newsletters} | {each.newsletter: each for each in backlogs}
    text = "Open deliveries, by newsletter and state: due, later, held, in_hand."
    deliveries = GaugeMetricFamily("publisher_open_deliveries", text, labels=["newsletter", "state"])
    text = "How long the oldest due delivery has been waiting for a worker."
    oldest = GaugeMetricFamily("publisher_oldest_due_delivery_seconds", text, labels=["newsletter"])
    for name, backlog in sorted(found.items()):
        for state in ("due", "later", "held", "in_hand"):
            deliveries.add_metric([name, state], getattr(backlog, state))
        age = now - backlog.oldest if backlog.oldest else timedelta()
        oldest.add_metric([name], max(0.0, age.total_seconds()))
    return deliveries, oldest


def host_metrics(activities: Sequence[HostActivity], now: datetime) -> Iterable[Metric]:
    """Return the metrics about hosts that gave a sign of life within SHOWN. Hosts with the same name count as one."""
    shown = [each for each in activities if each.silent is not None and each.silent < SHOWN]
    info = GaugeMetricFamily(
        "publisher_host_info",
        "1 for each host, with the version of its program and whether it may send.",
        labels=["host", "version", "may_send"],
    )
    labels = {(one.host.name, one.host.version, "yes" if one.host.confirmed_at else "no") for one in shown}
    for each in sorted(labels):
        info.add_metric(list(each), 1)
    seen = GaugeMetricFamily(
        "publisher_host_last_seen_timestamp_seconds", "When the host last showed that it was alive.", labels=["host"]
    )
    workers = GaugeMetricFamily("publisher_host_workers", "Workers of the host that are sending.", labels=["host"])
    in_hand = GaugeMetricFamily(
        "publisher_host_messages_in_hand",
        "Messages that the host's workers have claimed and are sending.",
        labels=["host"],
    )
    in_doubt = GaugeMetricFamily(
        "publisher_host_messages_in_doubt",
        "Messages that the host handed to a mail server and that have not been answered yet.",
        labels=["host"],
    )
    sent = CounterMetricFamily(
        "publisher_host_messages_sent",
        "Messages of the host that mail servers accepted, or that were written into the outbox.",
        labels=["host"],
    )
    for name in sorted({one.host.name for one in shown}):
        mine = [one for one in shown if one.host.name == name]
        seen.add_metric(
            [name], now.timestamp() - min(one.silent for one in mine if one.silent is not None).total_seconds()
        )
        workers.add_metric([name], sum(one.workers for one in mine))
        in_hand.add_metric([name], sum(one.in_hand for one in mine))
        in_doubt.add_metric([name], sum(one.in_doubt for one in mine))
        sent.add_metric([name], sum(one.sent for one in mine))
    return info, seen, workers, in_hand, in_doubt, sent
