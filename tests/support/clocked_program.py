"""Runs `publisher run` with a clock that a test moves, so that an edition becomes due when the test wants it."""

from __future__ import annotations

import os
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

VARIABLE = "TESTS_CLOCK"


class MovedClock:
    """How far the clock of a project is ahead of the host's: as many seconds as a file says."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def show(self, moment: datetime) -> None:
        """Let the clock show a moment, and go on from there."""
        beside = self._file.with_suffix(".part")
        beside.write_text(str((moment - datetime.now(UTC)).total_seconds()), encoding="ascii")
        beside.rename(self._file)

    def __radd__(self, now: datetime) -> datetime:
        return now + timedelta(seconds=float(self._file.read_text(encoding="ascii")))


def main() -> Any:
    """Run the program. The processes that it starts have the same clock."""
    from publisher.__main__ import main as run
    from publisher.cli.app import App

    clock = MovedClock(Path(os.environ[VARIABLE]))
    App.ahead = lambda app, config: clock  # type: ignore[method-assign,assignment,return-value]
    return run()


if __name__ == "__main__":
    sys.exit(main())
