"""What a run of the sending loop is told."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from publisher.core.errors import StoppedError
from publisher.core.newsletter_models import Delivery, DeliveryStatus
from publisher.mail.lifecycle import DeliveryEvent
from publisher.mail.transport import Transport
from publisher.mail.verp import ReturnPath
from publisher.mail.workers import Journal

if TYPE_CHECKING:
    pass


class Stop:
    """A wish to end, from any thread, for any number of runs. It cannot be taken back."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._listeners: list[Callable[[], None]] = []
        self._asked = self._hurried = False

    @property
    def asked(self) -> bool:
        """Whether nothing more may be handed over."""
        return self._asked

    @property
    def hurried(self) -> bool:
        """Whether even answers that are on their way are not awaited."""
        return self._hurried

    def ask(self) -> None:
        """Let nothing more be handed over; said again, let no answer be awaited either."""
        with self._lock:
            self._asked, self._hurried = True, self._asked
            for listener in self._listeners:
                listener()

    def check(self) -> None:
        """Raise StoppedError where somebody asked."""
        if self._asked:
            raise StoppedError("stopped as asked", hint="the next run goes on with what is left")

    @contextmanager
    def heard(self, listener: Callable[[], None]) -> Iterator[None]:
        """Call a function, which must not wait, at each wish during the block; at once where there was one already."""
        with self._lock:
            self._listeners.append(listener)
            if self._asked:
                listener()
        try:
            yield
        finally:
            with self._lock:  # from here on nobody is in the middle of calling it
                self._listeners.remove(listener)


@dataclass(frozen=True, slots=True)
class Run:
    """See the module.

    lease       how long claimed rows are ours
    unanswered  what befalls a message without an answer
    clock       gives the present, aware
    progress    told of each delivery once it is in the ledger
    gone        told of each delivery whose mailbox is not there
    journal     told of each delivery before it is handed over
    rest        how long a relay that failed is left alone, the first time
    stop        says when it is enough
    """

    lease: timedelta
    unanswered: DeliveryEvent
    clock: Callable[[], datetime]
    progress: Callable[[Delivery, DeliveryStatus, str], None]
    gone: Callable[[Delivery, str], None]
    journal: Journal
    rest: timedelta = timedelta(seconds=1)
    stop: Stop = field(default_factory=Stop)


OnUncertain = Literal["resend", "hold"]


Progress = Callable[[Delivery, DeliveryStatus, str], None]


Gone = Callable[[Delivery, str], None]


@dataclass(frozen=True, slots=True)
class DeliveryOptions:
    """On which terms deliveries are made.

    state_dir     the project's folder of state; workers' locks are in its workers/
    lease         how long a batch may be in one worker's hands; longer than the transport's timeout
    on_uncertain  what to do with a message that was handed over and never acknowledged
    return_path   makes the address to which a failure comes back; None for the sender's own
    rest          how long a mail server that failed is left alone, the first time; then twice as long each time
    stop          says from outside when it is enough
    """

    state_dir: Path
    lease: timedelta = timedelta(seconds=120)
    on_uncertain: OnUncertain = "resend"
    return_path: ReturnPath | None = None
    rest: timedelta = timedelta(seconds=1)
    stop: Stop = field(default_factory=Stop)

    def unanswered(self, transport: Transport) -> DeliveryEvent:
        """Return what befalls a message without an answer; where a copy cannot arise it always goes again."""
        hold = self.on_uncertain == "hold" and not transport.idempotent
        return DeliveryEvent.UNANSWERED_HOLD if hold else DeliveryEvent.UNANSWERED_RESEND
