"""A program for the crash tests: deliver all that is unfinished, as `publish` does.

Waits for a line on standard input before it begins.
Arguments: database URL, state folder, "outbox:FOLDER" or "smtp:PORT", resend or hold, connections (1).
"""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path

from publisher.config import Smtp
from publisher.mail.outbox import Outbox
from publisher.mail.queue import deliver
from publisher.mail.run_options import DeliveryOptions
from publisher.mail.smtp_transport import SmtpTransport
from publisher.store import open_store
from tests.support.delivery_samples import HEADERS, LINKS


def main(url: str, state: str, way: str, on_uncertain: str, connections: str = "1") -> None:
    kind, _, where = way.partition(":")
    port = int(where) if kind == "smtp" else 25
    smtp = Smtp(host="127.0.0.1", port=port, tls="none", connections=int(connections))
    options = DeliveryOptions(Path(state), on_uncertain="hold" if on_uncertain == "hold" else "resend")
    with (
        open_store(url, Path(state)) as store,
        Outbox(Path(where)) if kind == "outbox" else SmtpTransport(smtp) as transport,
    ):
        print("ready", flush=True)  # noqa: T201 - the test waits for it
        sys.stdin.readline()
        for edition in store.editions.unfinished():
            deliver(store, transport, edition, HEADERS, LINKS, options=options, clock=lambda: datetime.now(UTC))


if __name__ == "__main__":
    main(*sys.argv[1:])
