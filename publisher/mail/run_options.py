"""The options and callbacks of a run that delivers editions, and the request to stop it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import field
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from publisher.core.bounce_report import Verdict
from publisher.core.errors import StoppedError
from publisher.core.frozen import dataclass
from publisher.core.newsletter_models import Delivery, DeliveryStatus
from publisher.mail.claim_count import count_claim
from publisher.mail.lifecycle import DeliveryEvent, moves
from publisher.mail.transport import Deferred, Outcome, RefusedAt, Rejected
from publisher.mail.verp import ReturnPath

if TYPE_CHECKING:
    from publisher.core.errors import PublisherError
    from publisher.mail.message import MailMerge
    from publisher.store import Store
    from publisher.store.workers import Heartbeat

# An older version that runs at the same time takes over a worker's deliveries after this, whatever the worker does.
OTHER_VERSIONS_WAIT = timedelta(hours=1)

OnUncertain = Literal["resend", "hold"]
Progress = Callable[[Delivery, DeliveryStatus, str], None]
Refused = Callable[[Delivery, Deferred | Rejected], Verdict]


class Stop:
    """A request to stop. Any thread may make the request, and any number of runs may obey it. It cannot be withdrawn.

    Runs also give their signs of life here, so that others notice if they hang.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._listeners: list[Callable[[], None]] = []
        self._asked = self._hurried = False
        self._signed_at = time.monotonic()

    @property
    def asked(self) -> bool:
        """Return whether a stop was requested, so that no more messages may be handed over."""
        return self._asked

    @property
    def hurried(self) -> bool:
        """Return whether a stop was requested twice, so that runs should not even wait for outstanding answers."""
        return self._hurried

    def ask(self) -> None:
        """Ask the runs to hand over no more messages. A second call asks them not to wait for answers either."""
        with self._lock:
            self._asked, self._hurried = True, self._asked
            for listener in self._listeners:
                listener()

    def check(self) -> None:
        """Raise StoppedError if a stop was requested; otherwise this is a sign of life."""
        self.sign_of_life()
        if self._asked:
            raise stopped_error()

    @property
    def is_heard(self) -> bool:
        """Return whether any run is listening."""
        return bool(self._listeners)

    @property
    def silent_seconds(self) -> float:
        """Return how many seconds ago a run last gave a sign of life or, without one, this object was created."""
        return time.monotonic() - self._signed_at

    def sign_of_life(self) -> None:
        """Record that a run is working. A run calls this at least a few times within its lease."""
        self._signed_at = time.monotonic()

    @contextmanager
    def heard(self, listener: Callable[[], None]) -> Iterator[None]:
        """Call the listener whenever a stop is requested during the block, and immediately if it already was.

        listener: must return quickly; it may be called from any thread.
        """
        with self._lock:
            self.sign_of_life()
            self._listeners.append(listener)
            if self._asked:
                listener()
        try:
            yield
        finally:
            with self._lock:  # after this block, no thread can still be calling it
                self._listeners.remove(listener)


def stopped_error() -> StoppedError:
    """Return the error that ends a run when a stop was requested."""
    return StoppedError("stopped as asked", hint="the next run sends the rest")


@dataclass(frozen=True, slots=True)
class DeliveryOptions:
    """The settings of a delivery run.

    state_dir     the project's state folder; the lock files of workers are in its workers/
    lease         how long a worker may be silent before others take over its deliveries
    on_uncertain  whether to resend or hold a message that was handed over but never acknowledged
    return_path   makes the address for bounces; None for the sender's own address
    rest          how long a mail server is left alone after its first failure; the time doubles with each failure
    stop          the request to stop the run
    host          the id of this host; "" if its sending is not also counted in a file (see claim_count)
    host_name     its name, as shown to people
    """

    state_dir: Path
    lease: timedelta = timedelta(seconds=120)
    on_uncertain: OnUncertain = "resend"
    return_path: ReturnPath | None = None
    rest: timedelta = timedelta(seconds=1)
    stop: Stop = field(default_factory=Stop)
    host: str = ""
    host_name: str = ""

    @property
    def unanswered(self) -> DeliveryEvent:
        """The event for a message that got no answer.

        It does not depend on the transport. Even an idempotent transport makes a second copy if somebody has taken the
        first away, as an email client does when it moves messages out of the outbox.
        """
        hold = self.on_uncertain == "hold"
        return DeliveryEvent.UNANSWERED_HOLD if hold else DeliveryEvent.UNANSWERED_RESEND


@dataclass(slots=True)
class Tally:
    """The counts in a worker's sign of life. accepted: how many of its messages have been accepted so far."""

    accepted: int = 0


@dataclass(frozen=True, slots=True)
class Run:
    """One worker's run for one edition.

    options     the settings of the run
    worker      the worker's name, under which it claims deliveries
    unanswered  the event for a message that got no answer
    clock       returns the present time, with a time zone
    progress    called with each delivery, its new status and the server's words
    refused     called with each delivery that failed for good, and its last outcome; returns the verdict on it
    tally       the worker's counts, over all its editions
    """

    options: DeliveryOptions
    worker: str
    unanswered: DeliveryEvent
    clock: Callable[[], datetime]
    progress: Progress = lambda delivery, status, reason: None
    refused: Refused = lambda delivery, outcome: Verdict.TEMPORARY
    tally: Tally = field(default_factory=Tally)

    def judge_failure(self, delivery: Delivery, status: DeliveryStatus, outcome: Outcome) -> Verdict | None:
        """Report a server's answer if the delivery has failed for good; return the verdict on it, or else None."""
        if status is not DeliveryStatus.FAILED or not isinstance(outcome, Deferred | Rejected):
            return None
        return None if outcome.at is RefusedAt.HERE else self.refused(delivery, outcome)

    def heartbeat(self, in_doubt: Collection[int] | None = None) -> Heartbeat:
        """Return the worker's current sign of life. in_doubt: see Heartbeat."""
        from publisher.store.workers import Heartbeat  # not at the top, like the store itself

        return Heartbeat(self.clock(), self.options.lease, in_doubt, self.tally.accepted)

    def claim(
        self, store: Store, edition_id: int, limit: int, in_doubt: Collection[int] | None = None
    ) -> Sequence[Delivery]:
        """Lease up to `limit` of the edition's deliveries that are due. in_doubt: see Heartbeat.

        Deliveries to people who have unsubscribed in the meantime are skipped. Raises LeaseLostError if others have
        taken over the worker's deliveries.
        """
        now = self.clock()
        if self.options.host:
            count_claim(store, self.options.state_dir, self.options.host)
        return store.deliveries.claim(
            edition_id,
            self.worker,
            now=now,
            lease_until=now + OTHER_VERSIONS_WAIT,
            limit=limit,
            claimed=moves(DeliveryEvent.CLAIMED),
            left=moves(DeliveryEvent.LEFT),
            beat=self.heartbeat(in_doubt),
        )


@dataclass(frozen=True, slots=True)
class EditionRun:
    """One worker's work on one of its editions.

    merge     makes the messages
    run       the worker's run, with the callbacks of this edition
    priority  how many messages its newsletter may send in a turn
    ended     called when no delivery is due any longer: with None, or with the error if the server refuses the edition
    """

    merge: MailMerge
    run: Run
    priority: int
    ended: Callable[[PublisherError | None], None]


# Returns the editions to begin now.
MoreEditions = Callable[[], Sequence[EditionRun]]
