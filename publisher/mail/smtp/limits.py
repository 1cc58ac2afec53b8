"""The limits of a mail server: messages per second, recipients per day, and deliveries that must wait for a domain."""

from __future__ import annotations

import asyncio
import fcntl
import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from publisher.core.errors import ProjectError
from publisher.core.newsletter_models import Delivery

# How many recipients a process reserves at once. A process that is killed wastes this many at most, and never sends
# too many.
BLOCK = 50

# Deliveries to a domain that is at its limit wait in memory for at most this long. For longer waits they return to the
# ledger, which is then asked for them each second.
LONGEST_ASIDE = 5.0
ASK_AGAIN = 1.0


@dataclass(slots=True)
class RateLimit:
    """Turns at a steady rate, none earlier than the rate allows (GCRA, the leaky bucket as a meter). Times in seconds.

    rate   turns per second; 0 for no limit
    burst  seconds by which a turn may come early, so that a busy machine can make up for being late
    """

    rate: float
    burst: float = 0.0
    _next: float = float("-inf")

    def wait(self, now: float) -> float:
        """Return the seconds until the next turn; 0 if it may be taken now."""
        return max(0.0, self._next - self.burst - now) if self.rate else 0.0

    def take(self, now: float) -> None:
        """Take the next turn."""
        if self.rate:
            self._next = max(now, self._next) + 1 / self.rate


class DailyQuota:
    """How many more recipients a mail server may be given today (UTC), counted in a file that all workers share.

    A process reserves some at a time, under the file's lock, and at its end returns those that it did not use.
    """

    def __init__(self, folder: Path, server: str, per_day: int, clock: Callable[[], datetime]) -> None:
        """folder: made if missing. server: its permanent name."""
        self._folder = folder
        self._name = hashlib.sha256(server.encode()).hexdigest()[:16]
        self._per_day = per_day
        self._clock = clock
        self._day = ""
        self._reserved = 0

    def left(self) -> bool:
        """Return whether one more recipient is allowed. Raises ProjectError if the count cannot be kept."""
        day = f"{self._clock().astimezone(UTC):%Y-%m-%d}"
        if day != self._day:
            self._day, self._reserved = day, 0
        if not self._reserved:
            self._reserved = self._change(BLOCK)
        return self._reserved > 0

    def take(self) -> None:
        """Count one recipient; allowed only after `left` returned True."""
        self._reserved -= 1

    def give_back(self) -> None:
        """Take one recipient out of the count, because nothing was delivered."""
        self._reserved += 1

    def close(self) -> None:
        """Return what was reserved and not used."""
        if self._reserved and self._day:
            self._change(-self._reserved)
            self._reserved = 0

    def _change(self, amount: int) -> int:
        """Add the amount to the day's count, or as much of it as the quota allows; return how much was added."""
        path = self._folder / f"{self._name}-{self._day}"
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            with os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), "r+") as file:
                fcntl.flock(file, fcntl.LOCK_EX)
                used = _count(file.read())
                change = min(amount, max(0, self._per_day - used))
                file.seek(0)
                file.truncate()
                file.write(str(max(0, used + change)))
            return change
        except OSError as error:
            what = f"the count of today's recipients of a mail server cannot be kept: {error.strerror or error}"
            raise ProjectError(what, where=str(path), hint="make the file and its folder writable") from error
        except ValueError as error:
            what = f"is not a count of today's recipients, so the limit of {self._per_day:,} cannot be kept"
            hint = "delete it to count from 0, or write today's number into it"
            raise ProjectError(what, where=str(path), hint=hint) from error


def _count(text: str) -> int:
    """Return the number in a count file, 0 if the file is empty; raise ValueError for anything else."""
    if text and not (text.isascii() and text.isdigit() and len(text) < 20):
        raise ValueError(text)
    return int(text or 0)


@dataclass(slots=True, eq=False)
class Claim:
    """A delivery that this run has claimed.

    until   the time of the loop's clock after which it must not be begun any more
    breaks  how many connections broke while they were sending it
    """

    delivery: Delivery
    until: float
    breaks: int = 0

    @property
    def domain(self) -> str:
        """The receiving domain."""
        return self.delivery.address.rpartition("@")[2].lower()


class ThrottledDeliveries:
    """Claims that wait because their receiving domain is at its limit: for some seconds here, for longer in the ledger.

    The claims of a domain are given their turns one after the other, at the domain's rate.
    """

    def __init__(
        self,
        take_back: Callable[[Claim], None],
        give_back: Callable[[Claim, float], None],
        claim_again: Callable[[], None],
    ) -> None:
        """take_back: called with a claim whose turn has come. give_back: puts a claim into the ledger for some seconds.

        claim_again: called to look into the ledger for deliveries that are due again.
        """
        self._take_back, self._give_back, self._claim_again = take_back, give_back, claim_again
        self._loop = asyncio.get_running_loop()
        self._waiting: set[Claim] = set()
        self._turns: dict[str, float] = {}
        self._asking = False

    @property
    def busy(self) -> bool:
        """Whether any claim waits, here or in the ledger."""
        return bool(self._waiting) or self._asking

    def keep(self, claim: Claim, wait: float, rate: float) -> None:
        """Keep a claim until its turn. wait: seconds until the domain's next turn. rate: its turns per second."""
        now = self._loop.time()
        if wait > ASK_AGAIN / 2:
            turn = max(now + wait, self._turns.get(claim.domain, 0.0) + 1 / rate)
            self._turns[claim.domain] = turn
            wait = turn - now
        if wait > LONGEST_ASIDE:
            self._give_back(claim, wait)
            self._ask_later()
        else:
            self._waiting.add(claim)
            self._loop.call_later(wait, self._turn_came, claim)

    def empty(self) -> list[Claim]:
        """Return the claims that wait here, and forget them."""
        waiting, self._waiting = list(self._waiting), set()
        return waiting

    def _turn_came(self, claim: Claim) -> None:
        if claim in self._waiting:
            self._waiting.remove(claim)
            self._take_back(claim)

    def _ask_later(self) -> None:
        """Ask the ledger each second until the last turn that was given has come."""
        if not self._asking and self._loop.time() <= max(self._turns.values()) + ASK_AGAIN:
            self._asking = True
            self._loop.call_later(ASK_AGAIN, self._ask)

    def _ask(self) -> None:
        self._asking = False
        self._ask_later()
        self._claim_again()
