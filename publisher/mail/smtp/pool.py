"""The connection pool of a run for one mail server, with the server's limits and its health."""

from __future__ import annotations

import asyncio
import ssl
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from typing import Protocol

from publisher.config import Relay
from publisher.core.errors import TransportError
from publisher.core.frozen import dataclass
from publisher.mail.smtp.connection import Connection, Noted, UnreachableError, open_connection
from publisher.mail.smtp.limits import Pace, ServerLimits
from publisher.mail.smtp.protocol import Ending, Message, MessageFate
from publisher.mail.smtp.server_health import ServerHealth
from publisher.mail.transport import Accepted, GivenBack, Unanswered

# How many messages a server may take beyond its share: about as many as its connections are handling.
AHEAD = 8

# Messages that wait for their turns while earlier ones are being answered are sent within about this many seconds.
AHEAD_SECONDS = 0.5

# The end of the turn of a message that has taken none.
NO_TURN = float("-inf")

# After not answering for this many seconds, a server no longer makes the others wait for its share.
SILENT_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class WorkShare:
    """One server's share of the work so far.

    taken   the number of messages that the server has taken
    weight  the server's weight in the configuration
    lively  whether the server takes messages as fast as it is offered them
    """

    taken: int
    weight: int
    lively: bool


def may_take(own: WorkShare, others: list[WorkShare]) -> bool:
    """Return whether a server may take one more message, so that the servers' shares match their weights.

    A server that does not keep up, because it rests, has reached a limit or answers slowly, does not hold back the
    others.
    """
    mine = (own.taken - AHEAD) / own.weight
    return all(mine < other.taken / other.weight for other in others if other.lively)


class Coordinator(Protocol):
    """The interface of the sending loop for its pools. It supplies messages, and is notified about their fates."""

    def next_message(self, pool: ConnectionPool) -> Message | None:
        """Return the next message for the pool, or None if there is none for now."""
        ...

    def note(self, message: Message, noted: Noted) -> None:
        """Record that a message is about to be handed over; call `noted` when this is allowed, if ever."""
        ...

    def answered(self, connection: Connection, answer: MessageFate) -> None:
        """Handle the fate of a message."""
        ...

    def other_shares(self, pool: ConnectionPool) -> list[WorkShare]:
        """Return the shares of the other pools."""
        ...

    def waiting(self) -> int:
        """Return the number of messages that no pool has taken yet."""
        ...

    def wake(self) -> None:
        """Look for work after a change; end the run if no work is left."""
        ...

    def end(self, error: BaseException) -> None:
        """End the run with an error."""
        ...


class ConnectionPool:
    """A run's connections to one server. The pool is the ConnectionOwner of each of them."""

    def __init__(
        self,
        server: Relay,
        coordinator: Coordinator,
        rest: float,
        limits: ServerLimits,
        context: ssl.SSLContext | None,
    ) -> None:
        """Prepare a pool without opening a connection.

        rest: how many seconds to leave the server alone after its first failure. limits: the server's. context: the
        certificates to trust; None for the system's.
        """
        self.server = server
        self.health = ServerHealth(rest)
        self._coordinator = coordinator
        self._context = context
        self._limits = limits
        self._quota = limits.quota
        self._loop = asyncio.get_running_loop()
        self._connections: set[Connection] = set()
        self._unanswered = Counter[Connection]()  # how many messages each has
        self._idle: set[Connection] = set()
        self._opening: set[asyncio.Task[None]] = set()
        self._failing: set[Connection] = set()  # the connections that broke while they had a message
        self._turns: dict[Message, list[tuple[Pace, float]]] = {}  # until when messages may use their turns
        self._domain_turn: list[tuple[Pace, float]] = []  # the turn of the message that is being taken
        self._late: dict[Message, tuple[list[Pace], Callable[[], None]]] = {}  # those of them that need new turns
        self._answered_at = self._loop.time()
        self._alarm: asyncio.TimerHandle | None = None
        self._stopping = False
        self.taken = self._answered = self._ahead = 0
        self.awaits_share = False  # whether it waits for the other pools to take their shares

    def begin_as(self, before: ServerHealth | None) -> None:
        """Keep the health from the previous run if the server's settings are wrong.

        Then the server is not tried again in this run, because repeated failed logins can lock the account.
        """
        if before is not None and before.broken:
            self.health = before

    @property
    def closed(self) -> bool:
        """Return whether no connection is left."""
        return not self._connections and not self._opening

    @property
    def quota_reached(self) -> bool:
        """Return whether the server has reached its daily limit of recipients."""
        return self._quota is not None and not self._quota.left()

    def share(self) -> WorkShare:
        """Return the server's share of the work so far."""
        now = self._loop.time()
        able = (
            bool(self._connections)
            and not self.health.resting(now)
            and not self._limits.rate.wait(now)
            and not self.quota_reached
        )
        return WorkShare(self.taken, self.server.weight, able and now - self._answered_at < SILENT_SECONDS)

    def next_message(self, connection: Connection) -> Message | None:
        """See ConnectionOwner. It returns a message only if the limits and the server's share allow it."""
        ahead = self._limits.rate.strict and self._unanswered[connection] > 0
        message = self._coordinator.next_message(self) if self._may_take(ahead=ahead) else None
        if message is None:
            self._idle.add(connection)
            return None
        rate, domain, self._domain_turn = self._limits.rate, self._domain_turn, []
        self._turns[message] = [(rate, NO_TURN if ahead else rate.take(self._loop.time())), *domain]
        self._ahead += ahead
        self._unanswered[connection] += 1
        self.taken += 1
        return message

    def note(self, message: Message, noted: Noted) -> None:
        """Record that a message is about to be handed over; call `noted` when it may be.

        If its turn has expired by then, it waits for a new one. Without this, all waiting messages would be sent at the
        same moment after the ledger had to wait for its disk.
        """
        self._coordinator.note(message, lambda until: self._noted(message, partial(noted, until)))

    def domain_wait(self, domain: str, now: float, messages: int = 1) -> float:
        """Return how many seconds to wait before a message may go to a receiving domain.

        messages: how many messages to that domain are waiting.
        """
        limit = self._limits.domains.get(domain)
        if limit is None:
            return 0.0
        limit.want(now, messages, self._room())
        return limit.wait(now)

    def domain_rate(self, domain: str) -> float:
        """Return the limit for a receiving domain, in messages per second; return 0 if there is no limit."""
        limit = self._limits.domains.get(domain)
        return limit.rate if limit else 0.0

    def count(self, domain: str, now: float) -> None:
        """Count a message towards the limit of its receiving domain and towards the daily quota."""
        limit = self._limits.domains.get(domain)
        self._domain_turn = [(limit, limit.take(now))] if limit else []
        if self._quota is not None:
            self._quota.take()

    def answered(self, connection: Connection, answer: MessageFate) -> None:
        """See ConnectionOwner."""
        self._answered += 1
        self._unanswered[connection] -= 1
        self._forget_ahead(self._turns.pop(answer.message, ()))
        self._late.pop(answer.message, None)
        if isinstance(answer.fate, GivenBack | Unanswered):
            self._failing.add(connection)
        else:
            self._answered_at = self._loop.time()
            self.health = self.health.well()
        if self._quota is not None and not isinstance(answer.fate, Accepted | Unanswered):
            self._quota.give_back()
        self._coordinator.answered(connection, answer)

    def ended(self, connection: Connection, ending: Ending) -> None:
        """See ConnectionOwner. The server has failed if the connection broke with a message or was refused."""
        self._connections.discard(connection)
        self._idle.discard(connection)
        self._unanswered.pop(connection, None)
        if (connection in self._failing or ending.hint) and not self._stopping:
            self._failed(ending.reason, ending.hint, broken=bool(ending.hint))
        self._failing.discard(connection)
        self._coordinator.wake()

    def wake(self) -> None:
        """Give work to idle connections, and open more connections if messages are left."""
        self._give_new_turns()
        idle, self._idle = self._idle, set()
        for connection in idle:
            connection.pump()
        if not self._idle and self._may_open():
            room = self._most() - len(self._connections) - len(self._opening)
            for _ in range(min(room, self._coordinator.waiting() - len(self._opening))):
                task = asyncio.ensure_future(self._open())
                self._opening.add(task)
                task.add_done_callback(self._opening.discard)

    def stop(self) -> None:
        """Take no more messages, and close every connection as soon as none of its messages is in doubt."""
        self._stopping = True
        if self._alarm is not None:
            self._alarm.cancel()
        for task in self._opening:
            task.cancel()
        for connection in list(self._connections):
            connection.stop()

    def abort(self, reason: str) -> None:
        """Abort the connections that are still open."""
        for connection in list(self._connections):
            connection.fail(reason)

    def _wake_in(self, seconds: float) -> None:
        """Look for work again after this many seconds at the latest."""
        due = self._loop.time() + seconds
        if self._alarm is None or self._alarm.cancelled() or due < self._alarm.when():
            if self._alarm is not None:
                self._alarm.cancel()
            self._alarm = self._loop.call_at(due, self._alarm_went_off)

    def _alarm_went_off(self) -> None:
        self._alarm = None
        self._give_new_turns()
        self._coordinator.wake()

    def _noted(self, message: Message, noted: Callable[[], None]) -> None:
        now = self._loop.time()
        turns = self._turns.pop(message, ())
        self._forget_ahead(turns)
        late = [pace for pace, until in turns if now > until]
        if late and not self._stopping:
            self._late[message] = late, noted
            self._give_new_turns()
        else:
            noted()

    def _forget_ahead(self, turns: Sequence[tuple[Pace, float]]) -> None:
        """Stop counting a message as one without a turn, because it is about to get a turn, or is gone."""
        if self._ahead:
            self._ahead -= any(until == NO_TURN for _, until in turns)

    def _give_new_turns(self) -> None:
        """Let messages that have waited for turns be handed over, if they get all turns that they need."""
        now = self._loop.time()
        waiting = len(self._late) + self._coordinator.waiting() if self._late else 0
        for message, (paces, noted) in list(self._late.items()):
            if message not in self._late:
                continue  # its connection has ended in the meantime
            for pace in list(paces):
                pace.want(now, waiting if pace is self._limits.rate else len(self._late), len(self._late))
                if wait := pace.wait(now):
                    self._wake_in(wait)
                else:
                    pace.take(now)
                    paces.remove(pace)
            if not paces:
                del self._late[message]
                noted()

    def _may_take(self, *, ahead: bool) -> bool:
        """Return whether a connection may take a message.

        ahead: whether it takes its turn later, because the connection's previous message has not been answered.
        """
        now = self._loop.time()
        if self._stopping or self.health.given_up or self.quota_reached:
            return False
        if self.health.resting(now):
            self._wake_in(self.health.until - now)
            return False
        others = self._coordinator.other_shares(self)
        if others and not may_take(WorkShare(self.taken, self.server.weight, True), others):
            self.awaits_share = True
            self._wake_in(SILENT_SECONDS / 8)  # the others may have fallen silent
            return False
        if self._late and any(self._limits.rate in paces for paces, _ in self._late.values()):
            return False  # they come first
        waiting = self._coordinator.waiting()
        wait = self._limits.quota_wait(now, waiting)
        if not wait and ahead:
            return self._ahead < max(1.0, self._limits.rate.rate * AHEAD_SECONDS)
        if wait := wait or self._limits.rate_wait(now, waiting, self._room()):
            self._wake_in(wait)
            return False
        return True

    def _room(self) -> int:
        """Return about how many messages the connections can take now; at least 1, for which a connection is asking."""
        return max(1, len(self._connections) - (self.taken - self._answered))

    def _may_open(self) -> bool:
        now = self._loop.time()
        if self._stopping or self.health.given_up or self.quota_reached:
            return False
        if self.health.resting(now):
            self._wake_in(self.health.until - now)
            return False
        return True

    def _most(self) -> int:
        """Return the maximum number of connections. It is one after a failure, and until the login has worked."""
        on_trial = self.health.failures or (self.server.username and not self.health.worked)
        return 1 if on_trial else self.server.connections

    async def _open(self) -> None:
        try:
            connection = await open_connection(self.server, self, context=self._context, note=self.note)
        except TransportError as error:
            self._failed(error.message, error.hint, broken=not isinstance(error, UnreachableError))
        except Exception as error:  # noqa: BLE001 - a defect ends the run, because nobody awaits this task
            self._coordinator.end(error)
        else:
            self._answered_at = self._loop.time()
            self.health = self.health.reached()
            self._connections.add(connection)
            connection.pump()
            if self._stopping:
                connection.stop()
        self._loop.call_soon(self._coordinator.wake)

    def _failed(self, reason: str, hint: str, *, broken: bool) -> None:
        self.health = self.health.failed(self._loop.time(), reason, hint, broken=broken)
