"""Servers and disks that are each broken in one way: what becomes of an edition, compared with the design.

    python -m benchmarks.faults [--only WORD ...] [--write]

The servers are real smtp-sinks with their faults switched on; a full disk is a small tmpfs, which needs root. After
each fault everything is repaired, half a day passes, and whatever is still waiting is sent. The exit code is 1 if an
outcome is not the designed one. --write puts the table into docs/delivery.md.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from benchmarks.broken import Fault, Scene, Seen
from benchmarks.disks import DISKS
from benchmarks.servers import SERVERS
from benchmarks.tables import markdown, write
from publisher.core.newsletter_models import DeliveryStatus as Status
from publisher.store.ledger import LedgerRow

FAULTS: tuple[Fault, ...] = (*SERVERS, *DISKS)
HEADER = ("fault", "what the sender does", "sent", "queued", "deferred", "failed", "uncertain", "lost", "twice")
_SHOWN = (Status.SENT, Status.QUEUED, Status.DEFERRED, Status.FAILED, Status.UNCERTAIN)


def inject(fault: Fault) -> Seen:
    """Cause one fault in an empty project, then repair it."""
    with tempfile.TemporaryDirectory(prefix="publisher-faults-") as name, Scene(Path(name), fault.mode) as scene:
        return scene.seen(fault)


def lost(rows: Sequence[LedgerRow], got: Counter[str]) -> set[str]:
    """Return the recipients that got no message although their status does not say so."""
    told = {row.address for row in rows if row.status in (Status.FAILED, Status.UNCERTAIN) and row.reason}
    return {row.address for row in rows} - told - set(got)


def differences(fault: Fault, seen: Seen) -> list[str]:
    """Return how the outcome of a fault differs from the design."""
    found = [
        f"{status}: {seen.during[status]}, designed {span.start} to {span.stop - 1}"
        for status, span in fault.designed.items()
        if seen.during[status] not in span
    ]
    if unforeseen := {status.value for status, n in seen.during.items() if n and status not in fault.designed}:
        found.append(f"also {', '.join(sorted(unforeseen))}")
    if (fault.says not in seen.error) or bool(fault.says) != bool(seen.error):
        found.append(f"it says {seen.error!r}, designed {fault.says!r}")
    if missing := lost(seen.rows, seen.got):
        found.append(f"{len(missing)} lost")
    if (twice := _twice(seen)) > fault.twice:
        found.append(f"{twice} twice")
    if waiting := [row for row in seen.rows if row.status in (Status.QUEUED, Status.SENDING, Status.DEFERRED)]:
        found.append(f"{len(waiting)} are still waiting after everything was repaired")
    return found


def _twice(seen: Seen) -> int:
    return seen.got.total() - len(seen.got)


def line(fault: Fault, seen: Seen) -> tuple[str, ...]:
    """Return an outcome as a line of the table."""
    counts = [str(seen.during[status]) for status in _SHOWN]
    return (fault.name, fault.does, *counts, str(len(lost(seen.rows, seen.got))), str(_twice(seen)))


def main() -> int:
    """Inject every fault, and print the table."""
    given = _arguments()
    wanted = [fault for fault in FAULTS if not given.only or any(word in fault.name for word in given.only)]
    lines, wrong = [], False
    for fault in wanted:
        seen = inject(fault)
        lines.append(line(fault, seen))
        different = differences(fault, seen)
        wrong = wrong or bool(different)
        print(f"{'WRONG' if different else 'ok':<6}{fault.name}: {'; '.join(different)}", file=sys.stderr, flush=True)
    section = markdown(HEADER, lines)
    print(section)
    if given.write:
        write("faults", section)
    return 1 if wrong else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.faults", description=__doc__.split("\n")[0])
    parser.add_argument("--only", nargs="+", metavar="WORD", help="only faults whose names contain one of these words")
    parser.add_argument("--write", action="store_true", help="put the table into docs/delivery.md")
    given = parser.parse_args()
    if given.write and given.only:
        parser.error("--write needs every fault: leave out --only")
    return given


if __name__ == "__main__":
    sys.exit(main())
