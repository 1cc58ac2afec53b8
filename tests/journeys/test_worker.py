"""`publisher worker` as a process: it sends from an empty folder what another host has made, and stops cleanly."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from publisher.core.newsletter_models import DeliveryStatus
from publisher.publishing.joining import join_token
from publisher.publishing.mail_wiring import project_secret
from publisher.publishing.tick import create_due
from publisher.publishing.wiring import Project as OpenProject
from publisher.publishing.wiring import check_in_host, open_project_store
from tests.support import ROOT
from tests.support.forked_program import Program
from tests.support.project import Project
from tests.support.sink import Sink, sink
from tests.support.web_client import until

pytestmark = [pytest.mark.postgres, pytest.mark.servers]

MADE = datetime(2026, 11, 16, 8, tzinfo=UTC)


class Fleet:
    """A host that has made an edition and sends nothing, and the folder of a worker with nothing but the settings."""

    def __init__(self, project: Project, url: str, to: Sink, folder: Path) -> None:
        self.project, self.sink = project, to
        self.folder, self.temporary = folder / "worker", folder / "temporary"
        project.configure(
            f'transport = "smtp"\nsmtp = {{ url = "{to.server.url}", tls = "none", connections = 2 }}\n'
            f'[database]\nurl = "{url}"\n[pages]\nenabled = false\n[run]\ntick_seconds = 15\n'
        )
        self.config = project.config()
        self.folder.mkdir()
        self.temporary.mkdir()
        (self.folder / "publisher.toml").write_text(project.read("publisher.toml"))
        self.folder.chmod(0o555)

    def make(self, readers: int) -> int:
        """Make an edition for so many readers; return its id."""
        self.project.subscribe(*(f"reader{number}" for number in range(readers)))
        with open_project_store(self.config) as store:
            check_in_host(self.config, store, MADE)
            moments = iter([MADE.replace(day=15), MADE])
            create_due(OpenProject(self.config, store, lambda: next(moments)))
            (edition,) = create_due(OpenProject(self.config, store, lambda: MADE)).created
            return edition.id

    def counts(self, edition: int) -> dict[DeliveryStatus, int]:
        with open_project_store(self.config) as store:
            return {status: count for status, count in store.deliveries.counts(edition).by_status.items() if count}

    @contextmanager
    def worker(self, *options: str) -> Iterator[Program]:
        """A worker, which ends well."""
        environment = {
            "PYTHONPATH": str(ROOT),
            "PUBLISHER_HOST": "worker-1",
            "PUBLISHER_JOIN": join_token(self.config),
            "PUBLISHER_SECRET": project_secret(self.config),
            "TMPDIR": str(self.temporary),
        }
        log = self.temporary.parent / "log"
        with log.open("wb") as file:
            process = Program(
                [
                    sys.executable,
                    "-m",
                    "publisher",
                    "-C",
                    str(self.folder),
                    "--now",
                    "2026-11-16T10:00",
                    "worker",
                    *options,
                ],
                env=os.environ | environment,
                stdout=subprocess.PIPE,
                stderr=file,
                text=True,
            )
        try:
            yield process
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=60)
        except BaseException:
            process.kill()
            sys.stderr.write(log.read_text()[-3000:])
            raise
        assert process.returncode == 0, log.read_text()
        assert "Traceback" not in log.read_text()
        assert "defect" not in log.read_text()

    def told(self, event: str) -> list[dict[str, Any]]:
        """The worker's lines of an event."""
        lines = (self.temporary.parent / "log").read_text().splitlines()
        return [line for line in map(json.loads, lines) if line["event"] == event]


@pytest.fixture
def fleet(project: Project, postgres_url: str, tmp_path: Path) -> Iterator[Fleet]:
    with sink(tmp_path / "sink") as to:
        yield Fleet(project, postgres_url, to, tmp_path)


def test_a_worker_sends_from_an_empty_folder_what_another_host_made(fleet: Fleet) -> None:
    edition = fleet.make(20)
    with fleet.worker():
        until(lambda: len(fleet.sink.taken()) == 20)
        until(lambda: fleet.counts(edition) == {DeliveryStatus.SENT: 20})
    assert len(set(fleet.sink.recipients())) == 20
    assert [path.name for path in fleet.folder.iterdir()] == ["publisher.toml"]
    assert list(fleet.temporary.iterdir()) == []
