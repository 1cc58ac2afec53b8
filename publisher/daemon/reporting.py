"""What the parts of the process have in common: they tell of trouble once, in one line each, and clear up."""

from __future__ import annotations

import gc
import time
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from publisher.core.logging import say


class News:
    """Remembers what was told, so that what is still wrong at the next look is not told again."""

    def __init__(self, keeps: float = 0.0) -> None:
        """Begin with nothing. keeps: for how many seconds a line is no news, whatever is among the looks between."""
        self._told: dict[str, float] = {}
        self._keeps = keeps

    def tell(self, event: str, lines: Sequence[str], *, level: Literal["warning", "error"] = "warning") -> None:
        """Tell the lines that were not among those of the last time, or of the time that is kept."""
        now = time.monotonic()
        known = {line: at for line, at in self._told.items() if not self._keeps or now - at < self._keeps}
        for line in dict.fromkeys(lines):
            if line not in known:
                say(event, line, level=level, what=line)
        self._told = {line: known.get(line, now) for line in lines} | (known if self._keeps else {})


def clear_up() -> None:
    """Free what the work just done has left: templates and archives that know each other.

    The collector itself waits until their number has grown by a quarter of all objects. They are few and large: in ten
    minutes of a busy project they came to 150 MiB.
    """
    gc.collect()


def tell_defect(error: BaseException) -> None:
    """Tell what should not have happened: its kind and place, without its words, which may hold an address."""
    frames = traceback.extract_tb(error.__traceback__)[-4:]
    place = " > ".join(f"{Path(frame.filename).name}:{frame.lineno}" for frame in frames)
    said = f"this should not have happened: {type(error).__name__} in {place}"
    say("defect", said, level="error", error=type(error).__name__, place=place)
