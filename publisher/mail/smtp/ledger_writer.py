"""The sending loop's access to the ledger, on a separate thread, so that the loop never waits for a disk."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from publisher.core.newsletter_models import Delivery
from publisher.mail.lifecycle import LedgerUpdate
from publisher.mail.run_options import Run

if TYPE_CHECKING:
    from publisher.store import Store

# A group of this size shows that answers come in faster than groups are written.
BUSY_GROUP = 5

# The longest pause between two groups, in seconds, so that a slow disk is not slowed down further.
LONGEST_PAUSE = 0.005


class LedgerWriter:
    """The thread that claims deliveries and writes answers to the ledger in groups.

    All answers that come in while one group is being written form the next group.
    """

    def __init__(self, store: Store, worker: str, failed: Callable[[BaseException], None]) -> None:
        """Prepare the thread, inside a running asyncio loop.

        worker: the name under which deliveries are claimed. failed: called with the error if the ledger cannot be read
        or written. After a failed write, nothing more is written.
        """
        self._store = store
        self._worker = worker
        self._failed = failed
        self._thread = ThreadPoolExecutor(1, "publisher-ledger")
        self._loop = asyncio.get_running_loop()
        self._gathered: list[tuple[LedgerUpdate, Callable[[], None]]] = []
        self._writing: asyncio.Future[int] | None = None
        self._began = self._next_group_at = self._loop.time()
        self._finishing = self._broken = False

    @property
    def busy(self) -> bool:
        """Return whether any update is not in the ledger yet."""
        return self._writing is not None or bool(self._gathered)

    async def claim(self, run: Run, edition_id: int, limit: int) -> Sequence[Delivery]:
        """Lease up to `limit` of an edition's deliveries that are due."""
        return await self._loop.run_in_executor(self._thread, run.claim, self._store, edition_id, limit, run.clock())

    async def held(self, edition_id: int) -> bool:
        """Return whether an edition is on hold now."""
        return await self._loop.run_in_executor(self._thread, self._store.editions.held, edition_id)

    def write(self, update: LedgerUpdate, written: Callable[[], None]) -> None:
        """Write an update soon. written: called when the update is in the ledger."""
        self._gathered.append((update, written))
        if self._writing is None and len(self._gathered) == 1:
            self._write_after_pause()

    async def finish(self) -> None:
        """Wait until every update is in the ledger, and end the thread."""
        self._finishing = True
        self._write_group()
        while self._writing is not None:
            await asyncio.wait([self._writing])
            await asyncio.sleep(0)  # the callback may begin the next group
        self._thread.shutdown(wait=True)

    def _write_after_pause(self) -> None:
        """Begin the next group after a pause as long as the last group took, so that groups grow with the load.

        Writing even a small group takes 0.6 ms of processor time, which is then missing for sending.
        """
        pause = self._next_group_at - self._loop.time()
        if pause > 0 and not self._finishing:
            self._loop.call_later(pause, self._write_group)
        else:
            self._write_group()

    def _write_group(self) -> None:
        if self._broken or not self._gathered or self._writing is not None:
            return
        self._began = self._loop.time()
        group, self._gathered = self._gathered, []
        settled = [update.settled for update, _ in group]
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
        self._next_group_at = now + min(now - self._began, LONGEST_PAUSE) if len(group) >= BUSY_GROUP else now
        for _, written in group:
            written()
        if self._gathered:
            self._write_after_pause()
