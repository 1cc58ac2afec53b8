"""A sender in a process of its own, to be killed: delivers all that is unfinished, as `publish` does.

    python -m benchmarks.deliverer JSON

The JSON has url, folder, servers (keys of a relay), on_uncertain; where they matter, rest (seconds), file_bytes (no
file may grow over so many, as on a full disk) and minutes (by which its clock is ahead). It says "ready" when the
store is open, waits for a line, and says in a line of JSON why it ended: error, "" where it ended well.
"""

from __future__ import annotations

import json
import resource
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from benchmarks.editions import HEADERS, LINKS
from publisher.config import Relay
from publisher.core.errors import PublisherError
from publisher.mail.queue import deliver
from publisher.mail.run_options import DeliveryOptions
from publisher.mail.smtp_transport import SmtpTransport
from publisher.store import open_store


def main(words: str) -> int:
    told = json.loads(words)
    folder = Path(told["folder"])
    with open_store(told["url"], folder) as store:
        print("ready", flush=True)
        sys.stdin.readline()
        if limit := told.get("file_bytes"):
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
        try:
            _deliver_all(store, folder, told)
        except PublisherError as error:
            print(json.dumps({"error": str(error)}))
            return 1
    print(json.dumps({"error": ""}))
    return 0


def _deliver_all(store: Any, folder: Path, told: dict[str, Any]) -> None:
    ahead = timedelta(minutes=told.get("minutes", 0))
    options = DeliveryOptions(folder, on_uncertain=told["on_uncertain"], rest=timedelta(seconds=told.get("rest", 1.0)))
    with SmtpTransport([Relay(**server) for server in told["servers"]]) as transport:
        for edition in store.editions.unfinished():
            deliver(store, transport, edition, HEADERS, LINKS, options=options, clock=lambda: datetime.now(UTC) + ahead)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
