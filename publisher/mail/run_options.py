"""How a run delivers an edition: its options, its callbacks, and how it is stopped from outside."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from publisher.core.errors import StoppedError
from publisher.core.newsletter_models import Delivery, DeliveryStatus
from publisher.mail.lifecycle import DeliveryEvent, moves
from publisher.mail.transport import Transport
from publisher.mail.verp import ReturnPath
from publisher.mail.workers import Journal

if TYPE_CHECKING:
    from publisher.store import Store

OnUncertain = Literal["resend", "hold"]
Progress = Callable[[Delivery, DeliveryStatus, str], None]
Gone = Callable[[Delivery, str], None]


class Stop:
    """A request to stop, which any thread may make and any number of runs may obey. It cannot be withdrawn."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._listeners: list[Callable[[], None]] = []
        self._asked = self._hurried = False

    @property
    def asked(self) -> bool:
        """Whether no more messages may be handed over."""
        return self._asked

    @property
    def hurried(self) -> bool:
        """Whether the run should not even wait for the answers that are due."""
        return self._hurried

    def ask(self) -> None:
        """Ask the runs to hand over no more messages; asked a second time, not to wait for answers either."""
        with self._lock:
            self._asked, self._hurried = True, self._asked
            for listener in self._listeners:
                listener()

    def check(self) -> None:
        """Raise StoppedError if a stop was asked for."""
        if self._asked:
            raise stopped_error()

    @contextmanager
    def heard(self, listener: Callable[[], None]) -> Iterator[None]:
        """Call the listener whenever a stop is asked for during the block; at once if that has already happened.

        listener: must return quickly; it may be called from any thread.
        """
        with self._lock:
            self._listeners.append(listener)
            if self._asked:
                listener()
        try:
            yield
        finally:
            with self._lock:  # from here on nobody can be in the middle of calling it
                self._listeners.remove(listener)


def stopped_error() -> StoppedError:
    """Return the error that ends a run which was asked to stop."""
    return StoppedError("stopped as asked", hint="the next run sends the rest")


@dataclass(frozen=True, slots=True)
class DeliveryOptions:
    """The settings of a delivery run.

    state_dir     the project's state folder; the lock files of workers are in its workers/
    lease         how long a worker may keep a batch that it claimed; longer than the transport's timeout
    on_uncertain  what to do with a message that was handed over and never acknowledged
    return_path   makes the address that bounces go to; None for the sender's own address
    rest          how long a mail server is left alone after its first failure; the time doubles with each further one
    stop          asks the run to stop
    """

    state_dir: Path
    lease: timedelta = timedelta(seconds=120)
    on_uncertain: OnUncertain = "resend"
    return_path: ReturnPath | None = None
    rest: timedelta = timedelta(seconds=1)
    stop: Stop = field(default_factory=Stop)

    def unanswered(self, transport: Transport) -> DeliveryEvent:
        """Return the event for a message that got no answer.

        It is sent again without asking anybody if the transport is idempotent, because no second copy can arise.
        """
        hold = self.on_uncertain == "hold" and not transport.idempotent
        return DeliveryEvent.UNANSWERED_HOLD if hold else DeliveryEvent.UNANSWERED_RESEND


@dataclass(frozen=True, slots=True)
class Run:
    """One worker's run over one edition.

    worker      its name, under which it claims deliveries
    journal     notes each delivery before it is handed over
    unanswered  the event for a message that got no answer
    clock       returns the present time, aware
    progress    called with each delivery, its new status and the server's words
    gone        called with each delivery whose mailbox does not exist, and the server's words
    """

    options: DeliveryOptions
    worker: str
    journal: Journal
    unanswered: DeliveryEvent
    clock: Callable[[], datetime]
    progress: Progress
    gone: Gone

    def claim(self, store: Store, edition_id: int, limit: int, now: datetime) -> Sequence[Delivery]:
        """Lease up to `limit` of the edition's deliveries that are due; skip people who have unsubscribed since."""
        return store.deliveries.claim(
            edition_id,
            self.worker,
            now=now,
            lease_until=now + self.options.lease,
            limit=limit,
            claimed=moves(DeliveryEvent.CLAIMED),
            left=moves(DeliveryEvent.LEFT),
        )
