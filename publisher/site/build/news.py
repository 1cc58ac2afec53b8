"""What a WebSub hub knows of the feeds, so that it is told of what it does not.

The file .publisher/hub.json holds for each feed how it was when the hub took the news. A feed that is another one
now is news, whoever built it and however often the hub failed meanwhile: a build alone, a hub that was away and a
run that was killed lose nothing. It is no larger than the list of feeds.
"""

from __future__ import annotations

import hashlib
import json
import os
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from publisher.config import Config
from publisher.core.models import Problem, Severity
from publisher.site.build.manifest import Manifest, is_feed, manifest_file

if TYPE_CHECKING:
    from publisher.site.feeds.websub import Ping

FILE = "hub.json"


@dataclass(frozen=True, slots=True)
class State:
    """One feed as it is on the disk; of equal stamps (size, time) the digest is equal too."""

    stamp: str
    digest: str


@dataclass(frozen=True, slots=True)
class Known:
    """What the hub knows: the feeds it took the news of, by path, and those it did not take at last."""

    told: dict[str, State]
    failed: frozenset[str]


def tell_hub(config: Config) -> list[Problem]:
    """Tell the hub of every feed that changed since it was told last; return at most one warning.

    Raises nothing for a hub that fails: what it does not take stays news for the next time.
    """
    if not config.feeds.hub:
        return []
    from publisher.site.feeds.catalogue import feed_url
    from publisher.site.feeds.websub import ping

    path = config.state_dir / FILE
    known = _read(path, config.feeds.hub)
    states = _states(config, known.told)
    urls = {feed_url(config, name): name for name in untold(states, known)}
    if not urls:
        return []
    pings = ping(config.feeds.hub, urls)
    failed = [done for done in pings if done.error]
    left = {urls[done.url] for done in failed}
    told = {name: state for name, state in states.items() if name not in left}
    told |= {name: known.told[name] for name in left if name in known.told}
    refused = frozenset(urls[done.url] for done in failed if done.tried)
    return _summary(config.feeds.hub, failed) + _write(path, config.feeds.hub, Known(told, refused))


def untold(states: dict[str, State], known: Known) -> list[str]:
    """Return the feeds that are news: the site's own first; those at the end that the hub did not take last time."""
    news = (n for n, state in states.items() if n not in known.told or known.told[n].digest != state.digest)
    return sorted(news, key=lambda name: (name in known.failed, name.count("/"), name))


def _states(config: Config, told: dict[str, State]) -> dict[str, State]:
    """Every feed in the output folder that readers poll; read only where size or time is another one."""
    folder = config.root / config.pages.output
    found = {}
    for name in filter(is_feed, Manifest.read(manifest_file(config, folder)).outputs):
        try:
            status = os.stat(folder / name)
            stamp = f"{status.st_size}:{status.st_mtime_ns}"
            before = told.get(name)
            digest = before.digest if before and before.stamp == stamp else _digest(folder / name)
        except OSError:
            continue  # removed meanwhile: nobody can be told of it
        found[name] = State(stamp, digest)
    return found


def _digest(file: Path) -> str:
    return hashlib.blake2b(file.read_bytes(), digest_size=12).hexdigest()


def _summary(hub: str, failed: list[Ping]) -> list[Problem]:
    if not failed:
        return []
    more = f" and {len(failed) - 1:,} more" if len(failed) > 1 else ""
    count = "1 feed" if len(failed) == 1 else f"{len(failed):,} feeds"
    reasons = "; ".join(dict.fromkeys(done.error for done in failed))
    return [
        Problem(
            hub,
            0,
            f"was not told of {count} ({failed[0].url}{more}): {reasons}",
            "the next `publisher publish` tells it; readers see it when they poll",
            Severity.WARNING,
        )
    ]


def _read(path: Path, hub: str) -> Known:
    """The file as this hub left it; nothing of another hub's, or of a file that is broken."""
    try:
        raw = json.loads(path.read_bytes())
        if raw["hub"] == hub:
            return Known({name: State(*state) for name, state in raw["told"].items()}, frozenset(raw["failed"]))
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        pass
    return Known({}, frozenset())


def _write(path: Path, hub: str, known: Known) -> list[Problem]:
    told = {name: [state.stamp, state.digest] for name, state in sorted(known.told.items())}
    data = json.dumps({"hub": hub, "told": told, "failed": sorted(known.failed)})
    part = path.with_name(f"{path.name}.{os.getpid()}-{threading.get_ident()}")
    try:
        part.write_text(data, encoding="utf-8")
        part.replace(path)
    except OSError as error:
        message = f"cannot be written: {error.strerror}; the hub will be told again"
        return [Problem(str(path), 0, message, "make room, or mend the permissions", Severity.WARNING)]
    return []
