"""publisher schedule: the next slots of each newsletter in its time zone, and what they will contain."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import event

from publisher.publishing.forecast import forecasts
from publisher.publishing.wiring import open_project_store
from publisher.store import Store
from tests.support.clockwork import DAY, HOUR, SLOT, Clockwork
from tests.support.project import WEEKLY, Project

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


def test_slots_are_in_the_time_zone_of_the_newsletter(project: Project) -> None:
    project.configure("", WEEKLY + OTHERS)
    project.subscribe("ada", "bob")
    said = project.ok("schedule", "weekly", "--count", "2").out
    assert said == (
        "weekly: weekly monday 08:00 (Europe/Berlin)\n"
        "  2026-W48          Mon 2026-11-23 08:00 +0100  3 posts to 2 subscribers\n"
        "    Third\n    Second\n    First\n"
        "  2026-W49          Mon 2026-11-30 08:00 +0100  no new posts\n"
    )
    everything = project.ok("schedule").out
    assert everything.count("Mon 202") == 10
    assert "10 minutes after a post is published or changed" in everything
    assert "when you publish" in everything
    assert project.run("schedule", "weakly").err.startswith("error: there is no newsletter 'weakly'")


def test_clock_changes_are_mentioned(project: Project) -> None:
    project.configure("", NIGHTLY + WEEKLY)
    project.subscribe("ada")
    (nightly,) = project.ok("schedule", "nightly", "--json", "--count", "4", now="2027-03-12T12:00").json
    assert [(slot["at"][:16], bool(slot["remark"])) for slot in nightly["slots"]] == [
        ("2027-03-13T02:30", False),
        ("2027-03-14T03:00", True),
        ("2027-03-15T02:30", False),
        ("2027-03-16T02:30", False),
    ]
    assert "skip 02:30" in nightly["slots"][1]["remark"]
    project.configure("", NIGHTLY.replace("02:30", "01:30") + WEEKLY)
    said = project.ok("schedule", "nightly", "--count", "2", now="2026-10-31T12:00").out
    assert "Sun 2026-11-01 01:30 -0400  the clocks go back and 01:30 occurs twice: due the first time" in said
    project.ok("publish", "weekly", now="2026-11-23T07:00")
    said = project.ok("schedule", "weekly", now="2026-11-23T07:30").out
    assert "Mon 2026-11-23 08:00 +0100  has an edition" in said
    assert "Mon 2026-11-30 08:00 +0100  no new posts" in said


def test_a_schedule_writes_nothing(project: Project) -> None:
    before = {name: state for name, state in project.listing().items() if not name.startswith(".publisher")}
    assert "no subscribers yet" in project.ok("schedule").out
    assert {name: state for name, state in project.listing().items() if not name.startswith(".publisher")} == before
    assert not (project.root / ".publisher/publisher.db").exists()


def test_future_posts_are_in_their_slots(project: Project) -> None:
    project.configure("", WEEKLY + "maximum = 2\n")
    project.subscribe("ada")
    for name, day in (("next", "2026-11-25"), ("brief", "2026-11-24"), ("far", "2026-12-01")):
        project.post(name, day, **({"expires": "2026-11-29"} if name == "brief" else {}))
    project.post("soon", "2026-11-22", expires="2026-11-24")
    (weekly,) = project.ok("schedule", "--json", "--count", "4").json
    assert [(slot["slot"], slot["would_hold"], slot["would_reach"]) for slot in weekly["slots"]] == [
        ("2026-W48", ["Second", "First"], 1),
        ("2026-W49", ["Next", "Third"], 1),
        ("2026-W50", ["Far"], 1),
        ("2026-W51", [], 0),
    ]


@contextmanager
def counts_of_people(store: Store) -> Iterator[list[str]]:
    """Collect the statements that count subscribers."""
    found: list[str] = []

    def keep(_connection: Any, _cursor: Any, statement: str, *_others: Any) -> None:
        if "count(" in statement and "JOIN subscribers" in statement:
            found.append(statement)

    engine = store._database._engine
    event.listen(engine, "before_cursor_execute", keep)
    yield found
    event.remove(engine, "before_cursor_execute", keep)


def test_subscribers_are_counted_once_per_newsletter_and_per_slot_with_posts(project: Project) -> None:
    project.configure("", WEEKLY)
    project.subscribe("ada", "bob")
    project.ok("publish", "weekly", "--yes")
    with open_project_store(project.config()) as store:
        for slots in (2, 9):
            with counts_of_people(store) as found:
                (weekly,) = forecasts(project.config(), store, (), SLOT + DAY, slots)
            assert (len(weekly.slots), weekly.next.posts, len(found)) == (slots, (), 1)
        bob = store.subscribers.get("bob@example.org")
        assert bob is not None
        with store.subscribers.transaction(SLOT) as transaction:
            transaction.pause(bob, SLOT + 10 * DAY)
        project.post("later", "2026-12-04")
        (weekly,) = forecasts(project.config(), store, (), SLOT + DAY, 3)
        assert [(slot.contents.posts, slot.contents.readers) for slot in weekly.slots] == [
            ((), 0),
            (("Later",), 2),  # his pause has ended by then
            ((), 0),
        ]


def test_a_due_slot_comes_first(
    project: Project,
) -> None:
    project.configure('owner = "olga@example.net"\n', WEEKLY + "approve = true\n")
    project.subscribe("ada")
    with open_project_store(project.config()) as store:
        clockwork = Clockwork(project, store)
        clockwork.at(SLOT - 7 * DAY + HOUR)
        (table,) = forecasts(project.config(), store, (), SLOT + HOUR, 2)
        assert [(slot.label, slot.remark, slot.made) for slot in table.slots] == [
            ("2026-W48", "due now", False),
            ("2026-W49", "", False),
        ]
        assert forecasts(project.config(), store, (), SLOT + DAY, 1)[0].slots[0].remark.startswith("late:")
        clockwork.at(SLOT - HOUR)
        (table,) = forecasts(project.config(), store, (), SLOT - HOUR, 2)
        assert [(slot.label, slot.made) for slot in table.slots] == [("2026-W48", True), ("2026-W49", False)]
    said = project.ok("status", now="2026-11-23T07:10").out
    assert "on hold      weekly 2026-W48: 1 message (approve or skip it at /admin, or" in said
    assert "  next  2026-W49 on 2026-11-30 at 08:00; today: no new posts" in said
    assert "or run `publisher deliveries resume 1` or `publisher deliveries skip 1`)" in said
    says = "to approve it: publisher deliveries resume 1; to skip it: publisher deliveries skip 1"
    assert says in project.ok("deliveries", "list", "1").out
    assert "would never be sent (use --yes" in project.fails("deliveries", "skip", "1").err
    assert project.ok("deliveries", "skip", "1", "--yes").out == "edition 1 is skipped: no one will get it\n"
    assert "edition 1 is not waiting for your approval" in project.fails("deliveries", "skip", "1", "--yes").err
    for command in ("editions", "editions show 1", "deliveries list 1", "status"):
        assert "on hold" not in project.ok(*command.split()).out, command
    assert "today: 3 posts" in project.ok("status", now="2026-11-23T07:10").out


@pytest.mark.parametrize(
    ("mail", "newsletter", "told"),
    [
        ("", "approve = true\n", "no one will be notified: mail.owner is not set"),
        ('owner = "olga@example.net"\n', "approve = true\n", ""),
        ("", 'max_lateness = "0m"\n', "every edition will be put on hold"),
        ("", 'max_lateness = "1m"\n', ""),
        ("", 'schedule = "manual"\napprove = true\n', "approve has no effect"),
    ],
)
def test_unwise_time_settings_are_a_warning(project: Project, mail: str, newsletter: str, told: str) -> None:
    base = WEEKLY if "schedule" not in newsletter else '[[newsletters]]\nname = "weekly"\n'
    project.configure(mail, base + newsletter)
    line = project.read("publisher.toml").split("\n").index(newsletter.rstrip("\n").rpartition("\n")[2]) + 1
    lines = [
        each for each in project.run("check").out.splitlines() if each.startswith(f"warning: publisher.toml:{line}:")
    ]
    assert len(lines) == bool(told)
    assert told in "".join(lines)


def test_a_schedule_without_slots_is_described(
    project: Project,
) -> None:
    project.configure("", OTHERS.replace("each post", "Each  post"))
    for command in ("schedule", "status"):
        said = project.ok(command).out
        assert said.count("10 minutes after a post is published or changed") == 1
        assert said.count("when you publish") == 1  # the other newsletter


@pytest.mark.parametrize("schedule", ["daily 02:30", "* * * * *", "monthly last friday 09:00", "weekly monday 08:00"])
def test_the_last_year_has_no_next_slot(project: Project, schedule: str) -> None:
    project.configure("", NIGHTLY.replace("daily 02:30", schedule))
    for command in ("schedule", "status"):
        assert "no more slots" in project.ok(command, now="9999-12-30").out
