"""Emails to the owner about people who joined and unsubscribed."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from publisher.publishing.tell_owner import is_due
from publisher.publishing.wiring import open_project_store
from tests.support.clockwork import DAY, HOUR, MINUTE, OWNER, SLOT, Clockwork, text
from tests.support.project import WEEKLY, Project

FRIDAY = SLOT - 3 * DAY


def configured(project: Project, notify: str) -> None:
    project.configure(f'owner = "Olga <{OWNER}>"\n\n[subscribers]\nnotify = "{notify}"\n', WEEKLY)


def test_the_owner_is_notified_once_each_morning(project: Project) -> None:
    configured(project, "daily")
    project.subscribe("old")
    with open_project_store(project.config()) as store:
        clockwork = Clockwork(project, store)
        clockwork.at(FRIDAY)
        project.subscribe("ada", "bob")
        project.ok("subscribers", "unsubscribe", "old@example.org")
        people = "".join(f"r{number}@example.org\n" for number in range(30))
        file = project.write("people.csv", f"email\n{people}")
        project.ok("subscribers", "import", str(file))
        clockwork.at(FRIDAY + HOUR)
        assert OWNER not in project.mail()
        clockwork.at(FRIDAY + DAY)
        clockwork.at(FRIDAY + DAY + HOUR)
        (mail,) = project.mail()[OWNER]
        assert str(mail["Subject"]).endswith(": 32 joined, 1 left")
        assert text(mail).splitlines()[:5] == [
            "- Joined: ada@example.org (weekly)",
            "- Joined: bob@example.org (weekly)",
            "- Left: old@example.org, unsubscribed by you",
            "- By the import people.csv: 30 joined",
            "",
        ]
        assert "That makes 32 active subscribers." in text(mail)
        clockwork.at(FRIDAY + 2 * DAY)
        assert len(project.mail()[OWNER]) == 1


def test_at_once_means_the_next_tick_but_not_each_person(project: Project) -> None:
    configured(project, "at once")
    with open_project_store(project.config()) as store:
        clockwork = Clockwork(project, store)
        clockwork.at(FRIDAY)
        project.subscribe(*(f"r{number}" for number in range(25)))
        clockwork.at(FRIDAY + HOUR)
        project.subscribe("late")
        clockwork.at(FRIDAY + HOUR + MINUTE)
        (mail,) = project.mail()[OWNER]
        assert "- Joined: 5 more people" in text(mail)
        clockwork.at(FRIDAY + HOUR + 15 * MINUTE)
        assert "late@example.org" in text(project.mail()[OWNER][1])


def test_news_that_could_not_be_sent_is_sent_later(project: Project) -> None:
    configured(project, "at once")
    with open_project_store(project.config()) as store:
        clockwork = Clockwork(project, store)
        clockwork.at(FRIDAY)
        project.subscribe("ada")
        outbox = project.root / ".publisher/outbox"
        outbox.parent.mkdir(exist_ok=True)
        outbox.write_text("in the way")
        assert clockwork.at(FRIDAY + HOUR).problems
        outbox.unlink()
        clockwork.at(FRIDAY + 2 * HOUR)
        assert "ada@example.org" in text(project.mail()[OWNER][0])


@pytest.mark.parametrize(
    ("told", "now", "due"),
    [
        ("2026-11-20 07:00", "2026-11-20 23:59", False),
        ("2026-11-20 07:00", "2026-11-21 06:59", False),
        ("2026-11-20 07:00", "2026-11-21 07:00", True),
        ("2026-11-20 06:00", "2026-11-20 07:00", True),
        ("2026-03-28 07:30", "2026-03-29 07:00", True),
    ],
)
def test_the_daily_email_is_due_in_the_morning_of_the_site(told: str, now: str, due: bool) -> None:
    zone = ZoneInfo("Europe/Berlin")
    at = [datetime.fromisoformat(each).replace(tzinfo=zone).astimezone(UTC) for each in (told, now)]
    assert is_due("daily", *at, zone) is due
