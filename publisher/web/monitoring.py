"""The access log and the Prometheus metrics of the web application. See also fleet_metrics.

They contain no personal data: no email addresses, tokens or query strings.
"""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Counter, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from publisher.core.logging import log
from publisher.web.client_address import Clients

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

# The first segments of the application's own paths. All other paths belong to the built site.
OWN = (
    "admin",
    "approve",
    "draft",
    "test-copy",
    "subscribe",
    "subscribe.json",
    "confirm",
    "address",
    "account",
    "never",
    "preferences",
    "unsubscribe",
    "healthz",
    "metrics",
    "hooks",
)
SITE = "site"
# The longest path, in characters, that the log shows.
LONGEST_PATH = 200
_NOT_TRUSTED = "requests come from a proxy that is not in web.trusted_proxies, so all its visitors count as one client"


class AccessLog:
    """Wraps the application and logs each response.

    prefix  the path at which the application is served, or ""
    count   called with the page and the status of each response
    """

    def __init__(self, app: ASGIApp, prefix: str, clients: Clients, count: Callable[[str, int], None]) -> None:
        self._app, self._prefix, self._clients, self._count = app, prefix, clients, count

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, and log the response."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if self._clients.should_warn(scope):
            log("proxy not trusted", _NOT_TRUSTED, level="warning")
        status, began = 0, time.monotonic()

        async def watched(message: Message) -> None:
            """Note the status of a response, and pass it on."""
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, watched)
        except Exception as error:  # noqa: BLE001 - already answered; a traceback could show personal data
            log("defect", f"internal error: {place(error)}", level="error", place=place(error))
        finally:
            page = page_of(scope["path"], self._prefix)
            self._count(page, status)
            shown = shown_path(scope["path"], page, status)
            took = round((time.monotonic() - began) * 1_000)
            client = self._clients.shown(scope)
            method = _method(scope["method"])
            line = f"{client} {method} {shown} {status} {took}ms"
            log("answered", line, client=client, method=method, path=shown, status=status, milliseconds=took)


def page_of(path: str, prefix: str) -> str:
    """Return the name of the page that a path belongs to, which is an entry of OWN, or "site"."""
    first = path.removeprefix(prefix).lstrip("/").partition("/")[0]
    return first if path.startswith(f"{prefix}/") and first in OWN else SITE


def shown_path(path: str, page: str, status: int) -> str:
    """Return the form of a path that the log shows.

    Paths of the application appear without their token. Paths of the site appear only if the file exists.
    """
    if page != SITE:
        return f"/{page}" if path.rstrip("/").endswith(f"/{page}") else f"/{page}/…"
    plain = len(path) <= LONGEST_PATH and path.isascii() and path.isprintable() and " " not in path and "@" not in path
    return path if status in (200, 206, 304) and plain else "…"


def place(error: BaseException) -> str:
    """Return the type and location of an error, but not its message, which may contain an email address."""
    frames = traceback.extract_tb(error.__traceback__)
    places = [f"{Path(frame.filename).name}:{frame.lineno}" for frame in frames[-4:]]
    return f"{type(error).__name__} in {' > '.join(places)}"


def _method(method: str) -> str:
    return method if method in ("GET", "HEAD", "POST") else "other"


class Metrics:
    """The metrics of one process. Subscribers are counted in the database each time the metrics are read."""

    content_type = "text/plain; version=0.0.4; charset=utf-8"

    def __init__(
        self, subscribers: Callable[[], Mapping[str, int]], waiting: Callable[[], int], *others: Collector
    ) -> None:
        """Create the counters.

        subscribers  returns the number of subscribers with each status
        waiting      returns the number of jobs in the queue of the mail worker
        others       collect more metrics
        """
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "publisher_http_requests", "Responses, by page and status.", ["page", "status"], registry=self._registry
        )
        self._work = Counter(
            "publisher_mailroom_work",
            "Sign-ups and subscription emails handled.",
            ["what", "outcome"],
            registry=self._registry,
        )
        for collector in (_Gauges(subscribers, waiting), *others):
            self._registry.register(collector)

    def count_response(self, page: str, status: int) -> None:
        """Count a response. page: an entry of OWN or "site", never a path."""
        self._requests.labels(page, str(status)).inc()

    def count_work(self, outcome: str, what: str) -> None:
        """Count a job of the mail worker.

        outcome  "done" or "failed"
        what     the name of the job
        """
        self._work.labels(what, outcome).inc()

    def text(self) -> bytes:
        """Return all metrics in Prometheus's text format."""
        return generate_latest(self._registry)


class _Gauges(Collector):
    def __init__(self, subscribers: Callable[[], Mapping[str, int]], waiting: Callable[[], int]) -> None:
        self._subscribers, self._waiting = subscribers, waiting

    def collect(self) -> Iterable[GaugeMetricFamily]:
        """Yield what is counted in the database now."""
        subscribers = GaugeMetricFamily("publisher_subscribers", "Subscribers, by status.", labels=["status"])
        for status, total in sorted(self._subscribers().items()):
            subscribers.add_metric([status], total)
        yield subscribers
        yield GaugeMetricFamily("publisher_mailroom_waiting", "Subscription emails waiting.", value=self._waiting())

    def describe(self) -> Iterable[GaugeMetricFamily]:
        """Return no metrics. Without this method, registering the collector would query the database."""
        return ()
