"""Recipients a day: counted in a small file that all workers of this machine share."""

from __future__ import annotations

import fcntl
import hashlib
import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from publisher.core.errors import ProjectError

# So many are reserved at once; a process that is killed takes as many with it, never too many the other way.
BLOCK = 50


class Allowance:
    """How many recipients a relay may still be given today (UTC).

    A process reserves a few at a time, under the file's lock, and gives back at its end what it did not use.
    """

    def __init__(self, folder: Path, relay: str, per_day: int, clock: Callable[[], datetime]) -> None:
        """folder: made if missing. relay: its permanent name."""
        self._folder = folder
        self._name = hashlib.sha256(relay.encode()).hexdigest()[:16]
        self._per_day = per_day
        self._clock = clock
        self._day = ""
        self._reserved = 0

    def left(self) -> bool:
        """Return whether one more may be given. Raises ProjectError where the count cannot be kept."""
        day = f"{self._clock().astimezone(UTC):%Y-%m-%d}"
        if day != self._day:
            self._day, self._reserved = day, 0
        if not self._reserved:
            self._reserved = self._change(BLOCK)
        return self._reserved > 0

    def take(self) -> None:
        """Count one recipient; only after `left` said yes."""
        self._reserved -= 1

    def give_back(self) -> None:
        """Take one recipient out of the count: nothing was delivered."""
        self._reserved += 1

    def close(self) -> None:
        """Return what was reserved and not used."""
        if self._reserved and self._day:
            self._change(-self._reserved)
            self._reserved = 0

    def _change(self, amount: int) -> int:
        """Add to the day's count as much of the amount as the limit allows; return how much that was."""
        path = self._folder / f"{self._name}-{self._day}"
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            with os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), "r+") as file:
                fcntl.flock(file, fcntl.LOCK_EX)
                used = _count(file.read())
                change = min(amount, max(0, self._per_day - used))
                file.seek(0)
                file.truncate()
                file.write(str(max(0, used + change)))
            return change
        except OSError as error:
            what = f"the count of a relay's day cannot be kept: {error.strerror or error}"
            raise ProjectError(what, where=str(path), hint="the file and its folder must be writable") from error
        except ValueError as error:
            what = f"holds no count of a relay's recipients of the day, so that {self._per_day:,} cannot be kept to"
            hint = "delete it, and the count begins anew; or write into it how many there were today"
            raise ProjectError(what, where=str(path), hint=hint) from error


def _count(text: str) -> int:
    """Return what a file holds, 0 of an empty one; raise ValueError for what is no count."""
    if text and not (text.isascii() and text.isdigit() and len(text) < 20):
        raise ValueError(text)
    return int(text or 0)
