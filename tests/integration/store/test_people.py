"""Finding people by what is known about them, on SQLite and on PostgreSQL."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from publisher.core.newsletter_models import SubscriberStatus, Subscription
from publisher.core.segment_language import parse
from publisher.core.subscriber_fields import FieldKind
from publisher.core.subscriber_status import SubscriberEvent
from publisher.store import Store
from publisher.store.people_query import PeopleQuery, PeopleSort, PlaceGoneError, search_key
from publisher.store.subscriber_records import AddOptions, Evidence, NewSubscriber
from publisher.store.tables import subscribers
from publisher.subscribers.edit import Change, edit
from tests.support.store_samples import NOW, later


def someone(address: str, name: str, days: int, newsletters: str, topics: str = "") -> NewSubscriber:
    wishes = tuple(Subscription(each, tuple(topics.split())) for each in newsletters.split())
    return NewSubscriber(address, name=name, subscriptions=wishes, joined_at=later(days=-days))


PEOPLE = (
    someone("zoe@example.org", "Zoë Ålund", 9, "weekly"),
    someone("ada@example.org", "Ada Lovelace", 8, "weekly daily", "ruby"),
    someone("m.ito@example.net", "佐伯みどり", 7, "daily"),
    someone("plain@example.org", "", 7, "weekly", "ruby-on-rails"),
    someone("adam@percent.example", "100% Adam_B", 7, "weekly"),
    someone("o@example.org", "O'Neill, Grace", 5, "daily"),
    someone("strasse@example.org", "Jörg Straße", 4, "weekly"),
    someone("none@example.org", "", 3, "weekly"),
)

CHANGES = {
    "ada@example.org": Change(tags=("vip",), fields={"city": "Ørsta", "points": "10", "zebra": "a \\ b"}),
    "none@example.org": Change(tags=("vip", "Größe 5"), fields={"city": "Oslo city", "paid": "yes"}),
    "m.ito@example.net": Change(fields={"city": "東京都", "points": "9.5"}),
}


@pytest.fixture
def people(store: Store) -> Iterator[Store]:
    """A store with PEOPLE and someone added later; two have unsubscribed, and one has complained."""
    options = AddOptions(NOW, "import people.csv", SubscriberEvent.IMPORTED)
    store.subscribers.add_all(PEOPLE, options)
    store.subscribers.add(someone("late@example.org", "Late Ada", 0, "weekly"), at=NOW, source="command line")
    store.subscribers.remove("zoe@example.org", "weekly", at=NOW, source="test")
    store.subscribers.remove("ada@example.org", "weekly", at=NOW, source="test")
    with store.subscribers.transaction(NOW) as transaction:
        person = transaction.find("o@example.org")
        assert person
        transaction.apply(person, SubscriberEvent.COMPLAINED, "test")
    fields = {"city": FieldKind.TEXT, "points": FieldKind.NUMBER, "paid": FieldKind.YES_NO, "zebra": FieldKind.TEXT}
    for address, change in CHANGES.items():
        person = store.subscribers.get(address)
        assert person
        edit(store, person, change, at=NOW, source="test", known=fields)
    yield store


def names(store: Store, **asked: object) -> list[str]:
    """Return the local parts of the people found; `count` must return the same number."""
    query = PeopleQuery(**asked)  # type: ignore[arg-type] - a table of questions
    found = [each.address.partition("@")[0] for each in store.people.each(query, NOW)]
    assert store.people.count(query, NOW) == len(found)
    return found


def test_people_are_found_by_all_data_about_them(people: Store) -> None:
    status = SubscriberStatus
    asked: list[tuple[dict[str, object], str]] = [
        ({}, "zoe ada m.ito plain adam o strasse none late"),
        ({"search": "ADA"}, "ada adam late"),
        ({"search": "ada love"}, "ada"),
        ({"search": "love example.org ada"}, "ada"),
        ({"search": "zoe alund"}, "zoe"),
        ({"search": "JORG STRASSE"}, "strasse"),
        ({"search": "straße"}, "strasse"),
        ({"search": "みど"}, "m.ito"),
        ({"search": "%"}, "adam"),
        ({"search": "m_b"}, "adam"),
        ({"search": "o'neill,"}, "o"),
        ({"search": "vip"}, "ada none"),
        ({"search": "größe"}, "none"),
        ({"search": "oslo"}, "none"),
        ({"search": "ØRSTA ada"}, "ada"),
        ({"search": "京"}, "m.ito"),
        ({"search": "\\"}, "ada"),
        ({"search": "9.5"}, "m.ito"),
        ({"search": "zebra"}, ""),
        ({"search": "city"}, "none"),
        ({"search": "\u0301"}, ""),
        ({"search": "';--"}, ""),
        ({"newsletter": "weekly"}, "zoe ada plain adam strasse none late"),
        ({"newsletter": "weekly", "status": status.ACTIVE}, "plain adam strasse none late"),
        ({"newsletter": "weekly", "status": status.UNSUBSCRIBED}, "zoe ada"),
        ({"newsletter": "daily", "status": status.COMPLAINED}, "o"),
        ({"status": status.ACTIVE}, "ada m.ito plain adam strasse none late"),
        ({"status": status.UNSUBSCRIBED}, "zoe"),
        ({"status": status.PENDING}, ""),
        ({"topic": "ruby"}, "ada"),
        ({"topic": "ruby", "newsletter": "weekly"}, ""),
        ({"topic": "ruby-on-rails"}, "plain"),
        ({"topic": '"'}, ""),
        ({"tag": "vip"}, "ada none"),
        ({"tag": "VIP"}, "ada none"),
        ({"tag": "vi"}, ""),
        ({"field": ("city", "")}, "ada m.ito none"),
        ({"field": ("city", "oslo city")}, "none"),
        ({"field": ("city", "ØRSTA")}, "ada"),
        ({"field": ("points", "10")}, "ada"),
        ({"field": ("points", "10.0")}, "ada"),
        ({"field": ("paid", "yes")}, "none"),
        ({"field": ("paid", "no")}, ""),
        ({"field": ("zebra", "a \\ b")}, "ada"),
        ({"field": ("city", "' or 1=1 --")}, ""),
        ({"field": ("nix", "")}, ""),
        ({"segment": parse("tag:vip and field.points > 9")}, "ada"),
        ({"segment": parse("not tag:vip"), "search": "ada"}, "adam late"),
        ({"source": "import people.csv"}, "zoe ada m.ito plain adam o strasse none"),
        ({"source": "command line"}, "late"),
        ({"joined_from": later(days=-7)}, "m.ito plain adam o strasse none late"),
        ({"joined_to": later(days=-7)}, "zoe ada"),
        ({"joined_from": later(days=-7), "joined_to": later(days=-7, seconds=1)}, "m.ito plain adam"),
        ({"tag": "vip", "newsletter": "daily", "search": "lace"}, "ada"),
        ({"newsletter": "nix"}, ""),
    ]
    wrong = {str(query): found for query, right in asked if (found := names(people, **query)) != right.split()}
    assert wrong == {}


@pytest.mark.parametrize("sort", PeopleSort)
def test_pages_lead_through_everyone_in_both_directions(people: Store, sort: PeopleSort) -> None:
    right = {
        PeopleSort.JOINED: "zoe ada m.ito plain adam o strasse none late",
        PeopleSort.ADDRESS: "ada adam late m.ito none o plain strasse zoe",
        PeopleSort.NAME: "adam ada strasse late o zoe m.ito plain none",
    }
    down = right[sort].split()[::-1]
    if sort is PeopleSort.NAME:  # people without a name still come last
        down = [*down[2:], *down[:2]]
    assert names(people, sort=sort) == right[sort].split()
    assert names(people, sort=sort, descending=True) == down
    for descending in (False, True):
        everybody = names(people, sort=sort, descending=descending)
        for limit in (1, 2, 3, 8, 9, 10):
            query = PeopleQuery(sort=sort, descending=descending, limit=limit)
            assert both_ways(people, query) == everybody, (sort, descending, limit)


def both_ways(store: Store, query: PeopleQuery) -> list[str]:
    """Return everyone on all pages; each page must lead back to the previous one."""
    found: list[str] = []
    pages = [store.people.find(query, NOW)]
    assert pages[0].previous == ""
    while pages[-1].next:
        pages.append(store.people.find(replace(query, after=pages[-1].next), NOW))
    for before, page in pairwise(pages):
        back = store.people.find(replace(query, before=page.previous), NOW)
        assert [each.uid for each in back.people] == [each.uid for each in before.people]
        assert (bool(back.previous), back.next) == (before is not pages[0], back.people[-1].uid)
    for page in pages:
        found += [each.address.partition("@")[0] for each in page.people]
    return found


def test_a_page_after_a_deleted_person_is_refused(people: Store) -> None:
    with pytest.raises(PlaceGoneError, match="is not in the database"):
        people.people.find(PeopleQuery(after="0" * 24), NOW)


def test_a_new_name_is_found_and_the_old_one_is_not(people: Store) -> None:
    people.subscribers.add(NewSubscriber("again@example.org", name="Ünal"), at=NOW, source="test")
    with people.subscribers.transaction(NOW) as transaction:
        person = transaction.find("zoe@example.org")
        assert person
        transaction.describe(person, name="Ångström")
        transaction.remove(person, None, Evidence("test"))
    assert names(people, search="angstrom") == ["zoe"]
    assert names(people, search="alund") == []
    with people._database.read() as connection:
        rows = connection.execute(sa.select(subscribers.c.name, subscribers.c.name_key)).all()
    assert [row for row in rows if search_key(row.name) != row.name_key] == []


def test_fields_broken_by_hand_hide_no_one(people: Store) -> None:
    with people._database.write() as connection:
        broken = subscribers.c.address_key.in_(("zoe@example.org", "late@example.org"))
        connection.execute(sa.update(subscribers).where(broken).values(fields='{"city": oslo'))
    assert names(people, search="oslo") == ["none"]
    assert names(people, search="zoe") == ["zoe"]


def test_a_page_has_a_limited_size() -> None:
    for limit in (0, 1_001):
        with pytest.raises(ValueError, match="a page has"):
            PeopleQuery(limit=limit)
    assert len(PeopleQuery(search="a " * 5_000).words) == 10
    assert len(search_key("é" * 5_000)) == 100


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=30))
def test_names_are_found_without_case_and_accents(text: str) -> None:
    folded = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", text).casefold())
    bare = "".join(sign for sign in folded if not "\u0300" <= sign <= "\u036f")
    assert search_key(text) == " ".join(unicodedata.normalize("NFC", bare).split())
