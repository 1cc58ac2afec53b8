"""`publisher serve` as its own process, for tests of the process and for real browsers.

It has the methods of tests.support.web_client, which is much faster and sufficient for everything else.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from benchmarks.free_ports import free_port
from tests.support.forked_program import Program
from tests.support.project import ROOT, Project
from tests.support.web_client import NEWSLETTERS, WebClient, check_log, configure


class Serving(WebClient):
    """A running server of a project whose public URL is the server's own."""

    def __init__(self, project: Project, port: int, *, now: str = "", **environment: str) -> None:
        program = [sys.executable, "-m", "publisher", "-C", str(project.root), *(["--now", now] if now else [])]
        self.process: subprocess.Popen[str] = Program(
            [*program, "serve", "--port", str(port)],
            env=os.environ | {"PYTHONPATH": str(ROOT)} | environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        if not line_with(self.process, "Serving"):
            raise AssertionError(self.process.communicate()[1])
        super().__init__(project, f"http://127.0.0.1:{port}")

    def end(self) -> tuple[int, str]:
        """Send SIGTERM; return the exit code and the log."""
        self.client.close()
        self.process.send_signal(signal.SIGTERM)
        _, said = self.process.communicate(timeout=240)
        return self.process.returncode, said


def line_with(process: subprocess.Popen[str], word: str) -> str:
    """Wait for a line with a word on a program's stdout, and return it; "" if the program ends, or after 240 s."""
    assert process.stdout is not None
    limit = threading.Timer(240, process.kill)
    limit.start()
    try:
        return next((line for line in process.stdout if word in line), "")
    finally:
        limit.cancel()


@contextmanager
def serving(
    project: Project,
    more: str = "",
    *,
    newsletters: str = NEWSLETTERS,
    web: str = "",
    now: str = "",
    **environment: str,
) -> Iterator[Serving]:
    """Yield a running server of a project. In the end it must exit with 0, and its log must be clean."""
    port = free_port()
    configure(project, port, more, newsletters, web)
    running = Serving(project, port, now=now, **environment)
    try:
        yield running
    except BaseException:
        running.process.kill()
        sys.stderr.write(running.process.communicate()[1][-3000:])
        raise
    code, log = running.end()
    check_log(project, log)
    assert code == 0, log
