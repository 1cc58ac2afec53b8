"""An edition for a million subscribers: how long it takes to queue it, and how much memory to send its messages.

    python -m benchmarks.queue [--readers 1000000] [--sent 20000] [--database sqlite] [--write]
                                [--json FILE]

The sender runs in its own process and is measured there: its memory before it begins and at its peak, and how long a
claim takes at the beginning and after --sent messages. The server is smtp-sink. --write puts the table into
docs/delivery.md.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from benchmarks.editions import HEADERS, LINKS, add_readers, make_edition
from benchmarks.imports import databases
from benchmarks.measure import median
from benchmarks.report import Limit, write_limits
from benchmarks.sinks import sink
from benchmarks.tables import markdown, write
from publisher.config import Relay
from publisher.core.newsletter_models import Delivery, DeliveryStatus, Edition
from publisher.mail.lifecycle import DeliveryEvent, moves, update_returned
from publisher.mail.queue import deliver
from publisher.mail.run_options import DeliveryOptions
from publisher.mail.smtp_transport import SmtpTransport
from publisher.store import Store, open_store

# For a million subscribers. Flat memory does not grow with their number; a million rows would be hundreds of MiB.
MOST_SECONDS, MOST_MORE_MIB = 3.0, 32.0
_CLAIM = 500
_CLAIMS = 9


def queue(url: str, folder: Path, readers: int) -> dict[str, float]:
    """Add this many subscribers and an edition for them; return how long each took, and the additional memory."""
    with open_store(url, folder) as store:
        begun = time.perf_counter()
        add_readers(store, readers)
        added, before = time.perf_counter(), _peak_mib()
        make_edition(store)
        return {"adding": added - begun, "making": time.perf_counter() - added, "more_mib": _peak_mib() - before}


def send_some(url: str, folder: Path, port: int, most: int) -> dict[str, float]:
    """Send this many of the deliveries, and stop as Control-C does; return what was measured in this process."""
    with open_store(url, folder) as store:
        (edition,) = store.editions.unfinished()
        first, before = _claim_ms(store, edition), _peak_mib()
        begun = time.perf_counter()
        _deliver(store, edition, folder, port, _stop_after(most))
        seconds = time.perf_counter() - begun
        sent = store.deliveries.counts(edition.id)[DeliveryStatus.SENT]
        figures = {"before_mib": before, "peak_mib": _peak_mib(), "first_ms": first}
        return figures | {"later_ms": _claim_ms(store, edition), "sent": sent, "rate": sent / seconds}


def _deliver(store: Store, edition: Edition, folder: Path, port: int, progress: Callable[..., None]) -> None:
    server = Relay(url=f"smtp://127.0.0.1:{port}", tls="none", connections=16, messages=1_000_000)
    try:
        with SmtpTransport([server]) as transport:
            options = DeliveryOptions(folder)
            deliver(store, transport, edition, HEADERS, LINKS, options=options, clock=_clock, progress=progress)
    except KeyboardInterrupt:
        return


def _stop_after(most: int) -> Callable[[Delivery, DeliveryStatus, str], None]:
    told = 0

    def progress(delivery: Delivery, status: DeliveryStatus, reason: str) -> None:
        nonlocal told
        told += 1
        if told == most:
            raise KeyboardInterrupt

    return progress


def _claim_ms(store: Store, edition: Edition) -> float:
    """Return the median time of a claim, in milliseconds; its leases are given back."""
    times = []
    for _ in range(_CLAIMS):
        now, begun = _clock(), time.perf_counter()
        claimed = store.deliveries.claim(
            edition.id,
            "benchmark",
            now=now,
            lease_until=now + timedelta(minutes=2),
            limit=_CLAIM,
            claimed=moves(DeliveryEvent.CLAIMED),
            left=moves(DeliveryEvent.LEFT),
        )
        times.append((time.perf_counter() - begun) * 1000)
        store.deliveries.acknowledge(
            "benchmark", [update_returned(each.id, edition.made_at).settled for each in claimed]
        )
    return median(times)


def _clock() -> datetime:
    return datetime.now(UTC)


def _peak_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024 if sys.platform != "darwin" else 1024 * 1024)


HEADER = (
    "database",
    "readers",
    "edition queued in",
    "peak before sending",
    "peak",
    "claim of 500 at first",
    "later",
    "sent",
    "a second",
)


def measure(kind: str, readers: int, most: int) -> dict[str, float]:
    """Measure one database; return the figures."""
    with tempfile.TemporaryDirectory(prefix="publisher-queue-") as name, sink(Path(name) / "sink") as to:
        folder = Path(name)
        with databases(kind, folder / "database") as urls:
            url = f"sqlite:///{folder}/publisher.db" if kind == "sqlite" else urls[0]
            made = _apart({"do": "queue", "url": url, "folder": name, "readers": readers})
            print(f"{kind}: {readers:,} readers added in {made['adding']:.0f} s", file=sys.stderr, flush=True)
            return made | _apart({"do": "send", "url": url, "folder": name, "port": to.port, "most": most})


def _row(kind: str, readers: int, figures: dict[str, float]) -> tuple[str, ...]:
    """Return a line of the table."""
    return (
        "SQLite" if kind == "sqlite" else "PostgreSQL",
        f"{readers:,}",
        f"{figures['making']:.1f} s",
        f"{figures['before_mib']:.0f} MiB",
        f"{figures['peak_mib']:.0f} MiB",
        f"{figures['first_ms']:.1f} ms",
        f"{figures['later_ms']:.1f} ms",
        f"{figures['sent']:,.0f}",
        f"{figures['rate']:,.0f}",
    )


def limits(found: dict[str, dict[str, float]], readers: int) -> list[Limit]:
    """Return the promises about an edition for this many subscribers with the measured values."""
    return [
        limit
        for kind, figures in found.items()
        for limit in (
            Limit(f"edition for {readers:,}, {kind}: seconds", figures["making"], MOST_SECONDS * readers / 1_000_000),
            Limit(f"edition for {readers:,}, {kind}: more memory, MiB", figures["more_mib"], MOST_MORE_MIB),
        )
    ]


def _apart(what: dict[str, Any]) -> dict[str, float]:
    """Run a part in its own process, so that its memory is counted separately."""
    words = [sys.executable, "-m", "benchmarks.queue", "--part", json.dumps(what)]
    root = Path(__file__).resolve().parents[1]
    said = subprocess.run(words, cwd=root, stdout=subprocess.PIPE, text=True, check=True).stdout
    return dict(json.loads(said))


def _part(what: dict[str, Any]) -> dict[str, float]:
    folder = Path(what["folder"])
    if what["do"] == "queue":
        return queue(what["url"], folder, what["readers"])
    return send_some(what["url"], folder, what["port"], what["most"])


def main(words: Sequence[str]) -> int:
    """Measure and print."""
    given = _arguments(words)
    if given.part:
        print(json.dumps(_part(json.loads(given.part))))
        return 0
    kinds = ("sqlite", "postgresql") if given.database == "both" else (given.database,)
    found = {kind: measure(kind, given.readers, given.sent) for kind in kinds}
    section = markdown(HEADER, [_row(kind, given.readers, figures) for kind, figures in found.items()])
    print(section)
    if given.json:
        write_limits(given.json, limits(found, given.readers), figures=found)
    if given.write:
        write("queue", section)
    return 0


def _arguments(words: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.queue", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--readers", type=int, default=1_000_000, help="readers (default 1000000)")
    parser.add_argument("--sent", type=int, default=20_000, help="messages to send (default 20000)")
    parser.add_argument("--database", choices=("sqlite", "postgresql", "both"), default="both")
    parser.add_argument("--write", action="store_true", help="put the table into docs/delivery.md")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures to FILE")
    parser.add_argument("--part", help=argparse.SUPPRESS)
    return parser.parse_args(words)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
