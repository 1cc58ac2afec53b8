"""Full rounds of a project with a source (fetch, make, send), each in a process that may kill itself in a phase.

python -m benchmarks.mortal_rounds PROJECT reads orders of benchmarks.source_kills, one per line, from standard
input, and writes a line for each. Each round is a fork of this process, which has loaded everything and has no
other threads.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from publisher.config import load_config
from publisher.core.models import Problem
from publisher.publishing import fetch_sources as fetching
from publisher.publishing import tick as ticking
from publisher.publishing.fetch_sources import fetch_sources
from publisher.publishing.tick import create_due, send_due
from publisher.publishing.wiring import Project, open_project_store
from publisher.store.sources import Sources

# The function that runs each phase.
PHASES: dict[str, tuple[Any, str]] = {
    "fetch": (fetching, "fetch_all"),
    "parse": (fetching, "read_feed"),
    "write": (Sources, "apply"),
    "make": (ticking, "create_due_editions"),
    "send": (ticking, "deliver_editions"),
}


def round_at(root: Path, now: datetime) -> list[Problem | None]:
    """Fetch sources, create editions and send messages that are due; return the problems."""
    config = load_config(root)
    with open_project_store(config) as store:
        project = Project(config, store, lambda: now)
        reports = fetch_sources(project, now)
        created = create_due(project)
        sent = send_due(project, build=lambda config, now: None)  # type: ignore[arg-type,return-value]
    return [*(report.problem for report in reports if report.problem), *created.problems, *sent.problems]


def _timed(took: dict[str, float], phase: str, delay: float | None) -> None:
    """Note how long a phase takes, and kill this process `delay` seconds after the phase has begun."""
    place, name = PHASES[phase]
    wrapped: Callable[..., Any] = getattr(place, name)

    def calling(*values: Any, **named: Any) -> Any:
        begun = time.perf_counter()
        if delay == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        if delay is not None:
            threading.Thread(target=_die, args=(delay,), daemon=True).start()
        try:
            found = wrapped(*values, **named)
            return iter(list(found)) if phase == "fetch" else found  # a generator has not run yet
        finally:
            took[phase] = time.perf_counter() - begun

    setattr(place, name, calling)


def _die(delay: float) -> None:
    time.sleep(delay)
    os.kill(os.getpid(), signal.SIGKILL)


def _forked(root: Path, order: dict[str, Any]) -> dict[str, Any]:
    """Run a round in a fork of this process; return how long its phases took, or {"killed": true}."""
    reading, writing = os.pipe()
    pid = os.fork()
    if not pid:
        took: dict[str, float] = {}
        for phase in PHASES:
            _timed(took, phase, order["delay"] if phase == order["phase"] else None)
        problems = round_at(root, datetime.fromisoformat(order["now"]))
        os.write(writing, json.dumps({"took": took, "problems": [str(each) for each in problems]}).encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        text = pipe.read()
    os.waitpid(pid, 0)
    return json.loads(text) if text else {"killed": True}


def main() -> None:
    """Run a round for each order on standard input."""
    for line in sys.stdin:
        print(json.dumps(_forked(Path(sys.argv[1]), json.loads(line))), flush=True)


if __name__ == "__main__":
    main()
