"""Telling a WebSub hub which feeds changed (W3C WebSub section 7; the ping that all hubs know)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from publisher.config.keys import Config
from publisher.feeds.which import feed_url
from publisher.model import Problem, Severity

ATTEMPTS = 3
TIMEOUT_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Ping:
    """What became of telling the hub of one feed: error is "" when it took the news."""

    url: str
    error: str


def tell_hub(config: Config, paths: Iterable[str]) -> list[Problem]:
    """Tell the hub of the changed feeds at these paths of the site; return a warning for each that it did not take."""
    hub = config.feeds.hub
    if not hub:
        return []
    pings = ping(hub, [feed_url(config, path) for path in paths])
    return [
        Problem(hub, 0, f"was not told of {done.url}: {done.error}", "readers see it when they poll", Severity.WARNING)
        for done in pings
        if done.error
    ]


def ping(hub: str, urls: Iterable[str], *, pause_seconds: float = 0.5) -> list[Ping]:
    """POST hub.mode=publish for each changed feed; return one Ping each. Never raises for a hub's failure.

    A connection that fails and a 5xx are tried ATTEMPTS times, with pauses that double; a hub that cannot be
    reached at all is not asked again for the feeds that are left.
    """
    import httpx

    done: list[Ping] = []
    dead = ""
    with httpx.Client(timeout=TIMEOUT_SECONDS, follow_redirects=False) as client:
        for url in urls:
            error = dead or _told(client, hub, url, pause_seconds)
            done.append(Ping(url, error))
            if error.startswith("no answer"):
                dead = error
    return done


def _told(client: object, hub: str, url: str, pause_seconds: float) -> str:
    """Tell the hub of one feed; return what went wrong, "" for nothing."""
    import time

    import httpx

    assert isinstance(client, httpx.Client)  # noqa: S101 - httpx is imported only when there is a hub
    error = ""
    for attempt in range(ATTEMPTS):
        if attempt:
            time.sleep(pause_seconds * 2 ** (attempt - 1))
        try:
            answer = client.post(hub, data={"hub.mode": "publish", "hub.url": url, "hub.topic": url})
        except httpx.HTTPError as failure:
            error = f"no answer: {failure or type(failure).__name__}"
            continue
        if answer.is_success:
            return ""
        error = f"it answered {answer.status_code} {answer.reason_phrase}"
        if answer.status_code < 500:
            return error
    return error
