"""Editions that are made in parts: who gets them, and the effect of kills and other processes between parts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from random import Random

import pytest

from publisher.core.hold_reasons import by_person
from publisher.core.newsletter_models import DeliveryStatus, Edition, EditionDraft, EditionPost, Letter
from publisher.core.subscriber_status import SubscriberEvent
from publisher.core.subscription_status import SubscriptionEvent, SubscriptionStatus
from publisher.mail.lifecycle import DeliveryEvent, moves
from publisher.store import Store, edition_filling, open_store
from publisher.store.audience import ChoicesChangedError
from publisher.store.database import Database
from publisher.store.latecomers import WhoJoined
from publisher.store.subscriber_records import Evidence
from publisher.store.subscriber_transaction import SubscriberTransaction
from tests.support.store_samples import NOW, claim, draft, later, person

PART = 3
PEOPLE = 10
OWNER = Evidence("command line")
POST = EditionPost("p", "A post", "https://example.org/a/")


class KilledError(Exception):
    """Simulates the end of the process."""


@pytest.fixture(autouse=True)
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(edition_filling, "PART", PART)
    monkeypatch.setattr(edition_filling, "SQLITE_PART", PART)
    monkeypatch.setattr(edition_filling, "BREATH", 0)


@pytest.fixture
def other(store: Store, store_url: str, tmp_path: Path) -> Iterator[Store]:
    """The same database with separate connections, as from another host."""
    with open_store(store_url, tmp_path) as opened:
        yield opened


def address(number: int) -> str:
    return f"reader{number}@example.org"


def add(store: Store, *numbers: int, topics: tuple[str, ...] = (), newsletter: str = "weekly") -> None:
    people = [person(address(number), newsletter, topics=topics) for number in numbers]
    store.subscribers.add_many(people, at=NOW, source="test")


def for_topics(**changes: object) -> EditionDraft:
    """Return an edition with a letter for all topics and one for the topic ai; none of its posts is about the sea."""
    letters = tuple(Letter(variant, "Hello", "", "<p>Hello</p>", "Hello\n") for variant in ("", "ai"))
    values = {"posts": (POST,), "letters": letters, "variants": {("ai",): "ai", ("sea",): None}}
    return draft(**(values | changes))


def received(store: Store, edition: Edition) -> dict[str, str]:
    """Return the variant of each delivery, even if its subscriber may no longer get email."""
    with store.database.read() as connection:
        found = connection.exec_driver_sql(
            "SELECT s.address, d.variant FROM deliveries d JOIN subscribers s ON s.id = d.subscriber_id"
            f" WHERE d.edition_id = {edition.id}"
        ).all()
    assert len(found) == len(dict(found))
    return dict(found)


def make(
    store: Store,
    monkeypatch: pytest.MonkeyPatch,
    between: Callable[[int], None],
    edition: EditionDraft | None = None,
) -> Edition | None:
    """Make an edition; before each part, `between` is called with the number of parts so far."""
    write_part, done = edition_filling._write_part, 0

    def write_one(database: Database, edition_id: int) -> bool:
        nonlocal done
        if database is store.database:
            between(done)
            done += 1
        return write_part(database, edition_id)

    with monkeypatch.context() as patched:
        patched.setattr(edition_filling, "_write_part", write_one)
        return store.editions.create(edition or for_topics())


def make_half(
    store: Store, monkeypatch: pytest.MonkeyPatch, parts: int = 1, edition: EditionDraft | None = None
) -> Edition:
    """Begin to make an edition, and simulate a kill after some of its parts."""

    def end(done: int) -> None:
        if done == parts:
            raise KilledError

    with pytest.raises(KilledError):
        make(store, monkeypatch, end, edition)
    return store.editions.list()[0]


def test_an_edition_in_parts_equals_an_edition_in_one_part(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    add(store, *range(PEOPLE))
    add(store, 20, 21, topics=("ai",))
    add(store, 22, topics=("sea",))
    add(store, 23, newsletter="daily")
    parts: list[int] = []
    edition = make(store, monkeypatch, parts.append)
    assert edition is not None
    assert len(parts) > 3
    assert received(store, edition) == dict.fromkeys(map(address, range(PEOPLE)), "") | {
        address(20): "ai",
        address(21): "ai",
    }
    assert store.deliveries.counts(edition.id).total == len(claim(store, edition)) == PEOPLE + 2
    assert store.editions.complete() == 0


def test_an_edition_for_few_is_made_in_one_transaction(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    add(store, *range(PART))
    parts: list[int] = []
    edition = make(store, monkeypatch, parts.append)
    assert edition is not None
    assert store.deliveries.counts(edition.id).total == PART
    assert parts == []


@pytest.mark.parametrize("parts", [0, 1, 2, 3])
def test_another_host_completes_the_edition_of_a_killed_one(
    store: Store, other: Store, monkeypatch: pytest.MonkeyPatch, parts: int
) -> None:
    add(store, *range(PEOPLE))
    edition = make_half(store, monkeypatch, parts)
    assert store.deliveries.counts(edition.id).total == parts * PART
    assert len(claim(store, edition)) == 0
    assert list(store.editions.ready(NOW)) == []
    assert list(store.editions.unfinished()) == [edition]
    assert other.editions.complete() == 1
    assert list(store.editions.ready(NOW)) == [edition]
    assert len(claim(store, edition)) == PEOPLE
    assert other.editions.complete() == store.editions.complete() == 0


def test_two_hosts_complete_an_edition_together(store: Store, other: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    add(store, *range(4 * PEOPLE))
    edition = make_half(store, monkeypatch)
    with ThreadPoolExecutor(2) as threads:
        list(threads.map(lambda each: each.editions.complete(), (store, other)))
    assert len(received(store, edition)) == len(claim(store, edition)) == 4 * PEOPLE


def test_other_processes_can_write_between_two_parts(
    store: Store, other: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(store, *range(PEOPLE))
    wrote: list[bool] = []

    def write(done: int) -> None:
        add(other, 100 + done)
        wrote.append(other.subscribers.remove(address(done), at=NOW, source="test"))

    edition = make(store, monkeypatch, write)
    assert edition is not None
    assert wrote == [True] * len(wrote)
    assert len(wrote) > PEOPLE // PART
    assert set(received(store, edition)) == {address(number) for number in range(PEOPLE)}


def pause(own: SubscriberTransaction, number: int) -> None:
    who = own.find(address(number))
    assert who is not None
    own.pause(who, later(days=9))


def choose(*topics: str) -> Callable[[SubscriberTransaction, int], None]:
    def change(own: SubscriberTransaction, number: int) -> None:
        who = own.find(address(number))
        assert who is not None
        own.subscribe(who, type(who.subscriptions[0])("weekly", topics), SubscriptionEvent.CHOSEN, "page")

    return change


def leave(own: SubscriberTransaction, number: int) -> None:
    who = own.find(address(number))
    assert who is not None
    own.leave(who, None, OWNER)


def bounce(own: SubscriberTransaction, number: int) -> None:
    who = own.find(address(number))
    assert who is not None
    own.apply(who, SubscriberEvent.BOUNCED)


def tag(own: SubscriberTransaction, number: int) -> None:
    who = own.find(address(number))
    assert who is not None
    own.set_tags(who, ["vip"])


CHANGES = {
    "pause": pause,
    "to known topics": choose("ai"),
    "to topics that no one had": choose("moon"),
    "leave": leave,
    "bounce": bounce,
    "tag": tag,
}


def change(store: Store, what: str, number: int) -> None:
    with store.subscribers.transaction(NOW, alone=True, newsletters=["weekly"]) as own:
        CHANGES[what](own, number)


@pytest.mark.parametrize("what", CHANGES)
@pytest.mark.parametrize("number", [0, PEOPLE - 1])
def test_a_change_in_the_middle_is_too_late_for_the_edition(
    store: Store, other: Store, monkeypatch: pytest.MonkeyPatch, what: str, number: int
) -> None:
    add(store, *range(PEOPLE))
    add(store, 30, topics=("ai",))
    everyone = dict.fromkeys(map(address, range(PEOPLE)), "") | {address(30): "ai"}
    edition = make_half(store, monkeypatch, edition=for_topics(segment="not tag:vip"))
    change(other, what, number)
    other.editions.complete()
    assert received(store, edition) == everyone


@pytest.mark.parametrize("seed", range(8))
def test_whatever_happens_in_the_middle_everyone_gets_the_edition_once(
    store: Store, other: Store, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    chance = Random(seed)
    topics = {number: chance.choice([(), (), ("ai",), ("sea",)]) for number in range(PEOPLE)}
    for number in range(PEOPLE):
        add(store, number, topics=topics[number])
    add(store, 50, 51, newsletter="daily")
    who = {address(number): chosen for number, chosen in topics.items() if chosen != ("sea",)}
    erased: set[str] = set()

    def interfere(done: int) -> None:
        number = chance.randrange(PEOPLE)
        what = chance.choice([*CHANGES, "erase", "join", "import"])
        if what == "erase":
            with other.subscribers.transaction(NOW, alone=True) as own:
                own.erase(own.find(address(number)), address(number))
            erased.add(address(number))
        elif what == "join":
            add(other, chance.choice([50, 51, 60 + done]), topics=chance.choice([(), ("ai",), ("moon",)]))
        elif what == "import":
            add(other, *range(PEOPLE), topics=("moon",))
        elif address(number) not in erased and other.subscribers.get(address(number)).subscriptions:
            change(other, what, number)

    edition = make(store, monkeypatch, interfere)
    assert edition is not None
    expected = {name: "".join(chosen) for name, chosen in who.items() if name not in erased}
    got = received(store, edition)
    assert {name: got[name] for name in got if name not in erased} == expected


def test_new_topics_cause_the_edition_to_be_composed_again(store: Store) -> None:
    add(store, *range(PEOPLE))
    add(store, 40, topics=("moon",))
    with pytest.raises(ChoicesChangedError):
        store.editions.create(for_topics())
    assert list(store.editions.list()) == []
    assert store.editions.handled_posts("weekly") == frozenset()


def often(store: Store, number: int, frequency: str) -> None:
    with store.subscribers.transaction(NOW, newsletters=["weekly"]) as own:
        who = own.find(address(number))
        assert who is not None
        own.change_frequency(who, "weekly", frequency, OWNER)


def owed(store: Store, frequency: str) -> list[tuple[frozenset[str], int]]:
    found = store.subscribers.choices("weekly", NOW, frequency=frequency)
    return [(choice.catch_up.owed, choice.subscribers) for choice in found]


def test_a_frequency_chosen_in_the_middle_neither_loses_nor_repeats_the_post(
    store: Store, other: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(store, *range(PEOPLE))
    for number in (0, 7, 8):
        often(store, number, "monthly")
    edition = make_half(store, monkeypatch)
    often(other, 9, "monthly")
    often(other, 7, "")
    other.editions.complete()
    assert set(received(store, edition)) == {address(number) for number in (1, 2, 3, 4, 5, 6, 9)}
    assert (frozenset({"p"}), 1) in owed(store, "")  # number 7
    assert [lacks for lacks, _ in owed(store, "monthly")] == [frozenset()] * len(owed(store, "monthly"))


def test_people_who_have_to_catch_up_do_so_once(store: Store, other: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    add(store, *range(PEOPLE))
    for number in (8, 9):
        often(store, number, "monthly")
    assert store.editions.create(draft("2026-W46", posts=(EditionPost("old", "Old", "u"),)))
    for number in (8, 9):
        often(store, number, "")
    found = store.subscribers.choices("weekly", NOW, frequency="")
    behind = next(choice.audience for choice in found if choice.catch_up.owed)
    letters = tuple(Letter(variant, "Hello", "", "h", "t") for variant in ("", "both"))
    wanted = draft(posts=(POST,), letters=letters, others={behind: "both"}, earlier=frozenset({"old"}))
    edition = make_half(store, monkeypatch, 0, wanted)
    assert received(store, edition) == {address(8): "both", address(9): "both"}
    assert owed(store, "") == [(frozenset(), PEOPLE)]
    often(other, 8, "monthly")
    other.editions.complete()
    assert received(store, edition) == dict.fromkeys(map(address, range(8)), "") | {
        address(8): "both",
        address(9): "both",
    }


def test_cancelling_a_half_made_edition_cancels_all_of_it(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    add(store, *range(PEOPLE))
    edition = make_half(store, monkeypatch, edition=for_topics(hold=by_person("wait")))
    assert store.ledger.move(edition.id, moves(DeliveryEvent.CANCELLED), next_try_at=None, reason="no") == PEOPLE
    store.editions.give_up(edition.id, by_person("skipped"), frees_posts=True)
    assert store.deliveries.counts(edition.id)[DeliveryStatus.SKIPPED] == PEOPLE
    assert store.editions.called_off("weekly") == {edition.id}


def test_the_next_edition_of_the_newsletter_completes_the_one_before(
    store: Store, other: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(store, *range(PEOPLE))
    add(store, *range(PART), newsletter="daily")
    first = make_half(store, monkeypatch)
    daily = other.editions.create(draft(newsletter="daily"))
    assert daily is not None
    assert store.deliveries.counts(first.id).total == PART
    second = other.editions.create(draft("2026-W48"))
    assert second is not None
    assert [store.deliveries.counts(each.id).total for each in (first, second, daily)] == [PEOPLE, PEOPLE, PART]


def test_latecomers_are_added_to_a_complete_edition(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    add(store, *range(PEOPLE))
    edition = make_half(store, monkeypatch)
    add(store, 70)
    added = store.latecomers.add(edition, WhoJoined(), lambda choice: "", NOW)
    assert added.added == 1
    assert len(received(store, edition)) == len(claim(store, edition)) == PEOPLE + 1


def test_a_half_made_edition_moves_to_the_new_name_when_it_is_complete(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(store, *range(PEOPLE))
    add(store, 80, newsletter="news")
    edition = make_half(store, monkeypatch)
    store.newsletters.rename("weekly", "news", NOW, "test")
    assert store.editions.complete() == 0
    assert set(received(store, edition)) == {address(number) for number in range(PEOPLE)}


def test_no_one_who_joins_in_the_middle_gets_a_version_for_other_topics(
    store: Store, other: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(store, *range(PEOPLE))
    add(store, 90, newsletter="daily")
    add(store, 91)
    edition = make_half(store, monkeypatch, 2)
    add(other, 90, topics=("moon",))
    other.editions.complete()
    assert set(received(store, edition)) == {address(number) for number in (*range(PEOPLE), 91)}
    assert store.subscribers.get(address(90)).record("weekly").status is SubscriptionStatus.SUBSCRIBED


@pytest.mark.parametrize("parts", [0, 1, 2, 3])
def test_the_counts_estimate_how_many_are_missing(store: Store, monkeypatch: pytest.MonkeyPatch, parts: int) -> None:
    add(store, *range(PEOPLE))
    add(store, 20, 21, newsletter="daily")
    edition = make_half(store, monkeypatch, parts)
    add(store, 30, 31)  # joined later, so they do not get it
    counts = store.deliveries.counts(edition.id)
    assert counts.total + counts.missing == PEOPLE
    assert counts.unwritten == f"not complete yet: {parts * PART} of about 10 messages"
    assert not counts.is_over
    assert store.statistics.deliveries([edition.id])[edition.id] == counts
    store.editions.complete(edition.id)
    assert store.deliveries.counts(edition.id).missing == 0


def test_missing_people_of_a_segment_are_estimated_from_earlier_parts(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    for each in range(200):  # every second one gets nothing
        add(store, each, topics=("sea",) if each % 2 else ())
    monkeypatch.setattr(edition_filling, "PART", 50)
    monkeypatch.setattr(edition_filling, "SQLITE_PART", 50)
    edition = make_half(store, monkeypatch)
    assert store.deliveries.counts(edition.id).missing == 75
    assert store.deliveries.counts(edition.id).total == 25
