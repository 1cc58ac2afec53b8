"""publisher schedule: the next slots of each newsletter in its zone, and what the next would hold."""

from __future__ import annotations

import pytest
from conftest import WEEKLY, Project

NIGHTLY = """
[[newsletters]]
name = "nightly"
schedule = "daily 02:30"
timezone = "America/New_York"
"""
OTHERS = """
[[newsletters]]
name = "each"
schedule = "each post"

[[newsletters]]
name = "hand"
"""


def test_the_next_slots_stand_in_the_newsletters_zone_with_what_the_next_would_hold(project: Project) -> None:
    project.configure("", WEEKLY + OTHERS)
    project.subscribe("ada", "bob")
    said = project.ok("schedule", "weekly", "--count", "2").out
    assert said == (
        "weekly: weekly monday 08:00 (Europe/Berlin)\n"
        "  2026-W48          Mon 2026-11-23 08:00 +0100\n"
        "  2026-W49          Mon 2026-11-30 08:00 +0100\n"
        "  today the next would hold: 3 posts to 2 readers\n"
        "    Third\n    Second\n    First\n"
    )
    everything = project.ok("schedule").out
    assert everything.count("Mon 202") == 10
    assert "10 minutes after a post is published or changed" in everything
    assert "when you publish" in everything
    assert project.run("schedule", "weakly").err.startswith("error: there is no newsletter 'weakly'")


def test_gaps_overlaps_and_what_is_made_already_are_remarked(project: Project) -> None:
    project.configure("", NIGHTLY + WEEKLY)
    project.subscribe("ada")
    (nightly,) = project.ok("schedule", "nightly", "--json", "--count", "4", now="2027-03-12T12:00").json
    assert [(slot["at"][:16], bool(slot["remark"])) for slot in nightly["slots"]] == [
        ("2027-03-13T02:30", False),
        ("2027-03-14T03:00", True),
        ("2027-03-15T02:30", False),
        ("2027-03-16T02:30", False),
    ]
    assert "02:30 is skipped" in nightly["slots"][1]["remark"]
    project.configure("", NIGHTLY.replace("02:30", "01:30") + WEEKLY)
    said = project.ok("schedule", "nightly", "--count", "2", now="2026-10-31T12:00").out
    assert "Sun 2026-11-01 01:30 -0400  01:30 comes twice: due the first time" in said
    project.ok("publish", "weekly", now="2026-11-23T07:00")
    said = project.ok("schedule", "weekly", now="2026-11-23T07:30").out
    assert "Mon 2026-11-23 08:00 +0100  has its edition" in said
    assert "today the next would hold: no new posts" in said


def test_a_rehearsed_timetable_of_a_project_without_a_database_writes_nothing(project: Project) -> None:
    before = {name: state for name, state in project.listing().items() if not name.startswith(".publisher")}
    assert "no subscribers yet" in project.ok("schedule").out
    assert {name: state for name, state in project.listing().items() if not name.startswith(".publisher")} == before
    assert not (project.root / ".publisher/publisher.db").exists()


def test_a_newsletter_that_sends_each_post_says_so_however_it_is_written_and_in_the_status_too(
    project: Project,
) -> None:
    project.configure("", OTHERS.replace("each post", "Each  post"))
    for command in ("schedule", "status"):
        said = project.ok(command).out
        assert said.count("10 minutes after a post is published or changed") == 1
        assert said.count("when you publish") == 1  # the other newsletter


@pytest.mark.parametrize("schedule", ["daily 02:30", "* * * * *", "monthly last friday 09:00", "weekly monday 08:00"])
def test_at_the_end_of_all_years_there_is_no_slot_and_no_error(project: Project, schedule: str) -> None:
    project.configure("", NIGHTLY.replace("daily 02:30", schedule))
    for command in ("schedule", "status"):
        assert "no slot after this" in project.ok(command, now="9999-12-30").out
