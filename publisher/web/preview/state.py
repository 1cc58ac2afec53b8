"""Where the newest snapshot lies, and the one thread that works on it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from datetime import datetime
from pathlib import Path
from queue import SimpleQueue
from typing import Any, TypeVar

from publisher.config import Config, load_config
from publisher.core.errors import PublisherError
from publisher.publishing.render import UnreadablePostError
from publisher.web.preview.files import files_of, state_of, usual_files
from publisher.web.preview.snapshot import Shelf, Snapshot

T = TypeVar("T")

# However many pages ask, the files are looked at so often and no oftener; in seconds.
_LOOK_EVERY = 0.2
# Nor more often than so many times as long as a look takes: a large folder must not keep a processor busy.
_REST = 10


# How long a question waits before it asks whether all is over, in seconds.
_PATIENCE = 0.2


class Desk:
    """Answers questions about the project as its files are now; made anew only when they changed.

    A snapshot holds things that belong to one thread (the index of posts), so all questions are answered
    there, one after the other. is_ending: whether nobody waits for answers any more.
    """

    def __init__(
        self, root: Path, clock: Callable[[Config], datetime], is_ending: Callable[[], bool] = lambda: False
    ) -> None:
        self._root, self._clock, self._is_ending = root, clock, is_ending
        self._worker = _Worker()
        self._paths = usual_files(root)
        self._snapshot: Snapshot | None = None
        self._expired: Snapshot | None = None
        self._made_from = ""
        self._looking = threading.Lock()
        self._state, self._look_again_at, self._turn = "", 0.0, 0
        self.shelves: tuple[Shelf, ...] = ()
        self.title = ""

    def state(self) -> str:
        """Return what changes whenever an answer may, as it was a moment ago: for pages that wait for news."""
        with self._looking:
            if time.monotonic() < self._look_again_at:
                return self._state
        return self._look()

    def _look(self) -> str:
        """Look at the files."""
        with self._looking:
            started = time.thread_time()
            self._notice_time()
            self._state = f"{state_of(self._paths)}-{self._turn}"
            rest = max(_LOOK_EVERY, _REST * (time.thread_time() - started))
            self._look_again_at = time.monotonic() + rest
            return self._state

    def _notice_time(self) -> None:
        """A post that waited for its hour changes the state as a file does, once."""
        snapshot = self._snapshot
        if snapshot is None or snapshot is self._expired or snapshot.expires is None:
            return
        if self._clock(snapshot.config) >= snapshot.expires:
            self._expired, self._turn = snapshot, self._turn + 1

    def begin(self) -> None:
        """Make the first snapshot already, while the browser opens: most of it is loading libraries."""
        self._worker.submit(self._current)

    def ask(self, question: Callable[[Snapshot], T]) -> T:
        """Return the answer about the files as they are now; raise PublisherError where they allow none."""
        answer = self._worker.submit(lambda: self._answer(question))
        while not self._is_ending():
            try:
                return answer.result(_PATIENCE)
            except TimeoutError:
                if answer.done():
                    raise
        raise PublisherError("the preview has ended")

    def now(self, config: Config) -> datetime:
        """Return the moment at which the preview acts."""
        return self._clock(config)

    def close(self) -> None:
        """Take no more questions; what is being worked on is dropped when the program ends."""
        self._worker.close()

    def _answer(self, question: Callable[[Snapshot], T]) -> T:
        unreadable: set[str] = set()
        while True:
            snapshot = self._current()
            try:
                return question(snapshot)
            except UnreadablePostError as error:
                if error.source in unreadable:
                    raise
                # It is marked, and the next snapshot is without it.
                unreadable.add(error.source)
                self._snapshot = None

    def _current(self) -> Snapshot:
        state, snapshot = self._look(), self._snapshot
        if snapshot is not None and self._made_from == state:
            return snapshot
        self._snapshot = None
        # Always look first and read then: what changes in between is read again.
        while self._paths != files_of(config := load_config(self._root)):
            self._paths = files_of(config)
            state = self._look()
        snapshot = Snapshot(config, self._clock(config))
        self._snapshot, self._made_from = snapshot, state
        self.shelves, self.title = snapshot.shelves, config.site.title
        return snapshot


class _Worker:
    """One thread that does one job after the other. Unlike an executor's, the end of the program does not await it."""

    def __init__(self) -> None:
        self._jobs: SimpleQueue[tuple[Future[Any], Callable[[], Any]] | None] = SimpleQueue()
        threading.Thread(target=self._work, name="preview", daemon=True).start()

    def submit(self, job: Callable[[], T]) -> Future[T]:
        """Return where the job's result will be."""
        found: Future[T] = Future()
        self._jobs.put((found, job))
        return found

    def close(self) -> None:
        """Stop after the jobs that were submitted."""
        self._jobs.put(None)

    def _work(self) -> None:
        while (next_one := self._jobs.get()) is not None:
            found, job = next_one
            try:
                found.set_result(job())
            except BaseException as error:  # noqa: BLE001 - whoever asked hears of it
                found.set_exception(error)
