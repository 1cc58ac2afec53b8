"""`publisher preview` as its own process, and a browser's requests."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.free_ports import free_port
from tests.support.forked_program import Program
from tests.support.preview_client import PreviewClient
from tests.support.project import MONDAY, ROOT, Project


class Preview(PreviewClient):
    """A running preview of a project."""

    def __init__(self, root: Path, now: str = MONDAY) -> None:
        program = [sys.executable, "-m", "publisher", "--json", "-C", str(root), "--now", now]
        self.process = Program(
            [*program, "preview", "--no-open", "--port", str(free_port())],
            env=os.environ | {"PYTHONPATH": str(ROOT)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        said = "".join(self.process.stdout.readline() for _ in range(3))
        super().__init__(json.loads(said)["url"].rstrip("/"))
        # Until it serves, Ctrl-C ends it like any other command. For this file, it reads no posts.
        assert self.get("/assets/icon.svg").status_code == 200

    def end(self) -> tuple[int, str]:
        """Press Ctrl-C; return the exit code and the text on stderr."""
        self.client.close()
        self.process.send_signal(signal.SIGINT)
        _, said = self.process.communicate(timeout=240)
        return self.process.returncode, said


@contextmanager
def previewing(project: Project) -> Iterator[Preview]:
    """Yield a preview of a project. Whatever happens to it, it must exit with 0 and show no traceback."""
    running = Preview(project.root)
    try:
        yield running
    except BaseException:
        running.process.kill()
        raise
    assert running.end() == (0, "")
