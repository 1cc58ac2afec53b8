"""The ledger from inside the sending loop: on a thread of its own, so that the loop never waits for a disk."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from publisher.core.newsletter_models import Delivery, DeliveryStatus, Edition
from publisher.mail.lifecycle import DeliveryEvent, LedgerUpdate, moves, update_after, update_returned
from publisher.mail.transport import Outcome

if TYPE_CHECKING:
    from publisher.store import Store
    from publisher.store.deliveries import Settled


# A group of so many says that answers come in faster than groups are written.
BUSY_GROUP = 5

# Seconds; what a person holds, a run lets go within them. A look takes 0.1 ms.
LOOK_SECONDS = 0.5

# Seconds; a slow disk is not made slower.
LONGEST_PAUSE = 0.005


class LedgerWriter:
    """Claims, and writes answers in groups: whatever came in while the last group was written is the next."""

    def __init__(self, store: Store, worker: str, edition_id: int, failed: Callable[[BaseException], None]) -> None:
        """failed: told once when the ledger cannot be written; nothing is written after that."""
        self._store = store
        self._worker = worker
        self._edition_id = edition_id
        self._failed = failed
        self._thread = ThreadPoolExecutor(1, "publisher-ledger")
        self._loop = asyncio.get_running_loop()
        self._gathered: list[tuple[LedgerUpdate, Callable[[], None]]] = []
        self._writing: asyncio.Future[int] | None = None
        self._began = self._rested = self._loop.time()
        self._finishing = self._broken = False

    @property
    def busy(self) -> bool:
        """Whether anything is not in the ledger yet."""
        return self._writing is not None or bool(self._gathered)

    async def claim(self, limit: int, now: datetime, lease_until: datetime) -> Sequence[Delivery]:
        """Lease up to `limit` deliveries that are due."""
        return await self._loop.run_in_executor(
            self._thread,
            lambda: self._store.deliveries.claim(
                self._edition_id,
                self._worker,
                now=now,
                lease_until=lease_until,
                limit=limit,
                claimed=moves(DeliveryEvent.CLAIMED),
                left=moves(DeliveryEvent.LEFT),
            ),
        )

    async def mind(self, held: Callable[[], None]) -> None:
        """Look every moment whether the edition is held, and say so each time; goes on until it is cancelled."""
        try:
            while True:
                await asyncio.sleep(LOOK_SECONDS)
                if await self._loop.run_in_executor(self._thread, self._store.editions.held, self._edition_id):
                    held()
        except Exception as error:  # noqa: BLE001 - the run ends with it, in its own task
            self._failed(error)

    def note(self, told: LedgerUpdate, written: Callable[[], None]) -> None:
        """Take an entry to write as soon as may be. written: called once it is in the ledger."""
        self._gathered.append((told, written))
        if self._writing is None and len(self._gathered) == 1:
            self._write_when_rested()

    async def finish(self) -> None:
        """Wait until everything noted is in the ledger, and end the thread."""
        self._finishing = True
        self._write()
        while self._writing is not None:
            await asyncio.wait([self._writing])
            await asyncio.sleep(0)  # its callback may begin the next group
        self._thread.shutdown(wait=True)

    def _write_when_rested(self) -> None:
        """Begin the next group after a pause as long as the last one took: groups grow with what comes in.

        Writing a group takes 0.6 ms of the processor however small it is, and sending has one to share.
        """
        pause = self._rested - self._loop.time()
        if pause > 0 and not self._finishing:
            self._loop.call_later(pause, self._write)
        else:
            self._write()

    def _write(self) -> None:
        if self._broken or not self._gathered or self._writing is not None:
            return
        self._began = self._loop.time()
        group, self._gathered = self._gathered, []
        settled = [told.settled for told, _ in group]
        self._writing = self._loop.run_in_executor(
            self._thread, self._store.deliveries.acknowledge, self._worker, settled
        )
        self._writing.add_done_callback(lambda future: self._wrote(future, group))

    def _wrote(self, future: asyncio.Future[int], group: list[tuple[LedgerUpdate, Callable[[], None]]]) -> None:
        self._writing = None
        if error := future.exception():
            self._broken = True
            self._failed(error)
            return
        now = self._loop.time()
        self._rested = now + min(now - self._began, LONGEST_PAUSE) if len(group) >= BUSY_GROUP else now
        for _, written in group:
            written()
        if self._gathered:
            self._write_when_rested()


# An answer is in the ledger within this time of the next one, however slow the server: what a power cut can
# undo.
LONGEST_UNWRITTEN = timedelta(seconds=1)


class LedgerBuffer:
    """What one worker learned about the deliveries in its hands."""

    def __init__(
        self,
        store: Store,
        worker: str,
        edition: Edition,
        group: int,
        clock: Callable[[], datetime],
        progress: Callable[[Delivery, DeliveryStatus, str], None],
    ) -> None:
        """group: so many answers are written at once; a process that is killed loses the rest."""
        self.clock = clock
        self._group = group
        self.unanswered_in_a_row = 0
        self._store = store
        self._worker = worker
        self._edition = edition
        self._progress = progress
        self._pages: list[Settled] = []
        self._oldest: datetime | None = None

    def write(self, delivery: Delivery, outcome: Outcome, unanswered: DeliveryEvent) -> None:
        """Note what became of a delivery. unanswered: what to do with one that got no answer."""
        told = update_after(self._edition, delivery, outcome, unanswered, self.clock())
        self.unanswered_in_a_row = self.unanswered_in_a_row + 1 if told.doubtful else 0
        self._note(told)
        self._progress(delivery, told.status, told.reason)
        waited = self.clock() - self._oldest if self._oldest else timedelta()
        if len(self._pages) >= self._group or waited >= LONGEST_UNWRITTEN:
            self.flush()

    def give_back(self, delivery: Delivery) -> None:
        """Note that a delivery was not handed over: anyone may claim it again."""
        self._note(update_returned(delivery.id, self.clock()))

    def flush(self) -> None:
        """Put everything noted into the ledger, in one transaction."""
        self._store.deliveries.acknowledge(self._worker, self._pages)
        self._pages = []
        self._oldest = None

    def _note(self, told: LedgerUpdate) -> None:
        self._oldest = self._oldest or self.clock()
        self._pages.append(told.settled)
