"""`publisher worker` as a process: it sends another host's edition from an empty folder, and stops cleanly."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from benchmarks.free_ports import free_port
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
    """A host that makes an edition but sends nothing, and the folder of a worker, which contains only the settings."""

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
        """Make an edition for this many subscribers; return its id."""
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
    def worker(self, *options: str, **more: str) -> Iterator[Program]:
        """Yield a running worker, which must exit with 0. more: additional environment variables."""
        environment = more | {
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
            process.communicate(timeout=240)
        except BaseException:
            process.kill()
            sys.stderr.write(log.read_text()[-3000:])
            raise
        assert process.returncode == 0, log.read_text()
        assert "Traceback" not in log.read_text()
        assert "defect" not in log.read_text()

    def logged(self, event: str) -> list[dict[str, Any]]:
        """Return the worker's log lines of an event."""
        lines = (self.temporary.parent / "log").read_text().splitlines()
        return [line for line in map(json.loads, lines) if line["event"] == event]


@pytest.fixture
def slow_fleet(project: Project, postgres_url: str, tmp_path: Path) -> Iterator[Fleet]:
    with sink(tmp_path / "sink", "-w", "1") as to:  # it answers after a second
        yield Fleet(project, postgres_url, to, tmp_path)


@pytest.fixture
def fleet(project: Project, postgres_url: str, tmp_path: Path) -> Iterator[Fleet]:
    with sink(tmp_path / "sink") as to:
        yield Fleet(project, postgres_url, to, tmp_path)


def test_a_worker_sends_the_edition_of_another_host_from_an_empty_folder(fleet: Fleet) -> None:
    edition = fleet.make(20)
    port = free_port()
    with fleet.worker("--health", f"127.0.0.1:{port}", LC_ALL="C"):  # a new interpreter, with the ordinary end of one
        until(lambda: len(fleet.sink.taken()) == 20)
        until(lambda: httpx.get(f"http://127.0.0.1:{port}/readyz", timeout=60).status_code == 200)
        until(lambda: fleet.counts(edition) == {DeliveryStatus.SENT: 20})
    assert len(set(fleet.sink.recipients())) == 20
    assert [path.name for path in fleet.folder.iterdir()] == ["publisher.toml"]
    assert list(fleet.temporary.iterdir()) == []


def test_a_worker_that_is_stopped_leaves_nothing_in_doubt(slow_fleet: Fleet) -> None:
    fleet = slow_fleet
    edition, address = fleet.make(200), str(fleet.temporary.parent / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(address)
        with fleet.worker("--connections", "1", "--queues", "send", NOTIFY_SOCKET=address):
            until(lambda: fleet.counts(edition).get(DeliveryStatus.SENT, 0) >= 1)
        assert [systemd.recv(100), systemd.recv(100)] == [b"READY=1", b"STOPPING=1"]
    counts = fleet.counts(edition)
    assert set(counts) == {DeliveryStatus.SENT, DeliveryStatus.QUEUED}
    assert counts[DeliveryStatus.SENT] == len(fleet.sink.taken())
    with open_project_store(fleet.config) as store:
        assert store.workers.list() == []
        assert store.ledger.next_try(edition) <= MADE.replace(hour=11)  # immediately, instead of when a lease expires
    assert fleet.logged("ended")


@pytest.mark.parametrize(
    ("more", "environment", "said"),
    [
        ("", {}, "workers need a database on PostgreSQL"),
        ('[database]\nurl = "postgresql://a@127.0.0.1:1/b"\n', {}, 'workers need transport = "smtp"'),
    ],
)
def test_a_worker_that_cannot_help_says_why_in_one_line(
    project: Project, more: str, environment: dict[str, str], said: str
) -> None:
    project.configure(more)
    ran = project.run("worker")
    assert ran.code == 1
    assert ran.err.count("\n") == 1
    assert said in ran.err


def test_a_worker_creates_no_secret_of_its_own(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PUBLISHER_SECRET", raising=False)
    smtp = 'transport = "smtp"\nsmtp = { url = "smtp://127.0.0.1:1", tls = "none" }\n'
    project.configure(f'{smtp}[database]\nurl = "postgresql://a@127.0.0.1:1/b"\n')
    ran = project.run("worker")
    assert (ran.code, ran.err.count("\n")) == (1, 1)
    assert "PUBLISHER_SECRET: the project's secret is missing" in ran.err


def test_a_worker_with_a_short_secret_needs_that_of_the_project(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PUBLISHER_SECRET", "x")
    assert project.fails("worker").err == (
        "error: PUBLISHER_SECRET: must be 32 or more characters "
        "(set PUBLISHER_SECRET to the text of .publisher/secret on the host of `publisher run`)\n"
    )


def test_a_queue_that_does_not_exist_is_refused(project: Project) -> None:
    ran = project.run("worker", "--queues", "send,make")
    assert ran.code == 2
    assert "there is no queue 'make'" in ran.err


@pytest.mark.parametrize("address", ["0.0.0.0", "8019", "localhost:8019", "0.0.0.0:x", "::1:", "0.0.0.0:70000"])
def test_an_address_for_probes_has_a_port(project: Project, address: str) -> None:
    ran = project.run("worker", "--health", address)
    assert ran.code == 2
    assert "--health" in ran.err
