"""Chores are done once at their rhythm; old deliveries become totals, and nobody is mailed again for it."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from clockwork import DAY, HOUR, SLOT, Clockwork, configure
from conftest import WEEKLY, Project
from delivery_samples import Scripted, make_edition, run
from store_samples import NOW, draft, later

from publisher.delivery.lifecycle import UNSETTLED
from publisher.delivery.transport import Unanswered
from publisher.housekeeping import CHORES, keep_house
from publisher.model import DeliveryStatus
from publisher.runtime import open_project_store
from publisher.store import Store

pytest_plugins = ["store_fixtures"]


def test_a_chore_is_one_callers_until_its_time_comes_again_whatever_the_clock_does(store: Store) -> None:
    hour = timedelta(hours=1)
    assert store.chores.begin("sweep", NOW, hour)
    assert not store.chores.begin("sweep", NOW, hour)
    assert not store.chores.begin("sweep", later(minutes=59), hour)
    assert store.chores.begin("sweep", later(minutes=60), hour)
    assert store.chores.begin("other", later(minutes=60), hour)
    assert store.chores.begin("sweep", NOW, hour)  # the clock was wrong, and is set back


def test_what_was_told_is_told_again_only_when_it_was_away_or_could_not_be_mailed(store: Store) -> None:
    assert store.chores.tell("post", "a", NOW)
    assert not store.chores.tell("post", "a", later(days=9))
    assert store.chores.tell("letter", "a", NOW)
    store.chores.told_only("post", ["b"])
    assert store.chores.tell("post", "a", NOW)
    store.chores.untell("post", "a")
    assert store.chores.tell("post", "a", NOW)


def test_old_deliveries_become_totals_and_what_is_open_held_or_uncertain_stays(store: Store, tmp_path: Path) -> None:
    done = make_edition(store, 6, "2026-W40")
    waiting, held, doubtful = (store.editions.create(draft(f"2026-W4{number}")) for number in (1, 2, 3))
    assert waiting is not None
    assert held is not None
    assert doubtful is not None
    run(store, Scripted(), done, tmp_path)
    run(store, Scripted(), held, tmp_path)
    store.editions.hold(held.id, "why not")
    run(store, Scripted({"reader0@example.org": [Unanswered("gone")]}), doubtful, tmp_path, hold=True)
    before = store.deliveries.counts(done.id), store.deliveries.by_variant(done.id)
    assert store.upkeep.roll_up(NOW, UNSETTLED) == 0
    assert store.upkeep.roll_up(later(days=1), UNSETTLED) == 1
    assert (store.deliveries.counts(done.id), store.deliveries.by_variant(done.id)) == before
    assert store.deliveries.counts(done.id).by_status == {DeliveryStatus.SENT: 6}
    assert list(store.ledger.rows(done.id)) == []
    assert [store.deliveries.counts(each.id).total for each in (waiting, held, doubtful)] == [6, 6, 6]
    assert len(list(store.ledger.rows(doubtful.id))) == 6
    assert store.upkeep.roll_up(later(days=1), UNSETTLED) == 0
    assert [edition.slot for edition in store.editions.ready(later(days=1))] == ["2026-W41"]
    assert run(store, Scripted(), done, tmp_path)[DeliveryStatus.SENT] == 6
    store.upkeep.optimise()


def test_a_tick_forgets_rolls_up_and_optimises_once_and_not_each_time(project: Project) -> None:
    configure(project, WEEKLY, "[subscribers]\nforget_days = 30\n")
    project.subscribe("ada")
    with open_project_store(project.config()) as store:
        clockwork = Clockwork(project, store)
        clockwork.at(SLOT - 3 * DAY)
        clockwork.at(SLOT)
        kept = clockwork.at(SLOT + 401 * DAY).kept
        assert kept == ("put totals in place of the deliveries of 1 old edition",)
        assert store.deliveries.counts(1).by_status == {DeliveryStatus.SENT: 1}
        assert clockwork.at(SLOT + 401 * DAY + HOUR).kept == ()
        assert [message["To"] for message in project.mail()["ada@example.org"]] != []
        done, trouble = keep_house(project.config(), store, SLOT + 403 * DAY)
        assert (done, trouble) == ([], [])
        assert not any(store.chores.begin(name, SLOT + 403 * DAY, every) for name, (every, _) in CHORES.items())
