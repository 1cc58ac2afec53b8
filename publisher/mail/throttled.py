"""Deliveries that wait because their receiving domain is at its limit: here for a moment, or in the ledger."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from publisher.core.newsletter_models import Delivery

# Messages for a domain at its limit wait in memory for at most so long, others in the ledger; while any do, it
# is asked again each second.
LONGEST_ASIDE = 5.0
ASK_AGAIN = 1.0


@dataclass(slots=True, eq=False)
class Job:
    """A claimed delivery. until: of the loop's clock; it is not begun any later."""

    delivery: Delivery
    until: float
    breaks: int = 0

    @property
    def domain(self) -> str:
        """The receiving domain."""
        return self.delivery.address.rpartition("@")[2].lower()


class Aside:
    """See the module. Each domain's deliveries are promised turns, one after the other, at the domain's rate."""

    def __init__(
        self, back: Callable[[Job], None], give_back: Callable[[Job, float], None], ask: Callable[[], None]
    ) -> None:
        """back: takes a job whose turn has come. give_back: returns one to the ledger for so many seconds.

        ask: looks into the ledger for what is due again.
        """
        self._back, self._give_back, self._ask = back, give_back, ask
        self._loop = asyncio.get_running_loop()
        self._jobs: set[Job] = set()
        self._turns: dict[str, float] = {}
        self._asking = False

    @property
    def busy(self) -> bool:
        """Whether anything waits, here or in the ledger."""
        return bool(self._jobs) or self._asking

    def keep(self, job: Job, wait: float, rate: float) -> None:
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

    def empty(self) -> list[Job]:
        """Return what waits here, and keep it no longer."""
        jobs, self._jobs = list(self._jobs), set()
        return jobs

    def _turn(self, job: Job) -> None:
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
