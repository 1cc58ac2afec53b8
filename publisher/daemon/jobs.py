"""Making and sending, told in lines. Whatever goes wrong in it ends neither the process nor the next call."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from publisher.config import Config
from publisher.core.errors import PublisherError, StoppedError
from publisher.core.logging import say
from publisher.daemon.reporting import News, clear_up, tell_defect
from publisher.publishing.tick import Ticked, make, send
from publisher.publishing.wiring import open_project_store

if TYPE_CHECKING:
    from publisher.core.newsletter_models import DeliveryCounts, Edition
    from publisher.mail.run_options import Stop
    from publisher.publishing.publish import Delivered
    from publisher.store import Store

LONGEST_REST = 600.0
# How often a long delivery is told of, in seconds.
TOLD_EVERY = 60.0
# For how long a problem is no news, in seconds: not each call looks at everything.
KNOWN = 24 * 3600.0


def rest_after(failures: int, seconds: int) -> float:
    """Return how long to leave the project alone after so many ticks in a row failed, each `seconds` apart."""
    return 0.0 if failures < 2 else min(seconds * 2.0 ** (failures - 1), LONGEST_REST)


class Ticking:
    """What the scheduler calls to make what is due. The record is opened for each call anew: nothing is held."""

    name = "tick"

    def __init__(
        self,
        config: Callable[[], Config],
        clock: Callable[[], datetime],
        stop: Stop,
        after: Callable[[Ticked], None] = lambda ticked: None,
    ) -> None:
        """Prepare.

        config  gives the configuration of the moment
        stop    ends a delivery that is under way
        after   called after each call that did not fail, with what was done
        """
        self._config, self._clock, self._stop, self._after = config, clock, stop, after
        self._problems = News(KNOWN)
        self._waits = ""
        self._owner_missed = False  # whether it was told that there is no owner
        self._failures, self._rests_until = 0, 0.0

    def __call__(self) -> None:
        """Do whatever is due, and tell it. Raises nothing."""
        if self._stop.asked or time.monotonic() < self._rests_until:
            return
        config = self._config()
        try:
            with open_project_store(config) as store:
                ticked = self._work(config, store)
            self._tell(ticked)
        except StoppedError:
            say(f"{self.name} stopped")
            return
        except PublisherError as error:
            self._failed(config, error)
        except Exception as error:  # noqa: BLE001 - a defect in one tick must not end the others
            self._failed(config, error)
        else:
            self._rest(config, self._failures + 1 if ticked.stuck else 0)
            if ticked.made or ticked.delivered:
                clear_up()
            self._after(ticked)

    def _work(self, config: Config, store: Store) -> Ticked:
        return make(config, store, self._clock)

    def _failed(self, config: Config, error: Exception) -> None:
        if isinstance(error, PublisherError):
            for line in error.lines():
                say(f"{self.name} failed", f"{self.name} failed: {line}", level="error", what=line)
        else:
            tell_defect(error)
        self._rest(config, self._failures + 1)

    def _rest(self, config: Config, failures: int) -> None:
        """Leave the project, or its mail servers, alone for a while after so many failures in a row."""
        self._failures = failures
        rest = rest_after(failures, config.run.tick_seconds)
        self._rests_until = time.monotonic() + rest
        if rest:
            say("resting", f"{self.name}: next try in {rest:.0f} s", seconds=rest, failures=failures)

    def _tell(self, ticked: Ticked) -> None:
        for edition in ticked.made:
            _tell_made(edition)
        self._problems.tell("problem", [str(problem) for problem in ticked.problems])
        for line in ticked.told:
            say("owner told", f"owner told: {line}", what=line)
        self._tell_unheard(ticked)
        for line in ticked.kept:
            say("housekeeping", f"housekeeping: {line}", what=line)
        if ticked.waits and ticked.waits != self._waits:
            say("waiting", f"nothing is sent: {ticked.waits}", level="warning", why=ticked.waits)
        self._waits = ticked.waits

    def _tell_unheard(self, ticked: Ticked) -> None:
        for line in ticked.unheard:
            say("to be told", f"to be told: {line}", level="warning", what=line)
        if ticked.unheard and not self._owner_missed:
            self._owner_missed = True
            say("no owner", "mail.owner is not set: nobody is mailed what is to be told", level="warning")


class Sending(Ticking):
    """What the scheduler calls to send what is due, in another thread: it may take hours, and slots do not wait."""

    name = "sending"

    def __init__(
        self,
        config: Callable[[], Config],
        clock: Callable[[], datetime],
        stop: Stop,
        after: Callable[[Ticked], None] = lambda ticked: None,
    ) -> None:
        """Prepare as Ticking does."""
        super().__init__(config, clock, stop, after)
        self._wanted = threading.Event()
        self._standing: dict[int, DeliveryCounts] = {}  # of the editions that the last call sent from
        self._told_at = 0.0

    def want(self) -> None:
        """Let a call that is under way look once more before it ends: there is something new."""
        self._wanted.set()

    def __call__(self) -> None:
        """Send whatever is due, and what is wanted meanwhile. Raises nothing."""
        while True:
            self._wanted.clear()
            super().__call__()
            if self._stop.asked or not self._wanted.is_set():
                return

    def _work(self, config: Config, store: Store) -> Ticked:
        self._told_at = time.monotonic()
        return send(config, store, self._clock, progress=self._delivering, stop=self._stop)

    def _tell(self, ticked: Ticked) -> None:
        for delivered in ticked.delivered:
            if delivered.sent or delivered.after != self._standing.get(delivered.edition.id):
                _tell_delivered(delivered)
        self._standing = {delivered.edition.id: delivered.after for delivered in ticked.delivered}
        super()._tell(replace(ticked, waits=""))  # why nothing is sent, the other call has told

    def _delivering(self, done: int, total: int) -> None:
        if time.monotonic() - self._told_at >= TOLD_EVERY:
            self._told_at = time.monotonic()
            say("delivering", f"delivering: {done:,} of {total:,}", done=done, total=total)


def _tell_made(edition: Edition) -> None:
    event = "edition held" if edition.held else "edition made"
    facts: dict[str, Any] = {"newsletter": edition.newsletter, "slot": edition.slot, "number": edition.number}
    say(event, **facts, posts=len(edition.posts), why=edition.held)


def _tell_delivered(delivered: Delivered) -> None:
    edition = delivered.edition
    counts: dict[str, Any] = {status.value: count for status, count in delivered.after.by_status.items()}
    say("edition delivered", newsletter=edition.newsletter, slot=edition.slot, now=delivered.sent, **counts)
