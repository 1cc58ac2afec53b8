"""The ledger with ten million rows: make an edition, claim and acknowledge deliveries, vacuum, delete old editions.

    python -m benchmarks.ledger [--rows 10000000] [--editions 10] [--database postgresql] [--write]

Every edition goes to the same subscribers, so there are rows / editions of them. While an edition is made, another
connection changes a subscriber again and again, and its longest wait is measured. All messages of the newest edition
are claimed and acknowledged, 500 at a time; both are timed at the beginning, in the middle and at the end. Two
statements mark the older editions as sent. In the end totals replace all rows. --write puts the table into
docs/delivery.md.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeVar

from benchmarks.editions import MADE_AT, add_readers_at_once, address, edition_draft
from benchmarks.imports import databases
from benchmarks.measure import median
from benchmarks.tables import markdown, write
from publisher.core.newsletter_models import Delivery, Edition
from publisher.mail.lifecycle import UNSETTLED, DeliveryEvent, moves
from publisher.store import Store, open_store
from publisher.store.deliveries import Settled

_BATCH = 500
_TIMED = 20  # batches at each of the three places
_PAUSE = 0.02  # seconds between two changes of a subscriber
_Value = TypeVar("_Value")


def measure(url: str, folder: Path, rows: int, editions: int) -> dict[str, float]:
    """Fill a ledger with this many rows, use it, and return the figures: seconds, milliseconds, bytes and MiB."""
    readers = rows // editions
    with open_store(url, folder) as store, open_store(url, folder) as other:
        add_readers_at_once(store, readers)
        store.chores.optimise()
        before, figures = _size(store), {"readers": float(readers), "memory_before": _peak_mib()}
        for number in range(editions):
            with _another(other) as waits:
                edition, seconds = _timed(lambda number=number: _make(store, number))
            figures["made_last"] = seconds
            figures.setdefault("made_first", seconds)
            figures["wait"] = max(figures.get("wait", 0.0), *waits)
            _say(f"edition {number + 1} made in {seconds:.1f} s; longest wait of {len(waits)}: {max(waits):.2f} s")
            if number < editions - 1:
                _make_sent(store, edition)
        figures["bytes_made"] = (_size(store) - before) / rows
        figures |= _drain(store, edition, readers)
        figures["bytes_sent"] = (_size(store) - before) / rows
        _, figures["vacuum"] = _timed(lambda: _vacuum(store))
        total, figures["drop"] = _timed(lambda: store.chores.roll_up(datetime.now(UTC) + timedelta(days=1), UNSETTLED))
        _say(f"{total} editions replaced by totals in {figures['drop']:.1f} s")
        return figures | {"bytes_left": (_size(store) - before) / rows, "memory": _peak_mib()}


def _make(store: Store, number: int) -> Edition:
    edition = store.editions.create(edition_draft(f"2026-{number}", number + 1, f"tag:example.org,2026:{number}"))
    if edition is None:
        raise ValueError("there is one already")
    return edition


@contextmanager
def _another(store: Store) -> Iterator[list[float]]:
    """Change a subscriber again and again in another thread; yield a list of the seconds that the changes take."""
    waits, ended = [0.0], threading.Event()

    def change(number: int) -> None:
        with store.subscribers.transaction(MADE_AT) as own:
            person = own.find(address(0))
            if person is not None:
                own.describe(person, note=str(number))

    def run() -> None:
        while not ended.wait(_PAUSE):
            waits.append(_timed(lambda: change(len(waits)))[1])

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield waits
    finally:
        ended.set()
        thread.join()


def _make_sent(store: Store, edition: Edition) -> None:
    """Mark all messages of an edition as sent, with the same two changes of status as real sending."""
    for change in ("status = 'sending', next_try_at = NULL", "status = 'sent', attempts = 1"):
        with store.database.write() as connection:
            connection.exec_driver_sql(f"UPDATE deliveries SET {change} WHERE edition_id = {edition.id}")


def _drain(store: Store, edition: Edition, readers: int) -> dict[str, float]:
    """Claim and acknowledge all messages of an edition; return median milliseconds at the start, middle and end."""
    claims: list[float] = []
    answers: list[float] = []
    begun = time.perf_counter()
    while True:
        claimed, claim = _timed(lambda: _claim(store, edition))
        if not claimed:
            break
        answers.append(_timed(lambda claimed=claimed: _acknowledge(store, claimed))[1] * 1000)
        claims.append(claim * 1000)
        if len(claims) % 500 == 0:
            _say(f"{len(claims) * _BATCH:,} messages: claim {claims[-1]:.1f} ms, acknowledge {answers[-1]:.1f} ms")
    seconds = time.perf_counter() - begun
    figures = {"rate": readers / seconds}
    middle, end = max(0, (len(claims) - _TIMED) // 2), max(0, len(claims) - _TIMED)
    for name, start in (("first", 0), ("middle", middle), ("end", end)):
        figures[f"claim_{name}"] = median(claims[start : start + _TIMED])
        figures[f"answer_{name}"] = median(answers[start : start + _TIMED])
    return figures


def _claim(store: Store, edition: Edition) -> Sequence[Delivery]:
    now = datetime.now(UTC)
    return store.deliveries.claim(
        edition.id,
        "benchmark",
        now=now,
        lease_until=now + timedelta(minutes=2),
        limit=_BATCH,
        claimed=moves(DeliveryEvent.CLAIMED),
        left=moves(DeliveryEvent.LEFT),
    )


def _acknowledge(store: Store, claimed: Sequence[Delivery]) -> None:
    accepted = moves(DeliveryEvent.ACCEPTED)
    settled = [Settled(each.id, accepted, sent_at=MADE_AT, edition_id=each.edition_id) for each in claimed]
    store.deliveries.acknowledge("benchmark", settled)


def _vacuum(store: Store) -> None:
    with store.database.outside_transactions() as run:
        run("PRAGMA wal_checkpoint(TRUNCATE)" if store.database.is_sqlite else "VACUUM deliveries")


def _size(store: Store) -> int:
    """Return the size of the ledger with its indexes, in bytes; on SQLite, that is the size of all used pages."""
    with store.database.read() as connection:
        if store.database.is_sqlite:
            pages, free, size = (
                int(connection.exec_driver_sql(f"PRAGMA {name}").scalar_one())
                for name in ("page_count", "freelist_count", "page_size")
            )
            return (pages - free) * size
        query = "SELECT sum(pg_total_relation_size(relid)) FROM pg_partition_tree('deliveries')"
        return int(connection.exec_driver_sql(query).scalar_one() or 0)


def _timed(call: Callable[[], _Value]) -> tuple[_Value, float]:
    begun = time.perf_counter()
    return call(), time.perf_counter() - begun


def _peak_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024 if sys.platform != "darwin" else 1024 * 1024)


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


HEADER = ("what", "figure")


def table(kind: str, rows: int, editions: int, told: dict[str, float]) -> list[tuple[str, str]]:
    """Return the figures as lines of a table."""
    places = ("first", "middle", "end")
    claims, answers = (
        " / ".join(f"{told[f'{what}_{place}']:.1f}" for place in places) + " ms" for what in ("claim", "answer")
    )
    return [
        ("database", kind),
        ("rows", f"{rows:,} in {editions} editions"),
        ("first and last edition made", f"{told['made_first']:.1f} s, {told['made_last']:.1f} s"),
        ("longest wait of another transaction meanwhile", f"{told['wait']:.2f} s"),
        (f"claim of {_BATCH} at the beginning / middle / end", claims),
        (f"acknowledgement of {_BATCH} at the beginning / middle / end", answers),
        ("claimed and acknowledged a second", f"{told['rate']:,.0f}"),
        ("bytes a delivery when made, when sent", f"{told['bytes_made']:.0f}, {told['bytes_sent']:.0f}"),
        ("vacuum" if kind == "postgresql" else "checkpoint", f"{told['vacuum']:.1f} s"),
        ("all editions replaced by totals", f"{told['drop']:.1f} s"),
        ("bytes left of each delivery", f"{told['bytes_left']:.1f}"),
        ("memory of the process before, peak", f"{told['memory_before']:.0f}, {told['memory']:.0f} MiB"),
    ]


def main(words: Sequence[str]) -> int:
    """Measure and print."""
    given = _arguments(words)
    if given.part:
        part = json.loads(given.part)
        print(json.dumps(measure(part["url"], Path(part["folder"]), given.rows, given.editions)))
        return 0
    with tempfile.TemporaryDirectory(prefix="publisher-ledger-", dir=given.folder) as name:
        folder = Path(name)
        with databases(given.database, folder / "database") as urls:
            url = f"sqlite:///{folder}/publisher.db" if given.database == "sqlite" else urls[0]
            part = {"url": url, "folder": name}
            options = ["--rows", str(given.rows), "--editions", str(given.editions), "--part", json.dumps(part)]
            root = Path(__file__).resolve().parents[1]
            command = [sys.executable, "-m", "benchmarks.ledger", *options]  # so that its memory is counted separately
            said = subprocess.run(command, cwd=root, stdout=subprocess.PIPE, text=True, check=True).stdout
    section = markdown(HEADER, table(given.database, given.rows, given.editions, json.loads(said)))
    print(section)
    if given.write:
        write("ledger", section)
    return 0


def _arguments(words: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.ledger", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--rows", type=int, default=10_000_000, help="deliveries in the ledger (default 10000000)")
    parser.add_argument("--editions", type=int, default=10, help="editions that they belong to (default 10)")
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="postgresql")
    parser.add_argument("--folder", help="folder for the database meanwhile; it needs 1 kB a row")
    parser.add_argument("--write", action="store_true", help="put the table into docs/delivery.md")
    parser.add_argument("--part", help=argparse.SUPPRESS)
    return parser.parse_args(words)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
