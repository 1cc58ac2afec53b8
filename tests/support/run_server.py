"""`publisher run` as its own process, with its log lines."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import psutil

from benchmarks.free_ports import free_port
from benchmarks.troubles import processes
from publisher.publishing.wiring import Project as OpenProject
from publisher.publishing.wiring import open_project_store
from tests.support.clocked_program import VARIABLE, MovedClock
from tests.support.clockwork import tick
from tests.support.forked_program import Program
from tests.support.project import ROOT, WEEKLY, Project
from tests.support.web_client import WebClient, configure, until
from tests.support.web_server import Serving, line_with

DUE = "2026-11-16T08:00"  # the slot of WEEKLY in the time zone of the test's project


class Running(Serving):
    """A running process. Its stderr goes to a file, from which lines are read as they appear."""

    def __init__(
        self, project: Project, port: int, *, now: str = DUE, is_moved: bool = False, **environment: str
    ) -> None:
        self.project, self.log = project, project.root.parent / f"run-{port}.log"
        self.url = f"http://127.0.0.1:{port}"
        program = [sys.executable, "-m", "publisher", "-C", str(project.root), *(["--now", now] if now else [])]
        if is_moved:
            clock = project.root.parent / "clock"
            self._clock, environment[VARIABLE] = MovedClock(clock), str(clock)
            self.move_to(now)
            program[2:] = ["tests.support.clocked_program", "-C", str(project.root)]
        with self.log.open("wb") as log:
            self.process = Program(
                [*program, "run", "--port", str(port)],
                env=os.environ | {"PYTHONPATH": str(ROOT)} | environment,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        if not line_with(self.process, "Running"):
            raise AssertionError(self.log.read_text())
        WebClient.__init__(self, project, self.url)

    def logged(self, event: str = "") -> list[dict[str, Any]]:
        """Return the log lines so far, or only those of one event."""
        whole = [line for line in self.log.read_text().splitlines(keepends=True) if line.endswith("\n")]
        return [line for line in map(json.loads, whole) if event in ("", line["event"])]

    def wait(self, event: str, count: int = 1) -> dict[str, Any]:
        """Wait until an event has been logged this many times; return its newest line."""
        return until(lambda: found[-1] if len(found := self.logged(event)) >= count else None, self.log.read_text)

    def move_to(self, now: str) -> None:
        """Let its clock show a time in the time zone of the project, and go on from there."""
        self._clock.show(datetime.fromisoformat(now).replace(tzinfo=self.project.config().zone))

    def look_until(self, event: str, **facts: str) -> dict[str, Any]:
        """Make the process check without delay, until it has logged an event with these facts; return that line."""

        def found() -> dict[str, Any] | None:
            lines = [line for line in self.logged(event) if facts.items() <= line.items()]
            if not lines:
                self.process.send_signal(signal.SIGHUP)
                time.sleep(0.2)
            return lines[-1] if lines else None

        return until(found, self.log.read_text)

    def processes(self, name: str) -> list[psutil.Process]:
        """Return the processes of the project with this name, such as "publisher web"."""
        return processes(self.process.pid, int(self.url.rpartition(":")[2]), name)

    def end(self) -> tuple[int, str]:
        """Send SIGTERM; return the exit code and the log."""
        self.client.close()
        self.process.send_signal(signal.SIGTERM)
        self.process.communicate(timeout=240)
        return self.process.returncode, self.log.read_text()


def _seen_before(project: Project) -> None:
    """Let the newsletters' slots count from a day before DUE; those of a new newsletter would count from now."""
    config, before = project.config(), datetime.fromisoformat(DUE).replace(tzinfo=UTC) - timedelta(days=1)
    with open_project_store(config) as store:
        if store.newsletters.find("weekly") is None:
            tick(OpenProject(config, store, lambda: before))


@contextmanager
def running(
    project: Project,
    more: str = "",
    *,
    newsletters: str = WEEKLY,
    now: str = DUE,
    is_moved: bool = False,
    **environment: str,
) -> Iterator[Running]:
    """Yield a running process, which must exit with 0 and log no traceback and no email address.

    is_moved  whether the test moves the clock of the process, which begins with `now`
    """
    port = free_port()
    configure(project, port, more, newsletters)
    _seen_before(project)
    process = Running(project, port, now=now, is_moved=is_moved, **environment)
    try:
        yield process
    except BaseException:
        process.process.kill()
        sys.stderr.write(process.log.read_text()[-3000:])
        raise
    code, log = (
        process.end() if process.process.poll() is None else (process.process.returncode, process.log.read_text())
    )
    assert code == 0, log
    assert "Traceback" not in log, log
    assert "defect" not in log, log
    assert "example.org" not in re.sub("…@example.org", "", log)
