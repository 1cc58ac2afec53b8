"""A run stopped in the middle of an edition: it ends cleanly, says what it did, and nothing is in doubt."""

from __future__ import annotations

import os
import pty
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.support.forked_program import Program
from tests.support.project import ROOT, Project
from tests.support.signalled_program import Moment, signalled
from tests.support.sink import Sink, sink

READERS = 200  # more than the server takes in minutes


def configure(project: Project, slow: Sink) -> None:
    server = f'[mail.smtp]\nurl = "{slow.server.url}"\ntls = "none"\nconnections = 2\n'
    project.configure(f'transport = "smtp"\n{server}[delivery]\non_uncertain = "hold"\n')


def start(project: Project) -> subprocess.Popen[str]:
    return Program(
        [sys.executable, "-m", "publisher", "-C", str(project.root), "publish", "--yes"],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize(("asked", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_a_stopped_run_says_what_it_did(project: Project, tmp_path: Path, asked: signal.Signals, code: int) -> None:
    project.subscribe(*(f"reader{number}" for number in range(READERS)))
    with sink(tmp_path / "sink", "-w", "1") as slow:
        configure(project, slow)
        process = start(project)
        while process.poll() is None and len(slow.taken()) < 2:
            time.sleep(0.02)
        process.send_signal(asked)
        out, err = process.communicate(timeout=240)
        taken = slow.recipients()

    assert process.returncode == code, out + err
    assert "Traceback" not in out + err
    assert f"{len(taken)} messages sent, {READERS - len(taken)} waiting" in out
    assert "run `publisher publish` to send the rest" in err
    found = project.ok("deliveries", "list", "1", "--json").json
    assert found["counts"] == {"sent": len(taken), "queued": READERS - len(taken)}
    assert sorted(row["address"] for row in found["deliveries"] if row["status"] == "sent") == sorted(taken)
    assert len(set(taken)) == len(taken) < READERS


@pytest.mark.parametrize(("asked", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_the_outbox_stops_cleanly(project: Project, asked: signal.Signals, code: int) -> None:
    project.write("readers.csv", "email\n" + "".join(f"reader{number}@example.org\n" for number in range(600)))
    project.ok(
        "subscribers", "import", str(project.root / "readers.csv"), "--newsletter", "weekly", "--consent", "asked"
    )
    new = project.root / ".publisher/outbox/new"
    process = signalled(project.root, asked, Moment(".publisher/outbox/new/*"), "publish", "--yes")
    out, err = process.communicate(timeout=240)

    assert process.returncode == code, out + err
    assert "Traceback" not in out + err
    # The file that was being written may exist without an entry in the ledger: it is written again, to the same place.
    written = len(list(new.iterdir()))
    assert re.search(rf"; ({written - 1}|{written}) messages? sent, ", out)
    assert written < 600
    project.ok("publish", now="")
    assert project.ok("deliveries", "list", "1", "--json").json["counts"] == {"sent": 600}
    assert len(list(new.iterdir())) == 600


def test_a_closed_terminal_leaves_nothing_in_doubt(project: Project, tmp_path: Path) -> None:
    project.subscribe(*(f"reader{number}" for number in range(READERS)))
    with sink(tmp_path / "sink", "-w", "1") as slow:
        configure(project, slow)
        pid, terminal = pty.fork()
        if not pid:
            # Tests that run in the background ignore SIGHUP, and a child inherits that.
            signal.signal(signal.SIGHUP, signal.SIG_DFL)
            os.environ["PYTHONPATH"] = str(ROOT)
            program = [sys.executable, "-m", "publisher", "-C", str(project.root), "publish", "--yes"]
            os.execv(sys.executable, program)
        while len(slow.taken()) < 2:
            time.sleep(0.02)
        os.close(terminal)  # the system sends the child SIGHUP and accepts no more output
        _, status = os.waitpid(pid, 0)
        taken = slow.recipients()
    assert os.WIFEXITED(status)
    assert project.ok("deliveries", "list", "1", "--json").json["counts"] == {
        "sent": len(taken),
        "queued": READERS - len(taken),
    }


@pytest.mark.parametrize(("words", "left"), [(("hold", "1"), "queued"), (("cancel", "1", "--yes"), "skipped")])
def test_a_hold_stops_a_running_delivery(project: Project, tmp_path: Path, words: tuple[str, ...], left: str) -> None:
    project.subscribe(*(f"reader{number}" for number in range(READERS)))
    with sink(tmp_path / "sink", "-w", "1") as slow:
        configure(project, slow)
        process = start(project)
        while process.poll() is None and len(slow.taken()) < 2:
            time.sleep(0.02)
        said = project.ok("deliveries", *words, "--json").json
        before = len(slow.taken())
        out, err = process.communicate(timeout=240)
        taken = slow.recipients()

    assert process.returncode == 0, out + err
    assert len(taken) == before < READERS
    assert said["in_hand"] == 0
    assert said.get("cancelled", READERS - before) == READERS - before
    found = project.ok("deliveries", "list", "1", "--json").json
    assert found["counts"] == {"sent": before, left: READERS - before}
    assert bool(found["held"]) == (words[0] == "hold")
