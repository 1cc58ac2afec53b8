"""All data about a subscriber, its deletion down to the bytes of the files, and the suppression list."""

from __future__ import annotations

import json
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import sqlalchemy as sa

from publisher.core.bounce_report import Verdict
from publisher.core.errors import StoreError, SubscriberError
from publisher.core.newsletter_models import SuppressionReason
from publisher.store import Store, database, open_store
from publisher.store.sign_ups import SignUps
from publisher.store.tables import deliveries, subscriber_tags
from publisher.subscribers.address_change import request_address_change
from publisher.subscribers.manage import lift_suppression, suppress
from publisher.subscribers.privacy import Erased, erase, export_data
from tests.support.consent_samples import FORM, SECRET, TERMS, ask, bounce, everything, known, people, subscribed
from tests.support.csv_samples import bring as bring_text
from tests.support.full_disk import almost_full, only_root, small_disk
from tests.support.store_samples import NOW, add_people, draft, later, person

__all__ = ["people"]

ADDRESS, NAME = "zebra.quagga@okapi.example", "Okapi Johnstoni"


def bring(store: Store, path: Path, text: str) -> list[str]:
    """Import a list; return the refusals."""
    return [refusal.reason for refusal in bring_text(store, path, text, known=["weekly"]).refusals]


def a_life(store: Store) -> None:
    """Write everything that can be stored about a person, with the address in each possible place."""
    ask(store, "Zebra.Quagga@Okapi.example", name=NAME)
    person_ = subscribed(store, ADDRESS) if store.subscribers.get(ADDRESS) is None else known(store, ADDRESS)
    with store.subscribers.transaction(NOW) as change:
        found = change.find(ADDRESS)
        assert found is not None
        change.record(found, "note", FORM, f"wrote from {ADDRESS}")
    store.subscribers.add(person(ADDRESS, name=NAME), at=NOW, source="by hand")
    edition = store.editions.create(draft())
    with store._database.write() as connection:
        of_person = sa.update(deliveries).where(deliveries.c.subscriber_id == person_.id)
        connection.execute(of_person.values(reason=f"550 <{ADDRESS}> unknown"))
        tags = [{"subscriber_id": person_.id, "tag": tag} for tag in ("okapi", "vip")]
        connection.execute(sa.insert(subscriber_tags), tags)
    assert store.deliveries.counts(edition.id).total > 0
    other = subscribed(store, "other@example.org")
    request_address_change(store, TERMS, other.uid, ADDRESS, now=NOW, evidence=FORM)
    request_address_change(store, TERMS, person_.uid, "gnu@okapi.example", now=NOW, evidence=FORM)


def traces(folder: Path) -> list[str]:
    """Return the files of a database that contain anything about the person, ignoring case."""
    words = [part.lower().encode() for part in (ADDRESS, "quagga", "okapi", "johnstoni")]
    return [
        path.name for path in folder.iterdir() if path.is_file() and any(w in path.read_bytes().lower() for w in words)
    ]


def test_the_data_export_is_complete(people: Store) -> None:
    a_life(people)
    data = export_data(people, known(people, ADDRESS).uid)

    assert data is not None
    assert json.loads(json.dumps(data)) == data
    assert (data["email"], data["status"], data["suppressed"]) == ("Zebra.Quagga@okapi.example", "active", False)
    assert [event["what"] for event in data["consent"]] == [
        *("requested", "note", "returned", "subscribed", "address requested"),
    ]
    assert data["consent"][0]["text_version"] == "2026-11"
    asked = {token["purpose"]: token["address"] for token in data["tokens"]}  # at the same moment
    assert asked == {"confirm": "", "address": "gnu@okapi.example"}
    assert (data["tags"], data["fields"], data["note"]) == (["okapi", "vip"], {}, "")
    assert [(row["newsletter"], row["slot"]) for row in data["deliveries"]] == [("weekly", "2026-W47")]
    assert export_data(people, "no such uid") is None


def test_erasure_leaves_no_bytes_behind(tmp_path: Path) -> None:
    folder = tmp_path / "state"
    with open_store("sqlite:///state/publisher.db", tmp_path, lambda: SECRET) as store:
        add_people(store, 3_000)
        a_life(store)
        add_people(store, 3_000, "daily")
        assert "publisher.db-wal" in traces(folder)

        done = erase(store, ADDRESS.upper(), now=NOW, source="test")

        assert done.scrubbed
        assert done.rows >= 8
        assert traces(folder) == []
        assert (folder / "publisher.db-wal").stat().st_size == 0
        assert store.subscribers.count() == 3_001
    assert traces(folder) == []


def test_an_erased_address_is_refused_by_imports_forms_and_by_hand(people: Store, tmp_path: Path) -> None:
    a_life(people)
    assert erase(people, ADDRESS, now=NOW, source="test").rows >= 10
    assert not [row for rows in everything(people).values() for row in rows if "quagga" in row.lower()]
    before = everything(people)

    assert bring(people, tmp_path / "list.csv", f"email,name\n{ADDRESS.upper()},{NAME}\n") == [
        "ZEBRA.QUAGGA@okapi.example is on the suppression list"
    ]
    told = ask(people, ADDRESS, now=later(days=400))
    assert told is not None
    assert (told.kind, told.uid, told.token) == ("suppressed", "", "")
    assert people.subscribers.add(person(ADDRESS), at=NOW, source="by hand", again=True).value == "suppressed"
    after = everything(people)
    del after["imports"]  # the import of a file is not personal data
    assert "okapi" not in str(after.pop("requested_emails"))  # keyed hashes
    assert after == {table: rows for table, rows in before.items() if table in after}
    assert erase(people, ADDRESS, now=NOW, source="test") == Erased(0, True)
    assert people.suppressions.counts() == {SuppressionReason.ERASED: 1}


def test_no_one_is_added_during_their_erasure(people: Store) -> None:
    crowd = [person(f"reader{n}@example.org") for n in range(50)] + [person(ADDRESS)]

    def work(number: int) -> None:
        if number == 10:
            erase(people, ADDRESS, now=NOW, source="test")
        elif number % 2:
            people.subscribers.add_many(crowd, at=NOW, source="test")
        else:
            ask(people, ADDRESS, now=later(hours=number))

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(work, range(30)))
    assert people.subscribers.get(ADDRESS) is None
    assert people.subscribers.count() == 50


def test_an_erasure_leaves_others_alone(people: Store) -> None:
    subscribed(people, "other@example.org")
    before = export_data(people, known(people, "other@example.org").uid)
    people.subscribers.add(person(ADDRESS), at=NOW, source="test")
    erase(people, ADDRESS, now=NOW, source="test")
    assert export_data(people, known(people, "other@example.org").uid) == before


def test_a_blocked_erasure_can_be_repeated(tmp_path: Path) -> None:
    with open_store("sqlite:///publisher.db", tmp_path, lambda: SECRET) as store:
        a_life(store)
        reader = sqlite3.connect(tmp_path / "publisher.db", isolation_level=None)
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM subscribers").fetchone()

        assert not erase(store, ADDRESS, now=NOW, source="test").scrubbed
        reader.close()
        assert erase(store, ADDRESS, now=NOW, source="test") == Erased(0, True)
        assert traces(tmp_path) == []


def test_an_erasure_is_done_although_another_process_begins_to_write(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "BUSY_SECONDS", 0.05)
    with open_store("sqlite:///publisher.db", tmp_path, lambda: SECRET) as store:
        a_life(store)
        writer = sqlite3.connect(tmp_path / "publisher.db", isolation_level=None)
        with monkeypatch.context() as patched:
            patched.setattr(SignUps, "forget", lambda *given: writer.execute("BEGIN IMMEDIATE"))
            done = erase(store, ADDRESS, now=NOW, source="test")
        assert (done.rows > 0, done.scrubbed) == (True, False)
        writer.close()
        assert erase(store, ADDRESS, now=NOW, source="test") == Erased(0, True)
        assert traces(tmp_path) == []


@only_root
def test_an_erasure_is_done_although_there_is_no_room_for_a_copy(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    with small_disk(disk):
        with open_store("sqlite:///publisher.db", disk, lambda: SECRET) as store:
            a_life(store)
            add_people(store, 500)
        with open_store("sqlite:///publisher.db", disk, lambda: SECRET) as store:  # without a log
            with almost_full(disk, room=400_000):  # deleting the rows takes 130 KB, and a copy of the file 700 KB more
                done = erase(store, ADDRESS, now=NOW, source="test")
            assert (done.rows > 0, done.scrubbed) == (True, False)
            assert erase(store, ADDRESS, now=NOW, source="test") == Erased(0, True)
        assert traces(disk) == []


def test_a_suppressed_address_never_gets_email(people: Store, tmp_path: Path) -> None:
    subscribed(people)
    edition = people.editions.create(draft())
    assert suppress(people, "ADA@example.org", now=NOW, source="test")
    assert not suppress(people, "ada@example.org", now=NOW, source="test")
    assert suppress(people, "stranger@example.org", now=NOW, source="test")

    assert known(people).status == "suppressed"
    assert people.deliveries.counts(edition.id).total == 1  # the claim will find that she must not get email
    assert bring(people, tmp_path / "list.csv", "email\nada@example.org\nstranger@example.org\nnew@example.org\n") == [
        "ada@example.org is on the suppression list",
        "stranger@example.org is on the suppression list",
    ]
    assert people.subscribers.get("stranger@example.org") is None


def test_lifting_a_suppression_sends_nothing(people: Store) -> None:
    subscribed(people)
    suppress(people, "ada@example.org", now=NOW, source="test")
    assert lift_suppression(people, "ada@example.org", now=NOW, source="test")
    assert not lift_suppression(people, "ada@example.org", now=NOW, source="test")
    assert known(people).status == "unsubscribed"
    bounce(people, known(people).uid, Verdict.COMPLAINT)
    with pytest.raises(SubscriberError, match="marked an email as spam"):
        lift_suppression(people, "ada@example.org", now=NOW, source="test")
    assert people.suppressions.is_listed("ada@example.org")


def test_a_different_secret_is_refused(store_url: str, tmp_path: Path) -> None:
    with open_store(store_url, tmp_path, lambda: SECRET) as store:
        suppress(store, "ada@example.org", now=NOW, source="test")
    for secret in (lambda: "another secret", None):
        with open_store(store_url, tmp_path, secret) as store:
            with pytest.raises(StoreError, match="secret"):
                store.subscribers.add(person(), at=NOW, source="test")
            assert store.subscribers.count() == 0


def test_the_suppression_list_contains_no_address(people: Store) -> None:
    suppress(people, "ada@example.org", now=NOW, source="test")
    rows = str(everything(people)["suppressions"])
    assert "ada" not in rows.lower().replace("data", "")
