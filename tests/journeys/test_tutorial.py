"""docs/tutorial.md step by step: its commands are run, a reader subscribes on the page and gets the edition."""

from __future__ import annotations

import os
import re
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path

import httpx

from benchmarks.free_ports import free_port
from publisher.config.schedule import next_weekday
from tests.support.documents import blocks, commands
from tests.support.forked_program import Program, with_command
from tests.support.project import ROOT, parse
from tests.support.web_client import until
from tests.support.web_server import line_with

PAGE = ROOT / "docs/tutorial.md"


@contextmanager
def shell(home: Path) -> Iterator[tuple[dict[str, str], list[subprocess.Popen[str]]]]:
    """The environment of someone who has installed Publisher, and the programs that are still running."""
    left: list[subprocess.Popen[str]] = []
    try:
        yield with_command(home / "bin") | {"HOME": str(home)}, left
    finally:
        for process in left:
            process.kill()
            process.communicate()


def start(command: str, folder: Path, environment: dict[str, str], log: Path) -> subprocess.Popen[str]:
    program, *words = shlex.split(command)
    assert program == "publisher"
    start_it = [sys.executable, "-m", "publisher", *words]
    with log.open("a") as lines:
        return Program(start_it, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=lines, text=True)


def stop(program: subprocess.Popen[str]) -> None:
    """Press Ctrl-C."""
    program.send_signal(signal.SIGINT)
    program.communicate(timeout=240)
    assert program.returncode == 0


def mails(folder: Path) -> list[EmailMessage]:
    files = sorted((folder / ".publisher/outbox/new").glob("*"), key=lambda path: path.stat().st_mtime_ns)
    return [parse(path.read_bytes()) for path in files]


def test_the_tutorial_ends_with_an_edition_for_a_reader(tmp_path: Path) -> None:
    web = free_port()
    shown = [each for block in blocks(PAGE, "console") for each in commands(block)]
    *before, (start_it, says), (look, _) = shown
    folder, log = tmp_path, tmp_path / "log"
    with shell(tmp_path) as (environment, left):
        for text, more in before:
            command = (text + "\n" + more if "<<" in text else text).replace(":8018", f":{web}")
            if command.startswith("cd "):
                folder = Path(os.path.expandvars(command[3:].replace("~", str(tmp_path))))
            else:
                subprocess.run(command, shell=True, cwd=folder, env=environment, check=True, capture_output=True)
        run = start_it.replace(" run", f" run --port {web}")
        early = run.replace("'monday 07:59'", "'monday 07:00'")  # a busy machine may need more than a minute
        left.append(program := start(early, folder, environment, log))
        assert line_with(program, "Running") == says.replace(":8018", f":{web}"), log.read_text()
        with httpx.Client(base_url=f"http://127.0.0.1:{web}", timeout=60) as browser:
            form = browser.get("/subscribe").text
            assert 'name="email"' in form
            token = re.search(r'name="token" value="([^"]+)"', form)[1]
            time.sleep(2.1)  # a person takes that long
            fields = {"email": "eve@example.org", "newsletter": "weekly", "token": token}
            browser.post("/subscribe", data=fields).raise_for_status()
            until(lambda: mails(folder))
            asked = subprocess.run(look, shell=True, cwd=folder, env=environment, check=True, capture_output=True)
            link = re.search(r"http\S+/confirm/\S+", asked.stdout.decode())[0]
            browser.post(link, data={"do": "confirm"}).raise_for_status()

        stop(program)
        # The test does not wait for eight o'clock: the program is started again, and knows what it has not sent.
        assert "'monday 07:59'" in run
        eight = next_weekday("monday 07:59", datetime.now(UTC)) + timedelta(minutes=1)
        left.append(program := start(run.replace("'monday 07:59'", eight.isoformat()), folder, environment, log))
        _, edition = until(lambda: found if len(found := mails(folder)) > 1 else None, log.read_text)
        stop(program)
    assert edition["To"].addresses[0].addr_spec == "eve@example.org"
    assert edition["Subject"] == "Hello, world"
    assert edition["List-Unsubscribe"].startswith(f"<http://127.0.0.1:{web}/unsubscribe/")
    assert "Here I am." in edition.get_body(("plain",)).get_content()


def test_the_tutorial_takes_fewer_than_ten_commands() -> None:
    installing = [line for block in blocks(PAGE, "sh") for line in block.splitlines()]
    running = [command for block in blocks(PAGE, "console") for command, _ in commands(block)]
    assert len(installing) + len(running) == 9
    assert "in nine commands" in PAGE.read_text()
