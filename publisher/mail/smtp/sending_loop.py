"""The sending loop: one asyncio loop that drives many connections to one or more relays.

    claim a batch -> buffer -> a line with room takes the next -> its answer -> the clerk writes it
                        ^                                 |
                        └──── given back by a line ───────┘

Only the clerk's thread touches the ledger. A line hands no message over while an answer of its own is not in
the ledger, so that a killed process leaves at most one message a connection in doubt.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from datetime import timedelta

from publisher.core.errors import RefusedError, TransportError
from publisher.core.newsletter_models import Delivery
from publisher.mail.addresses import needs_smtputf8, wire_address
from publisher.mail.ledger_writer import LedgerWriter
from publisher.mail.lifecycle import DeliveryEvent, update_after, update_returned
from publisher.mail.message import MailMerge
from publisher.mail.run_options import Run
from publisher.mail.smtp.connection import Connection
from publisher.mail.smtp.limits import Claim, ThrottledDeliveries
from publisher.mail.smtp.pool import ConnectionPool, WorkShare
from publisher.mail.smtp.protocol import Answer, Message
from publisher.mail.transport import Deferred, GivenBack, Outcome, Rejected

# Claims are as large as what is sent in a quarter of a second, within these.
SMALLEST_CLAIM, LARGEST_CLAIM = 50, 500
CLAIM_SECONDS = 0.25

# A message in whose turn so many connections broke may be why: it is put off, for the others' sake.
MOST_BREAKS = 2

# The edition is stopped when so many were refused for what they are, and they are most of the answers.
CONTENT_REFUSALS = 10

# How long an answer is awaited after the run is asked to stop.
GRACE_SECONDS = 5.0


class SendingLoop:
    """One run over one edition; see the module. It is the desk of its relays."""

    def __init__(self, composer: MailMerge, order: Run) -> None:
        """Prepare inside a running loop; `run` does the rest."""
        self._composer = composer
        self._order = order
        self._loop = asyncio.get_running_loop()
        self._over: asyncio.Future[None] = self._loop.create_future()
        self._relays: list[ConnectionPool] = []
        self._buffer: deque[Claim] = deque()
        self._aside = ThrottledDeliveries(self._take_back, self._return, self._ask_again)
        self._jobs: dict[Message, Claim] = {}
        self._claiming: asyncio.Task[None] | None = None
        self._dry = False  # the last claim found nothing
        self._claimed_at, self._claim_size = self._loop.time(), SMALLEST_CLAIM
        self._answers = self._about_content = 0
        self._stopping = False

    async def run(self, clerk: LedgerWriter, relays: Sequence[ConnectionPool]) -> None:
        """Send until nothing is due; whatever ends it, the answers that were had are written.

        Raises TransportError where no relay is of use, RefusedError where the edition itself is refused; what the
        clerk raised.
        """
        self._clerk, self._relays = clerk, list(relays)
        minding = asyncio.ensure_future(clerk.mind(self._let_go))
        try:
            self.look()
            await self._over
        finally:
            minding.cancel()
            await self._wind_up()

    def end(self, error: BaseException | None = None) -> None:
        """End the run: nothing more is handed over."""
        if self._over.done():
            return
        if error is None:
            self._over.set_result(None)
        else:
            self._over.set_exception(error)

    def look(self) -> None:
        """See Desk."""
        if self._stopping or self._over.done():
            return
        if not self._buffer:
            self._claim_more()
        for relay in self._relays:
            if self._buffer:
                relay.work()
        self._end_if_over()

    def next_message(self, relay: ConnectionPool, line: Connection) -> Message | None:
        """See Desk: the next that is due, whose lease is long enough and whose address is one."""
        now = self._loop.time()
        while self._buffer and not self._stopping:
            job = self._buffer.popleft()
            if now >= job.until:
                self._return(job)
            elif wait := relay.domain_wait(job.domain, now):
                self._aside.keep(job, wait, relay.domain_rate(job.domain))
            elif message := self._message(job):
                relay.takes_for(job.domain, now)
                self._jobs[message] = job
                if len(self._buffer) < self._claim_size // 2:
                    self._claim_more()
                self._release_beside(relay)
                return message
        self._claim_more()
        return None

    def hands_over(self, message: Message) -> bool:
        """See Desk."""
        try:
            self._order.journal.note(self._jobs[message].delivery.id)
        except TransportError as error:
            self.end(error)
            return False
        return True

    def answered(self, relay: ConnectionPool, line: Connection, answer: Answer) -> None:
        """See Desk."""
        job, fate = self._jobs.pop(answer.message), answer.fate
        if not isinstance(fate, GivenBack):
            self._settle(job, fate, line.written)
            return
        line.unwritten -= 1
        job.breaks += fate.suspect
        if job.breaks >= MOST_BREAKS:
            self._settle(job, Deferred(f"the connection broke {job.breaks} times: {fate.reason}"))
        elif fate.suspect:
            self._buffer.append(job)
        else:
            self._buffer.appendleft(job)

    def waiting(self) -> int:
        """See Desk."""
        return len(self._buffer)

    def shares_beside(self, relay: ConnectionPool) -> list[WorkShare]:
        """See Desk."""
        return [other.share() for other in self._relays if other is not relay]

    def _release_beside(self, relay: ConnectionPool) -> None:
        """Let relays go on that waited for this one to have its share."""
        for other in self._relays:
            if other.held and other is not relay:
                other.held = False
                self._loop.call_soon(other.work)

    def _message(self, job: Claim) -> Message | None:
        try:
            return _envelope(self._composer, job.delivery)
        except ValueError as error:  # its address or name harms this message, and no other
            self._settle(job, Rejected(str(error)))
            return None

    def _settle(self, job: Claim, outcome: Outcome, written: Callable[[], None] = lambda: None) -> None:
        order, delivery = self._order, job.delivery
        told = update_after(self._composer.edition, delivery, outcome, order.unanswered, order.clock())

        def done() -> None:
            written()
            order.progress(delivery, told.status, told.reason)
            self._end_if_over()

        self._clerk.note(told, done)
        self._answers += 1
        if isinstance(outcome, Rejected):
            self._count_refusal(delivery, outcome)

    def _count_refusal(self, delivery: Delivery, outcome: Rejected) -> None:
        if outcome.gone:
            self._order.gone(delivery, outcome.reason)
        self._about_content += outcome.content
        if self._about_content >= CONTENT_REFUSALS and 2 * self._about_content > self._answers:
            self.end(
                RefusedError(
                    f"the mail server refuses the edition itself, {self._about_content} of"
                    f" {self._answers} messages: {outcome.reason}",
                    hint="see what it says of the content or the sender",
                )
            )

    def _return(self, job: Claim, again_in: float = 0.0) -> None:
        """Give a delivery back to the ledger, to be claimed anew."""
        now = self._order.clock()

        def done() -> None:
            self._dry = False  # only from now on can a claim find it
            self.look()

        self._clerk.note(update_returned(job.delivery.id, now, now + timedelta(seconds=again_in)), done)

    def _let_go(self) -> None:
        """Give back what no connection has taken: the edition is held, and a person may cancel it."""
        jobs = [*self._buffer, *self._aside.empty()]
        self._buffer.clear()
        for job in jobs:
            self._return(job)

    def _take_back(self, job: Claim) -> None:
        self._buffer.appendleft(job)
        self.look()

    def _ask_again(self) -> None:
        self._dry = False
        self._claim_more()
        self.look()

    def _claim_more(self) -> None:
        if self._claiming is None and not self._dry and not self._stopping and not self._over.done():
            self._claiming = asyncio.ensure_future(self._claim())

    async def _claim(self) -> None:
        """Fill the buffer with about as much as is sent in CLAIM_SECONDS."""
        now, lease = self._loop.time(), self._order.lease
        if now - self._claimed_at < CLAIM_SECONDS:
            self._claim_size = min(2 * self._claim_size, self._largest())
        elif now - self._claimed_at > 4 * CLAIM_SECONDS:
            self._claim_size = SMALLEST_CLAIM
        self._claimed_at = now
        try:
            present = self._order.clock()
            batch = await self._clerk.claim(self._claim_size, present, present + lease)
        except BaseException as error:  # noqa: BLE001 - the run ends with it, in its own task
            self.end(error)
            return
        finally:
            self._claiming = None
        # With half of the lease left a message can be sent in peace; one that waits longer is claimed anew.
        until = now + lease.total_seconds() / 2
        self._dry = not batch
        self._buffer.extend(Claim(delivery, until) for delivery in batch)
        self._loop.call_soon(self.look)

    def _largest(self) -> int:
        # Where leases wait for a person that lapsed on a machine whose journals are out of reach, few should be
        # leased at a time.
        return SMALLEST_CLAIM if self._order.unanswered is DeliveryEvent.UNANSWERED_HOLD else LARGEST_CLAIM

    def _end_if_over(self) -> None:
        """End the run when all is in the ledger and nothing is due, or no relay is of use."""
        if self._over.done() or self._stopping:
            return
        if all(relay.health.hopeless for relay in self._relays):
            self.end(self._hopeless())
        elif self._buffer and not self._jobs and all(r.health.hopeless or r.spent for r in self._relays):
            self.end(TransportError("every mail server has its recipients of the day", hint="go on tomorrow"))
        elif self._dry and not (self._buffer or self._jobs or self._aside.busy or self._busy()):
            self.end()

    def _busy(self) -> bool:
        return self._claiming is not None or self._clerk.busy

    def _hopeless(self) -> TransportError:
        relay = self._relays[0]
        where = str(relay.server.address)
        others = f" (and {len(self._relays) - 1} other relays)" if len(self._relays) > 1 else ""
        reason = relay.health.reason
        if relay.health.worked and not relay.health.broken:
            reason = f"the mail server hung up {relay.health.failures} times in a row: {reason}"
        return TransportError(reason + others, where=where, hint=relay.health.hint or "try again later")

    async def _wind_up(self) -> None:
        """Leave nothing in doubt that an answer within a few seconds can settle; give back the rest."""
        self._stopping = True
        for relay in self._relays:
            relay.stop()
        deadline = self._loop.time() + GRACE_SECONDS
        while not all(relay.closed for relay in self._relays) and self._loop.time() < deadline:
            if self._order.stop.hurried:
                break
            await asyncio.sleep(0.005)
        for relay in self._relays:
            relay.cut("no answer before the run was stopped")
        if self._claiming is not None:
            await asyncio.wait([self._claiming])
        for job in [*self._buffer, *self._aside.empty()]:
            self._return(job)
        await self._clerk.finish()


def _envelope(composer: MailMerge, delivery: Delivery) -> Message:
    """Return a delivery's message with its envelope. Raises ValueError for an address that cannot be used in either."""
    sender, recipient = wire_address(composer.envelope_from(delivery)), wire_address(delivery.address)
    utf8 = needs_smtputf8(sender) or needs_smtputf8(recipient)
    # No line that quoted_printable makes starts with a dot, and no header does: there is nothing to double.
    return Message(sender, recipient, composer.pieces(delivery), utf8=utf8)
