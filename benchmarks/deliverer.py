"""A sender in a process of its own, to be killed: delivers all that is unfinished, as `publish` does.

It is told url, folder, servers (keys of a relay), on_uncertain; where they matter, rest (seconds), file_bytes (no
file may grow over so many, as on a full disk) and minutes (by which its clock is ahead). It says "ready" when the
store is open, waits for an answer, and says why it ended: "" where it ended well.
"""

from __future__ import annotations

import resource
from datetime import UTC, datetime, timedelta
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from benchmarks.editions import HEADERS, LINKS
from publisher.config import Relay
from publisher.core.errors import PublisherError
from publisher.mail.queue import deliver
from publisher.mail.run_options import DeliveryOptions
from publisher.mail.smtp_transport import SmtpTransport
from publisher.store import open_store


def deliver_all(told: dict[str, Any], line: Connection) -> None:
    """Be a sender that speaks on `line`."""
    folder = Path(told["folder"])
    with open_store(told["url"], folder) as store:
        line.send("ready")
        line.recv()
        if limit := told.get("file_bytes"):
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
        try:
            _deliver_all(store, folder, told)
        except PublisherError as error:
            line.send(str(error))
        else:
            line.send("")


def _deliver_all(store: Any, folder: Path, told: dict[str, Any]) -> None:
    ahead = timedelta(minutes=told.get("minutes", 0))
    options = DeliveryOptions(folder, on_uncertain=told["on_uncertain"], rest=timedelta(seconds=told.get("rest", 1.0)))
    with SmtpTransport([Relay(**server) for server in told["servers"]]) as transport:
        for edition in store.editions.unfinished():
            deliver(store, transport, edition, HEADERS, LINKS, options=options, clock=lambda: datetime.now(UTC) + ahead)
