"""A worker of the crash tests in its own process: it delivers everything unfinished, as `publish` does.

It reports that it is ready when it has opened the store, and waits for an answer before it begins. As a program it
communicates by lines on standard output and input. Arguments: database URL, state folder, "outbox:FOLDER" or
"smtp:PORT", resend or hold, connections.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import count
from multiprocessing.connection import Connection
from pathlib import Path

from publisher.config import Smtp
from publisher.mail.outbox import Outbox
from publisher.mail.queue import deliver
from publisher.mail.run_options import DeliveryOptions
from publisher.mail.smtp import sending_loop
from publisher.mail.smtp_transport import SmtpTransport
from publisher.store import open_store
from tests.support.delivery_samples import HEADERS, LINKS


def deliver_everything(
    url: str, state: str, way: str, on_uncertain: str, connections: str, wait: Callable[[], object], most: int = 0
) -> None:
    """Deliver everything unfinished after `wait`. most: the number of messages after which it waits again; 0: never."""
    sending_loop.GRACE_SECONDS = 120.0  # on a busy machine, answers may take longer than usual
    kind, _, where = way.partition(":")
    port = int(where) if kind == "smtp" else 25
    smtp = Smtp(host="127.0.0.1", port=port, tls="none", connections=int(connections))
    options = DeliveryOptions(Path(state), on_uncertain="hold" if on_uncertain == "hold" else "resend")
    settled = count(1)

    def progress(*delivery: object) -> None:
        if next(settled) == most:
            wait()

    with (
        open_store(url, Path(state)) as store,
        Outbox(Path(where)) if kind == "outbox" else SmtpTransport(smtp) as transport,
    ):
        wait()
        for edition in store.editions.unfinished():
            deliver(
                store,
                transport,
                edition,
                HEADERS,
                LINKS,
                options=options,
                clock=lambda: datetime.now(UTC),
                progress=progress,
            )


def forked(url: str, state: str, way: str, on_uncertain: str, most: int, line: Connection) -> None:
    """Run a worker with one connection in a forked process."""

    def wait() -> None:
        line.send("ready")
        line.recv()

    deliver_everything(url, state, way, on_uncertain, "1", wait, most)


def main() -> None:
    def wait() -> None:
        print("ready", flush=True)  # noqa: T201 - the test waits for it
        sys.stdin.readline()

    url, state, way, on_uncertain, connections = sys.argv[1:]
    deliver_everything(url, state, way, on_uncertain, connections, wait)


if __name__ == "__main__":
    main()
