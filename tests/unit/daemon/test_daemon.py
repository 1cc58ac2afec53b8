"""The decisions of `publisher run`: how long to pause, what to log, and when to notify systemd."""

from __future__ import annotations

import json
import os
import signal
import threading
from pathlib import Path

import pytest

from publisher.config import load_config
from publisher.core.errors import StoreError
from publisher.core.logging import configure
from publisher.daemon.file_watcher import FileWatcher
from publisher.daemon.jobs import rest_after
from publisher.daemon.reporting import Outage, ProblemLog
from publisher.daemon.systemd import noted_reloads, notify, watchdog_seconds


def test_pauses_grow_up_to_a_limit() -> None:
    assert [rest_after(failures, 30) for failures in (0, 1, 2, 3, 4, 5, 6, 50)] == [0, 0, 60, 120, 240, 480, 600, 600]


def test_a_settings_change_before_the_watcher_runs_is_noticed(tmp_path: Path) -> None:
    (tmp_path / "publisher.toml").write_text('[site]\ntitle = "A"\nurl = "https://a.test"\n')
    (tmp_path / "posts").mkdir()
    configured = threading.Event()
    watcher = FileWatcher(load_config(tmp_path), lambda: None, configured.set)
    (tmp_path / "publisher.toml").write_text('[site]\ntitle = "Another"\nurl = "https://a.test"\n')
    watcher.begin()
    assert configured.wait(240)
    watcher.end()


def test_an_early_reload_is_noted_and_does_no_harm() -> None:
    before = signal.getsignal(signal.SIGHUP)
    with noted_reloads() as must_reload:
        assert not must_reload()
        os.kill(os.getpid(), signal.SIGHUP)
        assert must_reload()
    assert signal.getsignal(signal.SIGHUP) == before


def test_a_known_problem_is_logged_once(capsys: pytest.CaptureFixture[str]) -> None:
    looks = (["a", "b"], [], ["b"], ["b", "c"], ["a"])
    configure("json")
    try:
        for keeps, wanted in ((0.0, ["a", "b", "b", "c", "a"]), (3600.0, ["a", "b", "c"])):
            problems = ProblemLog(keeps)
            for look in looks:
                problems.log("problem", look)
            assert [json.loads(line)["what"] for line in capsys.readouterr().err.splitlines()] == wanted
    finally:
        configure()


def test_an_outage_is_one_line_at_its_beginning_and_one_at_its_end(capsys: pytest.CaptureFixture[str]) -> None:
    outage, error = Outage(), StoreError("is away", where="postgresql://x")
    configure("json")
    try:
        outage.end("tick")
        for user in ("tick", "sending", "tick"):
            outage.begin(user, error)
        outage.end("sending")
        outage.begin("sending", error)  # a user that fails again while another still fails begins no new outage
        outage.end("tick")
        outage.end("sending")
        outage.end("sending")
        lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    finally:
        configure()
    assert [line["event"] for line in lines] == ["database away", "database back"]
    assert lines[0]["what"] == "postgresql://x: is away"


def test_without_systemd_nothing_is_sent() -> None:
    notify("READY=1", {})
    notify("READY=1", {"NOTIFY_SOCKET": "/nowhere/at/all"})
    assert watchdog_seconds({}) is None
    assert watchdog_seconds({"WATCHDOG_USEC": "30000000"}) == 30.0
    assert watchdog_seconds({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "1"}) is None
