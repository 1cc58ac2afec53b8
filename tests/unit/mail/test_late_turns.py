"""A message that is recorded only after its turn has expired must wait for a new turn."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import cast

from publisher.config import Relay
from publisher.mail.smtp.connection import Connection
from publisher.mail.smtp.limits import Pace, RateLimit, ServerLimits
from publisher.mail.smtp.pool import ConnectionPool, WorkShare
from publisher.mail.smtp.protocol import Message, MessageFate


@dataclass
class Ledger:
    """A coordinator that always has another message. The test decides when a message is recorded."""

    domain: str = "example.org"
    notes: list[Callable[[float], None]] = field(default_factory=list)

    def next_message(self, pool: ConnectionPool) -> Message | None:
        now = asyncio.get_running_loop().time()
        if pool.domain_wait(self.domain, now):
            return None
        pool.count(self.domain, now)
        return Message("ada@example.org", f"reader@{self.domain}", [])

    def note(self, message: Message, noted: Callable[[float], None]) -> None:
        self.notes.append(noted)

    def answered(self, connection: Connection, answer: MessageFate) -> None: ...

    def other_shares(self, pool: ConnectionPool) -> list[WorkShare]:
        return []

    def waiting(self) -> int:
        return 10

    def wake(self) -> None: ...

    def end(self, error: BaseException) -> None:
        raise error


@dataclass
class Turns:
    """A pace with a fixed number of turns. Each turn expires after `usable` seconds."""

    left: int
    usable: float
    rate: float = 20.0
    strict: bool = True

    def want(self, now: float, messages: int, room: int) -> None: ...

    def wait(self, now: float) -> float:
        return 0.0 if self.left else 0.01

    def take(self, now: float) -> float:
        assert self.left
        self.left -= 1
        return now + self.usable


def noted_late(rate: Pace, domain: Pace, give: Callable[[], None]) -> list[str]:
    """Take a message, record it 0.02 seconds later, call `give`, and return what happened, in order."""

    async def take_and_note() -> list[str]:
        ledger, said = Ledger(), []
        limits = ServerLimits(rate, {"example.org": domain})
        pool = ConnectionPool(Relay(), ledger, 1.0, limits, None)
        message = pool.next_message(cast(Connection, object()))
        assert message is not None
        pool.note(message, lambda until: said.append("handed over"))
        await asyncio.sleep(0.02)
        ledger.notes[0](math.inf)
        said.append("noted")
        give()
        await asyncio.sleep(0.05)
        pool.stop()
        return said

    return asyncio.run(take_and_note())


def nothing() -> None: ...


def test_a_message_that_is_noted_in_time_is_handed_over_immediately() -> None:
    assert noted_late(Turns(1, usable=5), Turns(1, usable=5), nothing) == ["handed over", "noted"]


def test_without_shared_limits_no_message_is_late() -> None:
    assert noted_late(RateLimit(20, 0.05), RateLimit(0), nothing) == ["handed over", "noted"]


def test_a_late_message_waits_for_a_new_turn() -> None:
    rate = Turns(1, usable=0.0)
    assert noted_late(rate, Turns(1, usable=5), nothing) == ["noted"]
    rate = Turns(1, usable=0.0)

    def give() -> None:
        rate.left = 1

    assert noted_late(rate, Turns(1, usable=5), give) == ["noted", "handed over"]
    assert rate.left == 0


def test_a_late_message_needs_a_new_turn_from_each_expired_limit() -> None:
    rate, domain = Turns(1, usable=0.0), Turns(1, usable=0.0)

    def give() -> None:
        rate.left = 1

    assert noted_late(rate, domain, give) == ["noted"]
    rate, domain = Turns(1, usable=0.0), Turns(1, usable=0.0)

    def give_both() -> None:
        rate.left = domain.left = 1

    assert noted_late(rate, domain, give_both) == ["noted", "handed over"]
