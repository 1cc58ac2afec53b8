"""`publish` is killed at twelve moments, also in parallel: after one more run every subscriber has the edition once."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import psutil
import pytest

from tests.support.forked_program import Program
from tests.support.project import ROOT, WEEKLY, Project
from tests.support.signalled_program import Moment, signalled
from tests.support.web_client import until

READERS, POSTS = 200, 12


def start(project: Project, *arguments: str) -> subprocess.Popen[str]:
    """Start a command in its own process, with the real clock."""
    return Program(
        [sys.executable, "-m", "publisher", "-C", str(project.root), *arguments],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def killed(project: Project, moment: Moment, *arguments: str) -> bool:
    """Run a command that is killed at a moment; return whether it was."""
    process = signalled(project.root, signal.SIGKILL, moment, *arguments)
    process.communicate(timeout=240)
    return process.returncode == -signal.SIGKILL


def finish(process: subprocess.Popen[str]) -> None:
    out, err = process.communicate(timeout=240)
    assert (process.returncode, err) == (0, ""), out


def entries(folder: Path) -> int:
    """Return the number of files under a folder, which may be missing."""
    return sum(len(names) for _, _, names in os.walk(folder))


def moments() -> list[Moment]:
    """Return twelve moments of publish, from its first file to the middle of delivery; always the same."""
    dice, new = random.Random(2026), ".publisher/outbox/new"
    return [
        *(Moment(events=events) for events in (1, dice.randrange(2, 20))),
        Moment(".publisher/index.db"),
        *(Moment("public/**/*", count) for count in sorted(dice.sample(range(1, 40), 2))),
        Moment(".publisher/outputs-*"),
        Moment("public/editions"),
        Moment(new),
        *(Moment(f"{new}/*", count) for count in sorted(dice.sample(range(READERS - 80), 4))),
    ]


@pytest.fixture
def crowd(empty: Project) -> Project:
    """A project with twelve posts, and a file of two hundred subscribers that has not been imported yet."""
    empty.configure(newsletters=WEEKLY + f"first = {POSTS}\n")
    for number in range(1, POSTS + 1):
        empty.post(f"post-{number}", f"2025-03-{number:02}", "A paragraph of words. " * 60, tags=f"[t{number % 4}]")
    rows = "".join(f"reader{number}@example.org,Reader {number}\n" for number in range(READERS))
    empty.write("people.csv", f"email,name\n{rows}")
    return empty


def assert_everyone_has_it_once(project: Project) -> None:
    """Check that the outbox, the ledger and public/ agree."""
    outbox = project.root / ".publisher/outbox"
    assert [entries(outbox / part) for part in ("tmp", "new", "cur")] == [0, READERS, 0]
    mail = project.mail()
    assert mail.keys() == {f"reader{number}@example.org" for number in range(READERS)}
    assert {len(messages) for messages in mail.values()} == {1}
    assert len({messages[0]["Message-ID"] for messages in mail.values()}) == READERS
    (edition,) = project.ok("editions", "--json", now="").json
    assert edition["deliveries"] == {"sent": READERS}
    assert len(edition["posts"]) == POSTS
    assert {messages[0]["Subject"] for messages in mail.values()} == {edition["subject"]}
    assert project.ok("status", "--json", now="").json["unfinished"] == []
    assert_public_is_whole(project)


def assert_public_is_whole(project: Project) -> None:
    fresh = project.root.parent / "fresh"
    project.ok("build", "--out", str(fresh), now="")
    public = project.root / "public"
    assert contents(public) == contents(fresh)
    assert not list(public.rglob("*.part"))
    for path in public.rglob("*.xml"):
        ElementTree.parse(path)
    assert list((public / "editions/weekly").glob("*/index.html"))


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_after_kills_at_twelve_moments_and_one_more_run_everyone_has_one_email(crowd: Project) -> None:
    for size in (-1, 100_000):
        begun = Moment(".publisher/publisher.db", size=size)
        assert killed(crowd, begun, "subscribers", "import", str(crowd.root / "people.csv"))
    crowd.ok("subscribers", "import", str(crowd.root / "people.csv"), now="")

    assert [killed(crowd, moment, "publish") for moment in moments()] == [True] * 12
    assert 0 < entries(crowd.root / ".publisher/outbox/new") < READERS
    finish(start(crowd, "publish"))
    assert_everyone_has_it_once(crowd)
    before = crowd.listing(".publisher/outbox")
    finish(start(crowd, "publish"))
    assert crowd.listing(".publisher/outbox") == before


def test_two_runs_at_the_same_time_send_each_email_once(crowd: Project) -> None:
    crowd.ok("subscribers", "import", str(crowd.root / "people.csv"), now="")
    new = crowd.root / ".publisher/outbox/new"
    one = signalled(crowd.root, signal.SIGSTOP, Moment(".publisher/outbox/new/*", 20), "publish")
    until(lambda: psutil.Process(one.pid).status() == psutil.STATUS_STOPPED)
    other = start(crowd, "publish")
    until(lambda: entries(new) > 60)
    one.send_signal(signal.SIGCONT)
    finish(one)
    finish(other)
    finish(start(crowd, "publish"))
    assert_everyone_has_it_once(crowd)


def test_a_run_continues_where_another_one_was_killed(crowd: Project) -> None:
    crowd.ok("subscribers", "import", str(crowd.root / "people.csv"), now="")
    for target in (0, 40, 90):
        ends = (Moment(".publisher/outbox/new/*", target + more) for more in (0, 20))
        for process in [signalled(crowd.root, signal.SIGKILL, end, "publish") for end in ends]:
            process.communicate(timeout=240)
            assert process.returncode == -signal.SIGKILL
    finish(start(crowd, "publish"))
    assert_everyone_has_it_once(crowd)
