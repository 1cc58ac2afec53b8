"""Files that change: told to whoever wants to know, within a second. The only user of watchfiles.

The folders of posts and looks are watched with all below them; of the project's folder itself only what stands in it,
since beside them are the site, the outbox and the record, which change all the time.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

from publisher.config import CONFIG_FILE, Config
from publisher.core.logging import say

# What is written together is told together, in milliseconds.
_TOGETHER = 200
_STEP = 50


class Watch:
    """Two threads that wait for the kernel's word."""

    def __init__(self, config: Config, changed: Callable[[], None], configured: Callable[[], None]) -> None:
        """Prepare, without starting.

        changed     called when something changed of which the site is made
        configured  called when publisher.toml did
        """
        self._config, self._changed, self._configured = config, changed, configured
        self._over, self._again = threading.Event(), threading.Event()
        self._threads = [
            threading.Thread(target=self._guarded, args=(work,), name="watch", daemon=True)
            for work in (self._watch_folders, self._watch_root)
        ]

    def begin(self) -> None:
        """Start watching."""
        for thread in self._threads:
            thread.start()

    def use(self, config: Config) -> None:
        """Watch what another configuration names."""
        self._config = config
        self._again.set()

    def end(self) -> None:
        """Watch no more."""
        self._over.set()
        self._again.set()
        for thread in self._threads:
            if thread.ident is not None:
                thread.join(2)

    def _guarded(self, work: Callable[[], None]) -> None:
        try:
            work()
        except (OSError, RuntimeError) as error:  # the kernel has no watch left, or the folder is away
            kind = type(error).__name__
            say(
                "not watching",
                "files are not watched; what changes is seen at the next tick",
                level="warning",
                error=kind,
            )

    def _watch_folders(self) -> None:
        while not self._over.is_set():
            self._again.clear()
            there = [path for path in folders_of(self._config) if path.is_dir()]
            if not there:
                self._again.wait()
            for _ in _changes(there, self._again, recursive=True):
                self._changed()

    def _watch_root(self) -> None:
        root = self._config.root
        names = {path.name for path in folders_of(self._config)}
        for paths in _changes([root], self._over, recursive=False):
            seen = {path.relative_to(root).parts[0] for path in paths if path != root}
            if CONFIG_FILE in seen:
                self._configured()
            if seen & names:
                self._again.set()  # a folder that was made, or moved away
                self._changed()


def folders_of(config: Config) -> tuple[Path, ...]:
    """Return the folders of which the site is made, also those that are not there."""
    return tuple(config.root / name for name in (config.posts.folder, "templates", config.pages.static))


def _changes(paths: list[Path], over: threading.Event, *, recursive: bool) -> Iterator[set[Path]]:
    """Yield what changed, until it is over. An editor's own files do not count."""
    from watchfiles import DefaultFilter, watch

    found = watch(
        *paths,
        watch_filter=DefaultFilter(ignore_dirs=(".git", ".publisher")),
        debounce=_TOGETHER,
        step=_STEP,
        stop_event=over,
        rust_timeout=1_000,
        raise_interrupt=False,
        recursive=recursive,
        ignore_permission_denied=True,
    )
    for changes in found:
        yield {Path(path) for _, path in changes}
