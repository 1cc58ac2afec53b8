"""Notify a WebSub hub about changed feeds (W3C WebSub section 7, with the ping that all hubs understand).

`notify_hub` compares every feed on the disk with the version that the hub accepted last, and pings the hub about the
feeds that differ. The accepted versions are recorded in .publisher/hub.json, which has at most one entry for each feed.
So no change is lost if a build ran without notifying the hub, if the hub was unavailable, or if a run was killed: the
next call notifies the hub about it.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from publisher import __version__
from publisher.config import Config
from publisher.core.atomic_write import replacing
from publisher.core.frozen import dataclass
from publisher.core.models import Problem, Severity
from publisher.posts.sources.network_addresses import Destination, destination_of
from publisher.site.build.manifest import Manifest, is_feed, manifest_file
from publisher.site.feeds.feed_list import feed_url

if TYPE_CHECKING:
    from publisher.posts.sources.exchange import Exchanger

FILE = "hub.json"
# Only the status of a response matters. A short body is still read, so that the connection can be reused.
MOST_ANSWER_BYTES = 4096
_HEADERS = {"User-Agent": f"Publisher/{__version__}", "Accept": "*/*"}


@dataclass(frozen=True, slots=True)
class HubLimits:
    """The limits on the time that a run spends waiting for a hub.

    attempts       maximum attempts per feed, if the hub does not respond or responds with a 5xx status
    pause_seconds  pause before the second attempt, in seconds; doubled before each further attempt
    each_seconds   maximum time for all attempts of a feed together
    all_seconds    maximum time for all feeds
    failures       number of failed feeds in a row after which the run stops
    """

    attempts: int = 3
    pause_seconds: float = 0.5
    each_seconds: float = 10.0
    all_seconds: float = 30.0
    failures: int = 3


@dataclass(frozen=True, slots=True)
class PingResult:
    """The result of notifying the hub about one feed.

    error     why the ping failed; "" if the hub accepted it
    tried     False if no ping was sent, because the hub failed for earlier feeds or there was no time left
    answered  False if the hub could not be reached or did not respond in time
    """

    url: str
    error: str
    tried: bool = True
    answered: bool = True


@dataclass(frozen=True, slots=True)
class FeedState:
    """The state of a feed file: its stamp (size and time) and its digest, which is only computed for a new stamp."""

    stamp: str
    digest: str


@dataclass(frozen=True, slots=True)
class HubMemory:
    """The record of the feeds that a hub has accepted.

    accepted  state of each feed when the hub last accepted a ping for it, by the path of the feed
    failed    paths of the feeds that failed in the last round
    """

    accepted: dict[str, FeedState]
    failed: frozenset[str]


def notify_hub(config: Config) -> list[Problem]:
    """Notify the hub about every feed that has changed since the hub last accepted it; return the warnings.

    A failing hub raises no error; feeds that it does not accept are tried again next time.
    """
    if not config.feeds.hub:
        return []
    path = config.state_dir / FILE
    memory = _read(path, config.feeds.hub)
    states = _states(config, memory.accepted)
    others = {name.file: name.path for name in config.feeds.other_names}
    urls = {feed_url(config, others.get(name, name)): name for name in changed_feeds(states, memory)}
    if not urls:
        return []
    failed = [result for result in ping(config.feeds.hub, urls) if result.error]
    left = {urls[result.url] for result in failed}
    accepted = {name: state for name, state in states.items() if name not in left}
    accepted |= {name: memory.accepted[name] for name in left if name in memory.accepted}
    refused = frozenset(urls[result.url] for result in failed if result.tried)
    return _warning(config.feeds.hub, failed) + _write(path, config.feeds.hub, HubMemory(accepted, refused))


def changed_feeds(states: dict[str, FeedState], memory: HubMemory) -> list[str]:
    """Return the paths of the feeds that have changed since the hub accepted them.

    The site's main feeds come first, and feeds that failed in the last round last.
    """
    accepted = memory.accepted
    changed = (name for name, s in states.items() if name not in accepted or accepted[name].digest != s.digest)
    return sorted(changed, key=lambda name: (name in memory.failed, name.count("/"), name))


def _states(config: Config, accepted: dict[str, FeedState]) -> dict[str, FeedState]:
    """Return the state of every feed in the output folder, by path. A file is read only if its stamp has changed."""
    folder = config.root / config.pages.output
    found = {}
    others = {name.file for name in config.feeds.other_names}
    for name in Manifest.read(manifest_file(config, folder)).outputs:
        if not (is_feed(name) or name in others):
            continue
        try:
            status = (folder / name).stat()
            stamp = f"{status.st_size}:{status.st_mtime_ns}"
            before = accepted.get(name)
            digest = before.digest if before and before.stamp == stamp else _digest(folder / name)
        except OSError:
            continue  # removed since the build, so there is nothing to announce
        found[name] = FeedState(stamp, digest)
    return found


def _digest(file: Path) -> str:
    return hashlib.blake2b(file.read_bytes(), digest_size=12).hexdigest()


def _warning(hub: str, failed: list[PingResult]) -> list[Problem]:
    if not failed:
        return []
    more = f" and {len(failed) - 1:,} more" if len(failed) > 1 else ""
    count = "1 feed" if len(failed) == 1 else f"{len(failed):,} feeds"
    reasons = "; ".join(dict.fromkeys(result.error for result in failed))
    return [
        Problem(
            hub,
            0,
            f"could not be notified of {count} ({failed[0].url}{more}): {reasons}",
            "the next `publisher publish` tries again; feed readers see the changes when they poll",
            Severity.WARNING,
        )
    ]


def _read(path: Path, hub: str) -> HubMemory:
    """Read the record of this hub; return an empty one if the file is missing, broken or about a different hub."""
    try:
        raw = json.loads(path.read_bytes())
        if raw["hub"] == hub:
            accepted = {name: FeedState(*state) for name, state in raw["told"].items()}
            return HubMemory(accepted, frozenset(raw["failed"]))
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        pass
    return HubMemory({}, frozenset())


def _write(path: Path, hub: str, memory: HubMemory) -> list[Problem]:
    accepted = {name: [state.stamp, state.digest] for name, state in sorted(memory.accepted.items())}
    data = json.dumps({"hub": hub, "told": accepted, "failed": sorted(memory.failed)})
    try:
        with replacing(path) as part:
            part.write_text(data, encoding="utf-8")
    except OSError as error:
        message = f"cannot be written: {error.strerror}; the hub will be notified again"
        return [Problem(str(path), 0, message, "free some disk space, or fix the permissions", Severity.WARNING)]
    return []


def ping(hub: str, urls: Iterable[str], limits: HubLimits | None = None) -> list[PingResult]:
    """Post hub.mode=publish to the hub for each URL; return one PingResult for each. A failing hub raises no error.

    The first feed gets all attempts. Once a feed has failed, each further feed gets only one attempt. If the hub
    cannot be reached, or fails for `limits.failures` feeds in a row, the remaining feeds are not tried.
    """
    try:
        place = destination_of(hub)
    except ValueError as failure:
        return [PingResult(url, f"its address {failure}", tried=False, answered=False) for url in urls]
    return asyncio.run(_PingRound(place, limits or HubLimits()).run(list(urls)))


class _PingRound:
    """A round of pings, sent one after the other.

    It is asynchronous because only a cancelled task is sure to end on time. A read timeout starts again with every
    byte, so a hub that sends one header line per second would never exceed it.
    """

    # exchange is imported in functions: loading takes a while, and most projects have no hub.

    def __init__(self, hub: Destination, limits: HubLimits) -> None:
        self._hub, self._limits = hub, limits
        self._attempts = limits.attempts
        self._failures_in_a_row = 0

    async def run(self, urls: list[str]) -> list[PingResult]:
        """Send all pings, and return the result of each."""
        # Not at the top: the HTTP client takes long to load.
        from publisher.posts.sources.exchange import Exchanger, Network

        results: list[PingResult] = []
        stopped = ""
        loop = asyncio.get_running_loop()
        end = loop.time() + self._limits.all_seconds
        exchanger = Exchanger(Network(), most_connections=1, most_bytes=MOST_ANSWER_BYTES)
        for url in urls:
            left = min(self._limits.each_seconds, end - loop.time())
            if left <= 0:
                stopped = stopped or "there was no time left"
            if stopped:
                results.append(PingResult(url, stopped, tried=False))
                continue
            results.append(await self._ping_within(left, exchanger, url))
            stopped = self._reason_to_stop(results[-1])
        await exchanger.close()
        return results

    def _reason_to_stop(self, last: PingResult) -> str:
        self._failures_in_a_row = self._failures_in_a_row + 1 if last.error else 0
        if last.error:
            self._attempts = 1
        return last.error if not last.answered or self._failures_in_a_row >= self._limits.failures else ""

    async def _ping_within(self, seconds: float, exchanger: Exchanger, url: str) -> PingResult:
        try:
            async with asyncio.timeout(seconds):
                return await self._ping(seconds, exchanger, url)
        except TimeoutError:
            return PingResult(url, f"no answer within {seconds:.3g} seconds", answered=False)

    async def _ping(self, seconds: float, exchanger: Exchanger, url: str) -> PingResult:
        from publisher.posts.sources.exchange import explanation  # not at the top: the HTTP client takes long to load

        form = (("hub.mode", "publish"), ("hub.url", url), ("hub.topic", url))
        result = PingResult(url, "")
        for attempt in range(self._attempts):
            if attempt:
                await asyncio.sleep(self._limits.pause_seconds * 2 ** (attempt - 1))
            try:
                # The owner has named this hub, so it may be in a private network. No redirect is followed.
                reply = await exchanger.send(self._hub, _HEADERS, form, allow_private=True, seconds=seconds)
            except TimeoutError:
                raise
            except Exception as failure:  # noqa: BLE001 - what it doesn't know, `explanation` raises again
                result = PingResult(url, f"no answer: {explanation(failure, seconds)[0]}", answered=False)
                continue
            if 200 <= reply.status < 300:
                return PingResult(url, "")
            result = PingResult(url, f"it answered {reply.status} {reply.reason[:60]}".rstrip())
            if reply.status < 500:
                return result
        return result
