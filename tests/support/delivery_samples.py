"""What the tests of delivery share: an edition, a clock, a scripted transport."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Self

from publisher.core.newsletter_models import DeliveryCounts, Edition, Letter, Mark
from publisher.mail.links import Links
from publisher.mail.message import NewsletterHeaders
from publisher.mail.queue import deliver
from publisher.mail.run_options import DeliveryOptions
from publisher.mail.transport import Accepted, Outcome, Transport
from publisher.store import Store
from tests.support.store_samples import NOW, add_people, draft, person

HEADERS = NewsletterHeaders(title="Weekly", sender="Ada <ada@example.org>", list_id="weekly.example.org")
LINKS = Links("https://letters.example.org", "a secret for tests only")
LETTER = Letter("", "Hello", "", f"<p>Hello {Mark.NAME}</p>", f"Hello {Mark.NAME}\n{Mark.UNSUBSCRIBE}\n")


@dataclass
class Clock:
    """A clock that moves only when `move` is called."""

    now: datetime = NOW

    def __call__(self) -> datetime:
        return self.now

    def move(self, **delta: float) -> None:
        self.now += timedelta(**delta)


@dataclass
class Scripted:
    """A transport that accepts messages, unless `script` or `at` says otherwise for the address or the count."""

    script: dict[str, list[Outcome]] = field(default_factory=dict)
    at: dict[int, BaseException] = field(default_factory=dict)
    idempotent: bool = False
    before: Callable[[str], None] = lambda address: None
    sent: Counter[str] = field(default_factory=Counter)
    messages: dict[str, set[bytes]] = field(default_factory=dict)

    def send(self, envelope_from: str, address: str, message: bytes, key: str) -> Outcome:
        self.before(address)
        if self.sent.total() in self.at:
            raise self.at.pop(self.sent.total())
        turns = self.script.get(address)
        answer = turns.pop(0) if turns else Accepted()
        self.sent[address] += 1
        self.messages.setdefault(address, set()).add(message)
        return answer

    def close(self) -> None:
        """Do nothing: no connection is open."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *raised: object) -> None:
        self.close()


def make_edition(store: Store, readers: int, slot: str = "2026-W47", **changes: Any) -> Edition:
    """Make an edition with this many subscribers."""
    add_people(store, readers)
    edition = store.editions.create(draft(slot, letters=(LETTER,), **changes))
    assert edition is not None
    return edition


def make_small(store: Store, newsletter: str, *addresses: str) -> Edition:
    """Make an edition of another newsletter for these people."""
    store.subscribers.add_many([person(each, newsletter) for each in addresses], at=NOW, source="test")
    edition = store.editions.create(draft("small", newsletter=newsletter, letters=(LETTER,)))
    assert edition is not None
    return edition


def run(
    store: Store,
    transport: Transport,
    edition: Edition,
    state_dir: Path,
    *,
    clock: Callable[[], datetime] | None = None,
    hold: bool = False,
) -> DeliveryCounts:
    """Deliver with the usual options."""
    options = DeliveryOptions(state_dir, on_uncertain="hold" if hold else "resend")
    return deliver(store, transport, edition, HEADERS, LINKS, options=options, clock=clock or Clock())
