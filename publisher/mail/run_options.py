"""What a run of the sending loop is told."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from publisher.core.newsletter_models import Delivery, DeliveryStatus
from publisher.mail.cancellation import Stop
from publisher.mail.journal import Journal
from publisher.mail.lifecycle import Event


@dataclass(frozen=True, slots=True)
class Order:
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
    unanswered: Event
    clock: Callable[[], datetime]
    progress: Callable[[Delivery, DeliveryStatus, str], None]
    gone: Callable[[Delivery, str], None]
    journal: Journal
    rest: timedelta = timedelta(seconds=1)
    stop: Stop = field(default_factory=Stop)
