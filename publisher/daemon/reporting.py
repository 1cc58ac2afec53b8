"""Helpers that the threads share: they log each problem and each outage once, and free memory after work."""

from __future__ import annotations

import gc
import threading
import time
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from publisher.core.errors import PublisherError
from publisher.core.logging import log


class ProblemLog:
    """Logs problems, except those that were already reported in the previous call."""

    def __init__(self, keeps: float = 0.0) -> None:
        """Create an empty log.

        keeps  how many seconds a problem is not logged again, even if it disappears in between
        """
        self._logged: dict[str, float] = {}
        self._keeps = keeps

    def log(self, event: str, lines: Sequence[str], *, level: Literal["warning", "error"] = "warning") -> None:
        """Log the lines that were not in the previous call and were not logged within the last `keeps` seconds."""
        now = time.monotonic()
        known = {line: at for line, at in self._logged.items() if not self._keeps or now - at < self._keeps}
        for line in dict.fromkeys(lines):
            if line not in known:
                log(event, line, level=level, what=line)
        self._logged = {line: known.get(line, now) for line in lines} | (known if self._keeps else {})


class Outage:
    """Logs a line when the first of several users cannot use the database, and a line when all can use it again."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._missed_by: set[str] = set()
        self._since = 0.0

    def begin(self, user: str, error: PublisherError) -> None:
        """Note that an error kept a user from using the database."""
        with self._lock:
            first = not self._missed_by
            self._missed_by.add(user)
            if not first:
                return
            self._since = time.monotonic()
        line = "; ".join(error.lines())
        log("database away", f"the database cannot be used: {line}", level="error", what=line)

    def end(self, user: str) -> None:
        """Note that a user could use the database."""
        with self._lock:
            if user not in self._missed_by:
                return
            self._missed_by.remove(user)
            if self._missed_by:
                return
            seconds = round(time.monotonic() - self._since)
        log("database back", f"the database can be used again, after {seconds} s", seconds=seconds)


def log_defect(error: BaseException) -> None:
    """Log the type and location of an unexpected exception, but not its message, which may contain an email address."""
    frames = traceback.extract_tb(error.__traceback__)[-4:]
    place = " > ".join(f"{Path(frame.filename).name}:{frame.lineno}" for frame in frames)
    text = f"internal error: {type(error).__name__} in {place}"
    log("defect", text, level="error", error=type(error).__name__, place=place)


def free_memory() -> None:
    """Free the memory of templates and archives that refer to each other and are no longer needed.

    The garbage collector would wait until they made up a quarter of all objects. They are few but large: in a busy
    project they reached 150 MiB within ten minutes.
    """
    gc.collect()
