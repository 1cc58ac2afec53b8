"""Figures for whoever watches over the program (/metrics). The only user of prometheus_client."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from prometheus_client import CollectorRegistry, Counter, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector


class Metrics:
    """Counts of one process; how many people stand where is asked of the record when somebody looks."""

    content_type = "text/plain; version=0.0.4; charset=utf-8"

    def __init__(self, people: Callable[[], Mapping[str, int]], waiting: Callable[[], int]) -> None:
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "publisher_http_requests", "Answers, by page and status.", ["page", "status"], registry=self._registry
        )
        self._work = Counter(
            "publisher_mailroom_work", "Requests and mails worked on.", ["what", "outcome"], registry=self._registry
        )
        self._registry.register(_Standing(people, waiting))

    def answered(self, page: str, status: int) -> None:
        """Count an answer. page: one of few names, never a path."""
        self._requests.labels(page, str(status)).inc()

    def worked(self, outcome: str, what: str) -> None:
        """Count a piece of the mailroom's work."""
        self._work.labels(what, outcome).inc()

    def text(self) -> bytes:
        """Return all figures in Prometheus's text format."""
        return generate_latest(self._registry)


class _Standing(Collector):
    def __init__(self, people: Callable[[], Mapping[str, int]], waiting: Callable[[], int]) -> None:
        self._people, self._waiting = people, waiting

    def collect(self) -> Iterable[GaugeMetricFamily]:
        people = GaugeMetricFamily("publisher_subscribers", "People, by status.", labels=["status"])
        for status, total in sorted(self._people().items()):
            people.add_metric([status], total)
        yield people
        yield GaugeMetricFamily("publisher_mailroom_waiting", "Work that waits.", value=self._waiting())

    def describe(self) -> Iterable[GaugeMetricFamily]:
        """Return nothing: registering must not ask the record."""
        return ()
