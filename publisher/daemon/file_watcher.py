"""Watches the project's files and reports changes within a second. The only user of watchfiles.

The folders of posts, templates and static files are watched recursively. The project folder is watched without its
subfolders, because the site, the outbox and the database, which are stored there, change all the time.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

from watchfiles import DefaultFilter, watch

from publisher.config import CONFIG_FILE, Config
from publisher.core.logging import log

# Changes within this many milliseconds are reported together.
_DEBOUNCE = 200
_STEP = 50


class FileWatcher:
    """Two threads that wait for the kernel to report changes to files."""

    def __init__(self, config: Config, changed: Callable[[], None], configured: Callable[[], None]) -> None:
        """Create the threads without starting them.

        changed     called when a post, a template or a static file has changed
        configured  called when publisher.toml has changed
        """
        self._config, self._changed, self._configured = config, changed, configured
        self._over, self._restart = threading.Event(), threading.Event()
        self._threads = [
            threading.Thread(target=self._guarded, args=(work,), name="watch", daemon=True)
            for work in (self._watch_folders, self._watch_root)
        ]

    def begin(self) -> None:
        """Start watching."""
        for thread in self._threads:
            thread.start()

    def use(self, config: Config) -> None:
        """Watch the folders of a new configuration instead of the current ones."""
        self._config = config
        self._restart.set()

    def end(self) -> None:
        """Stop watching."""
        self._over.set()
        self._restart.set()
        for thread in self._threads:
            if thread.ident is not None:
                thread.join(2)

    def _guarded(self, work: Callable[[], None]) -> None:
        try:
            work()
        except (OSError, RuntimeError) as error:  # the kernel allows no more watches, or the folder is gone
            text = "not watching files; changes are picked up at the next check"
            log("not watching", text, level="warning", error=type(error).__name__)

    def _watch_folders(self) -> None:
        while not self._over.is_set():
            self._restart.clear()
            there = [path for path in folders_of(self._config) if path.is_dir()]
            if not there:
                self._restart.wait()
            for _ in _changes(there, self._restart, recursive=True):
                self._changed()

    def _watch_root(self) -> None:
        root = self._config.root
        names = {path.name for path in folders_of(self._config)}
        for paths in _changes([root], self._over, recursive=False):
            seen = {path.relative_to(root).parts[0] for path in paths if path != root}
            if CONFIG_FILE in seen:
                self._configured()
            if seen & names:
                self._restart.set()  # a folder was created or moved away
                self._changed()


def folders_of(config: Config) -> tuple[Path, ...]:
    """Return the folders that the site is built from, including those that don't exist."""
    return tuple(config.root / name for name in (config.posts.folder, "templates", config.pages.static))


def _changes(paths: list[Path], over: threading.Event, *, recursive: bool) -> Iterator[set[Path]]:
    """Yield the paths of each group of changes until `over` is set. Temporary files of editors are ignored."""
    found = watch(
        *paths,
        watch_filter=DefaultFilter(ignore_dirs=(".git", ".publisher")),
        debounce=_DEBOUNCE,
        step=_STEP,
        stop_event=over,
        rust_timeout=1_000,
        raise_interrupt=False,
        recursive=recursive,
        ignore_permission_denied=True,
    )
    for changes in found:
        yield {Path(path) for _, path in changes}
