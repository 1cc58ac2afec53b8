"""Editions, their posts and their holds, on SQLite and on PostgreSQL."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta, timezone

import pytest

from publisher.core.hold_reasons import HeldBy, Hold, by_person
from publisher.core.newsletter_models import DeliveryStatus, Edition, EditionKind, EditionPost, Letter
from publisher.core.source_records import SourceBeginning
from publisher.mail.lifecycle import DeliveryEvent, moves
from publisher.store import Store
from publisher.store.audience import ChoicesChangedError
from publisher.store.post_files import PostFile
from tests.support.store_samples import NOW, add_people, draft, later, person


def test_an_edition_is_kept_with_its_posts_and_letters(store: Store) -> None:
    posts = (EditionPost("b", "Second", "https://example.org/b/"), EditionPost("a", "First", "u"))
    letters = (
        Letter("", "All", "p", "<p>\u00e9 🙂</p>", "text\n"),
        Letter("ai", "On AI", "p", "<p>ai</p>", "ai"),
    )
    made_at = NOW.astimezone(timezone(timedelta(hours=5, minutes=30)))

    edition = store.editions.create(draft(posts=posts, letters=letters, number=7, made_at=made_at))

    assert edition is not None
    assert (edition.newsletter, edition.slot, edition.number) == ("weekly", "2026-W47", 7)
    assert edition.posts == posts
    assert store.editions.get(edition.id) == edition
    assert store.editions.get(edition.id + 100) is None
    assert list(store.editions.letters(edition.id)) == list(letters)


def test_a_newsletter_without_editions_starts_from_nothing(store: Store) -> None:
    assert not store.editions.exist("weekly")
    assert store.editions.slots("weekly") == frozenset()
    assert store.editions.next_number("weekly") == 1
    assert store.editions.handled_posts("weekly") == frozenset()
    assert list(store.editions.list()) == list(store.editions.unfinished()) == []


def test_newsletters_do_not_affect_each_other(store: Store) -> None:
    post = EditionPost("p", "A post", "u")
    assert store.editions.create(draft(posts=(post,), number=4, passed_over=("old", "older")))

    assert store.editions.exist("weekly")
    assert store.editions.slots("weekly") == {"2026-W47"}
    assert store.editions.next_number("weekly") == 5
    assert store.editions.handled_posts("weekly") == {"p", "old", "older"}
    assert store.editions.handled_posts("daily") == frozenset()
    assert store.editions.next_number("daily") == 1
    assert store.editions.create(draft(newsletter="daily", posts=(post,))) is not None


def test_only_editions_with_posts_are_public_and_counted(store: Store) -> None:
    add_people(store, 2)
    for slot, kind in (("email:moved", EditionKind.LETTER), ("welcome:1", EditionKind.WELCOME)):
        made = store.editions.create(draft(slot, kind=kind, number=0, posts=()))
        assert made is not None
        assert store.editions.get(made.id) == made
        assert store.deliveries.counts(made.id).total == (2 if kind is EditionKind.LETTER else 0)
        assert made.name == f"weekly {slot.removesuffix(':1')}"
    assert list(store.editions.public(NOW)) == []
    assert not store.editions.exist("weekly")
    assert store.editions.slots("weekly") == frozenset()
    assert store.editions.slots("weekly", EditionKind.LETTER) == {"email:moved"}
    assert store.editions.next_number("weekly") == 1

    issue = store.editions.create(draft(number=1, made_at=later(days=-1)))
    assert issue is not None
    assert list(store.editions.public(NOW)) == [issue]
    assert list(store.editions.list("weekly", 1, kind=EditionKind.POSTS)) == [issue]
    assert store.editions.create(draft("email:moved", kind=EditionKind.LETTER, number=0, posts=())) is None


def test_the_other_ids_of_a_post_are_handled_together_with_it(store: Store) -> None:
    one, two = (EditionPost(name, name, "u") for name in ("a", "b"))
    assert store.editions.create(draft("2026-W46", posts=(one,), passed_over=("old",)))
    others = (("b", "b2"), ("a", "a2"), ("old", "old2"), ("unknown", "u2"), ("b", "b"))
    held = store.editions.create(draft(posts=(two,), other_ids=others, hold=by_person("wait")))
    assert held is not None
    assert store.editions.handled_posts("weekly") == {"a", "a2", "b", "b2", "old", "old2"}
    assert [post.id for post in held.posts] == ["b"]
    store.editions.give_up(held.id, by_person("skipped"), frees_posts=True)
    assert store.editions.handled_posts("weekly") == {"a", "a2", "old", "old2"}


def test_editions_are_listed_newest_first(store: Store) -> None:
    for week in range(1, 6):
        store.editions.create(draft(f"2026-W0{week}", made_at=later(days=7 * week)))
    store.editions.create(draft("2026-11-21", newsletter="daily", made_at=later(days=10)))

    listed = [edition.slot for edition in store.editions.list("weekly", limit=2)]
    assert listed == ["2026-W05", "2026-W04"]
    assert [edition.slot for edition in store.editions.list()][-2:] == ["2026-11-21", "2026-W01"]


def test_a_slot_gets_only_one_edition(store: Store) -> None:
    add_people(store, 2)
    first = store.editions.create(draft())
    other_posts = (EditionPost("other", "Other", "u"),)

    assert first is not None
    assert store.editions.create(draft(posts=other_posts)) is None
    assert list(store.editions.list()) == [first]
    assert store.editions.handled_posts("weekly") == {first.posts[0].id}
    assert store.deliveries.counts(first.id).total == 2


def test_a_post_is_in_only_one_edition_of_a_newsletter(store: Store) -> None:
    add_people(store, 2)
    taken = EditionPost("taken", "Taken", "u")
    store.editions.create(draft("2026-W47", posts=(taken,)))

    fresh = EditionPost("fresh", "Fresh", "u")
    assert store.editions.create(draft("2026-W48", posts=(fresh, taken))) is None
    assert store.editions.slots("weekly") == {"2026-W47"}
    assert store.editions.handled_posts("weekly") == {"taken"}


def test_a_skipped_post_is_never_sent(store: Store) -> None:
    store.editions.create(draft("2026-W47", passed_over=("old",)))
    with pytest.raises(ChoicesChangedError):  # it is composed again without the post
        store.editions.create(draft("2026-W48", posts=(EditionPost("old", "Old", "u"),)))
    assert store.editions.slots("weekly") == {"2026-W47"}


def test_skipping_posts_twice_does_no_harm(store: Store) -> None:
    store.editions.create(draft("2026-W47", passed_over=("old", "older")))
    assert store.editions.create(draft("2026-W48", passed_over=("old", "oldest"))) is not None
    assert {"old", "older", "oldest"} <= store.editions.handled_posts("weekly")


def test_a_newsletter_begins_with_a_source_once_even_after_it_is_renamed(store: Store) -> None:
    begun = SourceBeginning(NOW, later(days=-1))
    store.editions.begin_with("weekly", "blog", begun)
    store.editions.begin_with("weekly", "blog", SourceBeginning(later(days=1), NOW))
    assert (store.editions.beginnings("weekly"), store.editions.beginnings("daily")) == ({"blog": begun}, {})
    assert store.editions.handled_posts("weekly") == frozenset()
    store.newsletters.rename("weekly", "daily", NOW, "test")
    assert (store.editions.beginnings("weekly"), store.editions.beginnings("daily")) == ({}, {"blog": begun})


def test_ten_processes_fill_a_slot_once(store: Store) -> None:
    add_people(store, 20)
    drafts = [draft(posts=(EditionPost(f"p{i}", "P", "u"), EditionPost("p", "P", "u"))) for i in range(10)]

    with ThreadPoolExecutor(10) as pool:
        made = [edition for edition in pool.map(store.editions.create, drafts) if edition]

    assert len(made) == 1
    assert store.editions.handled_posts("weekly") == {post.id for post in made[0].posts}
    assert store.deliveries.counts(made[0].id).total == 20


def test_the_same_posts_make_only_one_edition(store: Store) -> None:
    ids = [f"p{i}" for i in range(8)]
    drafts = [
        draft(f"slot-{i}", posts=tuple(EditionPost(p, "P", "u") for p in (ids if i % 2 else ids[::-1])))
        for i in range(10)
    ]

    with ThreadPoolExecutor(10) as pool:
        made = [edition for edition in pool.map(store.editions.create, drafts) if edition]

    assert len(made) == 1


def test_an_edition_needs_a_letter_for_all_topics(store: Store) -> None:
    with pytest.raises(ValueError, match="all topics"):
        store.editions.create(draft(letters=(Letter("ai", "s", "p", "h", "t"),)))


def test_every_active_subscriber_gets_a_delivery(store: Store) -> None:
    add_people(store, 5)
    store.subscribers.add(person("daily@example.org", "daily"), at=NOW, source="test")
    store.subscribers.remove("reader1@example.org", at=NOW, source="test")
    store.subscribers.remove("reader2@example.org", "weekly", at=NOW, source="test")

    edition = store.editions.create(draft())

    assert edition is not None
    assert store.deliveries.counts(edition.id).by_status == {DeliveryStatus.QUEUED: 3}
    add_people(store, 9)
    assert store.deliveries.counts(edition.id).total == 3


def test_an_edition_without_recipients_is_finished(store: Store) -> None:
    edition = store.editions.create(draft())

    assert edition is not None
    assert store.deliveries.counts(edition.id).total == 0
    assert list(store.editions.unfinished()) == []


def test_no_delivery_of_an_edition_on_hold_is_claimed(store: Store) -> None:
    add_people(store, 3)
    edition = store.editions.create(draft(hold=Hold(HeldBy.APPROVAL, "waits for a yes")))
    assert edition is not None
    assert (edition.held, edition.held_by) == ("waits for a yes", "approval")

    assert claimed(store, edition) == 0
    assert [each.hold for each in store.editions.unfinished()] == [edition.hold]

    assert store.editions.release(edition.id)
    assert not store.editions.release(edition.id)
    assert claimed(store, edition) == 3


def test_a_hold_stops_an_edition_that_is_being_sent(store: Store) -> None:
    add_people(store, 3)
    edition = store.editions.create(draft())
    assert edition is not None
    assert claimed(store, edition, limit=1) == 1

    assert store.editions.hold(edition.id, by_person("a wrong link"))
    assert not store.editions.hold(edition.id, Hold(HeldBy.SERVER, "another reason"))

    assert claimed(store, edition) == 0
    held = store.editions.get(edition.id)
    assert held is not None
    assert held.hold == by_person("a wrong link")
    assert store.deliveries.counts(edition.id).by_status == {DeliveryStatus.QUEUED: 2, DeliveryStatus.SENDING: 1}


def test_a_hold_needs_a_reason() -> None:
    with pytest.raises(ValueError, match="reason"):
        by_person("")


def claimed(store: Store, edition: Edition, limit: int = 50) -> int:
    """Let a worker claim deliveries, and return how many it gets."""
    rows = store.deliveries.claim(
        edition.id,
        "w1",
        now=NOW,
        lease_until=later(minutes=2),
        limit=limit,
        claimed=moves(DeliveryEvent.CLAIMED),
        left=moves(DeliveryEvent.LEFT),
    )
    return len(rows)


def test_the_file_of_each_sent_post_is_recorded_once(store: Store) -> None:
    for slot, newsletter, ids in (("1", "weekly", "ab"), ("2", "daily", "bc")):
        posts = tuple(EditionPost(post_id, post_id, "u") for post_id in ids)
        assert store.editions.create(draft(slot, newsletter=newsletter, posts=posts))
    files = store.post_files
    assert (files.missing(), list(files.all())) == ({"a", "b", "c"}, [])

    files.write([PostFile("b", "b.md", "d1", "words"), PostFile("a", "a.md"), PostFile("other", "x.md")])
    files.write([])
    assert files.missing() == {"c"}
    assert [file.post_id for file in files.sent_by("weekly")] == ["a", "b"]
    assert list(files.sent_by("daily")) == [PostFile("b", "b.md", "d1", "words")]
    assert list(files.sent_by("monthly")) == []

    renamed = PostFile("b", "ééé/b 🙂.md", "d2", "other words")
    files.write([renamed, PostFile("c", "")])
    files.write([renamed, PostFile("c", "")])
    assert list(files.all()) == [PostFile("a", "a.md"), renamed, PostFile("c", ""), PostFile("other", "x.md")]
    assert files.missing() == frozenset()


def test_skipped_posts_have_no_recorded_file(store: Store) -> None:
    assert store.editions.create(draft(passed_over=("old",), posts=(EditionPost("new", "New", "u"),)))
    assert store.post_files.missing() == {"new"}
    assert store.editions.handled_posts("weekly") == {"old", "new"}


def test_two_writers_of_the_same_file_wait_for_each_other(store: Store) -> None:
    assert store.editions.create(draft(posts=tuple(EditionPost(f"{n:03}", "T", "u") for n in range(40))))
    lists = [
        [PostFile(f"{n:03}", f"{who}.md") for n in order] for who, order in (("x", range(40)), ("y", range(39, -1, -1)))
    ]
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(store.post_files.write, lists))
    assert store.post_files.missing() == frozenset()
    assert {file.source for file in store.post_files.all()} <= {"x.md", "y.md"}
