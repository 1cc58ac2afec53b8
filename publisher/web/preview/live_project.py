"""Watches the project's files, and answers questions about their current state from a snapshot, in one thread."""

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
from publisher.core.file_names import is_project
from publisher.core.models import UnreadablePostError
from publisher.posts.chosen_paths import posts_paths
from publisher.store.location import sources_key, sqlite_path

if TYPE_CHECKING:
    from publisher.web.preview.snapshot import NewsletterEmails, Snapshot

T = TypeVar("T")

# The minimum seconds between two checks of the files, however many pages are open.
_CHECK_EVERY = 0.2
# Checks take at most about a tenth of the time, so that a large folder does not keep a CPU busy.
_REST = 10
# The seconds after which a waiting question checks again whether the preview is ending.
_ENDING_EVERY = 0.2

_OF_MKDOCS = (".meta.yml", ".authors.yml")
# The files and folders to watch before a configuration has been read.
_USUAL = (CONFIG_FILE, "posts", "templates", "letters", "static", "pages")


class LiveProject:
    """Answers questions about the project. A new snapshot is only made when files have changed.

    A snapshot contains objects that only one thread may use (the index of posts). That thread therefore answers all
    questions, one after the other.

    newsletters, title  the values from the newest snapshot, for pages that show an error
    """

    def __init__(
        self, root: Path, clock: Callable[[Config], datetime], is_ending: Callable[[], bool] = lambda: False
    ) -> None:
        """Start the thread for questions.

        root       the folder of the project
        clock      returns the time that the preview pretends it is
        is_ending  returns whether the preview is being stopped; waiting questions are then abandoned
        """
        self._root, self._clock, self._is_ending = root, clock, is_ending
        self._worker = _Worker()
        self._paths, self._is_anywhere = usual_files(root), False
        self._database: tuple[str, Path] | None = None
        self._snapshot: Snapshot | None = None
        self._expired: Snapshot | None = None
        self._made_from = ""
        self._checking = threading.Lock()
        self._state, self._next_check, self._turn, self._fetched = "", 0.0, 0, ""
        self.newsletters: tuple[NewsletterEmails, ...] = ()
        self.title = ""

    def begin(self) -> None:
        """Make the first snapshot while the browser opens. Most of the time is spent loading libraries."""
        self._worker.submit(self._current)

    def ask(self, question: Callable[[Snapshot], T]) -> T:
        """Return the answer to a question for the current state of the files.

        question  a function that is called with the snapshot and returns the answer

        Raises PublisherError if the files cannot be read, or if the preview is being stopped.
        """
        answer = self._worker.submit(lambda: self._answer(question))
        while not self._is_ending():
            try:
                return answer.result(_ENDING_EVERY)
            except TimeoutError:
                if answer.done():
                    raise
        raise PublisherError("the preview has ended")

    def state(self) -> str:
        """Return a string that changes whenever answers may have changed. It may be slightly out of date."""
        with self._checking:
            if time.monotonic() < self._next_check:
                return self._state
        return self._check()

    def now(self, config: Config) -> datetime:
        """Return the time that the preview pretends it is."""
        return self._clock(config)

    def close(self) -> None:
        """Stop answering new questions. A question in progress is abandoned when the program ends."""
        self._worker.close()

    def _check(self) -> str:
        """Check the files now, and return their state."""
        with self._checking:
            started = time.thread_time()
            self._check_time()
            self._check_sources()
            self._state = f"{state_of(self._paths)}-{self._turn}-{self._fetched}-{self._top_state()}"
            rest = max(_CHECK_EVERY, _REST * (time.thread_time() - started))
            self._next_check = time.monotonic() + rest
            return self._state

    def _top_state(self) -> int:
        """Return a number that changes when an entry is added to a project whose posts may be anywhere, else 0."""
        with suppress(OSError):
            return self._root.stat().st_mtime_ns if self._is_anywhere else 0
        return 0

    def _check_time(self) -> None:
        """Change the state when a scheduled post appears or expires, as if a file had changed."""
        snapshot = self._snapshot
        if snapshot is None or snapshot is self._expired or snapshot.expires is None:
            return
        if self._clock(snapshot.config) >= snapshot.expires:
            self._expired, self._turn = snapshot, self._turn + 1

    def _check_sources(self) -> None:
        """Change the state when an item of a source has been fetched, which the database's file shows too late."""
        self._fetched = (sources_key(*self._database) or "") if self._database else ""

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
        # Imported here because loading the code that renders posts takes 0.3 s, which `begin` spends in the background.
        from publisher.web.preview.snapshot import Snapshot

        state, snapshot = self._check(), self._snapshot
        if snapshot is not None and self._made_from == state:
            return snapshot
        self._snapshot = None
        # Check the files before reading them, so that a file that changes in between is read again.
        config = load_config(self._root)
        while (self._paths, self._database) != (files_of(config), _database_of(config)):
            self._paths, self._database = files_of(config), _database_of(config)
            self._is_anywhere = is_project(config.posts.folder)
            state = self._check()
            config = load_config(self._root)
        snapshot = Snapshot(config, self._clock(config))
        self._snapshot, self._made_from = snapshot, state
        self.newsletters, self.title = snapshot.newsletters, config.site.title
        return snapshot


class _Worker:
    """A thread that does jobs one after the other. Unlike an executor, it does not keep the program from ending."""

    def __init__(self) -> None:
        self._jobs: SimpleQueue[tuple[Future[Any], Callable[[], Any]] | None] = SimpleQueue()
        threading.Thread(target=self._work, name="preview", daemon=True).start()

    def submit(self, job: Callable[[], T]) -> Future[T]:
        """Queue a job and return the future with its result."""
        found: Future[T] = Future()
        self._jobs.put((found, job))
        return found

    def close(self) -> None:
        """Stop the thread after the jobs that are already queued."""
        self._jobs.put(None)

    def _work(self) -> None:
        while (next_one := self._jobs.get()) is not None:
            found, job = next_one
            try:
                found.set_result(job())
            except BaseException as error:  # noqa: BLE001 - it is raised again where the result is read
                found.set_exception(error)


def usual_files(root: Path) -> tuple[Path, ...]:
    """Return the usual files and folders of a project, including those that do not exist."""
    return tuple(root / name for name in _USUAL)


def files_of(config: Config) -> tuple[Path, ...]:
    """Return the files and folders on which the preview of a project depends, including those that do not exist yet.

    For the database, only the main file is returned, because the files next to it change whenever it is read.
    """
    copied = (folder for folder, _ in config.pages.places)
    folders = (CONFIG_FILE, *posts_paths(config), "templates", "letters", *copied, config.pages.folder)
    database = sqlite_path(config.database.url, config.root)
    return (*(config.root / name for name in folders), *([database] if database else []))


def _database_of(config: Config) -> tuple[str, Path] | None:
    """Return where the items of sources are stored: the database's URL, and the project. None without sources."""
    return (config.database.url, config.root) if config.sources else None


def state_of(paths: Iterable[Path]) -> str:
    """Return a hash that changes whenever a file below one of the paths is written, added, moved or removed.

    This takes 5 µs per file. Files whose names begin with a dot or end with "~" belong to an editor and are ignored,
    except for those of MkDocs.
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
                    if (entry.name[0] == "." and entry.name not in _OF_MKDOCS) or entry.name.endswith("~"):
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
