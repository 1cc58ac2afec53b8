"""Watches the project's files and reports changes within a second. The only user of watchfiles.

The kernel reports changes below the folders of posts, pages, templates and static files. In the project folder itself,
where the site, the outbox and the database change all the time, only publisher.toml and those folders are checked, once
a second. watchfiles looks for reports in steps, each of which wakes the process, so the steps are as long as a writer
who reloads a page will tolerate.
"""

from __future__ import annotations

import stat
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

from watchfiles import DefaultFilter, watch

from publisher.config import CONFIG_FILE, Config
from publisher.core.logging import log
from publisher.posts.chosen_paths import posts_paths

# In milliseconds. Changes within one step are reported together, once a further step brings no more.
_STEP = 400
_LONGEST = 1_600
_LOOK = 1_000


class FileWatcher:
    """A thread that waits for changes to files."""

    def __init__(self, config: Config, changed: Callable[[], None], configured: Callable[[], None]) -> None:
        """Create the thread without starting it. Changes from now on are reported.

        changed     called when a post, a template or a static file has changed
        configured  called when publisher.toml has changed
        """
        self._config, self._changed, self._configured = config, changed, configured
        self._known = self._look()  # not when the thread begins, which may be late on a busy machine
        self._over, self._restart = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._watch, name="watch", daemon=True)

    def begin(self) -> None:
        """Start watching."""
        self._thread.start()

    def use(self, config: Config) -> None:
        """Watch the folders of a new configuration instead of the current ones."""
        self._config = config
        self._restart.set()

    def end(self) -> None:
        """Stop watching."""
        self._over.set()
        self._restart.set()
        if self._thread.ident is not None:
            self._thread.join(2)

    def _watch(self) -> None:
        works = True
        while not self._over.is_set():
            self._restart.clear()
            try:
                there = [path for path in folders_of(self._config) if path.is_dir()] if works else []
                begun = False  # until then, a change may have been missed, such as a second one in a new folder
                for paths in _changes(there, self._restart) if there else self._each_second():
                    if paths or (there and not begun):
                        self._changed()
                    begun = True
                    self._compare()
            except (OSError, RuntimeError) as error:  # the kernel allows no more watches, or a folder is gone
                if works:
                    text = "not watching files; changes are picked up at the next check"
                    log("not watching", text, level="warning", error=type(error).__name__)
                works = False

    def _each_second(self) -> Iterator[set[Path]]:
        while not self._restart.wait(_LOOK / 1_000):
            yield set()

    def _compare(self) -> None:
        """Report the changes in the project folder since the last call."""
        known, now = self._known, self._look()
        self._known = now
        if now[0] != known[0]:
            self._configured()
        if now[1:] != known[1:]:
            self._restart.set()  # a folder was created, moved away or replaced
            self._changed()

    def _look(self) -> list[tuple[int, ...]]:
        """Return the state of publisher.toml and of the folders that exist."""
        paths = (self._config.root / CONFIG_FILE, *folders_of(self._config))
        return [_state(path) for path in paths]


def folders_of(config: Config) -> tuple[Path, ...]:
    """Return the folders, and perhaps single files, that the site is built from, including those that don't exist."""
    copied = (folder for folder, _ in config.pages.places)
    names = (*posts_paths(config), "templates", *copied, config.pages.folder)
    return tuple(dict.fromkeys(config.root / name for name in names))


def _state(path: Path) -> tuple[int, ...]:
    """Return values that identify a file or folder, and that change when a file is written; () if absent."""
    try:
        found = path.stat()
    except OSError:
        return ()
    return (found.st_dev, found.st_ino, *((found.st_mtime_ns, found.st_size) if stat.S_ISREG(found.st_mode) else ()))


def _changes(paths: list[Path], over: threading.Event) -> Iterator[set[Path]]:
    """Yield the paths of each group of changes until `over` is set, and an empty set once a second.

    Temporary files of editors are ignored.
    """
    found = watch(
        *paths,
        watch_filter=DefaultFilter(ignore_dirs=(".git", ".publisher")),
        debounce=_LONGEST,
        step=_STEP,
        stop_event=over,
        rust_timeout=_LOOK,
        yield_on_timeout=True,
        raise_interrupt=False,
        ignore_permission_denied=True,
    )
    for changes in found:
        yield {Path(path) for _, path in changes}
