"""Ticks again and again, with a clock read from a file: benchmarks.ticking starts and kills several such processes."""

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
    """Create what is due, then send what is due; return the problems."""
    created = create_due(project)
    return [*created.problems, *(send_due(project).problems if not created.waits else ())]


def run(root: str, clock: str, log: str) -> None:
    """Tick until this process is killed; errors are logged."""
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
        except PublisherError as error:  # the other process is working: the next tick does the rest
            print(error, file=sys.stderr, flush=True)
        time.sleep(PAUSE)
