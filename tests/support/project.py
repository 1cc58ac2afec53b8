"""A project in its own folder, with short methods for the tests of the command line, the build and the journeys."""

from __future__ import annotations

import contextlib
import email.policy
import gc
import hashlib
import json
import os
import pty
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from email.parser import BytesParser
from pathlib import Path
from typing import Any

import pytest

from publisher.cli.main import run
from publisher.config import Config, load_config
from publisher.core.newsletter_models import Subscription
from publisher.publishing.wiring import open_project_store
from publisher.store.subscriber_records import NewSubscriber
from publisher.subscribers.address import normalise
from publisher.subscribers.manage import COMMAND_LINE
from tests.support import ROOT
from tests.support.forked_program import Program

MONDAY = "2026-11-16T10:00"

CONFIG = """\
[site]
title = "The Quiet Reader"
url = "https://letters.example"
description = "Notes on reading."
timezone = "Europe/Berlin"
postal_address = "1 Reading Room, 12345 Bookham"
authority = "letters.example,2024"
author = { name = "Ada", email = "ada@letters.example" }

[mail]
sender = "The Quiet Reader <ada@letters.example>"
"""
WEEKLY = '\n[[newsletters]]\nname = "weekly"\nschedule = "weekly monday 08:00"\n'


@dataclass(frozen=True)
class Ran:
    """The exit code and output of one run of the program."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def said(self) -> str:
        return self.out + self.err


class Project:
    """A project in `root`. Commands run in this process, at the moment MONDAY unless told otherwise."""

    def __init__(self, root: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.root, self._capsys = root, capsys
        self.domain = "letters.example"
        root.mkdir(exist_ok=True)

    def prepare(self, kept: Path, prepare: Callable[[], object]) -> None:
        """Bring the project to a state that many tests begin with. The first test saves it, and the others copy it."""
        if kept.exists():
            shutil.copytree(kept, self.root, symlinks=True, dirs_exist_ok=True)
        else:
            prepare()
            shutil.copytree(self.root, kept, symlinks=True)

    def write(self, path: str, text: str | bytes) -> Path:
        """Write a file of the project, and create its folders.

        Its modification time is a minute ago: a file written in the same instant as the index of posts may have changed
        since, so it would be read again.
        """
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(text if isinstance(text, bytes) else text.encode())
        a_minute_ago = time.time_ns() - 60_000_000_000
        os.utime(file, ns=(a_minute_ago, a_minute_ago))
        return file

    def configure(self, more: str = "", newsletters: str = WEEKLY) -> None:
        """Write publisher.toml: the usual one, and `more`."""
        self.write("publisher.toml", CONFIG.replace("letters.example", self.domain) + more + newsletters)

    def without_placeholders(self) -> Project:
        """Move the project to a domain that is not reserved for examples, so that `check` does not report it."""
        self.domain = "quiet-reader.eu"
        self.configure()
        return self

    def post(self, name: str, day: str = "2026-11-10", body: str = "", **front: str) -> Path:
        """Write posts/<name>.md with this date; front contains YAML values."""
        lines = {"title": name.replace("-", " ").capitalize(), "date": f"{day} 09:00"} | front
        head = "".join(f"{key}: {value}\n" for key, value in lines.items())
        return self.write(f"posts/{name}.md", f"---\n{head}---\n\n{body or f'All about {name}, in a paragraph.'}\n")

    def run(self, *arguments: str, now: str = MONDAY) -> Ran:
        """Run one command line in this process."""
        before = ["--project", str(self.root)] + (["--now", now] if now else [])
        self._capsys.readouterr()
        thresholds = gc.get_threshold()
        code = run([*before, *arguments])
        gc.set_threshold(*thresholds)  # commands set them for a process of their own
        out, err = self._capsys.readouterr()
        assert "Traceback" not in out + err
        return Ran(code, out, err)

    def ok(self, *arguments: str, now: str = MONDAY) -> Ran:
        """Run one command line that must end with exit code 0."""
        ran = self.run(*arguments, now=now)
        assert ran.code == 0, ran
        return ran

    def fails(self, *arguments: str, now: str = MONDAY) -> Ran:
        """Run one command line that must end with exit code 1."""
        ran = self.run(*arguments, now=now)
        assert ran.code == 1, ran
        return ran

    def spawn(self, *arguments: str, now: str = MONDAY, **environment: str) -> Ran:
        """Run one command line in its own process."""
        before = ["--project", str(self.root)] + (["--now", now] if now else [])
        return spawn(*before, *arguments, **environment)

    def on_a_terminal(self, *arguments: str, answer: str = "") -> str:
        """Return what a person at a terminal sees, including colours, if they run a command and answer one question."""
        ours, theirs = pty.openpty()
        environment = os.environ | {"PYTHONPATH": str(ROOT), "COLUMNS": "100", "TERM": "xterm"}
        program = [sys.executable, "-m", "publisher", "-C", str(self.root), "--now", MONDAY, *arguments]
        process = Program(program, env=environment, stdout=theirs, stderr=theirs, stdin=theirs)
        os.close(theirs)
        os.write(ours, answer.encode())
        said = b""
        with contextlib.suppress(OSError):  # how the end of a terminal appears on Linux
            while part := os.read(ours, 10_000):
                said += part
        os.close(ours)
        process.wait(timeout=240)
        return said.decode()

    def subscribe(self, *names: str, newsletter: str = "weekly") -> None:
        """Add subscribers with these names at example.org: the first with the command, all others in one step."""
        for name in names[:1]:
            self.ok("subscribers", "add", f"{name}@example.org", "--newsletter", newsletter)
        if others := names[1:]:
            config, wishes = load_config(self.root), (Subscription(newsletter),)
            new = [NewSubscriber(normalise(f"{name}@example.org"), subscriptions=wishes) for name in others]
            with open_project_store(config) as store:
                now = datetime.fromisoformat(MONDAY).replace(tzinfo=config.zone)
                added = store.subscribers.add_many(new, at=now, source=COMMAND_LINE)
            assert not any(each.refused for each in added)

    def config(self) -> Config:
        """Return the project's configuration, without environment variables."""
        return load_config(self.root, {})

    def read(self, path: str) -> str:
        """Return a file of the project as text."""
        return (self.root / path).read_text(encoding="utf-8")

    def files(self, folder: str = "public") -> set[str]:
        """Return the files under a folder."""
        top = self.root / folder
        return {path.relative_to(top).as_posix() for path in top.rglob("*") if path.is_file()}

    def listing(self, folder: str = ".") -> dict[str, tuple[int, int, str]]:
        """Return every file and folder with its inode, modification time and content: equal if nothing was written."""
        top = self.root / folder
        return {path.relative_to(top).as_posix(): _state(path) for path in sorted(top.rglob("*"))}

    def mail(self) -> dict[str, list[EmailMessage]]:
        """Return the messages in the outbox, by recipient."""
        found: dict[str, list[EmailMessage]] = {}
        for path in sorted((self.root / ".publisher/outbox/new").glob("*.eml")):
            message = parse(path.read_bytes())
            found.setdefault(message["To"].addresses[0].addr_spec, []).append(message)
        return found


def spawn(*arguments: str, program: tuple[str, ...] = ("-m", "publisher"), **environment: str) -> Ran:
    """Run the program in its own process, in another language and time zone if set in `environment`."""
    with Program(
        [sys.executable, *program, *arguments],
        env=os.environ | {"PYTHONPATH": str(ROOT)} | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        try:
            out, err = process.communicate(timeout=240)
        finally:
            process.kill()
    ran = Ran(process.returncode, out.decode("utf-8", "replace"), err.decode("utf-8", "replace"))
    assert "Traceback" not in ran.said, ran.said
    return ran


def parse(data: bytes) -> EmailMessage:
    """Parse a message like a modern email client; fails if it is malformed."""
    message = BytesParser(policy=email.policy.default).parsebytes(data)
    assert isinstance(message, EmailMessage)
    assert not [defect for part in message.walk() for defect in part.defects]
    return message


def _state(path: Path) -> tuple[int, int, str]:
    status = path.lstat()
    content = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""
    return status.st_ino, status.st_mtime_ns, content
