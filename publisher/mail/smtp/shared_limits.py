"""The limits of mail servers that all workers on a PostgreSQL database share.

A worker asks the database for turns of a rate, or for some of the day's recipients, when it has messages waiting, and
again shortly before they are used up. Questions and answers go through a separate thread, so the loop never waits for
the database. See publisher.store.sending_limits for the meaning of a grant.
"""

from __future__ import annotations

import asyncio
import hashlib
import math
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

from publisher.config import Smtp
from publisher.config.mail import domain_rates, parse_rate
from publisher.core.errors import StoreError
from publisher.mail.database_retries import Patience
from publisher.mail.smtp.limits import BURST_SECONDS, Pace, RateLimit, ServerLimits, server_name
from publisher.store.sending_limits import DayGrant, RateGrant, SendingLimits, most_turns

# The next turns are requested when the current ones will be used up within this many seconds.
PREFETCH_SECONDS = 0.25

# Even a worker that is slower than the rate asks for at least this many turns at a time.
LEAST_TURNS = 8

# How soon to check again, in seconds, while the answer is on its way.
ANSWER_SECONDS = 0.02

# With a slow rate, a turn may be used this many seconds late, because the next one is far away.
LATEST_SECONDS = 0.5

# How many of the day's recipients are requested at a time, at first and at most: about as many as are used in half a
# second.
FIRST_RECIPIENTS, MOST_RECIPIENTS = 1, 1_000
RECIPIENTS_SECONDS = 0.25

# A reached daily limit is remembered for this many seconds.
REMEMBERED_SECONDS = 1.0

DAY_SECONDS = 86_400.0

# How many seconds to wait for open questions at the end of a run.
CLOSE_SECONDS = 10.0

Answer = TypeVar("Answer")

# An answer that arrives up to this many seconds after midnight may be about a recipient of the previous day.
YESTERDAY_SECONDS = 3_600.0

# For how many seconds an exchange with the database says how its clock differs, and how many exchanges are compared.
SAMPLE_SECONDS, SAMPLES = 60.0, 8


def lateness(rate: float) -> float:
    """Return how many seconds late a turn may be used. rate: turns per second.

    It is short enough that no second and no period with 20 turns has more than 10 % too many.
    """
    return max(BURST_SECONDS, min(LATEST_SECONDS, 0.5 / rate))


def usable(rate: float) -> float:
    """Return how many seconds after a turn its message may still be handed over. rate: turns per second.

    A message that took its turn in time may be delayed after that, by the ledger or by the previous message. With a
    rate below one per second, the server would hang up before the next turn.
    """
    return max(2 * BURST_SECONDS, 1 / rate) * 0.9 if rate >= 1 else float("inf")


@dataclass(slots=True)
class _Turns:
    """Turns that may be used: the time of the first, and their number."""

    at: float
    count: int


class SharedRate:
    """A Pace with turns that the database has granted to this worker.

    A turn may be used a little late, to make up for a timer that fired late, and is lost after that. While a worker
    loses turns because it is slower than the rate, it asks for fewer at a time, so that others can use them.
    """

    def __init__(self, rate: float, ask: Callable[[int], None]) -> None:
        """Prepare a limit without turns.

        rate: turns per second. ask: called with the number of turns to ask for; a call of `granted` or `refused` must
        follow.
        """
        self.rate = rate
        self.strict = math.isfinite(usable(rate))
        self._ask = ask
        self._late = lateness(rate)
        self._granted: deque[_Turns] = deque()
        self._asking = False
        self._ask_at = self._end = float("-inf")
        self._size = self._most = most_turns(rate)  # the maximum to ask for, now and ever
        self._used = self._missed = 0  # turns since the last change of the size
        self._used_before = 0.0  # turns that were used in a quarter of a second before it
        self._since = float("-inf")

    def want(self, now: float, messages: int, room: int) -> None:
        """See Pace. In the long run, the number of turns requested follows the number used recently."""
        self._forget_missed(now)
        self._adapt(now)
        held = sum([turns.count for turns in self._granted])
        if self._asking or now < self._ask_at or held >= messages:
            return
        if not held or self._end - now <= PREFETCH_SECONDS:
            self._asking = True
            self._ask(min(max(min(room, messages - held), int(self._used_before)), self._size))

    def wait(self, now: float) -> float:
        """See Pace."""
        self._forget_missed(now)
        if self._granted:
            return max(0.0, self._granted[0].at - now)
        return max(self._ask_at - now, ANSWER_SECONDS)

    def take(self, now: float) -> float:
        """See Pace."""
        if not self._granted:
            return float("-inf")
        until = self._granted[0].at + usable(self.rate)
        self._used += 1
        self._pass_by(1)
        return until

    def granted(self, turns: int, at: float) -> None:
        """Add turns. at: when the first one may be used."""
        self._asking = False
        self._granted.append(_Turns(at, turns))
        self._end = at + turns / self.rate

    def refused(self, ask_at: float) -> None:
        """Ask for no turns before this time, because there are none yet."""
        self._asking = False
        self._ask_at = ask_at

    def forget(self) -> None:
        """Drop the remaining turns, because the database may have forgotten that it granted them."""
        self._granted.clear()
        self._end = float("-inf")

    def _adapt(self, now: float) -> None:
        """Each quarter of a second, ask for half as many turns if some were lost, and for twice as many if not."""
        if (period := now - self._since) < PREFETCH_SECONDS:
            return
        lost = self._missed > self._used / 10
        self._size = max(min(LEAST_TURNS, self._most), self._size // 2) if lost else min(2 * self._size, self._most)
        self._used_before, self._used, self._missed, self._since = self._used * PREFETCH_SECONDS / period, 0, 0, now

    def _forget_missed(self, now: float) -> None:
        while self._granted:
            first = self._granted[0]
            missed = min(math.ceil((now - self._late - first.at) * self.rate), first.count)
            if missed <= 0:
                return
            self._missed += missed
            self._pass_by(missed)

    def _pass_by(self, count: int) -> None:
        first = self._granted[0]
        first.count -= count
        first.at += count / self.rate
        if not first.count:
            self._granted.popleft()


class SharedQuota:
    """A Quota with recipients that the database has granted to this worker, for the day by the database's clock (UTC).

    name  the server's name in the database
    day   the day for which recipients are reserved, such as 2026-11-21
    """

    def __init__(self, name: str, most: int, clock: Callable[[], float], ask: Callable[[int], None]) -> None:
        """Prepare a limit without recipients.

        most: the maximum number of recipients to ask for. clock: returns the loop's time. ask: called with the number
        of recipients to ask for; a call of `granted` must follow.
        """
        self.name, self.day = name, ""
        self._clock, self._ask, self._most = clock, ask, most
        self._reserved = 0
        self._size = FIRST_RECIPIENTS
        self._asking = False
        self._reached_until = self._day_ends = self._asked_at = float("-inf")

    def left(self) -> bool:
        """See Quota."""
        return self.reserved > 0 or self._clock() >= self._reached_until

    @property
    def reserved(self) -> int:
        """How many recipients this worker may still use today."""
        if self._clock() >= self._day_ends:
            self._reserved = 0
        return self._reserved

    def want(self, now: float, messages: int) -> None:
        """See Quota."""
        held = self.reserved
        if self._asking or now < self._reached_until or held >= messages or 2 * held > self._size:
            return
        since, self._asked_at = now - self._asked_at, now
        if since < RECIPIENTS_SECONDS:
            self._size = min(2 * self._size, self._most)
        elif since > 4 * RECIPIENTS_SECONDS:
            self._size = FIRST_RECIPIENTS
        self._asking = True
        self._ask(min(messages - held, self._size))

    def wait(self, now: float) -> float:
        """See Quota."""
        return 0.0 if self.reserved else ANSWER_SECONDS

    def take(self) -> None:
        """See Quota."""
        self._reserved -= 1

    def give_back(self) -> None:
        """See Quota. Just after midnight, the recipient is lost instead, in case it was counted yesterday."""
        if self._day_ends - self._clock() < DAY_SECONDS - YESTERDAY_SECONDS:
            self._reserved += 1

    def granted(self, grant: DayGrant, asked: float) -> None:
        """Add recipients, or remember for a moment that there are none. asked: when they were asked for."""
        self._asking = False
        if grant.day != self.day:
            self.day, self._reserved = grant.day, 0
        self._day_ends = asked + grant.left
        self._reserved += grant.recipients
        self._reached_until = float("-inf") if grant.recipients else self._clock() + REMEMBERED_SECONDS

    def give_up(self) -> int:
        """Return how many recipients were not used; they are no longer reserved."""
        unused, self._reserved = self.reserved, 0
        return unused


class ClockDifference:
    """How far the database's clock is ahead of the loop's.

    The fastest of the last exchanges counts, because its answer is the most exact (RFC 5905, 10: the clock filter).
    """

    def __init__(self) -> None:
        self._samples: deque[tuple[float, float, float]] = deque(maxlen=SAMPLES)  # inaccuracy, difference, time

    def compare(self, asked: float, read_at: float, answered: float) -> None:
        """Add an exchange: the loop's time before and after it, and the database's time in between."""
        inexact, difference = (answered - asked) / 2, read_at - (asked + answered) / 2
        fresh = [sample for sample in self._samples if answered - sample[2] <= SAMPLE_SECONDS]
        if fresh:
            best = min(fresh)
            if abs(difference - best[1]) > inexact + best[0] + 0.005:
                fresh = []  # one of the clocks was set
        self._samples.clear()
        self._samples.extend([*fresh, (inexact, difference, answered)])

    def by_loop(self, moment: float) -> float:
        """Return the loop's time at a moment of the database's clock."""
        return moment - min(self._samples)[1]


class SharedLimits:
    """A run's requests to the database about the limits of its servers."""

    def __init__(
        self,
        limits: SendingLimits,
        wake: Callable[[], None],
        failed: Callable[[BaseException], None],
        patience: Patience | None = None,
    ) -> None:
        """Prepare the thread, inside a running asyncio loop.

        limits: the database's. wake: called after each answer. failed: called with the error if the database cannot be
        queried. After that, there are no more requests. patience: how to retry while the database is away; None for no
        retries. A repeated request may already have been granted unnoticed; that grant is lost.
        """
        self._limits, self._wake, self._failed = limits, wake, failed
        self._patience = patience or Patience(0.0)
        self._patience.notify(self._database_away)
        self._rates: list[SharedRate] = []
        self._loop = asyncio.get_running_loop()
        self._thread = ThreadPoolExecutor(1, "publisher-limits")
        self._clocks = ClockDifference()
        self._quotas: list[SharedQuota] = []
        self._open: set[asyncio.Future[Any]] = set()
        self._broken = False

    def of(self, server: Smtp) -> ServerLimits:
        """Return the limits of a server."""
        name = server_name(server)
        rates = domain_rates(server.domains)
        domains = {domain: self._rate(f"{name} {domain}", rate) for domain, rate in rates.items()}
        rate = parse_rate(server.rate)
        quota = self._quota(name, server.per_day, rate) if server.per_day else None
        return ServerLimits(self._rate(name, rate), domains, quota)

    async def close(self) -> None:
        """Return the recipients that were not used, and end the thread. If the database is away, they are lost."""
        if self._open and (await asyncio.wait(self._open, timeout=CLOSE_SECONDS))[1]:
            self._thread.shutdown(wait=False)  # the database does not answer
            return
        for quota in self._quotas:
            if (unused := quota.give_up()) and not self._broken:
                give_back = partial(self._limits.return_recipients, quota.name, quota.day, unused)
                with suppress(StoreError):
                    await self._loop.run_in_executor(self._thread, give_back)
        self._thread.shutdown(wait=True)

    def _rate(self, name: str, rate: float) -> Pace:
        if not rate:
            return RateLimit(0.0)
        take = partial(self._limits.take_turns, hashed(name), rate, late=lateness(rate) / 2, timer=self._loop.time)

        def ask(turns: int) -> None:
            """Ask the database for this many turns."""
            self._ask(partial(take, turns), answered)

        def answered(grant: RateGrant) -> None:
            """Pass on the turns that the database has granted, converted to the clock of this process."""
            self._clocks.compare(grant.asked, grant.read_at, grant.answered)
            at = self._clocks.by_loop(grant.at)
            shared.granted(grant.turns, at) if grant.turns else shared.refused(at)

        shared = SharedRate(rate, ask)
        self._rates.append(shared)
        return shared

    def _quota(self, name: str, per_day: int, rate: float) -> SharedQuota:
        def ask(recipients: int) -> None:
            """Ask the database for this many of the day's recipients."""
            asked = self._loop.time()
            take = partial(self._limits.take_recipients, quota.name, recipients, per_day)
            self._ask(take, lambda grant: quota.granted(grant, asked))

        most = most_turns(rate) if rate else MOST_RECIPIENTS
        quota = SharedQuota(hashed(name), most, self._loop.time, ask)
        self._quotas.append(quota)
        return quota

    def _ask(self, question: Callable[[], Answer], answered: Callable[[Answer], None]) -> None:
        """Ask the database in the thread. answered: called with the answer, on the loop."""
        if self._broken:
            return

        def came(asked: asyncio.Future[Answer]) -> None:
            """Pass on an answer, or report that there was none."""
            self._open.discard(asked)
            if error := asked.exception():
                self._broken = True
                self._failed(error)
            else:
                answered(asked.result())
                self._wake()

        asked = self._loop.run_in_executor(self._thread, self._patience.keep_trying, lambda has_failed: question())
        self._open.add(asked)
        asked.add_done_callback(came)

    def _database_away(self) -> None:
        """Forget all turns on the loop. A crash can make the database forget its last grants."""

        def forget() -> None:
            """Forget the turns of every rate."""
            for rate in self._rates:
                rate.forget()

        with suppress(RuntimeError):  # the loop has ended
            self._loop.call_soon_threadsafe(forget)


def hashed(name: str) -> str:
    """Return the name of a limit in the database."""
    return hashlib.sha256(name.encode()).hexdigest()
