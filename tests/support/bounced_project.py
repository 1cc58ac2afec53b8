"""What the tests of bounces share: a project with a sent edition, its bounce reports, and ways to deliver them."""

from __future__ import annotations

import mailbox
import os
import sqlite3
import subprocess
import sys
from pathlib import Path

from publisher.mail.verp import ReturnPath
from publisher.publishing.mail_wiring import project_links, project_secret
from tests.support.bounce_samples import complaint, failed, letter, plain, report
from tests.support.forked_program import Program
from tests.support.project import ROOT, Project, Ran


class BouncedProject:
    """A project that has sent an edition, and bounce reports about it."""

    def __init__(self, project: Project, more: str = "") -> None:
        self.project = project
        text = project.read("publisher.toml").replace("[mail]\n", '[mail]\nbounces = "bounces@letters.example"\n')
        project.write("publisher.toml", text + more)
        project.subscribe("ada", "bob", "eve")
        project.ok("publish")
        self.path = ReturnPath("bounces@letters.example", project_secret(project.config()))
        with sqlite3.connect(project.root / ".publisher/publisher.db") as connection:
            query = "select address, deliveries.id from deliveries join subscribers on subscribers.id = subscriber_id"
            self.deliveries = {address.partition("@")[0]: number for address, number in connection.execute(query)}

    def of(self, name: str, status: str = "5.1.1", words: str = "550 no") -> bytes:
        """Return a report that the email to a subscriber failed."""
        return report(failed(status, words), to=self.path.of(self.deliveries[name]))

    def complaint(self, name: str) -> bytes:
        """Return a spam complaint by a subscriber."""
        uid = self.project.ok("subscribers", "show", f"{name}@example.org", "--json").json["uid"]
        token = project_links(self.project.config()).unsubscribe(uid, "weekly").rpartition("/")[2]
        inside = letter(path="hidden")
        mine = inside[inside.index("/unsubscribe/") + 13 : inside.index(">\n\nDear")]
        return complaint(inside=inside.replace(mine, token))

    def all(self) -> list[bytes]:
        """Return one report of each kind."""
        stranger = plain("From: eve@elsewhere.example", "Hello?", to="bounces@letters.example")
        forged = report(failed("5.1.1"), to="bounces+1-aaaaaaaaaaaaaaaa@letters.example")
        return [self.of("ada"), self.of("bob", "4.2.2"), self.complaint("eve"), stranger, forged]

    def status(self, name: str) -> str:
        return str(self.project.ok("subscribers", "show", f"{name}@example.org", "--json").json["status"])


def maildir(folder: Path, messages: list[bytes]) -> Path:
    """Write a Maildir with the messages in new/; return its folder."""
    box = mailbox.Maildir(folder, create=True)
    for data in messages:
        box.add(mailbox.MaildirMessage(data))
    return folder


def pipe(bounced: BouncedProject, data: bytes, *arguments: str) -> Ran:
    """Pipe a message to the program like a mail server."""
    program = [sys.executable, "-m", "publisher", "-C", str(bounced.project.root), "bounces", "read", "-", *arguments]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    streams = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with Program(program, env=environment, **streams) as process:
        out, err = process.communicate(data)
    return Ran(process.returncode, out.decode(), err.decode())
