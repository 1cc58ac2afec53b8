"""The life of the process: it begins everything, waits for wishes, and leaves in order.

Everything that takes time has a thread of its own. The main one only waits: for a signal, for a change of
publisher.toml, and for the moment to tell systemd that all is well.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from enum import Enum
from queue import Empty, SimpleQueue

from publisher.config import Config, load_config
from publisher.core.errors import PublisherError
from publisher.core.logging import configure, say
from publisher.daemon.file_watcher import Watch
from publisher.daemon.jobs import Sending, Ticking
from publisher.daemon.reporting import tell_defect
from publisher.daemon.scheduler import Scheduler
from publisher.daemon.site_builder import Site
from publisher.daemon.systemd import notify, watchdog_seconds
from publisher.daemon.web_thread import Front
from publisher.mail.run_options import Stop
from publisher.publishing.tick import Ticked

# How long threads may take to leave after the second signal, in seconds.
HURRY = 3.0
# How often the main thread looks around, in seconds.
LOOK = 5.0
# By how much the clock may differ from what has passed before it counts as set, in seconds.
SET = 5.0


class Wish(Enum):
    """What the process may be asked for."""

    END = "end"
    RELOAD = "reload"
    LEFT = "left"  # all threads are gone


class Process:
    """One project at work. Made in the main thread, which `run` keeps."""

    def __init__(self, config: Config, front: Front, clock: Callable[[], datetime]) -> None:
        """Prepare, without starting. front: answers already. clock: gives the present, aware."""
        self._config = config
        self._wishes: SimpleQueue[Wish] = SimpleQueue()
        self._stop = Stop()
        self._front = front
        self._site = Site(lambda: self._config, clock)
        self._sending = Sending(lambda: self._config, clock, self._stop, after=self._sent)
        ticking = Ticking(lambda: self._config, clock, self._stop, after=self._ticked)
        self._scheduler = Scheduler({ticking.name: ticking, self._sending.name: self._sending}, config.run.tick_seconds)
        self._watch = Watch(config, self._site.build, lambda: self._wishes.put(Wish.RELOAD))
        self._clock_jumps = Jumps()

    def run(self, ready: Callable[[], None]) -> int:
        """Work until a signal says that it is enough; return the exit code.

        ready: called once everything has begun.
        """
        with self._signals():
            self._site.begin()
            self._scheduler.begin()
            self._watch.begin()
            notify("READY=1")
            ready()
            code = self._wait()
            self._leave()
        return code

    def _ticked(self, ticked: Ticked) -> None:
        self._site.build()  # what waited for its hour appears on the site
        if ticked.made:
            self._sending.want()
            self._scheduler.now(self._sending.name)

    def _sent(self, ticked: Ticked) -> None:
        if ticked.delivered:
            self._site.build()

    def _wait(self) -> int:
        """Fulfil wishes until one is to end; return the exit code."""
        watchdog = watchdog_seconds()
        while self._front.alive:
            if watchdog:
                notify("WATCHDOG=1")
            try:
                wish = self._wishes.get(timeout=min(LOOK, watchdog / 3) if watchdog else LOOK)
            except Empty:
                if self._clock_jumps.look():
                    say("clock set", "the clock was set: looking at once what is due")
                    self._scheduler.now()
                continue
            if wish is Wish.END:
                return 0
            self._reload()
        return 1  # the web application is gone: whoever started us does so again

    def _reload(self) -> None:
        """Take over a changed configuration where it is sound; keep the old one otherwise."""
        before = self._config
        try:
            config = load_config(before.root)
            if config == before:
                say("configuration unchanged")
                self._scheduler.now()
                return
            self._front.open(config)
        except PublisherError as error:
            for line in error.lines():
                say("configuration refused", f"the configuration stays as it was: {line}", level="error", what=line)
            return
        self._config = config
        configure(config.run.log)
        self._scheduler.every(config.run.tick_seconds)
        self._scheduler.now()
        self._watch.use(config)
        self._site.build()
        say("configuration taken", "the changed configuration is in use")
        if config.web.listen != before.web.listen:
            say("restart needed", "web.listen is read at the next start", level="warning")

    def _leave(self) -> None:
        """End in order; at a second signal in a hurry, at a third at once."""
        notify("STOPPING=1")
        say("ending", "ending: what is in hand is finished")
        self._stop.ask()
        self._front.end()
        threading.Thread(target=self._close, name="leaving", daemon=True).start()
        hurried = False
        until = None
        while True:
            try:
                wish = self._wishes.get(timeout=None if until is None else max(0.0, until - time.monotonic()))
            except Empty:
                wish = None
            if wish is Wish.LEFT:
                say("ended")
                return
            if wish is None or (hurried and wish is Wish.END):
                say("left", "left with work in hand; the next run takes it over", level="warning")
                os._exit(1)
            if wish is Wish.END:
                hurried, until = True, time.monotonic() + HURRY
                say("hurrying", "hurrying: nothing more is awaited")
                self._stop.ask()
                self._front.end(hurry=True)

    def _close(self) -> None:
        """Close everything that has a thread."""
        try:
            self._watch.end()
            self._scheduler.end()
            self._site.end()
            self._front.close()
        except Exception as error:  # noqa: BLE001 - leaving goes on
            tell_defect(error)
        finally:
            self._wishes.put(Wish.LEFT)

    @contextmanager
    def _signals(self) -> Iterator[None]:
        wishes = {signal.SIGTERM: Wish.END, signal.SIGINT: Wish.END, signal.SIGHUP: Wish.RELOAD}

        def wished(number: int, frame: object) -> None:
            # A queue of this kind may be filled from a signal handler, whatever it interrupts.
            self._wishes.put(wishes[signal.Signals(number)])

        before = {number: signal.signal(number, wished) for number in wishes}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


class Jumps:
    """Sees whether the machine's clock was set, by comparing it with one that cannot be."""

    def __init__(self) -> None:
        self._offset = self._difference()

    def look(self) -> bool:
        """Return whether the clock was set since the last look."""
        before, self._offset = self._offset, self._difference()
        return abs(self._offset - before) > SET

    @staticmethod
    def _difference() -> float:
        return datetime.now(UTC).timestamp() - time.monotonic()
