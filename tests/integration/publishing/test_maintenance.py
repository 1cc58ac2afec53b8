"""Chores are done once, each at its own interval. Old deliveries become totals, and nothing is sent again."""

from __future__ import annotations

import mailbox
import shutil
import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from publisher.bounces.apply import take_report
from publisher.core.bounce_report import Addressee, Report, Verdict
from publisher.core.hold_reasons import by_person
from publisher.core.newsletter_models import DeliveryStatus
from publisher.mail.lifecycle import UNSETTLED
from publisher.mail.transport import Rejected, Unanswered
from publisher.mail.verp import ReturnPath
from publisher.publishing import chores, operations
from publisher.publishing.chores import CHORES, run_chores
from publisher.publishing.mail_wiring import project_secret, subscription_policy
from publisher.publishing.wiring import Project as OpenProject
from publisher.publishing.wiring import open_project_store
from publisher.store import Store, open_store
from publisher.store.chores import Chores
from tests.support.bounce_samples import failed, report
from tests.support.clockwork import DAY, HOUR, MINUTE, OWNER, SLOT, Clockwork, configure, text
from tests.support.delivery_samples import Scripted, make_edition, run
from tests.support.full_disk import almost_full, only_root, small_disk
from tests.support.project import WEEKLY, Project
from tests.support.store_samples import NOW, draft, later


def test_a_chore_has_one_caller_at_a_time(store: Store) -> None:
    hour = timedelta(hours=1)
    assert store.chores.claim("sweep", NOW, hour)
    assert not store.chores.claim("sweep", NOW, hour)
    assert not store.chores.claim("sweep", later(minutes=59), hour)
    assert store.chores.claim("sweep", later(minutes=60), hour)
    assert store.chores.claim("other", later(minutes=60), hour)
    assert store.chores.claim("sweep", NOW, hour)  # the clock was wrong, and is set back


def test_a_problem_is_reported_again_once_it_returns(store: Store) -> None:
    assert store.owner.claim_alert("post", "a", NOW)
    assert not store.owner.claim_alert("post", "a", later(days=9))
    assert store.owner.claim_alert("letter", "a", NOW)
    store.owner.keep_alerts("post", ["b"], NOW)
    assert store.owner.claim_alert("post", "a", NOW)
    store.owner.withdraw_alert("post", "a")
    assert store.owner.claim_alert("post", "a", NOW)


def test_only_finished_deliveries_become_totals(store: Store, tmp_path: Path) -> None:
    done = make_edition(store, 6, "2026-W40")
    waiting, held, doubtful = (store.editions.create(draft(f"2026-W4{number}")) for number in (1, 2, 3))
    assert waiting is not None
    assert held is not None
    assert doubtful is not None
    run(store, Scripted(), done, tmp_path)
    run(store, Scripted(), held, tmp_path)
    store.editions.hold(held.id, by_person("why not"))
    run(store, Scripted({"reader0@example.org": [Unanswered("gone")]}), doubtful, tmp_path, hold=True)
    before = store.deliveries.counts(done.id), store.deliveries.by_variant(done.id)
    assert store.chores.roll_up(NOW, UNSETTLED) == 0
    assert store.chores.roll_up(later(days=1), UNSETTLED) == 1
    assert (store.deliveries.counts(done.id), store.deliveries.by_variant(done.id)) == before
    assert store.statistics.deliveries([done.id])[done.id] == before[0]
    assert [each.sent for each in store.bounces.by_edition() if each.edition_id == done.id] == [6]
    assert store.deliveries.counts(done.id).by_status == {DeliveryStatus.SENT: 6}
    assert list(store.ledger.rows(done.id)) == []
    assert [store.deliveries.counts(each.id).total for each in (waiting, held, doubtful)] == [6, 6, 6]
    assert len(list(store.ledger.rows(doubtful.id))) == 6
    assert store.chores.roll_up(later(days=1), UNSETTLED) == 0
    assert [edition.slot for edition in store.editions.ready(later(days=1))] == ["2026-W41"]
    assert run(store, Scripted(), done, tmp_path)[DeliveryStatus.SENT] == 6
    store.chores.optimise()


def test_an_edition_with_new_messages_is_not_replaced_by_totals(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    edition = make_edition(store, 3)
    run(store, Scripted({"reader0@example.org": [Rejected("550 gone")]}), edition, tmp_path)
    replace = Chores._replace_by_totals

    def retried_first(chores: Chores, *edition_found: Any) -> bool:
        """Have a person retry the failed message after the edition was found to be over."""
        operations.retry(store, edition, [DeliveryStatus.FAILED], now=NOW)
        return replace(chores, *edition_found)

    monkeypatch.setattr(Chores, "_replace_by_totals", retried_first)
    assert store.chores.roll_up(later(days=1), UNSETTLED) == 0
    assert run(store, Scripted(), edition, tmp_path).by_status == {DeliveryStatus.SENT: 3}


def fill_and_free(database: Path, size: int) -> None:
    """Leave this many free bytes in a database, as happens when totals replace deliveries."""
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("CREATE TABLE filler (bytes)")
        connection.execute("INSERT INTO filler VALUES (zeroblob(?))", (size,))
        connection.execute("DROP TABLE filler")
        connection.commit()


def test_a_file_with_much_free_space_becomes_smaller(sqlite_store: Store, tmp_path: Path) -> None:
    chores, database = sqlite_store.chores, tmp_path / "publisher.db"
    edition = make_edition(sqlite_store, 20)
    fill_and_free(database, 3_000_000)
    assert chores.compact(NOW) == 0  # its deliveries are due
    run(sqlite_store, Scripted(), edition, tmp_path)
    assert 3_000_000 <= chores.compact(NOW) < 3_100_000
    assert database.stat().st_size < 1_000_000
    assert chores.compact(NOW) == 0
    assert sqlite_store.deliveries.counts(edition.id).by_status == {DeliveryStatus.SENT: 20}


@pytest.mark.parametrize("free", [500_000, 900_000])
def test_a_file_with_little_free_space_stays(sqlite_store: Store, tmp_path: Path, free: int) -> None:
    fill_and_free(tmp_path / "publisher.db", free)
    assert sqlite_store.chores.compact(NOW) == 0


@only_root
def test_a_file_is_not_rewritten_without_room(tmp_path: Path) -> None:
    with small_disk(disk := tmp_path / "disk"), open_store("sqlite:///publisher.db", disk) as store:
        fill_and_free(disk / "publisher.db", 1_100_000)
        with almost_full(disk, 400_000):
            assert store.chores.compact(NOW) == 0
        assert store.chores.compact(NOW) > 1_000_000


def test_chores_are_not_done_on_every_tick(project: Project) -> None:
    configure(project, WEEKLY, "[subscribers]\nforget_days = 30\n")
    project.subscribe("ada")
    with open_project_store(project.config()) as store:
        clockwork = Clockwork(project, store)
        clockwork.at(SLOT - 3 * DAY)
        clockwork.at(SLOT)
        kept = clockwork.at(SLOT + 401 * DAY).chores
        assert kept == ("replaced the deliveries of 1 old edition with totals",)
        assert store.deliveries.counts(1).by_status == {DeliveryStatus.SENT: 1}
        assert clockwork.at(SLOT + 401 * DAY + HOUR).chores == ()
        assert [message["To"] for message in project.mail()["ada@example.org"]] != []
        done, trouble = run_chores(OpenProject(project.config(), store, lambda: SLOT), SLOT + 403 * DAY)
        assert (done, any(trouble.values())) == ([], False)
        assert not any(store.chores.claim(name, SLOT + 403 * DAY, every) for name, (every, _) in CHORES.items())


RETURNS = 'bounces = "bounces@letters.example"\n[bounces]\nsource = "returned"\n'


def test_bounces_are_read_every_five_minutes(project: Project) -> None:
    configure(project, WEEKLY, RETURNS)
    project.subscribe("ada", "bob")
    box = mailbox.Maildir(project.root / "returned", create=True)
    with open_project_store(project.config()) as store:
        clockwork = Clockwork(project, store)
        clockwork.at(SLOT - 3 * DAY)
        assert clockwork.at(SLOT).chores == ()
        delivery = next(row.id for row in store.ledger.rows(1) if row.address == "ada@example.org")
        path = ReturnPath("bounces@letters.example", project_secret(project.config()))
        box.add(report(failed("5.1.1", "550 no"), to=path.of(delivery)))
        assert clockwork.at(SLOT + 4 * MINUTE).chores == ()
        assert clockwork.at(SLOT + 5 * MINUTE).chores == ("bounces: 1 read: 1 hard bounce",)
        assert [bounce.address for bounce in store.bounces.recent()] == ["ada@example.org"]
        project.post("fourth", "2026-11-24")
        clockwork.at(SLOT + 7 * DAY)
        assert [len(clockwork.letters(f"{name}@example.org")) for name in ("ada", "bob")] == [1, 2]


def test_many_bounces_are_read_in_several_goes(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    configure(project, WEEKLY, RETURNS)
    project.subscribe("ada", "bob")
    box = mailbox.Maildir(project.root / "returned", create=True)
    monkeypatch.setattr(chores, "READING_SECONDS", 0.0)
    with open_project_store(project.config()) as store:
        clockwork = Clockwork(project, store)
        clockwork.at(SLOT - 3 * DAY)
        clockwork.at(SLOT)
        path = ReturnPath("bounces@letters.example", project_secret(project.config()))
        for row in store.ledger.rows(1):
            box.add(report(failed("5.1.1", "550 no"), to=path.of(row.id)))
        done = [clockwork.at(SLOT + 5 * number * MINUTE).chores for number in (1, 2, 3)]
        assert done == [("bounces: 1 read: 1 hard bounce",), ("bounces: 1 read: 1 hard bounce",), ()]


def test_an_unreadable_bounce_mailbox_is_reported_once(project: Project) -> None:
    configure(project, WEEKLY, RETURNS)
    project.subscribe("ada")
    with open_project_store(project.config()) as store:
        clockwork = Clockwork(project, store)
        ticks = [clockwork.at(SLOT - HOUR + n * 5 * MINUTE) for n in range(13)]
        assert [len(ticked.alerts) for ticked in ticks] == [1, *[0] * 12]
        assert [len(ticked.problems) for ticked in ticks] == [1, *[0] * 12]
        assert "returned" in ticks[0].alerts[0]
        assert "returned" in text(project.mail()[OWNER][0])
        assert clockwork.editions() == {"2026-W48": ""}
        assert not store.chores.claim("optimise", SLOT, DAY)
        mailbox.Maildir(project.root / "returned", create=True)
        assert clockwork.at(SLOT + 5 * MINUTE).alerts == ()
        shutil.rmtree(project.root / "returned")
        assert len(clockwork.at(SLOT + 10 * MINUTE).alerts) == 1


def test_processed_reports_are_remembered_for_400_days(project: Project) -> None:
    configure(project, WEEKLY)
    project.subscribe("ada")
    with open_project_store(project.config()) as store:
        complaint = Report(Verdict.COMPLAINT, Addressee(address="ada@example.org"), keys=("a complaint",))
        terms = subscription_policy(project.config())
        assert take_report(store, terms, complaint, now=SLOT, source="test") is Verdict.COMPLAINT
        run_chores(OpenProject(project.config(), store, lambda: SLOT), SLOT + 400 * DAY)
        assert store.bounces.known(complaint.keys)
        run_chores(OpenProject(project.config(), store, lambda: SLOT), SLOT + 402 * DAY)
        assert not store.bounces.known(complaint.keys)
