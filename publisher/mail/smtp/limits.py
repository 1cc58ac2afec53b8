"""How fast, and whether at all: pure values over a clock that is an argument, in seconds."""

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


@dataclass(slots=True)
class RateLimit:
    """Turns at a steady rate, each as late as the rate demands and no later (GCRA, the leaky bucket as a meter).

    rate   turns a second; 0 for no limit
    burst  seconds by which turns may be early: what a busy machine makes up for after it was late
    """

    rate: float
    burst: float = 0.0
    _next: float = float("-inf")

    def wait(self, now: float) -> float:
        """Return the seconds until the next turn; 0 when it may be taken now."""
        return max(0.0, self._next - self.burst - now) if self.rate else 0.0

    def take(self, now: float) -> None:
        """Take the next turn."""
        if self.rate:
            self._next = max(now, self._next) + 1 / self.rate


# So many are reserved at once; a process that is killed takes as many with it, never too many the other way.
BLOCK = 50


class DailyQuota:
    """How many recipients a relay may still be given today (UTC).

    A process reserves a few at a time, under the file's lock, and gives back at its end what it did not use.
    """

    def __init__(self, folder: Path, relay: str, per_day: int, clock: Callable[[], datetime]) -> None:
        """folder: made if missing. relay: its permanent name."""
        self._folder = folder
        self._name = hashlib.sha256(relay.encode()).hexdigest()[:16]
        self._per_day = per_day
        self._clock = clock
        self._day = ""
        self._reserved = 0

    def left(self) -> bool:
        """Return whether one more may be given. Raises ProjectError where the count cannot be kept."""
        day = f"{self._clock().astimezone(UTC):%Y-%m-%d}"
        if day != self._day:
            self._day, self._reserved = day, 0
        if not self._reserved:
            self._reserved = self._change(BLOCK)
        return self._reserved > 0

    def take(self) -> None:
        """Count one recipient; only after `left` said yes."""
        self._reserved -= 1

    def give_back(self) -> None:
        """Take one recipient out of the count: nothing was delivered."""
        self._reserved += 1

    def close(self) -> None:
        """Return what was reserved and not used."""
        if self._reserved and self._day:
            self._change(-self._reserved)
            self._reserved = 0

    def _change(self, amount: int) -> int:
        """Add to the day's count as much of the amount as the limit allows; return how much that was."""
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
            what = f"the count of a relay's day cannot be kept: {error.strerror or error}"
            raise ProjectError(what, where=str(path), hint="the file and its folder must be writable") from error
        except ValueError as error:
            what = f"holds no count of a relay's recipients of the day, so that {self._per_day:,} cannot be kept to"
            hint = "delete it, and the count begins anew; or write into it how many there were today"
            raise ProjectError(what, where=str(path), hint=hint) from error


def _count(text: str) -> int:
    """Return what a file holds, 0 of an empty one; raise ValueError for what is no count."""
    if text and not (text.isascii() and text.isdigit() and len(text) < 20):
        raise ValueError(text)
    return int(text or 0)


# Messages for a domain at its limit wait in memory for at most so long, others in the ledger; while any do, it
# is asked again each second.
LONGEST_ASIDE = 5.0
ASK_AGAIN = 1.0


@dataclass(slots=True, eq=False)
class Claim:
    """A claimed delivery. until: of the loop's clock; it is not begun any later."""

    delivery: Delivery
    until: float
    breaks: int = 0

    @property
    def domain(self) -> str:
        """The receiving domain."""
        return self.delivery.address.rpartition("@")[2].lower()


class ThrottledDeliveries:
    """See the module. Each domain's deliveries are promised turns, one after the other, at the domain's rate."""

    def __init__(
        self, back: Callable[[Claim], None], give_back: Callable[[Claim, float], None], ask: Callable[[], None]
    ) -> None:
        """back: takes a job whose turn has come. give_back: returns one to the ledger for so many seconds.

        ask: looks into the ledger for what is due again.
        """
        self._back, self._give_back, self._ask = back, give_back, ask
        self._loop = asyncio.get_running_loop()
        self._jobs: set[Claim] = set()
        self._turns: dict[str, float] = {}
        self._asking = False

    @property
    def busy(self) -> bool:
        """Whether anything waits, here or in the ledger."""
        return bool(self._jobs) or self._asking

    def keep(self, job: Claim, wait: float, rate: float) -> None:
        """Keep a job until its turn. wait: seconds until the domain may have one. rate: of the domain, a second."""
        now = self._loop.time()
        if wait > ASK_AGAIN / 2:
            turn = max(now + wait, self._turns.get(job.domain, 0.0) + 1 / rate)
            self._turns[job.domain] = turn
            wait = turn - now
        if wait > LONGEST_ASIDE:
            self._give_back(job, wait)
            self._ask_later()
        else:
            self._jobs.add(job)
            self._loop.call_later(wait, self._turn, job)

    def empty(self) -> list[Claim]:
        """Return what waits here, and keep it no longer."""
        jobs, self._jobs = list(self._jobs), set()
        return jobs

    def _turn(self, job: Claim) -> None:
        if job in self._jobs:
            self._jobs.remove(job)
            self._back(job)

    def _ask_later(self) -> None:
        """Ask each second while a turn is promised that has not come."""
        if not self._asking and self._loop.time() <= max(self._turns.values()) + ASK_AGAIN:
            self._asking = True
            self._loop.call_later(ASK_AGAIN, self._ring)

    def _ring(self) -> None:
        self._asking = False
        self._ask_later()
        self._ask()
