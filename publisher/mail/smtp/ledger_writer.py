"""The sending loop's access to the ledger, on a separate thread, so that the loop never waits for a disk.

Each group also says which deliveries may have been handed over without an answer. If this process is killed, or its
whole host is lost, this shows the other workers what is in doubt: at most one message for each connection.

While the database is away, the thread keeps its group and tries again, and nothing more is noted or claimed. Retried
work may have been written before the connection broke, so a retry only changes what the ledger still lacks.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING

from publisher.core.errors import LeaseLostError
from publisher.core.newsletter_models import Delivery
from publisher.mail.database_retries import Patience
from publisher.mail.lifecycle import DeliveryEvent, LedgerUpdate, moves
from publisher.mail.run_options import Run
from publisher.mail.smtp.connection import Noted

if TYPE_CHECKING:
    from publisher.store import Store
    from publisher.store.deliveries import Settled

# A group of this size shows that answers arrive faster than groups are written.
BUSY_GROUP = 5

# The maximum pause between two groups, in seconds, so that a slow disk is not slowed down further.
LONGEST_PAUSE = 0.005


# A worker that writes nothing else renews its lease this many times within its length.
RENEWALS = 8


class LedgerWriter:
    """The thread that claims deliveries, notes what is handed over and writes answers to the ledger, in groups.

    Everything that arrives while one group is being written forms the next group.
    """

    def __init__(
        self, store: Store, run: Run, failed: Callable[[BaseException], None], patience: Patience | None = None
    ) -> None:
        """Prepare the thread, inside a running asyncio loop.

        run: the run of the worker under whose name deliveries are claimed. failed: called with the error if the ledger
        cannot be read or written, or others have taken over the worker's deliveries. After a failed write, nothing more
        is written. patience: how to retry while the database is away; None for no retries.
        """
        self._store = store
        self._run = run
        self._failed = failed
        self._patience = patience or Patience(0.0)
        self._thread = ThreadPoolExecutor(1, "publisher-ledger")
        self._loop = asyncio.get_running_loop()
        self._gathered: list[tuple[LedgerUpdate, Callable[[], None]]] = []
        self._notes: list[Noted] = []
        self._in_doubt: set[int] = set()
        self._written_doubt = frozenset[int]()  # as in the ledger; only the thread uses this and the next line
        self._leased: set[int] = set()  # the deliveries that the worker has claimed and not settled
        self._writing: asyncio.Future[float] | None = None
        self._began = self._next_group_at = self._loop.time()
        self._scheduled = self._finishing = self._broken = self._lost = False

    async def claim(self, run: Run, edition_id: int, limit: int) -> Sequence[Delivery]:
        """Lease up to `limit` of an edition's deliveries that are due."""
        return await self._loop.run_in_executor(self._thread, self._claim, run, edition_id, limit)

    async def held(self, edition_id: int) -> bool:
        """Return whether an edition is on hold now."""
        look = partial(self._patience.keep_trying, lambda has_failed: self._store.editions.held(edition_id))
        return await self._loop.run_in_executor(self._thread, look)

    def renew(self) -> None:
        """Renew the worker's lease if it has not been renewed for a while."""
        if self._loop.time() - self._began >= self._run.options.lease.total_seconds() / RENEWALS:
            self._write_soon()

    def note(self, delivery_id: int, noted: Noted) -> None:
        """Record that a delivery is about to be handed over.

        noted: called, if ever, when the delivery may be handed over, with the time, by the loop's clock, until which
        this is safe. After that, others may have taken over the delivery if this process was stopped for a while.
        """
        self._in_doubt.add(delivery_id)
        self._notes.append(noted)
        self._write_soon()

    def take_back(self, delivery_id: int) -> None:
        """Withdraw a note, because the delivery was not handed over after all."""
        self._in_doubt.discard(delivery_id)

    def write(self, update: LedgerUpdate, written: Callable[[], None]) -> None:
        """Schedule the writing of an update. written: called when the update is in the ledger."""
        self._gathered.append((update, written))
        self._write_soon()

    async def finish(self) -> None:
        """Wait until every update is in the ledger, and end the thread."""
        self._finishing = True
        self._write_group()
        while self._writing is not None:
            await asyncio.wait([self._writing])
            await asyncio.sleep(0)  # the callback may begin the next group
        self._thread.shutdown(wait=True)

    def _write_soon(self) -> None:
        """Begin the next group, unless one is being written or will be soon.

        It begins in the next turn of the loop, so that an answer and the note that follows from it are one group. If
        many arrive, there is a pause as long as the last group took, so that groups grow with the load: writing even a
        small group takes 0.6 ms of CPU time, which sending then lacks.
        """
        if self._writing is not None or self._scheduled:
            return
        self._scheduled = True
        pause = self._next_group_at - self._loop.time()
        if pause > 0 and not self._finishing:
            self._loop.call_later(pause, self._write_group)
        else:
            self._loop.call_soon(self._write_group)

    def _write_group(self) -> None:
        self._scheduled = False
        if self._writing is not None:
            return
        if self._broken or (self._finishing and not self._gathered):
            return
        self._began = self._loop.time()
        group, self._gathered = self._gathered, []
        notes, self._notes = self._notes, []
        settled = [update.settled for update, _ in group]
        self._in_doubt.difference_update([each.delivery_id for each in settled])
        self._writing = self._loop.run_in_executor(self._thread, self._write, settled, frozenset(self._in_doubt))
        self._writing.add_done_callback(lambda future: self._wrote(future, group, notes))

    def _write(self, settled: Sequence[Settled], in_doubt: frozenset[int]) -> float:
        """Write a group; return when the successful try began, by the loop's clock."""
        self._run.tally.accepted += sum([each.sent_at is not None for each in settled])

        def write(has_failed: bool) -> float:
            """Make one attempt to write the group."""
            began, beat = self._loop.time(), None if self._lost else self._run.heartbeat(in_doubt)
            self._store.deliveries.acknowledge(self._run.worker, settled, beat, again=has_failed)
            return began

        began = self._patience.keep_trying(write)
        self._written_doubt = in_doubt
        self._leased.difference_update([each.delivery_id for each in settled])
        return began

    def _claim(self, run: Run, edition_id: int, limit: int) -> Sequence[Delivery]:
        def claim(has_failed: bool) -> Sequence[Delivery]:
            """Make one attempt to claim. Deliveries that an earlier attempt may have claimed are first given back."""
            if has_failed:
                back, now = moves(DeliveryEvent.RETURNED), run.clock()
                self._store.deliveries.return_unknown(run.worker, edition_id, self._leased, returned=back, now=now)
            return run.claim(self._store, edition_id, limit, self._written_doubt)

        claimed = self._patience.keep_trying(claim)
        self._leased.update([each.id for each in claimed])
        return claimed

    def _wrote(
        self,
        future: asyncio.Future[float],
        group: list[tuple[LedgerUpdate, Callable[[], None]]],
        notes: list[Noted],
    ) -> None:
        self._writing = None
        error = future.exception()
        if isinstance(error, LeaseLostError):  # the answers are in the ledger anyway
            self._lost = True
            self._failed(error)
        elif error:
            self._broken = True
            self._failed(error)
            return
        self._run.options.stop.sign_of_life()
        now = self._loop.time()
        size = len(group) + len(notes)
        self._next_group_at = now + min(now - self._began, LONGEST_PAUSE) if size >= BUSY_GROUP else now
        for _, written in group:
            written()
        until = (self._began if error else future.result()) + self._run.options.lease.total_seconds()
        for noted in () if self._lost else notes:
            noted(until)
        if self._gathered or self._notes:
            self._write_soon()
