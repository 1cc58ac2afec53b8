"""The queue of one edition in the sending loop: it claims deliveries, makes their messages and settles the answers."""

from __future__ import annotations

import asyncio
from collections import deque
from datetime import timedelta
from typing import Protocol

from publisher.core.bounce_report import Verdict
from publisher.core.errors import RefusedError
from publisher.core.newsletter_models import Delivery
from publisher.mail.addresses import needs_smtputf8, wire_address
from publisher.mail.lifecycle import update_after, update_returned
from publisher.mail.message import MailMerge
from publisher.mail.run_options import EditionRun
from publisher.mail.smtp.ledger_writer import LedgerWriter
from publisher.mail.smtp.limits import Claim, ThrottledDeliveries
from publisher.mail.smtp.pool import ConnectionPool
from publisher.mail.smtp.protocol import Message
from publisher.mail.transport import Deferred, GivenBack, Outcome, RefusedAt, Rejected

# Within these limits, a batch has about as many deliveries as can be sent in CLAIM_SECONDS.
SMALLEST_CLAIM, LARGEST_CLAIM = 50, 500
CLAIM_SECONDS = 0.25

# A message is deferred if this many connections broke while they were sending it, because it may be the cause.
MOST_BREAKS = 2

# The edition is stopped when this many messages were refused for their content and they make up most of the answers.
CONTENT_REFUSALS = 10


class QueueOwner(Protocol):
    """The sending loop, as its queues see it."""

    def wake(self) -> None:
        """Give work to connections, because a queue now has some."""
        ...

    def end(self, error: BaseException | None = None) -> None:
        """End the run because of an error."""
        ...

    def end_if_over(self) -> None:
        """End each edition that is over, and the run if it is over, after another answer was written to the ledger."""
        ...


class EditionQueue:
    """The claimed deliveries of an edition that wait for a connection, and the state of the edition.

    error  why the server refuses the edition itself; None if it does not
    """

    def __init__(self, sent: EditionRun, ledger: LedgerWriter, owner: QueueOwner) -> None:
        """Prepare an empty queue inside a running asyncio loop."""
        self.sent = sent
        self.error: RefusedError | None = None
        self._run, self._merge = sent.run, sent.merge
        self._ledger, self._owner = ledger, owner
        self._loop = asyncio.get_running_loop()
        self._buffer: deque[Claim] = deque()
        self._throttled = ThrottledDeliveries(self._take_back, self._return, self._claim_again)
        self._claiming: asyncio.Task[None] | None = None
        self._dry = False  # whether the last claim found no deliveries
        self._closed = False  # whether nothing more may be sent
        self._in_hand = self._unwritten = 0  # deliveries that connections have, and those on their way to the ledger
        self._claimed_at, self._claim_size = self._loop.time(), SMALLEST_CLAIM
        self._answers = self._content_refusals = 0

    def waiting(self) -> int:
        """Return how many deliveries wait for a connection."""
        return len(self._buffer)

    @property
    def over(self) -> bool:
        """Return whether all answers are in the ledger and no more deliveries are due or may be sent."""
        if not (self._dry or self._closed) or self._buffer or self._in_hand or self._unwritten:
            return False
        return self._claiming is None and (self._closed or not self._throttled.busy)

    def take(self, pool: ConnectionPool, now: float) -> tuple[Message, Claim] | None:
        """Return the next delivery with its message; return None if that delivery cannot be sent now.

        Then it goes back to the ledger if its lease is too short, or waits if its domain has reached its limit. now:
        the time of the loop's clock. The queue must not be empty.
        """
        claim = self._buffer.popleft()
        domain = claim.domain
        if len(self._buffer) < self._claim_size // 2:
            self.claim_more()
        if now >= claim.until:
            self._return(claim)
        elif wait := pool.domain_wait(domain, now, 1 + self._throttled.waiting_for(domain)):
            self._throttled.keep(claim, wait, pool.domain_rate(domain))
        elif message := self._message(claim):
            pool.count(domain, now)
            self._in_hand += 1
            return message, claim
        return None

    def answered(self, claim: Claim, fate: Outcome) -> None:
        """Settle a delivery that `take` returned."""
        self._in_hand -= 1
        self._settle(claim, fate)

    def given_back(self, claim: Claim, fate: GivenBack) -> None:
        """Put a delivery that `take` returned back into the queue, because it was not handed over."""
        self._in_hand -= 1
        claim.breaks += fate.suspect
        if claim.breaks >= MOST_BREAKS:
            self._settle(claim, Deferred(f"the connection broke {claim.breaks} times: {fate.reason}"))
        elif self._closed:
            self._return(claim)
        elif fate.suspect:
            self._buffer.append(claim)
        else:
            self._buffer.appendleft(claim)

    def claim_more(self) -> None:
        """Claim more deliveries if any may be due and none are being claimed."""
        if self._claiming is None and not self._dry and not self._closed:
            self._claiming = asyncio.ensure_future(self._claim())

    def let_go(self) -> None:
        """Return the waiting deliveries to the ledger, for example because the owner may cancel the edition."""
        claims = [*self._buffer, *self._throttled.empty()]
        self._buffer.clear()
        for claim in claims:
            self._return(claim)

    def close(self) -> None:
        """Send nothing more, and return waiting deliveries to the ledger."""
        self._closed = True
        self.let_go()

    async def closed(self) -> None:
        """Wait until deliveries that were being claimed when the queue was closed have been returned, too."""
        if self._claiming is not None:
            await asyncio.wait([self._claiming])

    def _message(self, claim: Claim) -> Message | None:
        try:
            return _with_envelope(self._merge, claim.delivery)
        except ValueError as error:  # the address or name is only a problem for this message
            self._settle(claim, Rejected(str(error), RefusedAt.HERE))
            return None

    def _settle(self, claim: Claim, outcome: Outcome) -> None:
        run, delivery = self._run, claim.delivery
        update = update_after(self._merge.edition, delivery, outcome, run.unanswered, run.clock())
        self._unwritten += 1

        def done() -> None:
            """Report a result when it is in the ledger."""
            self._unwritten -= 1
            run.progress(delivery, update.status, update.reason)
            self._owner.end_if_over()

        self._ledger.write(update, done)
        self._answers += 1
        verdict = run.judge_failure(delivery, update.status, outcome)
        if verdict is Verdict.REFUSED and isinstance(outcome, Rejected):
            self._count_refusal(outcome)

    def _count_refusal(self, outcome: Rejected) -> None:
        """Close the queue if the server refuses most messages for their content or sender."""
        self._content_refusals += 1
        enough = self._content_refusals >= CONTENT_REFUSALS and 2 * self._content_refusals > self._answers
        if enough and self.error is None:
            self.error = RefusedError(
                f"the mail server refuses the edition itself, {self._content_refusals} of"
                f" {self._answers} messages: {outcome.reason}",
                hint="see what it says about the content or the sender",
            )
            self.close()

    def _return(self, claim: Claim, again_in: float = 0.0) -> None:
        """Return a delivery to the ledger. again_in: seconds until it may be claimed again."""
        now = self._run.clock()
        self._unwritten += 1

        def done() -> None:
            """Continue when the ledger has the delivery again."""
            self._unwritten -= 1
            self._dry = False
            self._owner.wake()

        delivery, again_at = claim.delivery, now + timedelta(seconds=again_in)
        self._ledger.write(update_returned(delivery.id, now, again_at, edition_id=delivery.edition_id), done)

    def _take_back(self, claim: Claim) -> None:
        self._buffer.appendleft(claim)
        self._owner.wake()

    def _claim_again(self) -> None:
        self._dry = False
        self.claim_more()
        self._owner.wake()

    async def _claim(self) -> None:
        """Fill the buffer with about as many deliveries as can be sent in CLAIM_SECONDS."""
        now = self._loop.time()
        if now - self._claimed_at < CLAIM_SECONDS:
            self._claim_size = min(2 * self._claim_size, LARGEST_CLAIM)
        elif now - self._claimed_at > 4 * CLAIM_SECONDS:
            self._claim_size = SMALLEST_CLAIM
        self._claimed_at = now
        try:
            batch = await self._ledger.claim(self._run, self._merge.edition.id, self._claim_size)
        except BaseException as error:  # noqa: BLE001 - it ends the run, which raises it in its own task
            self._owner.end(error)
            return
        finally:
            self._claiming = None
        # Half of the lease is left for sending the last message; a delivery that waits longer is claimed again.
        until = now + self._run.options.lease.total_seconds() / 2
        self._dry = not batch
        self._buffer.extend(Claim(delivery, until) for delivery in batch)
        if self._closed:
            self.let_go()
        self._loop.call_soon(self._owner.wake)


def _with_envelope(merge: MailMerge, delivery: Delivery) -> Message:
    """Return a delivery's message with its envelope. Raises ValueError if an address cannot be used."""
    sender, recipient = wire_address(merge.envelope_from(delivery)), wire_address(delivery.address)
    utf8 = needs_smtputf8(sender) or needs_smtputf8(recipient)
    # No line of a newsletter's message starts with a dot (see quoted_printable), so dot-stuffing is not needed.
    return Message(sender, recipient, merge.pieces(delivery), utf8=utf8)
