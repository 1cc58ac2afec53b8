"""One fault with its designed outcome, and the setup in which it happens."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.parser import BytesHeaderParser
from email.utils import parseaddr
from pathlib import Path
from typing import Any, Literal, Self

from benchmarks.editions import HEADERS, LINKS, MADE_AT, add_readers, ledger, make_edition
from benchmarks.sinks import Sink, sink
from publisher.config import Relay
from publisher.core.errors import PublisherError
from publisher.core.newsletter_models import DeliveryStatus, Edition
from publisher.mail.outbox import Outbox
from publisher.mail.queue import deliver
from publisher.mail.run_options import DeliveryOptions, Progress
from publisher.mail.smtp_transport import SmtpTransport
from publisher.mail.transport import Transport
from publisher.store import Store, open_store
from publisher.store.ledger import LedgerRow

READERS = 60
CONNECTIONS = 4

Mode = Literal["resend", "hold"]
Designed = Mapping[DeliveryStatus, range]


@dataclass(frozen=True, slots=True)
class Fault:
    """A way in which something is broken.

    does      how the sender reacts, in words for the table
    happen    causes the fault while delivering; returns the error that ended the run, "" if there was none
    designed  how many rows must have each status afterwards; no row may have any other
    says      a part of the error's text; "" if no error is expected
    twice     how many duplicates there may be in the end
    prepare   prepares the scene before there is an edition
    """

    name: str
    does: str
    happen: Callable[[Scene], str]
    designed: Designed
    says: str = ""
    mode: Mode = "hold"
    twice: int = 0
    prepare: Callable[[Scene], None] = lambda scene: None


@dataclass(frozen=True, slots=True)
class Seen:
    """What became of an edition after a fault.

    during  how many rows had each status when the faulty run was over
    rows    the ledger after everything was repaired
    got     how many messages the servers accepted in both runs, by recipient
    """

    error: str
    during: Mapping[DeliveryStatus, int]
    rows: tuple[LedgerRow, ...]
    got: Counter[str]


class Scene:
    """A project with subscribers and an edition, and servers that fail on demand."""

    def __init__(self, folder: Path, mode: Mode) -> None:
        self.folder = folder
        self.mode: Mode = mode
        self.sinks: list[Sink] = []
        self.outbox, self.database, self.state = folder / "outbox", folder / "database", folder / "state"
        self.stack = ExitStack()
        self._now = MADE_AT

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *raised: object) -> None:
        self.stack.close()

    @property
    def url(self) -> str:
        return f"sqlite:///{self.database}/publisher.db"

    def seen(self, fault: Fault) -> Seen:
        """Cause the fault, repair everything, let half a day pass, and look at the result."""
        self.stack.callback(self.stop_all)
        fault.prepare(self)
        with open_store(self.url, self.folder) as store:
            add_readers(store, READERS)
            edition = make_edition(store)
        error = fault.happen(self)
        self.take_over()
        with open_store(self.url, self.folder) as store:
            during = store.deliveries.counts(edition.id)
        self.stop_all()
        self._now += timedelta(hours=12)
        self._finish()
        got = Counter(one.recipient for each in self.sinks if not each.refuses for one in each.taken())
        return Seen(error, Counter(during.by_status), tuple(ledger(self.url, self.folder)), got + self._filed())

    def sink(self, *options: str, port: int = 0) -> Sink:
        """Start another server."""
        folder = self.folder / f"sink{len(self.sinks)}"
        self.sinks.append(self.stack.enter_context(sink(folder, *options, port=port)))
        return self.sinks[-1]

    def stop_all(self) -> None:
        """End every server."""
        for each in self.sinks:
            each.stop()

    def send(self, *ports: int, progress: Progress = lambda *told: None, **settings: Any) -> str:
        """Deliver through servers at these ports, all with these settings; return the error, or ""."""
        common = {"tls": "none", "connections": CONNECTIONS, "timeout": 120} | settings
        relays = [Relay(**({"url": f"smtp://127.0.0.1:{port}"} | common)) for port in ports]
        return self._over(lambda: SmtpTransport(relays), progress)

    def file(self) -> str:
        """Deliver to the outbox; return the error, or ""."""
        return self._over(lambda: Outbox(self.outbox), lambda *told: None)

    def take_over(self) -> None:
        """Take over from an interrupted run, as the next run would do first; the ledger then shows the effect."""
        from publisher.mail.queue import take_over

        with open_store(self.url, self.folder) as store:
            take_over(store, options=self._options(), now=self._now)

    def _over(self, open_transport: Callable[[], Transport], progress: Progress) -> str:
        try:
            with open_store(self.url, self.folder) as store, open_transport() as transport:
                for edition in store.editions.unfinished():
                    self._deliver(store, transport, edition, progress)
        except PublisherError as error:
            return str(error)
        return ""

    def _deliver(self, store: Store, transport: Transport, edition: Edition, progress: Progress) -> None:
        deliver(
            store, transport, edition, HEADERS, LINKS, options=self._options(), clock=self._clock, progress=progress
        )

    def _clock(self) -> datetime:
        return self._now

    def _options(self) -> DeliveryOptions:
        return DeliveryOptions(self.state, on_uncertain=self.mode, rest=timedelta(milliseconds=20))

    def _finish(self) -> None:
        """Send what is still waiting, with the same transport as before."""
        error = self.file() if self.outbox.exists() else self.send(self.sink().port)
        if error:
            raise RuntimeError(f"it was not repaired: {error}")

    def _filed(self) -> Counter[str]:
        files = (self.outbox / "new").glob("*.eml")
        heads = (BytesHeaderParser().parsebytes(path.read_bytes()) for path in files)
        return Counter(parseaddr(str(head["To"]))[1] for head in heads)
