"""`publish` is killed at twelve moments, also in parallel: after one more run every subscriber has the edition once."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.support.forked_program import Program
from tests.support.project import ROOT, WEEKLY, Project

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


def kill_when(process: subprocess.Popen[str], reached: Callable[[], bool]) -> bool:
    """Kill the process as soon as it has got this far; return whether it was still running."""
    with suppress(ProcessLookupError):
        os.setpriority(os.PRIO_PROCESS, process.pid, 10)  # on a busy machine the watching process must be faster
    while process.poll() is None and not reached():
        time.sleep(0.004)  # checking takes half as long, but uses time that the process needs itself
    process.kill()
    process.communicate()
    return process.returncode == -9


def finish(process: subprocess.Popen[str]) -> None:
    out, err = process.communicate(timeout=120)
    assert (process.returncode, err) == (0, ""), out


def entries(folder: Path) -> int:
    """Return the number of files under a folder, which may be missing."""
    return sum(len(names) for _, _, names in os.walk(folder))


def moments(project: Project) -> list[Callable[[], bool]]:
    """Yield twelve moments of publish, from its first instruction to the middle of delivery; always the same."""
    dice = random.Random(2026)
    public, state, new = project.root / "public", project.root / ".publisher", project.root / ".publisher/outbox/new"

    def after(seconds: float) -> Callable[[], bool]:
        return lambda: time.sleep(seconds) is None

    found = [after(dice.uniform(0, 0.2)) for _ in range(2)]
    found.append(lambda: (state / "index.db").exists())
    found.extend(lambda n=n: entries(public) > n for n in sorted(dice.sample(range(1, 40), 2)))
    found.append(lambda: bool(list(state.glob("outputs-*"))))
    found.append(lambda: (public / "editions").exists() or (state / "secret").exists())
    found.append(lambda: new.exists())
    found.extend(lambda n=n: entries(new) > n for n in sorted(dice.sample(range(READERS - 80), 4)))
    return found


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
    database = crowd.root / ".publisher/publisher.db"
    for reached in (lambda: database.exists(), lambda: database.exists() and database.stat().st_size > 100_000):
        kill_when(start(crowd, "subscribers", "import", str(crowd.root / "people.csv")), reached)
    crowd.ok("subscribers", "import", str(crowd.root / "people.csv"), now="")

    killed = [kill_when(start(crowd, "publish"), reached) for reached in moments(crowd)]
    assert killed.count(True) == 12
    assert 0 < entries(crowd.root / ".publisher/outbox/new") < READERS
    finish(start(crowd, "publish"))
    assert_everyone_has_it_once(crowd)
    before = crowd.listing(".publisher/outbox")
    finish(start(crowd, "publish"))
    assert crowd.listing(".publisher/outbox") == before


def test_two_runs_at_the_same_time_send_each_email_once(crowd: Project) -> None:
    crowd.ok("subscribers", "import", str(crowd.root / "people.csv"), now="")
    for process in [start(crowd, "publish") for _ in range(2)]:
        finish(process)
    finish(start(crowd, "publish"))
    assert_everyone_has_it_once(crowd)


def test_a_run_continues_where_another_one_was_killed(crowd: Project) -> None:
    crowd.ok("subscribers", "import", str(crowd.root / "people.csv"), now="")
    new = crowd.root / ".publisher/outbox/new"
    for target in (0, 40, 90):
        left, right = start(crowd, "publish"), start(crowd, "publish")
        kill_when(left, lambda: entries(new) > target)  # noqa: B023 - called before the next round
        kill_when(right, lambda: entries(new) > target + 20)  # noqa: B023 - the same
    finish(start(crowd, "publish"))
    assert_everyone_has_it_once(crowd)
