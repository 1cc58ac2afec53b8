"""Telling a WebSub hub which feeds changed (W3C WebSub section 7; the ping that all hubs know)."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import httpx

# What a hub says beside its status is of no use; a short answer is read so that the connection serves again.
MOST_ANSWER_BYTES = 4096


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a hub may keep a person waiting.

    attempts       for one feed, when the hub does not answer or answers with a 5xx
    pause_seconds  before the second attempt; it doubles
    each_seconds   for one feed, all attempts together
    all_seconds    for all feeds
    failures       after so many feeds in a row of which the hub did not take the news, the others are not tried
    """

    attempts: int = 3
    pause_seconds: float = 0.5
    each_seconds: float = 10.0
    all_seconds: float = 30.0
    failures: int = 3


@dataclass(frozen=True, slots=True)
class Ping:
    """What became of notifying the hub about one feed.

    error     "" if the hub accepted it
    tried     False if the hub was not asked, because it failed for feeds before this one
    answered  False if the hub could not be reached, or did not answer in time
    """

    url: str
    error: str
    tried: bool = True
    answered: bool = True


def ping(hub: str, urls: Iterable[str], patience: Patience | None = None) -> list[Ping]:
    """POST hub.mode=publish for each changed feed; return one Ping each. Never raises for a hub's failure.

    The first feed has all attempts; once one failed with all of them, each other has a single one. A hub that
    cannot be reached, or fails for `failures` feeds in a row, is not asked again for the feeds that are left.
    """
    return asyncio.run(_Round(hub, patience or Patience()).tell(list(urls)))


class _Round:
    """One round of pings. Asynchronous, because only a task that is cancelled ends on time: a timeout of reading
    begins anew with every byte, and a hub that sends one header line a second would never end it."""

    def __init__(self, hub: str, patience: Patience) -> None:
        self._hub, self._patience = hub, patience
        self._attempts = patience.attempts
        self._in_a_row = 0

    async def tell(self, urls: list[str]) -> list[Ping]:
        import httpx

        done: list[Ping] = []
        stopped = ""
        loop = asyncio.get_running_loop()
        end = loop.time() + self._patience.all_seconds
        async with httpx.AsyncClient(timeout=self._patience.each_seconds, follow_redirects=False) as client:
            for url in urls:
                left = min(self._patience.each_seconds, end - loop.time())
                if left <= 0:
                    stopped = stopped or "there was no time left"
                if stopped:
                    done.append(Ping(url, stopped, tried=False))
                    continue
                done.append(await self._within(left, client, url))
                stopped = self._reason_to_stop(done[-1])
        return done

    def _reason_to_stop(self, last: Ping) -> str:
        self._in_a_row = self._in_a_row + 1 if last.error else 0
        if last.error:
            self._attempts = 1
        return last.error if not last.answered or self._in_a_row >= self._patience.failures else ""

    async def _within(self, seconds: float, client: httpx.AsyncClient, url: str) -> Ping:
        try:
            async with asyncio.timeout(seconds):
                return await self._told(client, url)
        except TimeoutError:
            return Ping(url, f"no answer within {seconds:.3g} seconds", answered=False)

    async def _told(self, client: httpx.AsyncClient, url: str) -> Ping:
        """Notify the hub about one feed."""
        import httpx

        ping = Ping(url, "")
        for attempt in range(self._attempts):
            if attempt:
                await asyncio.sleep(self._patience.pause_seconds * 2 ** (attempt - 1))
            try:
                answer = await self._asked(client, url)
            except (httpx.HTTPError, httpx.InvalidURL) as failure:
                ping = Ping(url, f"no answer: {failure or type(failure).__name__}", answered=False)
                continue
            if answer.is_success:
                return Ping(url, "")
            ping = Ping(url, f"it answered {answer.status_code} {answer.reason_phrase[:60]}".rstrip())
            if answer.status_code < 500:
                return ping
        return ping

    async def _asked(self, client: httpx.AsyncClient, url: str) -> httpx.Response:
        """Return the hub's answer, of whose body no more is read than a little."""
        data = {"hub.mode": "publish", "hub.url": url, "hub.topic": url}
        async with client.stream("POST", self._hub, data=data) as answer:
            size = 0
            async for part in answer.aiter_raw():
                size += len(part)
                if size > MOST_ANSWER_BYTES:
                    break
            return answer
