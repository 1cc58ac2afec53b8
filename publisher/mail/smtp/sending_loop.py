"""The sending loop, which drives many connections to one or more mail servers in one asyncio loop.

    claim a batch -> buffer -> a connection with room takes the next -> its answer -> the ledger writer writes it
                       ^                                     |
                       └───── given back by a connection ────┘

Only the ledger writer's thread uses the database. A connection hands over a message only when its previous answer is in
the ledger, so a killed process leaves at most one message per connection in doubt.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from datetime import timedelta

from publisher.core.bounce_report import Verdict
from publisher.core.errors import RefusedError, TransportError
from publisher.core.newsletter_models import Delivery
from publisher.mail.addresses import needs_smtputf8, wire_address
from publisher.mail.lifecycle import DeliveryEvent, update_after, update_returned
from publisher.mail.message import MailMerge
from publisher.mail.run_options import Run
from publisher.mail.smtp.connection import Connection
from publisher.mail.smtp.ledger_writer import LedgerWriter
from publisher.mail.smtp.limits import Claim, ThrottledDeliveries
from publisher.mail.smtp.pool import ConnectionPool, WorkShare
from publisher.mail.smtp.protocol import Message, MessageFate
from publisher.mail.transport import Deferred, GivenBack, Outcome, RefusedAt, Rejected

# Within these limits, a batch has about as many deliveries as are sent in CLAIM_SECONDS.
SMALLEST_CLAIM, LARGEST_CLAIM = 50, 500
CLAIM_SECONDS = 0.25

# A message is deferred if this many connections broke while they were sending it, because it may be the cause.
MOST_BREAKS = 2

# The edition is stopped when this many messages were refused for their content, if they are most of the answers.
CONTENT_REFUSALS = 10

# How many seconds a run waits for answers when it ends.
GRACE_SECONDS = 5.0


class SendingLoop:
    """The run of one worker for one edition, and the Coordinator of its connection pools."""

    def __init__(self, merge: MailMerge, run: Run) -> None:
        """Prepare a run inside a running asyncio loop. Call `run` to send."""
        self._merge = merge
        self._run = run
        self._loop = asyncio.get_running_loop()
        self._over: asyncio.Future[None] = self._loop.create_future()
        self._pools: list[ConnectionPool] = []
        self._buffer: deque[Claim] = deque()
        self._throttled = ThrottledDeliveries(self._take_back, self._return, self._claim_again)
        self._in_hand: dict[Message, Claim] = {}
        self._claiming: asyncio.Task[None] | None = None
        self._dry = False  # whether the last claim found no deliveries
        self._returning = 0  # deliveries on their way back to the ledger, where only the next claim can find them
        self._claimed_at, self._claim_size = self._loop.time(), SMALLEST_CLAIM
        self._answers = self._content_refusals = 0
        self._stopping = False

    async def run(self, ledger: LedgerWriter, pools: Sequence[ConnectionPool]) -> None:
        """Send until no delivery is due. However the run ends, the answers that have come are written.

        Raises TransportError if no server can be used, RefusedError if the edition itself is refused, and any error of
        the ledger writer.
        """
        self._ledger, self._pools = ledger, list(pools)
        watching = asyncio.ensure_future(ledger.watch_hold(self._let_go))
        try:
            self.wake()
            await self._over
        finally:
            watching.cancel()
            await self._wind_up()

    def end(self, error: BaseException | None = None) -> None:
        """End the run, so that no more messages are handed over. error: raised by `run`; None for a normal end."""
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
        if not self._buffer:
            self._claim_more()
        for pool in self._pools:
            if self._buffer:
                pool.wake()
        self._end_if_over()

    def next_message(self, pool: ConnectionPool) -> Message | None:
        """See Coordinator. Return the next message whose lease is long enough and whose address is valid."""
        now = self._loop.time()
        while self._buffer and not self._stopping:
            claim = self._buffer.popleft()
            if now >= claim.until:
                self._return(claim)
            elif wait := pool.domain_wait(claim.domain, now):
                self._throttled.keep(claim, wait, pool.domain_rate(claim.domain))
            elif message := self._message(claim):
                pool.count(claim.domain, now)
                self._in_hand[message] = claim
                if len(self._buffer) < self._claim_size // 2:
                    self._claim_more()
                self._wake_waiting_pools(pool)
                return message
        self._claim_more()
        return None

    def may_hand_over(self, message: Message) -> bool:
        """See Coordinator."""
        try:
            self._run.journal.note(self._in_hand[message].delivery.id)
        except TransportError as error:
            self.end(error)
            return False
        return True

    def answered(self, connection: Connection, answer: MessageFate) -> None:
        """See Coordinator."""
        claim, fate = self._in_hand.pop(answer.message), answer.fate
        if not isinstance(fate, GivenBack):
            self._settle(claim, fate, connection.written)
            return
        connection.unwritten -= 1
        claim.breaks += fate.suspect
        if claim.breaks >= MOST_BREAKS:
            self._settle(claim, Deferred(f"the connection broke {claim.breaks} times: {fate.reason}"))
        elif fate.suspect:
            self._buffer.append(claim)
        else:
            self._buffer.appendleft(claim)

    def waiting(self) -> int:
        """See Coordinator."""
        return len(self._buffer)

    def other_shares(self, pool: ConnectionPool) -> list[WorkShare]:
        """See Coordinator."""
        return [other.share() for other in self._pools if other is not pool]

    def _wake_waiting_pools(self, pool: ConnectionPool) -> None:
        """Wake the pools that were waiting for this pool to take its share."""
        for other in self._pools:
            if other.awaits_share and other is not pool:
                other.awaits_share = False
                self._loop.call_soon(other.wake)

    def _message(self, claim: Claim) -> Message | None:
        try:
            return _with_envelope(self._merge, claim.delivery)
        except ValueError as error:  # the address or name is a problem only for this message
            self._settle(claim, Rejected(str(error), RefusedAt.HERE))
            return None

    def _settle(self, claim: Claim, outcome: Outcome, written: Callable[[], None] = lambda: None) -> None:
        run, delivery = self._run, claim.delivery
        update = update_after(self._merge.edition, delivery, outcome, run.unanswered, run.clock())

        def done() -> None:
            written()
            run.progress(delivery, update.status, update.reason)
            self._end_if_over()

        self._ledger.write(update, done)
        self._answers += 1
        verdict = run.judge_failure(delivery, update.status, outcome)
        if verdict is Verdict.REFUSED and isinstance(outcome, Rejected):
            self._count_refusal(outcome)

    def _count_refusal(self, outcome: Rejected) -> None:
        """End the run if the server refuses most messages for their content or sender."""
        self._content_refusals += 1
        if self._content_refusals >= CONTENT_REFUSALS and 2 * self._content_refusals > self._answers:
            self.end(
                RefusedError(
                    f"the mail server refuses the edition itself, {self._content_refusals} of"
                    f" {self._answers} messages: {outcome.reason}",
                    hint="see what it says about the content or the sender",
                )
            )

    def _return(self, claim: Claim, again_in: float = 0.0) -> None:
        """Return a delivery to the ledger. again_in: seconds until it may be claimed again."""
        now = self._run.clock()
        self._returning += 1

        def done() -> None:
            self._returning -= 1
            self._dry = False
            self.wake()

        self._ledger.write(update_returned(claim.delivery.id, now, now + timedelta(seconds=again_in)), done)

    def _let_go(self) -> None:
        """Return the waiting deliveries to the ledger, because the edition is on hold and the owner may cancel it."""
        claims = [*self._buffer, *self._throttled.empty()]
        self._buffer.clear()
        for claim in claims:
            self._return(claim)

    def _take_back(self, claim: Claim) -> None:
        self._buffer.appendleft(claim)
        self.wake()

    def _claim_again(self) -> None:
        self._dry = False
        self._claim_more()
        self.wake()

    def _claim_more(self) -> None:
        if self._claiming is None and not self._dry and not self._stopping and not self._over.done():
            self._claiming = asyncio.ensure_future(self._claim())

    async def _claim(self) -> None:
        """Fill the buffer with about as many deliveries as are sent in CLAIM_SECONDS."""
        now = self._loop.time()
        if now - self._claimed_at < CLAIM_SECONDS:
            self._claim_size = min(2 * self._claim_size, self._largest())
        elif now - self._claimed_at > 4 * CLAIM_SECONDS:
            self._claim_size = SMALLEST_CLAIM
        self._claimed_at = now
        try:
            batch = await self._ledger.claim(self._claim_size, self._run.clock())
        except BaseException as error:  # noqa: BLE001 - it ends the run, which raises it in its own task
            self.end(error)
            return
        finally:
            self._claiming = None
        # Half of the lease is left for sending the last message; a delivery that waits longer is claimed again.
        until = now + self._run.options.lease.total_seconds() / 2
        self._dry = not batch
        self._buffer.extend(Claim(delivery, until) for delivery in batch)
        self._loop.call_soon(self.wake)

    def _largest(self) -> int:
        # If this machine dies and another takes over, the other cannot read this machine's journal, and all leased
        # deliveries go on hold for the owner. So only a few should be leased at a time.
        return SMALLEST_CLAIM if self._run.unanswered is DeliveryEvent.UNANSWERED_HOLD else LARGEST_CLAIM

    def _end_if_over(self) -> None:
        """End the run if all answers are in the ledger and no delivery is due, or if no server can be used."""
        if self._over.done() or self._stopping:
            return
        if all(pool.health.given_up for pool in self._pools):
            self.end(self._given_up())
        elif self._buffer and not self._in_hand and all(p.health.given_up or p.quota_reached for p in self._pools):
            self.end(TransportError("every mail server has had its recipients of the day", hint="continue tomorrow"))
        elif self._dry and not (self._buffer or self._in_hand or self._throttled.busy or self._busy()):
            self.end()

    def _busy(self) -> bool:
        return self._claiming is not None or self._returning > 0 or self._ledger.busy

    def _given_up(self) -> TransportError:
        pool = self._pools[0]
        where = str(pool.server.address)
        others = f" (and {len(self._pools) - 1} other mail servers)" if len(self._pools) > 1 else ""
        reason = pool.health.reason
        if pool.health.worked and not pool.health.broken:
            reason = f"the mail server hung up {pool.health.failures} times in a row: {reason}"
        return TransportError(reason + others, where=where, hint=pool.health.hint or "try again later")

    async def _wind_up(self) -> None:
        """Wait some seconds for the answers to messages in doubt, and return the other deliveries to the ledger."""
        self._stopping = True
        for pool in self._pools:
            pool.stop()
        deadline = self._loop.time() + GRACE_SECONDS
        while not all(pool.closed for pool in self._pools) and self._loop.time() < deadline:
            if self._run.options.stop.hurried:
                break
            await asyncio.sleep(0.005)
        for pool in self._pools:
            pool.abort("no answer before the run was stopped")
        if self._claiming is not None:
            await asyncio.wait([self._claiming])
        for claim in [*self._buffer, *self._throttled.empty()]:
            self._return(claim)
        await self._ledger.finish()


def _with_envelope(merge: MailMerge, delivery: Delivery) -> Message:
    """Return a delivery's message with its envelope. Raises ValueError if an address cannot be used."""
    sender, recipient = wire_address(merge.envelope_from(delivery)), wire_address(delivery.address)
    utf8 = needs_smtputf8(sender) or needs_smtputf8(recipient)
    # No line of a newsletter's message starts with a dot (see quoted_printable), so dot-stuffing is not needed.
    return Message(sender, recipient, merge.pieces(delivery), utf8=utf8)
