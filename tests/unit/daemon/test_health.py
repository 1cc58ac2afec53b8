"""The health check reports a process that hangs, but never a process that is working, however long its work takes."""

from __future__ import annotations

import socket
import subprocess
import sys
from contextlib import nullcontext
from dataclasses import dataclass

import httpx
import pytest

from publisher.core.errors import ProjectError
from publisher.daemon.health import CERTAIN_SECONDS, MAIN_SECONDS, SILENT_SECONDS, STUCK_SECONDS, Health, health_port

LEASE = 120.0


@dataclass
class JobState:
    """A job as the health check sees it."""

    name: str = "chores"
    busy_seconds: float = 0.0
    silent_seconds: float = 0.0
    waits_for: str = ""


@dataclass
class DeliveryState:
    """The latest progress of the deliveries of a process."""

    is_heard: bool = False
    silent_seconds: float = 0.0


class WatchedHealth:
    """The health check of a process, with a clock that the test controls."""

    def __init__(self) -> None:
        self.at, self.job, self.deliveries = 0.0, JobState(), DeliveryState()
        self.health = Health([self.job], self.deliveries, lambda: LEASE, lambda: self.at)

    def after(self, seconds: float) -> str:
        """Advance the clock by this many seconds, and return the problem that the check finds ("" if there is none)."""
        self.at += seconds
        return self.health.check()


@pytest.fixture
def watched() -> WatchedHealth:
    return WatchedHealth()


def test_a_delivery_without_progress_for_longer_than_its_lease_hangs(watched: WatchedHealth) -> None:
    watched.deliveries.silent_seconds = LEASE + SILENT_SECONDS + 1
    assert watched.after(0) == ""
    assert watched.after(CERTAIN_SECONDS) == ""
    watched.deliveries.is_heard = True
    assert watched.after(5) == ""
    assert watched.after(CERTAIN_SECONDS) == "the delivery has been silent for 181 s"


def test_a_process_that_was_stopped_for_a_while_does_not_hang(watched: WatchedHealth) -> None:
    watched.deliveries = watched.health._stop = DeliveryState(is_heard=True, silent_seconds=10_000)
    assert watched.after(10_000) == ""
    watched.deliveries.silent_seconds = 1
    assert watched.after(5) == ""
    watched.deliveries.silent_seconds = 10_000
    assert watched.after(10_000) == ""


def test_a_delivery_may_take_days_but_other_jobs_an_hour(watched: WatchedHealth) -> None:
    watched.job.busy_seconds = 3 * 86_400
    assert [watched.after(60), watched.after(60)] == ["", ""]
    watched.job.silent_seconds = STUCK_SECONDS + 1
    assert [watched.after(60), watched.after(60)] == ["", "the job 'chores' has taken 259200 s"]


def ask(port: int, path: str) -> tuple[int, str]:
    answer = httpx.get(f"http://127.0.0.1:{port}{path}", timeout=60)
    return answer.status_code, answer.text.strip()


def test_the_port_says_whether_to_end_the_process_and_whether_it_can_work(watched: WatchedHealth) -> None:
    with health_port("127.0.0.1", 0, watched.health) as port:
        assert (ask(port, "/healthz"), ask(port, "/readyz")) == ((200, "ok"), (200, "ok"))
        watched.job.waits_for = "the database"
        assert (ask(port, "/healthz"), ask(port, "/readyz")) == ((200, "ok"), (503, "the database"))
        watched.at += MAIN_SECONDS + 1
        silent = (503, "the main thread has been silent for 61 s")
        assert (ask(port, "/healthz"), ask(port, "/readyz")) == (silent, silent)
        watched.after(0)
        assert ask(port, "/healthz") == (200, "ok")
        assert ask(port, "/secret")[0] == 404
        assert httpx.post(f"http://127.0.0.1:{port}/healthz", timeout=60).status_code == 501


def test_a_silent_client_delays_no_one(watched: WatchedHealth) -> None:
    with health_port("127.0.0.1", 0, watched.health) as port, socket.create_connection(("127.0.0.1", port)):
        assert ask(port, "/healthz") == (200, "ok")


def test_a_port_in_use_is_an_error_with_a_hint(watched: WatchedHealth) -> None:
    with health_port("127.0.0.1", 0, watched.health) as port:
        with (
            pytest.raises(ProjectError, match="cannot listen") as raised,
            health_port("127.0.0.1", port, watched.health),
        ):
            nullcontext()
        assert "free port" in raised.value.hint


def test_a_process_that_hangs_exits_and_says_why() -> None:
    program = (
        "import queue; from publisher.daemon.main_thread import wait_for_stop;"
        "wait_for_stop(queue.SimpleQueue(), None, None, lambda: 'the delivery has been silent for 181 s')"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 1
    assert "the delivery has been silent for 181 s" in done.stderr
