"""Ticks again and again, by a clock in a file: benchmarks.ticking starts several such processes and kills them."""

from __future__ import annotations

import os
import sys
import time
from datetime import datetime
from pathlib import Path

from publisher.config import load_config
from publisher.core.errors import PublisherError
from publisher.core.models import Problem
from publisher.publishing.tick import create_due, send_due
from publisher.publishing.wiring import Project, open_project_store

PAUSE = 0.03


def tick(project: Project) -> list[Problem]:
    """Create and send what is due, one after the other; return the problems."""
    created = create_due(project)
    return [*created.problems, *(send_due(project).problems if not created.waits else ())]


def run(root: str, clock: str, log: str) -> None:
    """Tick until this process is killed; what goes wrong is in the log."""
    with open(log, "ab") as file:  # noqa: PTH123 - like os.dup2
        os.dup2(file.fileno(), 2)
    config = load_config(Path(root))

    def now() -> datetime:
        return datetime.fromisoformat(Path(clock).read_text(encoding="ascii"))

    while True:
        try:
            with open_project_store(config) as store:
                problems = tick(Project(config, store, now))
            for problem in problems:
                print(problem, file=sys.stderr, flush=True)
        except PublisherError as error:  # the other one is at it: the next tick does what is left
            print(error, file=sys.stderr, flush=True)
        time.sleep(PAUSE)
