"""`publisher outbox`, and a weekday as --now."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from publisher.config.schedule import next_weekday
from tests.support.project import Project


def test_the_newest_email_is_shown_with_its_links(project: Project) -> None:
    assert project.ok("outbox").out == "there is no email in .publisher/outbox/\n"
    assert project.fails("outbox", "1").said.startswith("error: .publisher/outbox/: has no email")
    project.subscribe("ada", "bob")
    project.ok("publish", "weekly")
    listed = project.ok("outbox").out
    assert "ada@example.org" in listed
    assert "bob@example.org" in listed
    shown = project.ok("outbox", "1")
    assert "Subject: Third and 2 more" in shown.out
    assert "/unsubscribe/" in shown.out
    assert project.fails("outbox", "3").said.startswith("error: .publisher/outbox/: has only 2 emails")
    (found,) = project.ok("outbox", "2", "--json").json
    assert found["text"] and found["file"].startswith(".publisher/outbox/new/weekly-")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("monday 07:59", "2026-11-30T07:59+01:00"),
        ("Sunday 10:00", "2026-11-29T10:00+01:00"),
        ("sunday 9:00", "2026-12-06T09:00+01:00"),
        ("2026-11-29", None),
        ("monday", None),
    ],
)
def test_a_weekday_means_the_next_one(text: str, expected: str | None) -> None:
    after = datetime(2026, 11, 29, 9, 30, tzinfo=ZoneInfo("Europe/Berlin"))
    found = next_weekday(text, after)
    assert (found.isoformat(timespec="minutes") if found else None) == expected


def test_a_weekday_with_an_invalid_time_is_refused_in_one_line(project: Project) -> None:
    assert "'25:00' isn't a valid time of day" in project.run("status", now="monday 25:00").err
