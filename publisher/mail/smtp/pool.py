"""One relay of a run: its connections, its limits, and how it does."""

from __future__ import annotations

import asyncio
import ssl
from dataclasses import dataclass, replace
from typing import Protocol

from publisher.config import Relay
from publisher.config.mail import domain_rates, parse_rate
from publisher.core.errors import TransportError
from publisher.mail.smtp.connection import Connection, UnreachableError, open_connection
from publisher.mail.smtp.limits import DailyQuota, RateLimit
from publisher.mail.smtp.protocol import Answer, Ending, Message
from publisher.mail.transport import Accepted, GivenBack, Unanswered

# A relay that fails is left alone for twice as long each time, but not longer than this.
LONGEST_REST = 60.0


# So many failures in a row, each after a rest, and a run gives a relay up.
FAILURES = 5


@dataclass(frozen=True, slots=True)
class ServerHealth:
    """How a relay does.

    worked    a connection was made in this run, so that its settings are right
    failures  in a row
    until     when its rest is over
    broken    it is of no use in this run: it cannot be reached with these settings
    rest      seconds of the first rest
    """

    rest: float = 1.0
    worked: bool = False
    failures: int = 0
    until: float = float("-inf")
    broken: bool = False
    reason: str = ""
    hint: str = ""

    @property
    def hopeless(self) -> bool:
        """Whether this run should not ask it again."""
        return self.broken or self.failures >= (FAILURES if self.worked else 1)

    def resting(self, now: float) -> bool:
        """Whether it should be left alone for now."""
        return now < self.until

    def reached(self) -> ServerHealth:
        """Return its health after a connection was made."""
        return replace(self, worked=True)

    def well(self) -> ServerHealth:
        """Return its health after it took or refused a message: either way it works."""
        return replace(self, failures=0, until=float("-inf")) if self.failures else self

    def failed(self, now: float, reason: str, hint: str = "", *, broken: bool = False) -> ServerHealth:
        """Return its health after a connection failed. What fails while it rests was begun before, and is one."""
        failures = self.failures if self.resting(now) else self.failures + 1
        rest = min(self.rest * 2.0 ** (failures - 1), LONGEST_REST)
        until = self.until if self.resting(now) else now + rest
        return replace(self, failures=failures, until=until, broken=self.broken or broken, reason=reason, hint=hint)


@dataclass(frozen=True, slots=True)
class WorkShare:
    """One relay's part of the work, for `may_take`. lively: it takes messages as fast as it is given them."""

    taken: int
    weight: int
    lively: bool


# So many messages more than its share a relay may take before the others had theirs: what its connections
# hold in hand.
AHEAD = 8


def may_take(own: WorkShare, others: list[WorkShare]) -> bool:
    """Return whether a relay may take one more, so that relays that keep up get parts like their weights.

    One that does not keep up, because it rests, has reached a limit or is slow to answer, holds nobody back.
    """
    mine = (own.taken - AHEAD) / own.weight
    return all(mine < other.taken / other.weight for other in others if other.lively)


# How far a rate may run ahead to make up for a timer that rang late.
BURST_SECONDS = 0.05

# A relay with connections that has not answered for so long holds the others to their shares no more.
SILENT_SECONDS = 2.0


class Coordinator(Protocol):
    """Where relays get their messages, and bring back what became of them."""

    def next_message(self, relay: ConnectionPool, line: Connection) -> Message | None:
        """Return a message for the relay, or None."""
        ...

    def hands_over(self, message: Message) -> bool:
        """Write down that the message is about to be handed over; return whether it may be."""
        ...

    def answered(self, relay: ConnectionPool, line: Connection, answer: Answer) -> None:
        """Take a message's fate."""
        ...

    def shares_beside(self, relay: ConnectionPool) -> list[WorkShare]:
        """Return the shares of the other relays."""
        ...

    def waiting(self) -> int:
        """Return how many messages nobody has taken yet."""
        ...

    def look(self) -> None:
        """Know that something changed: there may be work, or none left."""
        ...

    def end(self, error: BaseException) -> None:
        """End the run because of a defect or of a file that cannot be written."""
        ...


class ConnectionPool:
    """See the module. It is the crew of its lines."""

    def __init__(
        self,
        server: Relay,
        desk: Coordinator,
        rest: float,
        allowance: DailyQuota | None,
        context: ssl.SSLContext | None,
    ) -> None:
        """rest: in seconds, after its first failure. allowance: of recipients a day, None for no limit.

        context: which certificates to trust; None for the system's.
        """
        self.server = server
        self.health = ServerHealth(rest)
        self._desk = desk
        self._context = context
        self._allowance = allowance
        self._loop = asyncio.get_running_loop()
        self._pace = RateLimit(parse_rate(server.rate), BURST_SECONDS)
        self._domains = {name: RateLimit(rate, BURST_SECONDS) for name, rate in domain_rates(server.domains).items()}
        self._lines: set[Connection] = set()
        self._idle: set[Connection] = set()
        self._opening: set[asyncio.Task[None]] = set()
        self._let_down: set[Connection] = set()  # lines that broke with something in hand
        self._answered_at = self._loop.time()
        self._alarm: asyncio.TimerHandle | None = None
        self._stopping = False
        self.taken = 0
        self.held = False  # it waits for the others to have their shares

    def begin_as(self, before: ServerHealth | None) -> None:
        """Know how it did with the edition before: one whose settings are wrong is not asked again by this run.

        A login that is tried again and again locks the account.
        """
        if before is not None and before.broken:
            self.health = before

    @property
    def closed(self) -> bool:
        """Whether no connection is left."""
        return not self._lines and not self._opening

    @property
    def spent(self) -> bool:
        """Whether it has reached its recipients of the day."""
        return self._allowance is not None and not self._allowance.left()

    def share(self) -> WorkShare:
        """Return its part of the work so far."""
        now = self._loop.time()
        able = bool(self._lines) and not self.health.resting(now) and not self._pace.wait(now) and not self.spent
        return WorkShare(self.taken, self.server.weight, able and now - self._answered_at < SILENT_SECONDS)

    def next_message(self, line: Connection) -> Message | None:
        """See Crew: a message, where limits and shares allow one."""
        message = self._desk.next_message(self, line) if self._may_take() else None
        if message is None:
            self._idle.add(line)
            return None
        self._pace.take(self._loop.time())
        self.taken += 1
        return message

    def hands_over(self, message: Message) -> bool:
        """See Crew."""
        return self._desk.hands_over(message)

    def domain_wait(self, domain: str, now: float) -> float:
        """Return the seconds until a message may go to a receiving domain."""
        pace = self._domains.get(domain) if self._domains else None
        return pace.wait(now) if pace else 0.0

    def domain_rate(self, domain: str) -> float:
        """Return the limit of a receiving domain, in messages a second; 0 for none."""
        pace = self._domains.get(domain)
        return pace.rate if pace else 0.0

    def takes_for(self, domain: str, now: float) -> None:
        """Count a message to a receiving domain, and one of the day's."""
        if pace := self._domains.get(domain):
            pace.take(now)
        if self._allowance is not None:
            self._allowance.take()

    def answered(self, line: Connection, answer: Answer) -> None:
        """See Crew."""
        if isinstance(answer.fate, GivenBack | Unanswered):
            self._let_down.add(line)
        else:
            self._answered_at = self._loop.time()
            self.health = self.health.well()
        if self._allowance is not None and not isinstance(answer.fate, Accepted | Unanswered):
            self._allowance.give_back()
        self._desk.answered(self, line, answer)

    def ended(self, line: Connection, ending: Ending) -> None:
        """See Crew: a line that held something, or was refused, is a failure of the relay."""
        self._lines.discard(line)
        self._idle.discard(line)
        if (line in self._let_down or ending.hint) and not self._stopping:
            self._failed(ending.reason, ending.hint, broken=bool(ending.hint))
        self._let_down.discard(line)
        self._desk.look()

    def work(self) -> None:
        """Give idle connections work, and open more for what nobody takes."""
        idle, self._idle = self._idle, set()
        for line in idle:
            line.pump()
        if not self._idle and self._may_open():
            room = self._most() - len(self._lines) - len(self._opening)
            for _ in range(min(room, self._desk.waiting() - len(self._opening))):
                task = asyncio.ensure_future(self._open())
                self._opening.add(task)
                task.add_done_callback(self._opening.discard)

    def stop(self) -> None:
        """Take nothing more, and let every connection go as soon as nothing is in doubt."""
        self._stopping = True
        if self._alarm is not None:
            self._alarm.cancel()
        for task in self._opening:
            task.cancel()
        for line in list(self._lines):
            line.stop()

    def cut(self, reason: str) -> None:
        """Break what is still there."""
        for line in list(self._lines):
            line.fail(reason)

    def wake_in(self, seconds: float) -> None:
        """Ask for work again after so many seconds, or earlier."""
        due = self._loop.time() + seconds
        if self._alarm is None or self._alarm.cancelled() or due < self._alarm.when():
            if self._alarm is not None:
                self._alarm.cancel()
            self._alarm = self._loop.call_at(due, self._ring)

    def _ring(self) -> None:
        self._alarm = None
        self._desk.look()

    def _may_take(self) -> bool:
        now = self._loop.time()
        if self._stopping or self.health.hopeless or self.spent:
            return False
        if wait := max(self._pace.wait(now), self.health.until - now if self.health.failures else 0.0):
            self.wake_in(wait)
            return False
        others = self._desk.shares_beside(self)
        if others and not may_take(WorkShare(self.taken, self.server.weight, True), others):
            self.held = True
            self.wake_in(SILENT_SECONDS / 8)  # the others may fall silent
            return False
        return True

    def _may_open(self) -> bool:
        now = self._loop.time()
        if self._stopping or self.health.hopeless or self.spent:
            return False
        if self.health.resting(now):
            self.wake_in(self.health.until - now)
            return False
        return True

    def _most(self) -> int:
        """How many connections there may be; one to try it after a failure, and until the login has worked."""
        on_trial = self.health.failures or (self.server.username and not self.health.worked)
        return 1 if on_trial else self.server.connections

    async def _open(self) -> None:
        try:
            line = await open_connection(self.server, self, self._context)
        except TransportError as error:
            self._failed(error.message, error.hint, broken=not isinstance(error, UnreachableError))
        except Exception as error:  # noqa: BLE001 - a defect ends the run, which waits for no task by itself
            self._desk.end(error)
        else:
            self._answered_at = self._loop.time()
            self.health = self.health.reached()
            self._lines.add(line)
            line.pump()
            if self._stopping:
                line.stop()
        self._loop.call_soon(self._desk.look)

    def _failed(self, reason: str, hint: str, *, broken: bool) -> None:
        self.health = self.health.failed(self._loop.time(), reason, hint, broken=broken)
