"""The sending loop, which drives many connections to one or more mail servers in one asyncio loop.

    claim a batch -> queue of an edition -> a connection with room takes the next -> its answer -> the ledger writer
                       ^                                     |
                       └───── given back by a connection ────┘

Each edition has its own queue, and the queues take turns. They share the connections and the limits of the servers.
Only the ledger writer's thread claims, notes and writes answers. A connection hands over a message only when it is
noted and the answer to the previous one is in the ledger, so a killed process leaves at most one message per connection
in doubt.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from functools import partial
from typing import TypeVar

from publisher.core.errors import DailyLimitError, TransportError
from publisher.mail.database_retries import Patience
from publisher.mail.run_options import EditionRun, MoreEditions, Run
from publisher.mail.smtp.connection import Connection, Noted
from publisher.mail.smtp.edition_queue import EditionQueue
from publisher.mail.smtp.ledger_writer import LedgerWriter
from publisher.mail.smtp.limits import Claim, next_day
from publisher.mail.smtp.pool import ConnectionPool, WorkShare
from publisher.mail.smtp.protocol import Message, MessageFate
from publisher.mail.transport import GivenBack
from publisher.mail.turns import FairTurns

# How often a run checks whether the owner has put an edition on hold, in seconds. That takes 0.1 ms per edition.
LOOK_SECONDS = 0.5

# How often a run checks for editions that have become due, in seconds.
JOIN_SECONDS = 1.0

# How many seconds a run waits for answers when it ends.
GRACE_SECONDS = 5.0

Done = TypeVar("Done")


class SendingLoop:
    """The run of one worker, and the Coordinator of its connection pools."""

    def __init__(self, run: Run, more: MoreEditions, patience: Patience) -> None:
        """Prepare a run inside a running asyncio loop. Call `run` to send.

        more: returns the editions to begin now. It is called immediately, every second, and whenever an edition has
        ended, in a separate thread. patience: how to retry while the database is away. Retrying ends with the run, or
        as soon as a stop is requested.
        """
        self._run = run
        self._more = more
        self._patience = patience
        self._loop = asyncio.get_running_loop()
        self._over: asyncio.Future[None] = self._loop.create_future()
        self._pools: list[ConnectionPool] = []
        self._queues: list[EditionQueue] = []
        self._turns = FairTurns[EditionQueue]()
        self._in_hand: dict[Message, tuple[EditionQueue, Claim]] = {}
        self._ended: list[EditionQueue] = []  # editions whose end has not been reported
        self._looking = True  # whether editions that are already due may still join
        self._look = asyncio.Event()
        self._stopping = False

    async def run(self, ledger: LedgerWriter, pools: Sequence[ConnectionPool]) -> None:
        """Send until no delivery is due. However the run ends, the answers received are written.

        Raises TransportError if no server can be used, and any error of the ledger writer.
        """
        self._ledger, self._pools = ledger, list(pools)
        tasks = [asyncio.ensure_future(self._ended_by_error(each)) for each in (self._join(), self._watch_holds())]
        try:
            await self._over
        except asyncio.CancelledError:
            self._patience.end()
            raise
        finally:
            for task in tasks:
                task.cancel()
            await self._wind_up()

    def end(self, error: BaseException | None = None) -> None:
        """End the run, so that no more messages are handed over. error: raised by `run`; None for a normal end."""
        if not isinstance(error, TransportError | None):
            self._patience.end()  # only after errors of mail servers is there time to write the answers
        if self._over.done():
            return
        if error is None:
            self._over.set_result(None)
        else:
            self._over.set_exception(error)

    def wake(self) -> None:
        """See Coordinator."""
        if self._stopping or self._over.done():
            return
        self._claim_more()
        for pool in self._pools:
            if self.waiting():
                pool.wake()
        self.end_if_over()

    def next_message(self, pool: ConnectionPool) -> Message | None:
        """See Coordinator. Return the next message of the edition whose turn it is."""
        now = self._loop.time()
        while not self._stopping and (queue := self._turns.take(EditionQueue.waiting)):
            if taken := queue.take(pool, now):
                message, claim = taken
                self._in_hand[message] = queue, claim
                self._wake_waiting_pools(pool)
                return message
        self._claim_more()
        return None

    def note(self, message: Message, noted: Noted) -> None:
        """See Coordinator."""
        if message in self._in_hand:
            self._ledger.note(self._in_hand[message][1].delivery.id, noted)

    def answered(self, connection: Connection, answer: MessageFate) -> None:
        """See Coordinator."""
        (queue, claim), fate = self._in_hand.pop(answer.message), answer.fate
        if not isinstance(fate, GivenBack):
            queue.answered(claim, fate)
            return
        self._ledger.take_back(claim.delivery.id)
        queue.given_back(claim, fate)

    def waiting(self) -> int:
        """See Coordinator."""
        return sum([queue.waiting() for queue in self._queues])  # a list is faster than a generator

    def other_shares(self, pool: ConnectionPool) -> list[WorkShare]:
        """See Coordinator."""
        return [other.share() for other in self._pools if other is not pool]

    def end_if_over(self) -> None:
        """End the editions and the run if they are over, or the run if no server can be used."""
        if self._over.done() or self._stopping:
            return
        if all(pool.health.given_up for pool in self._pools):
            self.end(self._given_up())
        elif not self._in_hand and self.waiting() and all(p.health.given_up or p.quota_reached for p in self._pools):
            where = str(self._pools[0].server.address) if len(self._pools) == 1 else ""
            self.end(DailyLimitError(next_day(self._run.clock()), where))
        else:
            for queue in [each for each in self._queues if each.over]:
                self._queues.remove(queue)
                self._turns.remove(queue)
                self._ended.append(queue)
                self._look.set()
            if not (self._queues or self._ended or self._looking):
                self.end()

    async def _join(self) -> None:
        """Report each edition that has ended, and begin those that have become due."""
        while True:
            self._looking = True
            self._look.clear()
            while self._ended:
                ended = self._ended[0]
                await self._patiently(partial(ended.sent.ended, ended.error))
                del self._ended[0]
            for sent in await self._patiently(self._more):
                self._begin(sent)
            self._looking = False
            self.wake()
            try:
                await asyncio.wait_for(self._look.wait(), JOIN_SECONDS)
            except TimeoutError:
                continue

    async def _patiently(self, work: Callable[[], Done]) -> Done:
        """Do some work on the database in a thread; return what it returns."""
        return await asyncio.to_thread(self._patience.keep_trying, lambda has_failed: work())

    def _begin(self, sent: EditionRun) -> None:
        queue = EditionQueue(sent, self._ledger, self)
        self._queues.append(queue)
        self._turns.add(queue, sent.merge.edition.newsletter, sent.priority)

    async def _watch_holds(self) -> None:
        """Return the waiting deliveries of the editions on hold to the ledger, and renew the worker's lease."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            self._ledger.renew()
            for queue in list(self._queues):
                if await self._ledger.held(queue.sent.merge.edition.id):
                    queue.let_go()

    async def _ended_by_error(self, work: Coroutine[None, None, None]) -> None:
        """Do some work alongside sending. An error ends the run, which raises it in its own task."""
        try:
            await work
        except Exception as error:  # noqa: BLE001 - nobody awaits this task; the run raises it
            self.end(error)

    def _claim_more(self) -> None:
        if not self._over.done():
            for queue in self._queues:
                if not queue.waiting():
                    queue.claim_more()

    def _wake_waiting_pools(self, pool: ConnectionPool) -> None:
        """Wake the pools that were waiting for this pool to take its share."""
        for other in self._pools:
            if other.awaits_share and other is not pool:
                other.awaits_share = False
                self._loop.call_soon(other.wake)

    def _given_up(self) -> TransportError:
        pool = self._pools[0]
        where = str(pool.server.address)
        others = f" (and {len(self._pools) - 1} other mail servers)" if len(self._pools) > 1 else ""
        reason = pool.health.reason
        if pool.health.worked and not pool.health.broken:
            reason = f"the mail server hung up {pool.health.failures} times in a row: {reason}"
        return TransportError(reason + others, where=where, hint=pool.health.hint or "try again later")

    async def _wind_up(self) -> None:
        """Wait a few seconds for the answers to messages in doubt, and return the other deliveries to the ledger."""
        self._stopping = True
        for queue in self._queues:
            queue.close()
        for pool in self._pools:
            pool.stop()
        deadline = self._loop.time() + GRACE_SECONDS
        while not all(pool.closed for pool in self._pools) and self._loop.time() < deadline:
            if self._run.options.stop.hurried:
                break
            await asyncio.sleep(0.005)
        for pool in self._pools:
            pool.abort("no answer before the run was stopped")
        for queue in self._queues:
            await queue.closed()
        await self._ledger.finish()
        self._patience.end()
