"""The limits of a mail server: messages per second, recipients per day, and waiting times for receiving domains."""

from __future__ import annotations

import asyncio
import fcntl
import hashlib
import os
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import field
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import ClassVar, Protocol

from publisher.config import Smtp
from publisher.config.mail import domain_rates, parse_rate
from publisher.core.errors import ProjectError
from publisher.core.frozen import dataclass
from publisher.core.newsletter_models import Delivery
from publisher.core.private_folder import make_inside

# How many recipients a process reserves at a time. A process that is killed wastes at most this many, and never sends
# to too many.
BLOCK = 50

# How many seconds early a message may be sent under a rate limit, to make up for a timer that fired late.
BURST_SECONDS = 0.05

# Deliveries to a domain that has reached its limit wait in memory for at most LONGEST_ASIDE seconds. For longer waits
# they return to the ledger, which is then queried every ASK_AGAIN seconds.
LONGEST_ASIDE = 5.0
ASK_AGAIN = 1.0


class Pace(Protocol):
    """A limit on messages per second, as pools and queues use it. Times are in seconds of the loop's clock.

    rate    turns per second; 0 for no limit
    strict  whether a turn expires soon after its time, so that it must not be taken too early
    """

    rate: float

    @property
    def strict(self) -> bool:
        """Whether a turn expires soon after its time."""

    def want(self, now: float, messages: int, room: int) -> None:
        """Say how many messages are waiting for a turn, so that turns for them can be fetched.

        room: how many messages connections could take now; at least 1.
        """
        ...

    def wait(self, now: float) -> float:
        """Return how many seconds are left until the next turn; return 0 if it may be taken now."""
        ...

    def take(self, now: float) -> float:
        """Take the next turn; return until when it may be used. Call this only after `wait` has returned 0."""
        ...


class Quota(Protocol):
    """A limit on recipients per day, as pools use it."""

    def left(self) -> bool:
        """Return whether more recipients may be possible today; return False only if the limit is reached."""
        ...

    def want(self, now: float, messages: int) -> None:
        """Say how many messages are waiting, so that recipients can be reserved for them."""
        ...

    def wait(self, now: float) -> float:
        """Return how many seconds to wait until a recipient may be reserved; return 0 if one may be reserved now."""
        ...

    def take(self) -> None:
        """Count one recipient. Call this only after `left` has returned True, and `wait` 0."""
        ...

    def give_back(self) -> None:
        """Remove one recipient from the count, because nothing was delivered."""
        ...


@dataclass(frozen=True, slots=True)
class ServerLimits:
    """The limits of a mail server.

    rate     the limit for all messages
    domains  additional limits for the messages to a receiving domain
    quota    the daily limit on recipients; None for no limit
    """

    rate: Pace
    domains: Mapping[str, Pace] = field(default_factory=dict)
    quota: Quota | None = None

    def quota_wait(self, now: float, messages: int) -> float:
        """Return how many seconds to wait until one of the day's recipients may be used.

        messages: how many are waiting.
        """
        if self.quota is None:
            return 0.0
        self.quota.want(now, messages)
        return self.quota.wait(now)

    def rate_wait(self, now: float, messages: int, room: int) -> float:
        """Return how many seconds to wait until a turn of the rate may be taken.

        messages: how many are waiting. room: how many messages connections could take now; at least 1.
        """
        self.rate.want(now, messages, room)
        return self.rate.wait(now)


def server_name(server: Smtp) -> str:
    """Return the name under which the limits of a server are kept."""
    return f"{server.username}@{server.address}"


def counts_folder(state_dir: Path) -> Path:
    """Return the folder in which a host counts the day's recipients. state_dir: the project's .publisher."""
    return state_dir / "relays"


def next_day(now: datetime) -> datetime:
    """Return when the next day begins for daily limits: at midnight, UTC. now: the present time, with a time zone."""
    return datetime.combine(now.astimezone(UTC).date() + timedelta(days=1), time(), UTC)


def own_limits(server: Smtp, quota: Quota | None = None) -> ServerLimits:
    """Return a server's limits, with rates that this process enforces on its own."""
    domains = {name: RateLimit(rate, BURST_SECONDS) for name, rate in domain_rates(server.domains).items()}
    return ServerLimits(RateLimit(parse_rate(server.rate), BURST_SECONDS), domains, quota)


@dataclass(slots=True)
class RateLimit:
    """A limiter that gives turns at a steady rate (GCRA, the leaky bucket as a meter). Times are in seconds.

    rate   turns per second; 0 for no limit
    burst  how many seconds early a turn may be taken, so that a busy machine can make up for being late
    """

    rate: float
    burst: float = 0.0
    _next: float = float("-inf")
    strict: ClassVar[bool] = False

    def want(self, now: float, messages: int, room: int) -> None:
        """See Pace. Turns need not be fetched."""

    def wait(self, now: float) -> float:
        """See Pace."""
        return max(0.0, self._next - self.burst - now) if self.rate else 0.0

    def take(self, now: float) -> float:
        """See Pace. Turns of this process never expire, so there is no hurry."""
        if self.rate:
            self._next = max(now, self._next) + 1 / self.rate
        return float("inf")


class DailyQuota:
    """The daily limit (in UTC) on the recipients of a mail server, counted in a file that all workers share.

    A process locks the file and reserves several recipients at a time. When it ends, it returns the unused ones.
    """

    def __init__(self, folder: Path, server: str, per_day: int, clock: Callable[[], datetime]) -> None:
        """Prepare to count, without opening the file.

        folder: the folder for the file; it is created if needed. server: the mail server's permanent name. per_day: the
        limit. clock: returns the present time, with a time zone.
        """
        self._folder, self._server = folder, server
        self._per_day = per_day
        self._clock = clock
        self._day = ""
        self._reserved = 0

    def left(self) -> bool:
        """Return whether one more recipient is allowed. Raises ProjectError if the file cannot be read or written."""
        day = f"{self._clock().astimezone(UTC):%Y-%m-%d}"
        if day != self._day:
            self._day, self._reserved = day, 0
        if not self._reserved:
            self._reserved = self._change(BLOCK)
        return self._reserved > 0

    def want(self, now: float, messages: int) -> None:
        """See Quota. `left` reserves recipients itself."""

    def wait(self, now: float) -> float:
        """See Quota. Recipients that `left` has reserved are available immediately."""
        return 0.0

    def take(self) -> None:
        """Count one recipient. Call this only after `left` has returned True."""
        self._reserved -= 1

    def give_back(self) -> None:
        """Remove one recipient from the count, because nothing was delivered."""
        self._reserved += 1

    def close(self) -> None:
        """Return the reserved but unused recipients to the shared count."""
        if self._reserved and self._day:
            self._change(-self._reserved)
            self._reserved = 0

    def _change(self, amount: int) -> int:
        """Add an amount to the day's count, or as much of it as the limit allows; return the number added."""
        path = _count_file(self._folder, self._server, self._day)
        try:
            make_inside(self._folder)
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


def recipients_counted(folder: Path, server: str, day: str) -> int:
    """Return how many of a day's recipients a DailyQuota has given out; 0 if its file cannot be read.

    folder, server: those of the DailyQuota. day: in UTC, such as 2026-11-21.
    """
    try:
        return _count(_count_file(folder, server, day).read_text(encoding="ascii"))
    except (OSError, ValueError):
        return 0


def _count_file(folder: Path, server: str, day: str) -> Path:
    return folder / f"{hashlib.sha256(server.encode()).hexdigest()[:16]}-{day}"


def _count(text: str) -> int:
    """Return the number in the text of a count file, which is 0 for an empty file. Raises ValueError for other text."""
    if text and not (text.isascii() and text.isdigit() and len(text) < 20):
        raise ValueError(text)
    return int(text or 0)


@dataclass(slots=True, eq=False)
class Claim:
    """A delivery that this run has claimed.

    until   the time, by the loop's clock, after which sending it must not begin
    breaks  how many connections broke while they were sending it
    waited  whether it has already waited for a turn of its domain
    """

    delivery: Delivery
    until: float
    breaks: int = 0
    waited: bool = False

    @property
    def domain(self) -> str:
        """Return the receiving domain, in lower case."""
        return self.delivery.address.rpartition("@")[2].lower()


@dataclass(slots=True)
class _DomainLine:
    """The claims that wait for turns of a domain, the next one first.

    due    when the next one has a turn, by the loop's clock
    rate   the domain's turns per second
    alarm  the timer for `due`; it may go off earlier
    """

    rate: float
    due: float
    claims: deque[Claim] = field(default_factory=deque)
    alarm: asyncio.TimerHandle | None = None


class ThrottledDeliveries:
    """Claims that wait because their receiving domain has reached its limit.

    Claims wait here for a few seconds, and for longer in the ledger. The claims of a domain get their turns one after
    the other, at the domain's rate. If another message gets the turn, the claim stays first in line.
    """

    def __init__(
        self,
        take_back: Callable[[Claim], None],
        give_back: Callable[[Claim, float], None],
        claim_again: Callable[[], None],
    ) -> None:
        """Prepare an empty set of waiting claims, inside a running asyncio loop.

        take_back: called with a claim whose turn has come. give_back: called to return a claim to the ledger for some
        seconds. claim_again: called to claim deliveries from the ledger that are due again.
        """
        self._take_back, self._give_back, self._claim_again = take_back, give_back, claim_again
        self._loop = asyncio.get_running_loop()
        self._lines: dict[str, _DomainLine] = {}
        self._turns: dict[str, float] = {}  # the last turn of each domain among the claims that wait in the ledger
        self._asking = False

    @property
    def busy(self) -> bool:
        """Return whether any claim is waiting, here or in the ledger."""
        return self._asking or any(line.claims for line in self._lines.values())

    def waiting_for(self, domain: str) -> int:
        """Return how many claims are waiting here for a turn of a domain."""
        line = self._lines.get(domain)
        return len(line.claims) if line else 0

    def keep(self, claim: Claim, wait: float, rate: float) -> None:
        """Keep a claim until its turn. For a long wait, it goes back to the ledger.

        wait: seconds until the domain's next turn. rate: the domain's turns per second.
        """
        now = self._loop.time()
        line = self._lines.setdefault(claim.domain, _DomainLine(rate, now))
        line.due, line.rate = now + wait, rate
        turn = now + wait + (0 if claim.waited else len(line.claims)) / rate
        if turn - now > LONGEST_ASIDE:
            turn = self._turns[claim.domain] = max(turn, self._turns.get(claim.domain, 0.0) + 1 / rate)
            self._give_back(claim, turn - now)
            self._ask_later()
        elif claim.waited:
            line.claims.appendleft(claim)
        else:
            line.claims.append(claim)
        self._set_alarm(line)

    def empty(self) -> list[Claim]:
        """Return the claims that are waiting here, and forget them."""
        waiting = [claim for line in self._lines.values() for claim in line.claims]
        for line in self._lines.values():
            line.claims.clear()
        return waiting

    def _set_alarm(self, line: _DomainLine) -> None:
        """Make the timer go off when the next claim is due, or earlier, in which case it is set again."""
        if line.claims and (line.alarm is None or line.due < line.alarm.when()):
            if line.alarm is not None:
                line.alarm.cancel()
            line.alarm = self._loop.call_at(line.due, self._alarm_went_off, line)

    def _alarm_went_off(self, line: _DomainLine) -> None:
        line.alarm = None
        if line.claims and self._loop.time() >= line.due:
            claim = line.claims.popleft()
            claim.waited = True
            line.due += 1 / line.rate
            self._take_back(claim)
        self._set_alarm(line)

    def _ask_later(self) -> None:
        """Query the ledger every second until the last scheduled turn has come."""
        if not self._asking and self._loop.time() <= max(self._turns.values()) + ASK_AGAIN:
            self._asking = True
            self._loop.call_later(ASK_AGAIN, self._ask)

    def _ask(self) -> None:
        self._asking = False
        self._ask_later()
        self._claim_again()
