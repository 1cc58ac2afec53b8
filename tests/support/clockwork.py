"""A project under a controlled clock."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path

from publisher.publishing.tick import TickReport, create_due, send_due
from publisher.publishing.wiring import Project as OpenProject
from publisher.store import Store
from tests.support.project import Project

SLOT = datetime(2026, 11, 23, 7, tzinfo=UTC)  # a Monday, 08:00 in Berlin
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
OWNER = "owner@example.net"


def tick(project: OpenProject) -> TickReport:
    """Create what is due and then send it, as the daemon does in two threads; return one report about both."""
    made = create_due(project)
    if made.waits:
        return made
    sent = send_due(project)
    return replace(
        made,
        delivered=sent.delivered,
        problems=(*made.problems, *sent.problems),
        stuck=sent.stuck,
        limited=sent.limited,
    )


def is_quiet(report: TickReport) -> bool:
    """Return whether a tick has nothing new to log."""
    return report == TickReport(report.at, problems=report.problems, stuck=report.stuck, limited=report.limited)


class Clockwork:
    """A project whose clock can show any time."""

    def __init__(self, project: Project, store: Store) -> None:
        self.project, self.store = project, store

    def at(self, moment: datetime) -> TickReport:
        """Run one tick at this time, with the current configuration file."""
        return tick(OpenProject(self.project.config(), self.store, lambda: moment))

    def editions(self) -> dict[str, str]:
        """Return, by slot, why each edition is on hold; "" if it is not."""
        return {edition.slot: edition.held for edition in self.store.editions.list()}

    def letters(self, reader: str = "ada@example.org") -> list[str]:
        """Return the subjects of a subscriber's emails."""
        return [str(message["Subject"]) for message in self.project.mail().get(reader, [])]


def configure(project: Project, newsletters: str, more: str = "") -> None:
    """Write publisher.toml with an owner."""
    project.configure(f'owner = "Olga <{OWNER}>"\n{more}', newsletters)


def slots(ticked: TickReport) -> list[str]:
    """Return the slots of the editions that a tick created."""
    return [edition.slot for edition in ticked.created]


def text(message: EmailMessage) -> str:
    """Return the plain text of a message."""
    part = message.get_body(("plain",))
    assert part is not None
    return str(part.get_content())


def touch(path: Path, moment: datetime) -> Path:
    """Set the modification time of a file; return the file."""
    os.utime(path, (moment.timestamp(), moment.timestamp()))
    return path
