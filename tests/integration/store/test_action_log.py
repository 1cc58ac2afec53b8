"""The log of actions, on SQLite and on PostgreSQL."""

from __future__ import annotations

from pathlib import Path

from publisher.core.action_kinds import ActionKind, Via
from publisher.store import Store, open_store
from publisher.subscribers.privacy import erase, export_data
from tests.support.consent_samples import SECRET
from tests.support.store_samples import NOW, later, person


def record(store: Store, what: ActionKind, days: int = 0, **given: str | int | None) -> None:
    store.actions.record(what, later(days=days), via=Via.COMMAND, client="a host", **given)  # type: ignore[arg-type]


def test_actions_are_listed_newest_first_and_in_pages(store: Store) -> None:
    assert store.actions.list(limit=None) == []
    for number in range(5):
        record(store, ActionKind.HOLD, about=f"edition {number}", detail="a typo")
    newest = store.actions.list(limit=2)
    assert [each.about for each in newest] == ["edition 4", "edition 3"]
    assert [each.about for each in store.actions.list(limit=2, before=newest[-1].id)] == ["edition 2", "edition 1"]
    assert len(store.actions.list(limit=None)) == 5
    first = newest[0]
    said = (first.at, first.who, first.via, first.client, first.what, first.detail)
    assert said == (NOW, "owner", "command line", "a host", "put on hold", "a typo")


def test_actions_are_kept_for_a_limited_time(store: Store) -> None:
    for day in (0, 1, 2):
        record(store, ActionKind.LOGIN, day)
    assert store.actions.forget(later(days=1)) == 1
    assert store.actions.forget(later(days=1)) == 0
    assert [each.at for each in store.actions.list(limit=None)] == [later(days=2), later(days=1)]


def test_an_address_is_shown_only_while_its_subscriber_exists(store_url: str, tmp_path: Path) -> None:
    with open_store(store_url, tmp_path, lambda: SECRET) as store:
        show_and_erase(store)


def show_and_erase(store: Store) -> None:
    store.subscribers.add_many([person("ada@example.org")], at=NOW, source="test")
    ada = store.subscribers.get("ada@example.org")
    assert ada
    record(store, ActionKind.ADD, subscriber_id=ada.id, detail="weekly: added; by phone")
    assert store.actions.list(limit=1)[0].about == "ada@example.org"
    exported = export_data(store, ada.uid)
    assert exported
    assert [(each["what"], each["detail"]) for each in exported["actions"]] == [
        ("added a subscriber", "weekly: added; by phone")
    ]
    erase(store, "ada@example.org", now=NOW, source="test")
    (action,) = store.actions.list(limit=None)
    assert (action.what, action.detail) == ("added a subscriber", "")
    assert action.about == "an address that is no longer known"


def test_no_text_contains_an_address(store: Store) -> None:
    record(store, ActionKind.HOLD, about="ada@example.org", detail="eve@example.org complained")
    (action,) = store.actions.list(limit=None)
    assert (action.about, action.detail) == ("…@example.org", "…@example.org complained")


def test_an_action_on_a_deleted_subscriber_is_recorded(store: Store) -> None:
    record(store, ActionKind.SUPPRESS, subscriber_id=12_345)
    record(store, ActionKind.SUPPRESS, subscriber_id=None)
    assert [each.about for each in store.actions.list(limit=None)] == ["an address that is no longer known"] * 2


def test_long_texts_are_cut(store: Store) -> None:
    record(store, ActionKind.HOLD, about="x" * 5_000, detail="y" * 5_000)
    store.actions.record(ActionKind.LOGIN, NOW, via=Via.PAGE, client="z" * 500)
    last, first = store.actions.list(limit=None)
    assert (len(last.client), len(first.about), len(first.detail)) == (64, 300, 300)
