"""Editions that need approval: created ahead, emailed to the owner, approved or skipped on a page, then public."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from publisher.core.hold_reasons import by_person
from publisher.publishing.operations import approve, skip
from publisher.publishing.wiring import open_project_store
from tests.support.clockwork import DAY, HOUR, MINUTE, OWNER, SLOT, Clockwork, configure, is_quiet, slots, text
from tests.support.project import WEEKLY, Project
from tests.support.web_client import WebClient, web_client

APPROVED = WEEKLY + "approve = true\napprove_hours = 24\n"


@pytest.fixture
def clockwork(project: Project) -> Iterator[Clockwork]:
    """A newsletter whose editions are made for approval a day ahead; its first tick is three days before the slot."""
    configure(project, APPROVED)
    project.subscribe("ada")
    with open_project_store(project.config()) as store:
        ready = Clockwork(project, store)
        ready.at(SLOT - 3 * DAY)
        yield ready


def test_an_approved_edition_is_sent_at_its_slot(clockwork: Clockwork) -> None:
    assert is_quiet(clockwork.at(SLOT - DAY - MINUTE))
    ahead = clockwork.at(SLOT - DAY)
    assert slots(ahead) == ["2026-W48"]
    (mail,) = clockwork.project.mail()[OWNER]
    assert "waits for approval, then goes at 2026-11-23 08:00 (Europe/Berlin)" in text(mail)
    assert "All about third" in text(mail)
    clockwork.project.post("between", "2026-11-22")
    (edition,) = clockwork.store.editions.list()
    assert approve(clockwork.store, edition, now=SLOT - HOUR)
    for moment in (SLOT - HOUR, SLOT - MINUTE):
        assert clockwork.at(moment).delivered == ()
    assert clockwork.letters() == []
    assert "editions/weekly/2026-W48/index.html" not in clockwork.project.files()
    assert [each.sent for each in clockwork.at(SLOT).delivered] == [1]
    assert clockwork.letters() == ["Third and 2 more"]
    (letter,) = clockwork.project.mail()["ada@example.org"]
    assert letter["Date"].datetime == SLOT
    assert "November 23, 2026" in text(letter)
    assert "editions/weekly/2026-W48/index.html" in clockwork.project.files()
    assert len(clockwork.project.mail()[OWNER]) == 1


def test_a_late_approval_sends_at_once(clockwork: Clockwork) -> None:
    clockwork.at(SLOT - DAY)
    for moment in (SLOT, SLOT + HOUR, SLOT + 3 * DAY):
        assert clockwork.at(moment).delivered == ()
    clockwork.project.ok("build", now="2026-11-27T10:00")
    assert not [name for name in clockwork.project.files() if "2026-W48" in name]
    assert "2026-W48" not in clockwork.project.read("public/feed.xml")
    (edition,) = clockwork.store.editions.list()
    assert approve(clockwork.store, edition, now=SLOT + 3 * DAY)
    assert [each.sent for each in clockwork.at(SLOT + 3 * DAY + MINUTE).delivered] == [1]
    (letter,) = clockwork.project.mail()["ada@example.org"]
    assert letter["Date"].datetime == SLOT + 3 * DAY


def test_posts_of_a_skipped_edition_move_to_the_next_one(clockwork: Clockwork) -> None:
    clockwork.at(SLOT - DAY)
    (edition,) = clockwork.store.editions.list()
    assert skip(clockwork.store, edition)
    (skipped,) = clockwork.store.editions.list()
    assert not skip(clockwork.store, skipped)
    assert not approve(clockwork.store, skipped, now=SLOT)
    assert clockwork.at(SLOT).created == ()
    assert slots(clockwork.at(SLOT + 6 * DAY)) == ["2026-W49"]
    following = clockwork.store.editions.list()[0]
    assert [post.title for post in following.posts] == ["Third", "Second", "First"]
    assert approve(clockwork.store, following, now=SLOT + 6 * DAY)
    clockwork.at(SLOT + 7 * DAY)
    assert clockwork.letters() == ["Third and 2 more"]
    assert not [name for name in clockwork.project.files() if "2026-W48" in name]


def test_posts_written_after_the_lead_time_are_sent(clockwork: Clockwork) -> None:
    clockwork.at(SLOT - DAY)
    assert clockwork.at(SLOT + 6 * DAY).created == ()
    clockwork.project.post("news", "2026-11-29")
    assert slots(clockwork.at(SLOT + 7 * DAY - HOUR)) == ["2026-W49"]


def test_an_edition_put_on_hold_half_way_stays_on_the_site(clockwork: Clockwork) -> None:
    store = clockwork.store
    clockwork.at(SLOT - DAY)
    assert list(store.editions.public(SLOT)) == []
    (edition,) = store.editions.list()
    approve(store, edition, now=SLOT)
    assert list(store.editions.public(SLOT - MINUTE)) == []
    assert [each.slot for each in store.editions.public(SLOT)] == ["2026-W48"]
    clockwork.at(SLOT)
    store.editions.hold(edition.id, by_person("a wrong link"))
    assert [each.slot for each in store.editions.public(SLOT)] == ["2026-W48"]
    clockwork.project.ok("build", now="2026-11-23T10:00")
    assert "editions/weekly/2026-W48/index.html" in clockwork.project.files()


def test_a_manual_hold_does_not_notify_the_owner(clockwork: Clockwork) -> None:
    project, store = clockwork.project, clockwork.store
    clockwork.at(SLOT - DAY)
    (edition,) = store.editions.list()
    assert approve(store, edition, now=SLOT - HOUR)
    mailed = len(project.mail()[OWNER])
    held_by_hand = project.ok("deliveries", "hold", str(edition.id), "--why", "waits for my boss").out
    assert held_by_hand == "edition 1 is on hold\n"
    assert clockwork.at(SLOT - MINUTE).alerts == ()
    assert len(project.mail()[OWNER]) == mailed
    (held,) = store.editions.list()
    assert (held.held, held.held_by) == ("waits for my boss", "person")
    assert not approve(store, held, now=SLOT)
    assert not skip(store, held)
    assert clockwork.at(SLOT).delivered == ()
    assert clockwork.editions() == {"2026-W48": "waits for my boss"}
    assert "(run `publisher deliveries resume 1`)" in project.ok("status").out
    (unfinished,) = project.ok("--json", "status").json["unfinished"]
    assert (unfinished["held"], unfinished["held_by"]) == ("waits for my boss", "person")


def test_opening_the_approval_link_changes_nothing(project: Project) -> None:
    def link(web: WebClient) -> str:
        (mail,) = web.mails(OWNER)
        found = re.search(r"https?://\S+/approve/\S+", text(mail))
        assert found is not None
        return found[0]

    with web_client(project, f'owner = "{OWNER}"\n', now="2026-11-22T10:00") as web:
        toml = web.project.read("publisher.toml")
        weekly = 'name = "weekly"\nschedule = "weekly monday 08:00"\napprove = true'
        web.project.write("publisher.toml", toml.replace('name = "weekly"', weekly))
        web.project.subscribe("ada")
        with open_project_store(web.project.config()) as store:
            clockwork = Clockwork(web.project, store)
            clockwork.at(SLOT - 3 * DAY)
            clockwork.at(SLOT - DAY)
            path = link(web)
            for _ in range(2):
                page = web.get(path)
                assert page.status_code == 200
                assert "waits for approval" in page.text
                assert clockwork.editions()["2026-W48"] != ""
            assert web.post(path, do="something").status_code == 400
            assert web.get(path[:-2]).status_code == 404
            assert "Done." in web.post(path, do="approve").text
            assert clockwork.editions()["2026-W48"] == ""
            again = web.post(path, do="skip")
            assert again.status_code == 200
            assert "Done." not in again.text
            assert "Nothing changed: this edition" in again.text
            assert "Approved. It will be sent on Monday 2026-11-23, 08:00 (Europe/Berlin)." in again.text
            assert clockwork.editions()["2026-W48"] == ""
            assert [each.sent for each in clockwork.at(SLOT).delivered] == [1]
            store.editions.hold(1, by_person("waits for my boss"))
            assert "Nothing changed: this edition" in web.post(path, do="approve").text
            assert clockwork.editions()["2026-W48"] == "waits for my boss"
            store.editions.release(1)
            assert "Approved. Sent to 1 of 1 subscriber." in web.post(path, do="approve").text
