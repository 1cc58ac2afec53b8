"""What the tests of the sending loop share."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path

from publisher.config import Relay
from publisher.core.newsletter_models import Delivery, DeliveryCounts, Edition
from publisher.mail.queue import deliver
from publisher.mail.run_options import DeliveryOptions
from publisher.mail.smtp_transport import SmtpTransport
from publisher.mail.verp import ReturnPath
from publisher.store import Store
from tests.support.delivery_samples import HEADERS, LINKS, Clock


def everybody(count: int) -> Counter[str]:
    return Counter(f"reader{i}@example.org" for i in range(count))


def send(
    store: Store,
    servers: Sequence[Relay],
    edition: Edition,
    state: Path,
    *,
    clock: Clock | None = None,
    hold: bool = False,
    gone: Callable[[Delivery, str], None] = lambda delivery, reason: None,
    return_path: ReturnPath | None = None,
) -> DeliveryCounts:
    """Deliver over these servers; servers that fail rest only for a moment."""
    rest = timedelta(milliseconds=1)
    options = DeliveryOptions(state, on_uncertain="hold" if hold else "resend", rest=rest, return_path=return_path)
    with SmtpTransport(servers) as transport:
        return deliver(store, transport, edition, HEADERS, LINKS, options=options, clock=clock or Clock(), gone=gone)
