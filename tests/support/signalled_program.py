"""Runs the program, which gets a signal at a chosen moment of its own work. A test that watched it might be too late.

    process = signalled(project.root, signal.SIGKILL, Moment("public/**/*.html", 5), "build")

kills a build that has made more than five pages, before it opens or moves its next file.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tests.support import ROOT
from tests.support.forked_program import Program

_VARIABLE = "TESTS_SIGNAL"
_EVENTS = ("open", "import", "exec", "os.", "sqlite3.")


@dataclass(frozen=True)
class Moment:
    """A moment in the work of a program.

    pattern, count  there are more than `count` files or folders with names of this pattern in its project
    size            and these have more than `size` bytes
    events          and the program has opened, made, moved or imported this many files
    """

    pattern: str = ""
    count: int = 0
    size: int = -1
    events: int = 0

    def is_reached(self, root: Path, events: int) -> bool:
        """Return whether a program with a project in `root` has reached the moment, after a number of events."""
        if events < self.events or not self.pattern:
            return events >= self.events
        try:
            found = list(root.glob(self.pattern))
            return len(found) > self.count and sum(path.stat().st_size for path in found) > self.size
        except FileNotFoundError:  # another process has moved one in the meantime
            return False


def signalled(root: Path, number: int, moment: Moment, *words: str) -> subprocess.Popen[str]:
    """Start a command of the project in `root`, which gets a signal at a moment."""
    asked = json.dumps([number, str(root), asdict(moment)])
    return Program(
        [sys.executable, "-m", "tests.support.signalled_program", "-C", str(root), *words],
        env=os.environ | {"PYTHONPATH": str(ROOT), _VARIABLE: asked},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def _listen(number: int, root: Path, moment: Moment) -> None:
    """Send this process a signal as soon as it has reached the moment."""
    own, events, is_busy = os.getpid(), 0, False

    def hear(event: str, args: Any) -> None:
        nonlocal events, is_busy
        if is_busy or not event.startswith(_EVENTS) or os.getpid() != own:
            return
        is_busy, events = True, events + 1  # looking for files causes events, too
        if moment.is_reached(root, events):
            os.kill(own, number)
        else:
            is_busy = False

    sys.addaudithook(hear)


def main() -> Any:
    """Run the program."""
    from publisher.__main__ import main as run

    number, root, moment = json.loads(os.environ.pop(_VARIABLE))
    _listen(number, Path(root), Moment(**moment))
    return run()


if __name__ == "__main__":
    sys.exit(main())
