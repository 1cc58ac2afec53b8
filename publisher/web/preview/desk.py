"""Where the newest snapshot lies, and the one thread that works on it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from typing import TypeVar

from publisher.config import Config, load_config
from publisher.press import UnreadablePostError
from publisher.web.preview.files import files_of, state_of, usual_files
from publisher.web.preview.snapshot import Shelf, Snapshot

T = TypeVar("T")

# However many pages ask, the files are looked at so often and no oftener; in seconds.
_LOOK_EVERY = 0.2
# Nor more often than so many times as long as a look takes: a large folder must not keep a processor busy.
_REST = 10


class Desk:
    """Answers questions about the project as its files are now; made anew only when they changed.

    A snapshot holds things that belong to one thread (the index of posts), so all questions are answered
    there, one after the other.
    """

    def __init__(self, root: Path, clock: Callable[[Config], datetime]) -> None:
        self._root, self._clock = root, clock
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="preview")
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
        return self._worker.submit(self._answer, question).result()

    def now(self, config: Config) -> datetime:
        """Return the moment at which the preview acts."""
        return self._clock(config)

    def close(self) -> None:
        """Take no more questions."""
        self._worker.shutdown(wait=False, cancel_futures=True)

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
        config = load_config(self._root, remember=False)
        if self._paths != files_of(config):
            self._paths = files_of(config)
            state = self._look()
        snapshot = Snapshot(config, self._clock(config))
        self._snapshot, self._made_from = snapshot, state
        self.shelves, self.title = snapshot.shelves, config.site.title
        return snapshot
