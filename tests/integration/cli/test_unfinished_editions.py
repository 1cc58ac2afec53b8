"""What commands and pages show about an unfinished edition, and about messages of a dead sender."""

from __future__ import annotations

import pytest

from publisher.core.newsletter_models import DeliveryCounts, DeliveryStatus
from publisher.mail.lifecycle import DeliveryEvent, moves
from publisher.mail.worker_locks import working
from publisher.publishing.wiring import open_project_store
from publisher.store import edition_filling
from publisher.web.admin.delivery_progress import EditionProgress
from tests.support.project import Project
from tests.support.store_samples import NOW, draft, later

FAR = "not complete yet: 2 of about 5 messages"


class KilledError(Exception):
    """Simulates the end of the process."""


@pytest.fixture
def half(project: Project, monkeypatch: pytest.MonkeyPatch) -> Project:
    """An edition for five subscribers; the process that made it was killed after the first two."""
    project.subscribe("ada", "bob", "cas", "dan", "eve")
    write_part, begun = edition_filling._write_part, []

    def killed(*args: object) -> bool:
        begun.append(args)
        if len(begun) > 1:
            raise KilledError
        return write_part(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(edition_filling, "PART", 2)
    monkeypatch.setattr(edition_filling, "SQLITE_PART", 2)
    monkeypatch.setattr(edition_filling, "BREATH", 0)
    with monkeypatch.context() as patched, open_project_store(project.config()) as store:
        patched.setattr(edition_filling, "_write_part", killed)
        with pytest.raises(KilledError):
            store.editions.create(draft(slot="post:tag:ada.test,2026:2026-11-30:fresh"))
    return project


def test_an_unfinished_edition_is_not_shown_as_complete(half: Project) -> None:
    assert f"unfinished   weekly post fresh: {FAR}; `publisher publish` completes it" in half.ok("status").out
    (edition,) = half.ok("status", "--json").json["unfinished"]
    assert (edition["complete"], edition["written"], edition["missing_about"]) == (False, 2, 3)
    assert f"{FAR}; `publisher publish` completes it" in half.ok("editions").out
    assert half.ok("editions", "--json").json[0]["complete"] is False
    assert f"  {FAR}; `publisher publish` completes it" in half.ok("deliveries", "list", "1").out
    assert half.ok("deliveries", "list", "1", "--json").json["complete"] is False


def test_a_complete_edition_is_shown_as_complete(half: Project) -> None:
    half.ok("deliveries", "resume", "1")
    assert "not complete" not in half.ok("editions").out
    assert half.ok("status", "--json").json["unfinished"][0]["complete"] is True


def test_cancel_asks_about_the_number_that_it_cancels(half: Project) -> None:
    asked = half.run("deliveries", "cancel", "1")
    assert "edition 1 was not complete, so 3 missing messages were added to it first" in asked.err
    assert "5 messages of weekly post fresh would never be sent" in asked.err
    assert "5 messages cancelled" in half.ok("deliveries", "cancel", "1", "--yes").out


def test_adding_people_does_not_count_existing_recipients(half: Project) -> None:
    added = half.run("deliveries", "add", "1", "eve@example.org")
    assert added.code == 1
    assert "eve@example.org has it already" in added.err


@pytest.mark.parametrize("verb", ["resume", "retry"])
def test_an_edition_is_completed_before_its_messages_are_counted(half: Project, verb: str) -> None:
    half.ok("deliveries", "hold", "1")
    done = half.ok("deliveries", verb, "1")
    assert "3 missing messages were added" in done.err
    assert half.ok("deliveries", "list", "1", "--json").json["counts"] == {"queued": 5}


def test_pages_do_not_show_an_unfinished_edition_as_complete(half: Project) -> None:
    with open_project_store(half.config()) as store:
        (edition,) = store.editions.unfinished()
        progress = EditionProgress(edition, store.deliveries.counts(edition.id))
    assert progress.summary == f"{FAR}; the next run completes it"
    assert progress.state == EditionProgress(edition, DeliveryCounts({}, 5)).state == "waiting"
    assert progress.as_json()["complete"] is False


def lease(project: Project, worker: str) -> None:
    """An edition of two messages that a worker has leased."""
    project.subscribe("ada", "bob")
    with open_project_store(project.config()) as store:
        edition = store.editions.create(draft())
        assert edition is not None
        claimed, left = moves(DeliveryEvent.CLAIMED), moves(DeliveryEvent.LEFT)
        until = later(days=9)
        store.deliveries.claim(edition.id, worker, now=NOW, lease_until=until, limit=9, claimed=claimed, left=left)
        assert store.deliveries.counts(edition.id)[DeliveryStatus.SENDING] == 2


@pytest.mark.parametrize("verb", ["hold", "cancel"])
def test_messages_of_a_dead_sender_are_not_being_sent(project: Project, verb: str) -> None:
    folder = project.config().state_dir / "workers"
    with working(folder) as worker:
        lease(project, worker)
    (folder / f"{worker}.lock").touch()  # as a killed process leaves it
    done = project.ok("deliveries", verb, "1", *(["--yes"] if verb == "cancel" else []))
    assert "being sent right now" not in done.out
    assert project.ok("deliveries", "list", "1", "--json").json["counts"] == (
        {"skipped": 2} if verb == "cancel" else {"queued": 2}
    )


def test_messages_of_a_living_sender_are_being_sent(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("publisher.cli.deliveries.PATIENCE", 0)
    lease(project, "alive")
    assert "2 messages being sent right now may still go out" in project.ok("deliveries", "hold", "1").out
