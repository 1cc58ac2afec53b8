"""Ticks with a controlled clock: each slot once, late ones on hold, broken posts reported once."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from publisher.mail import queue
from publisher.publishing.tick import create_due, send_due
from publisher.publishing.wiring import Project as OpenProject
from publisher.publishing.wiring import open_project_store
from tests.support.clockwork import DAY, HOUR, MINUTE, OWNER, SLOT, Clockwork, configure, is_quiet, slots, text, touch
from tests.support.project import WEEKLY, Project

EACH = '\n[[newsletters]]\nname = "weekly"\nschedule = "each post"\n'


@pytest.fixture
def clockwork(project: Project) -> Iterator[Clockwork]:
    """A weekly newsletter with an owner, a subscriber and three posts; its first tick is the Friday before the slot."""
    configure(project, WEEKLY)
    project.subscribe("ada")
    with open_project_store(project.config()) as store:
        ready = Clockwork(project, store)
        assert is_quiet(ready.at(SLOT - 3 * DAY))
        yield ready


def test_a_slot_is_sent_once_at_its_time(clockwork: Clockwork) -> None:
    assert clockwork.at(SLOT - MINUTE).created == ()
    done = clockwork.at(SLOT)
    assert slots(done) == ["2026-W48"]
    assert [each.sent for each in done.delivered] == [1]
    assert "editions/weekly/2026-W48/index.html" in clockwork.project.files()
    clockwork.project.post("more", "2026-11-21")
    for moment in (SLOT, SLOT + MINUTE, SLOT - HOUR, SLOT - MINUTE, SLOT, SLOT + DAY):  # the clock goes back an hour
        assert clockwork.at(moment).created == ()
    assert clockwork.letters() == ["Third and 2 more"]


def test_an_edition_a_day_late_is_put_on_hold(clockwork: Clockwork) -> None:
    assert slots(clockwork.at(SLOT + HOUR)) == ["2026-W48"]
    clockwork.project.post("more", "2026-11-24")
    late = clockwork.at(SLOT + 8 * DAY)
    assert [edition.slot for edition in late.created if edition.held] == ["2026-W49"]
    assert clockwork.editions()["2026-W49"] == (
        "waits for a person: was due 2026-11-30 08:00, found at 2026-12-01 08:00"
    )
    clockwork.at(SLOT + 8 * DAY + MINUTE)
    (mail,) = clockwork.project.mail()[OWNER]
    assert "weekly 2026-W49 waits" in mail["Subject"]
    assert "was due 2026-11-30 08:00" in text(mail)
    assert "/approve/" in text(mail)
    assert len(clockwork.letters()) == 1
    assert "editions/weekly/2026-W49/index.html" not in clockwork.project.files()


def test_missed_slots_become_one_edition(clockwork: Clockwork) -> None:
    clockwork.project.post("fourth", "2026-12-02")
    done = clockwork.at(SLOT + timedelta(weeks=3, hours=2))
    assert slots(done) == ["2026-W51"]
    assert len(clockwork.letters()) == 1
    assert clockwork.at(SLOT + timedelta(weeks=3, hours=3)).created == ()


def test_a_slot_without_posts_is_skipped(clockwork: Clockwork) -> None:
    clockwork.at(SLOT)
    assert is_quiet(clockwork.at(SLOT + 7 * DAY))
    clockwork.project.post("too-late", "2026-11-30")
    assert clockwork.at(SLOT + 7 * DAY + 3 * HOUR).created == ()
    assert slots(clockwork.at(SLOT + 14 * DAY)) == ["2026-W50"]


def test_slots_before_a_schedule_change_are_ignored(clockwork: Clockwork) -> None:
    configure(clockwork.project, WEEKLY + WEEKLY.replace('"weekly"', '"new"').replace("monday 08:00", "monday 07:59"))
    clockwork.project.subscribe("bob", newsletter="new")
    done = clockwork.at(SLOT)
    assert [(edition.newsletter, edition.slot) for edition in done.created] == [("weekly", "2026-W48")]
    configure(clockwork.project, WEEKLY.replace("weekly monday 08:00", "daily 08:30"))
    clockwork.project.post("more", "2026-11-21")
    assert clockwork.at(SLOT + HOUR).created == ()
    assert slots(clockwork.at(SLOT + HOUR / 2 + DAY)) == ["2026-11-24"]


def test_a_backdated_post_is_sent_once(clockwork: Clockwork) -> None:
    clockwork.at(SLOT)
    clockwork.project.post("found-in-a-drawer", "2025-11-20")
    clockwork.at(SLOT + 7 * DAY)
    clockwork.at(SLOT + 14 * DAY)
    assert clockwork.letters() == ["Third and 2 more", "Found in a drawer"]


def test_a_manual_edition_fills_the_slot(clockwork: Clockwork) -> None:
    project = clockwork.project
    project.ok("publish", now="2026-11-23T07:30")
    assert clockwork.at(SLOT).created == ()
    project.post("more", "2026-11-21")
    said = project.ok("publish", now="2026-11-24T10:00").out
    assert "2026-W48 already has an edition (use --extra to create another)" in said
    assert len(clockwork.letters()) == 1
    project.ok("publish", "--extra", now="2026-11-24T10:00")
    assert sorted(clockwork.editions()) == ["2026-W48", "2026-W48.2"]
    assert clockwork.at(SLOT + 7 * DAY).created == ()


def test_a_broken_post_is_reported_before_its_slot(
    clockwork: Clockwork,
) -> None:
    project = clockwork.project
    broken = project.write("posts/broken.md", "---\ntitle: [\n---\n")
    assert is_quiet(clockwork.at(SLOT - 2 * HOUR))
    touch(broken, SLOT - HOUR - MINUTE)  # it is being written
    assert clockwork.at(SLOT - HOUR).alerts == ()
    touch(broken, SLOT - 2 * HOUR)
    soon = clockwork.at(SLOT - HOUR)
    assert len(soon.alerts) == 1
    assert clockwork.at(SLOT - HOUR + MINUTE).alerts == ()
    assert slots(clockwork.at(SLOT)) == ["2026-W48"]
    (mail,) = project.mail()[OWNER]
    assert "posts/broken.md" in text(mail)
    project.post("broken", "2026-11-21")
    clockwork.at(SLOT + 7 * DAY - HOUR)
    project.write("posts/broken.md", "---\ntitle: [\n---\n")
    clockwork.at(SLOT + 14 * DAY - HOUR)
    assert len(project.mail()[OWNER]) == 2


def test_a_broken_post_is_one_email_a_day(project: Project) -> None:
    configure(project, WEEKLY.replace("weekly monday 08:00", "* * * * *"))
    project.subscribe("ada")
    with open_project_store(project.config()) as store:
        clockwork = Clockwork(project, store)
        clockwork.at(SLOT - MINUTE)
        broken = touch(project.write("posts/broken.md", "---\ntitle: [\n---\n"), SLOT)

        def mails(minutes: int) -> int:
            """Return how many emails the owner has after this many minutes, with two ticks a minute."""
            for half in range(2 * minutes + 1):
                clockwork.at(SLOT + half * MINUTE / 2)
            return len(project.mail().get(OWNER, []))

        assert mails(5) == 1
        touch(broken, SLOT + 3 * MINUTE)  # saved as it was
        assert mails(20) == 1
        clockwork.at(SLOT + DAY - MINUTE)
        assert len(project.mail()[OWNER]) == 1
        clockwork.at(SLOT + DAY + MINUTE)
        assert len(project.mail()[OWNER]) == 2
        broken.write_text("---\ntitle: {\n---\n")
        clockwork.at(SLOT + DAY + 2 * MINUTE)
        assert len(project.mail()[OWNER]) == 3


def test_an_edition_with_an_error_is_put_on_hold(clockwork: Clockwork) -> None:
    project = clockwork.project
    empty = '{% extends "email/base.html" %}{% block posts %}{% endblock %}'
    project.write("templates/email/digest.html", empty)
    (edition,) = clockwork.at(SLOT).created
    assert edition.held.startswith("waits for a person: ")
    assert clockwork.letters() == []
    clockwork.store.editions.release(edition.id)
    assert [each.sent for each in clockwork.at(SLOT + MINUTE).delivered] == [1]
    assert "editions/weekly/2026-W48/index.html" in project.files()
    configure(project, WEEKLY + "hold_on_errors = false\n")
    project.post("more", "2026-11-24")
    (edition,) = clockwork.at(SLOT + 7 * DAY).created
    assert edition.held == ""


def test_a_broken_template_keeps_the_slot_open(clockwork: Clockwork) -> None:
    template = clockwork.project.write("templates/email/digest.html", "{% if %}")
    broken = clockwork.at(SLOT)
    assert broken.created == ()
    assert "templates/email/digest.html" in str(broken.problems[0])
    template.unlink()
    assert slots(clockwork.at(SLOT + HOUR)) == ["2026-W48"]
    assert len(clockwork.project.mail()[OWNER]) == 1


def test_changed_ids_stop_every_edition(clockwork: Clockwork) -> None:
    clockwork.project.ok("build", now="2026-11-21T10:00")
    config = clockwork.project.read("publisher.toml")
    clockwork.project.write("publisher.toml", config.replace("letters.example,2024", "letters.example,2025"))
    stopped = clockwork.at(SLOT)
    assert stopped.created == ()
    assert "site.authority" in str(stopped.problems[0])
    clockwork.project.write("publisher.toml", config)
    assert slots(clockwork.at(SLOT + HOUR)) == ["2026-W48"]


def test_each_post_is_sent_after_its_waiting_time(project: Project) -> None:
    configure(project, EACH)
    project.subscribe("ada")
    with open_project_store(project.config()) as store:
        clockwork = Clockwork(project, store)
        assert is_quiet(clockwork.at(SLOT - 3 * DAY))
        post = project.post("news", "2026-11-23")  # 09:00 in Berlin, an hour after SLOT
        published = SLOT + HOUR
        assert clockwork.at(published + 9 * MINUTE).created == ()
        touch(post, published + 5 * MINUTE)
        assert clockwork.at(published + 14 * MINUTE).created == ()
        assert [slot.startswith("post:") for slot in slots(clockwork.at(published + 15 * MINUTE))] == [True]
        touch(project.post("missed", "2026-11-25"), published + 2 * DAY)
        (late,) = clockwork.at(published + 9 * DAY).created
        assert "was due 2026-11-25 09:10" in late.held
        (mail,) = project.mail()[OWNER]
        assert "weekly Missed waits: " in mail["Subject"]
        assert "tag:" not in mail["Subject"] + text(mail)
        assert clockwork.letters() == ["News"]


def test_later_subscribers_get_later_posts(project: Project) -> None:
    configure(project, EACH)
    with open_project_store(project.config()) as store:
        clockwork = Clockwork(project, store)
        clockwork.at(SLOT - 3 * DAY)
        touch(project.post("unheard", "2026-11-23"), SLOT)
        clockwork.at(SLOT + 2 * HOUR)
        project.subscribe("ada")
        assert clockwork.at(SLOT + 3 * HOUR).created == ()
        touch(project.post("heard", "2026-11-24"), SLOT)
        assert len(clockwork.at(SLOT + DAY + 2 * HOUR).created) == 1
        assert clockwork.letters() == ["Heard"]


def test_editions_of_frequencies_are_not_listed(clockwork: Clockwork) -> None:
    project, store = clockwork.project, clockwork.store
    configure(project, WEEKLY + 'frequencies = ["daily 07:30", "monthly first weekday 09:00"]\n')
    project.subscribe("bob")
    project.subscribe("eve")
    project.ok("subscribers", "edit", "bob@example.org", "--frequency", "daily")
    project.ok("subscribers", "edit", "eve@example.org", "--frequency", "monthly")
    refused = project.fails("subscribers", "edit", "ada@example.org", "--frequency", "weekly")
    assert "weekly does not offer 'weekly'" in refused.err
    assert is_quiet(clockwork.at(SLOT - 2 * DAY))
    assert slots(clockwork.at(SLOT)) == ["2026-W48", "daily-2026-11-23"]
    project.post("fourth", "2026-11-24")
    assert slots(clockwork.at(SLOT + 2 * DAY)) == ["daily-2026-11-25"]
    project.ok("subscribers", "edit", "bob@example.org", "--frequency", "default")
    project.post("fifth", "2026-11-28")
    assert slots(clockwork.at(SLOT + 7 * DAY)) == ["2026-W49"]
    assert slots(clockwork.at(SLOT + 8 * DAY + 2 * HOUR)) == ["monthly-2026-12"]
    assert sorted(clockwork.letters("ada@example.org")) == ["Fifth and 1 more", "Third and 2 more"]
    assert sorted(clockwork.letters("bob@example.org")) == ["Fifth", "Fourth", "Third and 2 more"]
    assert clockwork.letters("eve@example.org") == ["Fifth and 4 more"]
    files = project.files()
    assert "editions/weekly/monthly-2026-12/index.html" in files
    listed = (project.root / "public/editions/weekly/index.html").read_text()
    assert "2026-W49" in listed
    assert "monthly" not in listed
    assert "daily-2026" not in (project.root / "public/editions/weekly/feed.xml").read_text()
    assert [edition.number for edition in store.editions.list("weekly") if edition.frequency == "daily"] == [2, 1]
    shown = project.ok("schedule", "weekly", "--count", "1").out
    assert "weekly/daily: daily 07:30" in shown


def test_publishing_by_hand_makes_editions_of_a_frequency_only_when_they_are_due(clockwork: Clockwork) -> None:
    project = clockwork.project
    manual = WEEKLY.replace("weekly monday 08:00", "manual")
    configure(project, manual + 'frequencies = ["weekly monday 08:00", "monthly 1 09:00"]\n')
    project.subscribe("bob")
    project.ok("subscribers", "edit", "bob@example.org", "--frequency", "monthly")
    project.ok("publish", now="2026-11-25 10:00")
    assert list(clockwork.editions()) == ["2026-11-25"]
    project.post("fourth", "2026-11-26")
    shown = project.ok("publish", "--dry-run", "--json", now="2026-12-01 10:00")
    assert '"slot": "monthly-2026-12"' in shown.out
    project.ok("publish", now="2026-12-01 10:00")
    project.ok("publish", now="2026-12-01 10:05")
    assert set(clockwork.editions()) == {"2026-11-25", "2026-12-01", "monthly-2026-12"}
    assert sorted(clockwork.letters("ada@example.org")) == ["Fourth", "Third and 2 more"]
    assert clockwork.letters("bob@example.org") == ["Fourth and 3 more"]


def test_an_edition_is_sent_along_with_one_that_is_already_being_sent(clockwork: Clockwork) -> None:
    """The web version of the new edition exists before its first email, and both editions have their results."""
    configure(clockwork.project, WEEKLY + WEEKLY.replace('"weekly"', '"new"').replace("monday 08:00", "monday 08:01"))
    clockwork.project.subscribe("bob", newsletter="new")
    clockwork.at(SLOT - MINUTE)
    project = OpenProject(clockwork.project.config(), clockwork.store, lambda: SLOT + MINUTE)
    weekly = OpenProject(project.config, project.store, lambda: SLOT)
    assert slots(create_due(weekly)) == ["2026-W48"]
    made: list[str] = []

    def make(done: int, total: int) -> None:
        if not made:
            made.extend(edition.newsletter for edition in create_due(project).created)
            assert "editions/new/2026-W48/index.html" not in clockwork.project.files()

    report = send_due(project, progress=make)
    assert made == ["new"]
    assert [(each.edition.newsletter, each.sent) for each in report.delivered] == [("weekly", 1), ("new", 1)]
    assert "editions/new/2026-W48/index.html" in clockwork.project.files()
    assert report.problems == ()


def test_an_edition_that_ended_before_the_transport_failed_is_reported(
    clockwork: Clockwork, monkeypatch: pytest.MonkeyPatch
) -> None:
    configure(clockwork.project, WEEKLY + WEEKLY.replace('"weekly"', '"new"'))
    for name in ("bob", "cleo", "dan"):
        clockwork.project.subscribe(name, newsletter="new")
    clockwork.at(SLOT - MINUTE)
    config = clockwork.project.config()
    project = OpenProject(config, clockwork.store, lambda: SLOT)
    create_due(project)
    monkeypatch.setattr(queue, "BATCH", 1)
    outbox = config.root / config.outbox / "new"

    def fill_disk(done: int, total: int) -> None:
        """Make the outbox unusable after the first of three messages."""
        if (done, total) == (1, 3):
            outbox.rename(outbox.with_name("old"))
            outbox.touch()

    report = send_due(project, progress=fill_disk)
    assert report.stuck
    assert [(each.edition.newsletter, each.sent, each.finished) for each in report.delivered] == [("weekly", 1, True)]
    outbox.unlink()
    outbox.with_name("old").rename(outbox)
    report = send_due(project)
    assert [(each.edition.newsletter, each.sent, each.finished) for each in report.delivered] == [("new", 2, True)]
