"""A sender in its own process, for proofs to kill: it delivers everything unfinished, as `publish` does.

Its settings are url, folder, servers (keys of a mail server), on_uncertain; optional are rest (seconds), file_bytes
(the maximum size of a file, as on a full disk), minutes (by which its clock is ahead), lease (seconds), host (the name
of its machine), ration (see benchmarks.senders) and stays (it looks for work until it is told to stop, whatever goes
wrong). It sends "ready" when the store is open, waits for an answer, and sends why it ended: "" if all went well,
otherwise its errors.
"""

from __future__ import annotations

import resource
import socket
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

# Seconds between two looks for new work by a sender that stays.
PAUSE = 0.2


def deliver_all(told: dict[str, Any], line: Connection) -> None:
    """Run a sender that communicates through `line`."""
    folder = Path(told["folder"])
    if name := told.get("host"):
        socket.gethostname = lambda: name
    with open_store(told["url"], folder) as store:
        line.send("ready")
        line.recv()
        if limit := told.get("file_bytes"):
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
        try:
            if told.get("stays"):
                line.send("; ".join(_stay(store, folder, told, line)))
                return
            _deliver_all(store, folder, told)
        except PublisherError as error:
            line.send(str(error))
        else:
            line.send("")


def _stay(store: Any, folder: Path, told: dict[str, Any], line: Connection) -> list[str]:
    """Deliver until told to stop; return the errors."""
    errors = []
    while not line.poll(PAUSE):
        try:
            _deliver_all(store, folder, told)
        except PublisherError as error:
            errors.append(str(error))
    return errors


def _deliver_all(store: Any, folder: Path, told: dict[str, Any]) -> None:
    def settled(*delivery: object) -> None:
        """Wait until the proof allows one more message."""
        if ration := told.get("ration"):
            ration.acquire()

    ahead = timedelta(minutes=told.get("minutes", 0))
    options = DeliveryOptions(
        folder,
        timedelta(seconds=told.get("lease", 120.0)),
        on_uncertain=told["on_uncertain"],
        rest=timedelta(seconds=told.get("rest", 1.0)),
        host_name=told.get("host", ""),
    )
    with SmtpTransport([Relay(**server) for server in told["servers"]]) as transport:
        for edition in store.editions.unfinished():
            deliver(
                store,
                transport,
                edition,
                HEADERS,
                LINKS,
                options=options,
                clock=lambda: datetime.now(UTC) + ahead,
                progress=settled,
            )
