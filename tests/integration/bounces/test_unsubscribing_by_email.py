"""The address in List-Unsubscribe: a message to it unsubscribes once, and only from that newsletter."""

from __future__ import annotations

import re
from email.message import EmailMessage

import pytest

from tests.support.bounce_samples import failed, report
from tests.support.bounced_project import BouncedProject, maildir
from tests.support.project import WEEKLY, Project, parse

DAILY = WEEKLY.replace('"weekly"', '"daily"')


def held(project: Project, name: str = "ada") -> list[str]:
    shown = project.ok("subscribers", "show", f"{name}@example.org", "--json").json
    return [each["newsletter"] for each in shown["subscriptions"]]


def letters(project: Project) -> list[EmailMessage]:
    return [parse(path.read_bytes()) for path in sorted((project.root / ".publisher/outbox/new").glob("*.eml"))]


def address_in(project: Project, name: str = "ada") -> str:
    """Return the unsubscribe address in the email to a subscriber."""
    sent = {str(each["To"]): each for each in letters(project) if each["List-Unsubscribe"]}
    ways = sent[f"{name}@example.org"]["List-Unsubscribe"]
    assert ways.startswith("<https://") or ways.startswith("<http://")
    found = re.search(r", <mailto:([^?>]+)\?subject=unsubscribe>", ways)
    assert found
    return found[1]


def wish(address: str, number: int = 1, headers: str = "") -> bytes:
    return (
        f"From: Ada <someone.else@example.net>\nTo: <{address}>\nSubject: unsubscribe\n"
        f"Message-ID: <{number}@example.net>\n{headers}\nplease\n"
    ).encode()


@pytest.fixture
def bounced(project: Project) -> BouncedProject:
    bounced = BouncedProject(project)
    project.ok("subscribers", "add", "ada@example.org", "--newsletter", "weekly")
    return bounced


def read(project: Project, *messages: bytes, place: str = "box") -> str:
    return project.ok("bounces", "read", str(maildir(project.root / place, list(messages)))).out


@pytest.mark.parametrize("headers", ["", "Auto-Submitted: auto-generated\n", "Precedence: bulk\n"])
def test_a_message_to_the_address_unsubscribes(bounced: BouncedProject, headers: str) -> None:
    project = bounced.project
    address = address_in(project)
    assert len(address.partition("@")[0]) <= 64
    assert "1 unsubscribe" in read(project, wish(address.upper(), headers=headers))
    assert (held(project), held(project, "bob")) == ([], ["weekly"])
    events = project.ok("subscribers", "show", "ada@example.org", "--json").json["consent"]
    assert [event["what"] for event in events][-1] == "left"


def test_a_message_counts_once_after_a_return(bounced: BouncedProject) -> None:
    project = bounced.project
    address = address_in(project)
    read(project, wish(address))
    project.ok("subscribers", "add", "ada@example.org", "--newsletter", "weekly", "--again", "--why", "by phone")
    assert "1 already processed" in read(project, wish(address), place="again")
    assert held(project) == ["weekly"]
    read(project, wish(address, 2), place="later")
    assert held(project) == []


def test_a_forged_or_bounced_message_unsubscribes_no_one(bounced: BouncedProject) -> None:
    project = bounced.project
    address, other = address_in(project), address_in(project, "bob")
    local, _, signed = address.partition("-")
    forged = f"{local}-{other.partition('-')[2]}"
    assert signed != other.partition("-")[2]
    said = read(project, wish(forged), wish("bounces@letters.example", 2), report(failed("5.1.1"), to=address))
    assert "unsubscribe" not in said
    assert held(project) == ["weekly"]


def test_a_farewell_follows_if_the_project_sends_one(project: Project) -> None:
    bounced = BouncedProject(project, "[subscribers]\nfarewell = true\n")
    read(bounced.project, wish(address_in(project)))
    (told,) = (each for each in letters(project) if each["Subject"].startswith("You’ve been unsubscribed"))
    assert told["To"] == "ada@example.org"
