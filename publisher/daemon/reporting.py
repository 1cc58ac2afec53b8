"""What the threads share: each problem is logged once, in one line, and memory is freed after work."""

from __future__ import annotations

import gc
import time
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from publisher.core.logging import log


class ProblemLog:
    """Logs problems, but not those that were already there the last time."""

    def __init__(self, keeps: float = 0.0) -> None:
        """Start empty. keeps: seconds for which a problem is not logged again, even if it is absent in between."""
        self._logged: dict[str, float] = {}
        self._keeps = keeps

    def log(self, event: str, lines: Sequence[str], *, level: Literal["warning", "error"] = "warning") -> None:
        """Log the lines that are new since the last call, or in the time given by `keeps`."""
        now = time.monotonic()
        known = {line: at for line, at in self._logged.items() if not self._keeps or now - at < self._keeps}
        for line in dict.fromkeys(lines):
            if line not in known:
                log(event, line, level=level, what=line)
        self._logged = {line: known.get(line, now) for line in lines} | (known if self._keeps else {})


def log_defect(error: BaseException) -> None:
    """Log an unexpected exception: its type and place, without its message, which may contain an email address."""
    frames = traceback.extract_tb(error.__traceback__)[-4:]
    place = " > ".join(f"{Path(frame.filename).name}:{frame.lineno}" for frame in frames)
    text = f"internal error: {type(error).__name__} in {place}"
    log("defect", text, level="error", error=type(error).__name__, place=place)


def free_memory() -> None:
    """Free what the work just done has left: templates and archives that refer to each other.

    The garbage collector would wait until they are a quarter of all objects. They are few and large: in ten minutes of
    a busy project they came to 150 MiB.
    """
    gc.collect()
