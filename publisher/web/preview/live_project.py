"""The project as its files are now: watches them, and answers questions from the newest snapshot, in one thread."""

from __future__ import annotations

import hashlib
import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, TypeVar

from publisher.config import CONFIG_FILE, Config, load_config
from publisher.core.errors import PublisherError
from publisher.publishing.edition_plan import UnreadablePostError
from publisher.store.location import sqlite_path

if TYPE_CHECKING:
    from publisher.web.preview.snapshot import NewsletterEmails, Snapshot

T = TypeVar("T")

# However many pages ask, the files are not checked more often than this, in seconds.
_CHECK_EVERY = 0.2
# Nor does checking take more than a tenth of the time: a large folder must not keep a processor busy.
_REST = 10
# How often a waiting question checks whether the preview is ending, in seconds.
_ENDING_EVERY = 0.2

# What is watched until a configuration could be read.
_USUAL = (CONFIG_FILE, "posts", "templates", "letters", "static")


class LiveProject:
    """Answers questions about the project. The snapshot is made again only when files have changed.

    A snapshot contains objects that belong to one thread (the index of posts), so that thread answers all questions,
    one after the other.

    newsletters, title  as in the newest snapshot, for pages that show an error
    """

    def __init__(
        self, root: Path, clock: Callable[[Config], datetime], is_ending: Callable[[], bool] = lambda: False
    ) -> None:
        """is_ending: whether the preview is being stopped, and nobody waits for answers any longer."""
        self._root, self._clock, self._is_ending = root, clock, is_ending
        self._worker = _Worker()
        self._paths = usual_files(root)
        self._snapshot: Snapshot | None = None
        self._expired: Snapshot | None = None
        self._made_from = ""
        self._checking = threading.Lock()
        self._state, self._next_check, self._turn = "", 0.0, 0
        self.newsletters: tuple[NewsletterEmails, ...] = ()
        self.title = ""

    def begin(self) -> None:
        """Make the first snapshot while the browser opens. Most of that time is spent loading libraries."""
        self._worker.submit(self._current)

    def ask(self, question: Callable[[Snapshot], T]) -> T:
        """Return the answer for the files as they are now. Raises PublisherError if they cannot be read."""
        answer = self._worker.submit(lambda: self._answer(question))
        while not self._is_ending():
            try:
                return answer.result(_ENDING_EVERY)
            except TimeoutError:
                if answer.done():
                    raise
        raise PublisherError("the preview has ended")

    def state(self) -> str:
        """Return a text that changes whenever an answer may have changed; it may be a moment old."""
        with self._checking:
            if time.monotonic() < self._next_check:
                return self._state
        return self._check()

    def now(self, config: Config) -> datetime:
        """Return the time at which the preview pretends to be."""
        return self._clock(config)

    def close(self) -> None:
        """Take no more questions. The one being answered is dropped when the program ends."""
        self._worker.close()

    def _check(self) -> str:
        """Check the files now."""
        with self._checking:
            started = time.thread_time()
            self._check_time()
            self._state = f"{state_of(self._paths)}-{self._turn}"
            rest = max(_CHECK_EVERY, _REST * (time.thread_time() - started))
            self._next_check = time.monotonic() + rest
            return self._state

    def _check_time(self) -> None:
        """Change the state once when a scheduled post appears, as if a file had changed."""
        snapshot = self._snapshot
        if snapshot is None or snapshot is self._expired or snapshot.expires is None:
            return
        if self._clock(snapshot.config) >= snapshot.expires:
            self._expired, self._turn = snapshot, self._turn + 1

    def _answer(self, question: Callable[[Snapshot], T]) -> T:
        unreadable: set[str] = set()
        while True:
            snapshot = self._current()
            try:
                return question(snapshot)
            except UnreadablePostError as error:
                if error.source in unreadable:
                    raise
                # The post is marked as broken, so the next snapshot skips it.
                unreadable.add(error.source)
                self._snapshot = None

    def _current(self) -> Snapshot:
        # Here, because it loads what renders posts and emails, which takes 0.3 s: `begin` does so in the background.
        from publisher.web.preview.snapshot import Snapshot

        state, snapshot = self._check(), self._snapshot
        if snapshot is not None and self._made_from == state:
            return snapshot
        self._snapshot = None
        # Check before reading: a file that changes in between is then read again.
        while self._paths != files_of(config := load_config(self._root)):
            self._paths = files_of(config)
            state = self._check()
        snapshot = Snapshot(config, self._clock(config))
        self._snapshot, self._made_from = snapshot, state
        self.newsletters, self.title = snapshot.newsletters, config.site.title
        return snapshot


class _Worker:
    """A thread that does one job after the other. Unlike with an executor, the program can end without it."""

    def __init__(self) -> None:
        self._jobs: SimpleQueue[tuple[Future[Any], Callable[[], Any]] | None] = SimpleQueue()
        threading.Thread(target=self._work, name="preview", daemon=True).start()

    def submit(self, job: Callable[[], T]) -> Future[T]:
        """Queue a job and return the future with its result."""
        found: Future[T] = Future()
        self._jobs.put((found, job))
        return found

    def close(self) -> None:
        """Stop after the jobs that are queued."""
        self._jobs.put(None)

    def _work(self) -> None:
        while (next_one := self._jobs.get()) is not None:
            found, job = next_one
            try:
                found.set_result(job())
            except BaseException as error:  # noqa: BLE001 - it is raised again where the result is read
                found.set_exception(error)


def usual_files(root: Path) -> tuple[Path, ...]:
    """Return what a project usually consists of; not all of it needs to exist."""
    return tuple(root / name for name in _USUAL)


def files_of(config: Config) -> tuple[Path, ...]:
    """Return the files and folders on which the preview of a project depends, including those that do not exist yet.

    Of the database only its main file counts: the files next to it come and go whenever it is read.
    """
    folders = (CONFIG_FILE, config.posts.folder, "templates", "letters", config.pages.static)
    database = sqlite_path(config.database.url, config.root)
    return (*(config.root / name for name in folders), *([database] if database else []))


def state_of(paths: Iterable[Path]) -> str:
    """Return a hash that changes whenever a file below one of the paths is written, added, moved or removed.

    It takes 5 us per file. Files that begin with a dot or end with "~" belong to an editor and are ignored.
    """
    stamps = sorted(stamp for path in paths for stamp in _stamps(str(path)))
    return hashlib.blake2b("\n".join(stamps).encode("utf-8", "surrogateescape"), digest_size=12).hexdigest()


def _stamps(path: str) -> Iterator[str]:
    waiting = [path]
    while waiting:
        current = waiting.pop()
        try:
            with os.scandir(current) as entries:
                for entry in entries:
                    if entry.name.startswith(".") or entry.name.endswith("~"):
                        continue
                    if entry.is_dir(follow_symlinks=False):  # a link may lead to a folder above it
                        waiting.append(entry.path)
                        continue
                    with suppress(OSError):
                        yield _stamp(entry.path, entry.stat())
        except NotADirectoryError:
            with suppress(OSError):
                yield _stamp(current, Path(current).stat())
        except OSError:
            continue  # it was deleted in the meantime, or does not exist yet


def _stamp(path: str, status: os.stat_result) -> str:
    return f"{path}\0{status.st_size}\0{status.st_mtime_ns}\0{status.st_ino}"
