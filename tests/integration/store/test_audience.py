"""Selections of topics and the deliveries made for them, on SQLite and on PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from publisher.core.errors import StoreError
from publisher.core.newsletter_models import Choice, Edition, EditionDraft, EditionPost, Letter
from publisher.newsletters.variants import topic_set, variant_key
from publisher.store import Store
from publisher.store.audience import ChoicesChangedError
from publisher.store.subscriber_records import encode_topics
from publisher.store.tables import subscriptions
from tests.support.store_samples import NOW, add_people, claim, draft, person


def add(store: Store, name: str, *topics: str, newsletter: str = "weekly") -> None:
    """Add a subscriber with a choice of topics."""
    store.subscribers.add(person(f"{name}@example.org", newsletter, topics=topics), at=NOW, source="test")


def letters(*variants: str) -> tuple[Letter, ...]:
    """Return one short letter for all topics, and one for each variant."""
    return tuple(Letter(variant, f"About {variant}", "p", "h", "t") for variant in ("", *variants))


def received(store: Store, edition: Edition) -> dict[str, str]:
    """Return the variant of each subscriber's delivery."""
    claimed = claim(store, edition)
    return {delivery.address.partition("@")[0]: delivery.variant for delivery in claimed}


def change_topics(store: Store, newsletter: str, *topics: str) -> None:
    """Change the topics of every subscription of a newsletter, like the preferences page."""
    change = sa.update(subscriptions).where(subscriptions.c.newsletter == newsletter)
    with store._database.write() as connection:
        connection.execute(change.values(topics=encode_topics(topics)))


def test_selections_of_active_subscribers_are_counted(store: Store) -> None:
    add_people(store, 3)
    add(store, "ai", "ml", "ai")
    add(store, "ai-too", "ai", "ml")
    add(store, "gone", "art")
    add(store, "daily", "sea", newsletter="daily")
    store.subscribers.remove("gone@example.org", at=NOW, source="test")

    assert set(store.subscribers.choices("weekly", NOW)) == {Choice((), 3), Choice(("ai", "ml"), 2)}
    assert list(store.subscribers.choices("daily", NOW)) == [Choice(("sea",), 1)]
    assert list(store.subscribers.choices("none", NOW)) == []


def test_each_subscriber_gets_their_variant(store: Store) -> None:
    add(store, "all")
    add(store, "ai", "ml", "ai")
    add(store, "loud", "AI", "ML")
    add(store, "art", "art")
    variants = {("ai", "ml"): "ai,ml", ("AI", "ML"): "ai,ml", ("art",): None}

    edition = store.editions.create(draft(letters=letters("ai,ml"), variants=variants))

    assert edition is not None
    assert received(store, edition) == {"all": "", "ai": "ai,ml", "loud": "ai,ml"}
    assert store.deliveries.counts(edition.id).total == 3
    assert store.deliveries.by_variant(edition.id) == {"": 1, "ai,ml": 2}


def test_an_unknown_selection_stops_the_edition(store: Store) -> None:
    add_people(store, 3)
    add(store, "ai", "ai")
    unknowing = draft(letters=letters("ai"))

    with pytest.raises(ChoicesChangedError, match="weekly 2026-W47: subscribers chose different topics"):
        store.editions.create(unknowing)
    assert issubclass(ChoicesChangedError, StoreError)
    assert list(store.editions.list()) == []
    assert store.editions.handled_posts("weekly") == frozenset()

    knowing = draft(letters=letters("ai"), variants={("ai",): "ai"})
    assert store.editions.create(knowing) is not None


def test_selections_of_inactive_subscribers_stop_nothing(store: Store) -> None:
    add(store, "gone", "art")
    add(store, "sea", "sea", newsletter="daily")
    store.subscribers.remove("gone@example.org", at=NOW, source="test")
    assert store.editions.create(draft()) is not None


def test_an_unused_selection_does_no_harm(store: Store) -> None:
    add(store, "all")
    edition = store.editions.create(draft(letters=letters("ai"), variants={("ai",): "ai", ("art",): None}))
    assert edition is not None
    assert received(store, edition) == {"all": ""}


def test_an_edition_may_have_no_recipients(store: Store) -> None:
    add(store, "art", "art")
    edition = store.editions.create(draft(variants={("art",): None}))
    assert edition is not None
    assert store.deliveries.counts(edition.id).total == 0
    assert list(store.editions.unfinished()) == []


def test_a_variant_needs_its_letter(store: Store) -> None:
    with pytest.raises(ValueError, match="a letter for 'ai'"):
        store.editions.create(draft(variants={("ai",): "ai"}))
    assert list(store.editions.list()) == []


def test_a_delivery_keeps_its_variant_when_the_topics_change_later(store: Store) -> None:
    add(store, "ai", "ai")
    edition = store.editions.create(draft(letters=letters("ai"), variants={("ai",): "ai"}))
    assert edition is not None
    change_topics(store, "weekly", "art")
    assert received(store, edition) == {"ai": "ai"}


def test_a_letter_is_found_by_its_variant(store: Store) -> None:
    edition = store.editions.create(draft(letters=letters("ai"), variants={("ai",): "ai"}))
    assert edition is not None
    everything, ai = letters("ai")
    assert store.editions.letter(edition.id) == everything
    assert store.editions.letter(edition.id, "ai") == ai
    assert store.editions.letter(edition.id, "art") is None


def test_topics_may_change_while_editions_are_made(
    store: Store,
) -> None:
    """Every delivery belongs to a choice that its subscriber had; no edition is stored for only some subscribers."""
    for number in range(20):
        add(store, f"reader{number}", "ai")
    known = {("ai",): "ai", ("art",): "art"}

    def make(number: int) -> Edition | None:
        return store.editions.create(_numbered(number, known))

    def change(number: int) -> None:
        change_topics(store, "weekly", *(("ai",), ("art",), ("sea",))[number % 3])

    with ThreadPoolExecutor(1) as pool:  # two processes that change every row may wait for each other
        changes = [pool.submit(change, number) for number in range(24)]
        outcomes = [_outcome(make, number) for number in range(24)]
        for done in changes:
            done.result()

    for edition in outcomes:
        if edition is not None:
            counts = store.deliveries.by_variant(edition.id)
            assert sum(counts.values()) == 20
            assert counts.keys() <= {"ai", "art"}
    assert len(list(store.editions.list())) == sum(edition is not None for edition in outcomes)


def _numbered(number: int, known: dict[tuple[str, ...], str]) -> EditionDraft:
    posts = (EditionPost(f"p{number}", "P", "u"),)
    return draft(f"slot-{number}", posts=posts, letters=letters("ai", "art"), variants=known)


def _outcome(make: Callable[[int], Edition | None], number: int) -> Edition | None:
    try:
        return make(number)
    except ChoicesChangedError:
        return None


ODD = st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1), max_size=4)


@settings(
    max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], deadline=None
)
@given(st.lists(ODD, max_size=6))
def test_any_spelling_of_topics_is_found_again(store: Store, spellings: Sequence[list[str]]) -> None:
    """Quotes, backslashes, newlines and every script survive in the one parameter for all choices."""
    newsletter = f"n{len(list(store.editions.list()))}"
    for number, topics in enumerate(spellings):
        store.subscribers.add(
            person(f"{newsletter}-{number}@example.org", newsletter, topics=tuple(topics)), at=NOW, source="t"
        )
    held = [choice.topics for choice in store.subscribers.choices(newsletter, NOW)]
    variants = {topics: str(index) if topics else "" for index, topics in enumerate(held)}
    made = store.editions.create(
        draft(
            newsletter, newsletter=newsletter, letters=letters(*{v for v in variants.values() if v}), variants=variants
        )
    )
    assert made is not None
    got = received(store, made)
    assert got == {
        f"{newsletter}-{number}": variants[tuple(sorted(set(topics)))] for number, topics in enumerate(spellings)
    }


def test_a_thousand_selections_are_one_parameter(store: Store) -> None:
    people = [person(f"r{i}@example.org", topics=(f"topic-{i}", "x" * 300)) for i in range(1_000)]
    store.subscribers.add_many(people, at=NOW, source="test")
    held = store.subscribers.choices("weekly", NOW)
    assert len(held) == 1_000
    variants = {choice.topics: choice.topics[0] for choice in held}
    edition = store.editions.create(draft(letters=letters(*variants.values()), variants=variants))
    assert edition is not None
    assert received(store, edition) == {f"r{i}": f"topic-{i}" for i in range(1_000)}


def test_a_thousand_posts_that_others_have_sent_are_found(store: Store) -> None:
    add_people(store, 2)
    add(store, "reader0", newsletter="daily")
    posts = tuple(EditionPost(f"tag:example.org,2026:{number:04}", "A post", "") for number in range(1_500))
    had = posts[0], posts[150], posts[1_499]
    other = store.editions.create(draft(newsletter="daily", posts=had))
    assert other is not None

    choices = store.subscribers.choices("weekly", NOW, frequency="", once=[post.id for post in posts])
    assert sorted((len(choice.sent), choice.subscribers) for choice in choices) == [(0, 1), (3, 1)]
    assert {post.id for post in had} in [choice.sent for choice in choices]


def test_sixty_topics_fit_into_a_variant(store: Store) -> None:
    topics = topic_set([f"A rather long topic no. {number}" for number in range(60)])
    add(store, "curious", *topics)
    key = variant_key(topics)
    edition = store.editions.create(draft(letters=letters(key), variants={topics: key}))
    assert edition is not None
    assert received(store, edition) == {"curious": key}
    assert store.editions.letter(edition.id, key) is not None
