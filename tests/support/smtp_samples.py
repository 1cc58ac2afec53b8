"""What the tests of the sending loop share."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from publisher.bounces.apply import judge_refusal
from publisher.config import Relay
from publisher.core.bounce_report import Verdict
from publisher.core.errors import StoppedError
from publisher.core.newsletter_models import Delivery, DeliveryCounts, Edition
from publisher.mail.queue import deliver
from publisher.mail.run_options import DeliveryOptions, OnUncertain, Refused, Stop
from publisher.mail.smtp_transport import SmtpTransport
from publisher.mail.transport import Deferred, Rejected
from publisher.mail.verp import ReturnPath
from publisher.store import Store
from tests.support.delivery_samples import HEADERS, LINKS, Clock

LONGEST_SECONDS = 300


def everybody(count: int) -> Counter[str]:
    return Counter(f"reader{i}@example.org" for i in range(count))


def wait_until(condition: Callable[[], bool]) -> None:
    """Wait for a condition that becomes true unless something hangs."""
    until = time.monotonic() + LONGEST_SECONDS
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.005)


@contextmanager
def ended_in_time(stop: Stop) -> Iterator[None]:
    """Stop a run that is still going after LONGEST_SECONDS, and fail the test."""
    alarm = threading.Timer(LONGEST_SECONDS, stop.ask)
    alarm.start()
    try:
        yield
    except StoppedError:
        pytest.fail(f"the run did not end within {LONGEST_SECONDS} s")
    finally:
        alarm.cancel()


def judged(delivery: Delivery, outcome: Deferred | Rejected) -> Verdict:
    """Return the verdict on a delivery that has failed permanently."""
    return judge_refusal(delivery.id, outcome.reason).verdict


def send(
    store: Store,
    servers: Sequence[Relay],
    edition: Edition,
    state: Path,
    *,
    clock: Clock | None = None,
    hold: bool = False,
    refused: Refused = judged,
    return_path: ReturnPath | None = None,
) -> DeliveryCounts:
    """Deliver through these servers; failing servers pause only briefly. A run that does not end fails the test."""
    rest, stop = timedelta(milliseconds=1), Stop()
    on_uncertain: OnUncertain = "hold" if hold else "resend"
    options = DeliveryOptions(state, on_uncertain=on_uncertain, rest=rest, return_path=return_path, stop=stop)
    with SmtpTransport(servers) as transport, ended_in_time(stop):
        now = clock or Clock()
        return deliver(store, transport, edition, HEADERS, LINKS, options=options, clock=now, refused=refused)
