"""A sent post that gets a new id is not sent again by `publish` or `run`; a dry run and `check` report it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from publisher.config import load_config
from publisher.publishing.tick import create_due
from publisher.publishing.wiring import Project as OpenProject
from publisher.publishing.wiring import open_project_store
from publisher.store.database import Database
from publisher.store.migrate import move_to
from publisher.web.preview.snapshot import Snapshot
from tests.support.project import WEEKLY, Project

MAY = datetime(2026, 11, 16, 8, 1, tzinfo=ZoneInfo("Europe/Berlin"))
LATER = "2026-11-17T10:00"
BOAT = "---\ntitle: Boat\ndate: 2026-10-04\n---\nThe pilot boat went out at nine, and came back with a stranger.\n"
ROSE = "---\ntitle: Rose\ndate: 2026-10-05\n---\nRoses are cut in the last week of winter, when the buds swell.\n"
FOG = "---\ntitle: Fog\ndate: 2026-11-01\n---\nFog is measured on one day of autumn, when the ships begin to sound.\n"

Edit = Callable[[Project], None]


def write(name: str, text: str) -> Edit:
    return lambda project: project.write(f"posts/{name}", text) and None


def move(name: str, text: str = "") -> Edit:
    def moved(project: Project) -> None:
        old = project.root / "posts/boat.md"
        project.write(f"posts/{name}", text or old.read_text())
        old.unlink()

    return moved


# Changes of a sent post by its writer that would give it a new id.
EDITS = {
    "another date": write("boat.md", BOAT.replace("10-04", "11-05")),
    "a date in the future": write("boat.md", BOAT.replace("10-04", "12-24")),
    "a date field that takes precedence": write("boat.md", BOAT.replace("date:", "publishDate: 2026-11-05\ndate:")),
    "another date and text": write("boat.md", BOAT.replace("10-04", "11-05").replace("stranger", "letter")),
    "an id in another format": write("boat.md", BOAT.replace("title:", "id: other\ntitle:")),
    "another name": move("ship.md"),
    "another folder": move("2026/boat.md"),
    "a page bundle": move("trip/index.md"),
    "a date in the name": move("2026-11-01-boat.md", BOAT.replace("date: 2026-10-04\n", "")),
    "another name and a word": move(
        "ship.md", BOAT.replace("stranger", "letter").replace("title: Boat", "title: Ship")
    ),
}
INNOCENT = {
    "nothing": lambda project: None,
    "a typo": write("boat.md", BOAT.replace("stranger", "sailor")),
    "the id written to the file": lambda project: project.ok("keep-id", "posts/boat.md") and None,
    "a new post": write(
        "new.md", BOAT.replace("Boat", "New").replace("The pilot boat went out at nine", "A new day begins")
    ),
    "the post moved out of the folder": move("../boat.txt"),
    "the file deleted, and another post": move("fog.md", FOG),
    "a copy with an id": write("copy.md", BOAT.replace("title:", "id: copy\ntitle:")),
}


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("kept") / "letter"


@pytest.fixture
def sent(empty: Project, kept: Path) -> Project:
    """A project that has sent two posts; both were written a minute ago."""

    def prepare() -> None:
        empty.configure(newsletters=WEEKLY)
        write("boat.md", BOAT)(empty)
        write("rose.md", ROSE)(empty)
        empty.subscribe("ada")
        empty.ok("publish", "--yes")

    empty.prepare(kept, prepare)
    empty.ok("hosts", "confirm")  # a copy in another folder
    return empty


def messages(project: Project) -> int:
    return sum(len(found) for found in project.mail().values())


@pytest.mark.parametrize("edit", EDITS.values(), ids=EDITS)
def test_a_sent_post_is_not_sent_again(sent: Project, edit: Edit) -> None:
    edit(sent)
    before = sent.listing("public")
    for command in (["publish", "--yes"], ["publish", "--dry-run"], ["check"], ["build"]):
        ran = sent.run(*command, now=LATER)
        assert ran.code == 1, ran.said
        (line,) = [line for line in ran.said.splitlines() if "would send it again" in line]
        assert "weekly has sent this post" in line
        assert "publisher keep-id posts/" in line
    assert sent.listing("public") == before
    assert messages(sent) == 1

    path = line.partition("publisher keep-id ")[2].partition(";")[0]
    sent.ok("keep-id", path)
    sent.ok("build", now=LATER)
    sent.ok("publish", "--yes", now=LATER)
    assert "would send it again" not in sent.run("check", now=LATER).said
    assert messages(sent) == 1


@pytest.mark.parametrize("edit", INNOCENT.values(), ids=INNOCENT)
def test_other_edits_and_new_posts_are_not_reported(sent: Project, edit: Edit) -> None:
    edit(sent)
    assert "would send it again" not in sent.run("check", now=LATER).said
    assert "again" not in sent.ok("publish", "--dry-run", "--extra", now=LATER).said
    sent.ok("publish", "--yes", "--extra", now=LATER)


def test_only_accept_new_ids_continues(sent: Project) -> None:
    EDITS["another date"](sent)
    assert sent.run("publish", "--yes", "--extra", now=LATER).code == 1
    assert "Boat" in sent.ok("publish", "--dry-run", "--extra", "--accept-new-ids", now=LATER).out
    sent.ok("publish", "--yes", "--extra", "--accept-new-ids", now=LATER)
    assert messages(sent) == 2
    sent.ok("publish", "--yes", "--extra", now=LATER)
    assert "would send it again" not in sent.run("check", now=LATER).said
    assert messages(sent) == 2


@pytest.mark.parametrize("edit", ["another date", "another name"])
def test_the_list_of_coming_posts_leaves_the_post_out(sent: Project, edit: str) -> None:
    write("fog.md", FOG)(sent)
    before = sent.ok("schedule", "--json", now=LATER).json
    EDITS[edit](sent)
    assert sent.ok("schedule", "--json", now=LATER).json == before
    assert "Boat" not in str(before)
    found = sent.ok("status", "--json", now=LATER).json
    assert found["newsletters"][0]["would_hold"] == 1
    assert found["posts"]["left_out"] == 1
    snapshot = Snapshot(load_config(sent.root), datetime.fromisoformat(LATER).replace(tzinfo=MAY.tzinfo))
    assert [str(problem) for problem in snapshot.problems if "would send it again" in str(problem)]


def test_a_build_continues_with_accepted_ids(sent: Project) -> None:
    EDITS["another date"](sent)
    assert sent.run("build", "--out", "elsewhere", now=LATER).code == 1
    assert not (sent.root / "elsewhere/feed.xml").exists()
    sent.ok("build", "--accept-new-ids", now=LATER)
    write("new.md", FOG)(sent)
    sent.ok("build", now=LATER)
    assert sent.run("publish", "--yes", now=LATER).code == 1
    assert messages(sent) == 1


def test_run_withholds_the_post_sends_the_others_and_notifies_the_owner(sent: Project) -> None:
    sent.configure("owner = 'Ada <ada@letters.example>'\n", newsletters=WEEKLY)
    EDITS["another name"](sent)
    write("fog.md", FOG)(sent)
    config = load_config(sent.root)
    with open_project_store(config) as store:
        store.newsletters.see("weekly", "weekly monday 08:00 | Europe/Berlin", MAY)
        report = create_due(OpenProject(config, store, lambda: MAY + timedelta(days=7)))
    assert [[post.title for post in edition.posts] for edition in report.created] == [["Fog"]]
    assert any("posts/ship.md" in line and "would send it again" in line for line in report.alerts)


@pytest.mark.usefixtures("real_migration")
@pytest.mark.parametrize("recorded", [True, False])
def test_a_database_without_the_table_uses_the_last_build(sent: Project, recorded: bool) -> None:
    database = Database("sqlite:///.publisher/publisher.db", sent.root)
    with database.write() as connection:
        move_to(connection, "0007")
    database.close()
    if recorded:  # started once before the edit
        sent.ok("publish", "--yes", now=LATER)
    EDITS["another date"](sent)
    assert sent.run("publish", "--yes", now=LATER).code == 1
    assert messages(sent) == 1
