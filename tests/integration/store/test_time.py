"""When slots begin to count, and when editions are ready and public."""

from __future__ import annotations

from pathlib import Path

from publisher.core.hold_reasons import by_person
from publisher.core.newsletter_models import EditionKind
from publisher.publishing.operations import resume
from publisher.store import Store, open_store
from publisher.store.location import editions_key
from tests.support.delivery_samples import Scripted, run
from tests.support.store_samples import NOW, add_people, draft, later


def test_slots_count_from_the_first_tick_and_from_each_new_schedule(store: Store) -> None:
    assert store.newsletters.find("weekly") is None
    first = store.newsletters.see("weekly", "monday", NOW)
    assert (first.since, first.passed, first.is_new) == (NOW, None, True)
    store.newsletters.passed("weekly", later(days=7))
    store.newsletters.passed("weekly", later(days=1))
    again = store.newsletters.see("weekly", "monday", later(days=8))
    assert (again.since, again.passed, again.is_new) == (NOW, later(days=7), False)
    changed = store.newsletters.see("weekly", "tuesday", later(days=9))
    assert (changed.since, changed.is_new) == (later(days=9), False)
    assert store.newsletters.find("weekly") == changed


def test_an_edition_made_ahead_is_public_at_its_time(store: Store, tmp_path: Path) -> None:
    add_people(store, 2)
    ahead = store.editions.create(draft("2026-W47", hold=by_person("waits"), goes_at=later(days=1)))
    assert ahead is not None
    for moment in (NOW, later(days=2)):
        assert list(store.editions.ready(moment)) == list(store.editions.public(moment)) == []
    assert resume(store, ahead, now=NOW)
    assert list(store.editions.ready(later(hours=23))) == list(store.editions.public(later(hours=23))) == []
    assert run(store, Scripted(), ahead, tmp_path).open == 2
    for found in (store.editions.ready(later(days=1)), store.editions.public(later(days=1), "weekly")):
        assert [(each.slot, each.goes_at) for each in found] == [("2026-W47", later(days=1))]
    assert list(store.editions.public(later(days=1), "other")) == []


def test_an_edition_on_hold_is_public_if_something_was_sent(store: Store, tmp_path: Path) -> None:
    add_people(store, 2)
    begun, untouched = store.editions.create(draft("2026-W46")), store.editions.create(draft("2026-W47"))
    assert begun is not None
    assert untouched is not None
    run(store, Scripted(), begun, tmp_path)
    for edition in (begun, untouched):
        store.editions.hold(edition.id, by_person("a wrong link"))
    assert [each.slot for each in store.editions.public(NOW)] == ["2026-W46"]
    for edition in (begun, untouched):
        store.editions.begin(edition.id, later(days=3))
    assert {each.slot: each.dated for each in store.editions.list()} == {"2026-W46": NOW, "2026-W47": later(days=3)}
    store.editions.give_up(untouched.id, by_person("skipped"), frees_posts=True)
    assert untouched.posts[0].id not in store.editions.handled_posts("weekly")
    assert [each.held for each in store.editions.list()].count("skipped") == 1


def test_the_quick_check_agrees_with_the_store(tmp_path: Path) -> None:
    url = "sqlite:///publisher.db"
    with open_store(url, tmp_path) as store:
        add_people(store, 1)
        ahead = store.editions.create(draft("2026-W47", goes_at=later(days=1)))
        held = store.editions.create(draft("2026-W48", hold=by_person("waits")))
        assert store.editions.create(draft("email:moved", kind=EditionKind.LETTER, number=0, posts=()))
        assert ahead is not None
        assert held is not None
        keys = []
        for moment in (NOW, later(hours=23), later(days=1), later(days=1)):
            found = store.editions.public(moment)
            ids = [each.id for each in found]
            keys.append(editions_key(url, tmp_path, moment))
            assert keys[-1] == (f"{len(ids)}:{max(ids)}:{sum(ids)}" if ids else "")
        assert keys[:2] == ["", ""]
        assert keys[2] == keys[3] != ""
        store.editions.release(held.id)
        assert editions_key(url, tmp_path, later(days=1)) not in keys


def test_skipped_posts_stay_handled(store: Store) -> None:
    edition = store.editions.create(draft("2026-W47"))
    assert edition is not None
    store.editions.pass_over("weekly", ["old", edition.posts[0].id, "old"])
    store.editions.pass_over("weekly", [])
    assert store.editions.handled_posts("weekly") == {"old", edition.posts[0].id}
