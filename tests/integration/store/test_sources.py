"""Data fetched from the feeds of other sites, on both databases."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from threading import Barrier

from publisher.core.models import Author, Enclosure, Episode, Image
from publisher.core.source_models import FeedItem, FeedPace
from publisher.core.source_records import ChangedItem, HubLease, ItemChanges, ItemKeys, NewItem
from publisher.store import Store, open_store
from publisher.store.location import sources_key
from tests.support.store_samples import NOW, later

URL = "https://blog.example.org/feed.xml"
FULL = FeedItem(
    guid="https://blog.example.org/?p=1",
    link="https://blog.example.org/one/",
    title="One: “ä” \U0001f600",
    html="<p>Text\0 and a half \ud83d</p>",
    summary="In short\0",
    authors=(Author("Ada", "ada@example.org"), Author("Bob")),
    categories=("AI", "Ruby"),
    published=later(days=-3),
    updated=later(days=-2),
    image=Image("https://blog.example.org/a.png", "A"),
    enclosures=(Enclosure("https://blog.example.org/a.mp3", "audio/mpeg", 1234, 60),),
    episode=Episode(2, 7, "full", transcripts=(("https://blog.example.org/t.vtt", "text/vtt"),)),
    language="en",
)


def new(number: int, **values: object) -> NewItem:
    item = replace(FULL, guid=f"g{number}", title=f"Title {number}", html=f"<p>{number}</p>", summary="")
    return replace(NewItem(item, f"tag:x,2026:{number}", ItemKeys(f"key{number}"), f"digest{number}"), **values)


def fill(store: Store, *numbers: int, name: str = "blog") -> list[int]:
    """Record a document with these items, newest first, and return their numbers."""
    state = store.sources.see({name: URL}, NOW)[name]
    items = tuple(new(number) for number in reversed(numbers))
    listed = tuple(-n for n in range(len(numbers), 0, -1))
    assert store.sources.apply(replace(state, fetched_at=NOW), ItemChanges(items, listed=listed), NOW)
    found = store.sources.state(name)
    assert found is not None
    return list(found.listed)


def test_the_data_of_a_feed_is_read_back_as_written(store: Store) -> None:
    state = store.sources.see({"blog": URL}, NOW)["blog"]
    assert (state.next_at, state.asked_at, state.revision) == (NOW, None, 0)
    assert store.sources.revision() == 0
    told = replace(
        state,
        next_at=later(hours=1),
        etag='W/"a"',
        last_modified="yesterday",
        title="The blog",
        link="https://blog.example.org/",
        language="de",
        pace=FeedPace(60, frozenset({1, 2}), frozenset({6})),
        max_age=3600,
        fetched_at=NOW,
        first_fetched_at=NOW,
        moved_to="https://new.example.org/",
        moved_seen=2,
        problems=("a wrong media type",),
    )
    item = NewItem(FULL, "tag:x,2026:1", ItemKeys("a", "b", "c"), "d", is_backlog=True, is_suspect=True)
    assert store.sources.apply(told, ItemChanges((item,), listed=(-1,)), NOW)
    (stored,) = store.sources.items("blog")
    assert store.sources.state("blog") == replace(told, revision=1, listed=(stored.number,))
    assert store.sources.html(stored.number) == "<p>Text and a half ?</p>"
    assert stored.item == replace(FULL, html="")
    assert (stored.first_seen_at, stored.changed_at, stored.is_backlog, stored.is_suspect) == (NOW, NOW, True, True)
    assert store.sources.item(stored.number) == stored
    assert store.sources.item(stored.number + 1) is None
    assert store.sources.suspects() == {"tag:x,2026:1": "blog"}
    (key,) = store.sources.listing()
    assert key == ("blog", stored.number, 1, stored.size)
    (known,) = store.sources.known("blog")
    assert (known.keys, known.digest, known.published, known.is_gone) == (item.keys, "d", FULL.published, False)


def test_a_document_is_recorded_as_a_whole_or_not_at_all(store: Store) -> None:
    one, two = reversed(fill(store, 2, 1))
    state = store.sources.state("blog")
    assert state is not None
    edited = ChangedItem(one, replace(FULL, title="Edited", html="<p>new</p>"), ItemKeys("key2", "l"), "other")
    swapped = ChangedItem(two, FULL, ItemKeys("key1"), "digest2", is_edited=False)
    changes = ItemChanges((new(3),), (edited, swapped), gone=(two,), listed=(-1, one))
    stale = replace(state, revision=0)
    assert not store.sources.apply(stale, changes, later(hours=1))
    assert len(store.sources.items("blog")) == 2
    assert store.sources.apply(state, changes, later(hours=1))
    first, second, third = store.sources.items("blog")
    assert (first.item.title, first.changed_at, first.digest) == ("Edited", later(hours=1), "other")
    assert (second.changed_at, second.gone_at) == (NOW, later(hours=1))
    assert {each.revision for each in (first, second, third)} == {2}
    assert not store.sources.apply(state, changes, later(hours=2))
    after = store.sources.state("blog")
    assert after is not None
    assert after.listed == (third.number, one)
    assert store.sources.apply(after, ItemChanges(back=(two,), listed=after.listed), later(hours=2))
    assert store.sources.items("blog")[1].gone_at is None
    assert [item.number for item in store.sources.some([two, one])] == [one, two]


def test_each_due_source_is_claimed_by_one_host(store: Store, store_url: str, tmp_path: Path) -> None:
    names = [f"blog{n}" for n in range(5)]
    store.sources.see(dict.fromkeys(names, URL), NOW)
    until = dict.fromkeys(names, later(hours=1))
    with open_store(store_url, tmp_path) as other:
        (mine,) = store.sources.claim({"blog0": later(hours=1)}, NOW).values()
        theirs = other.sources.claim(until, NOW)
        assert (mine.name, set(theirs)) == ("blog0", set(names[1:]))
        store.sources.finished({state.name: state.claim for state in (mine, *theirs.values())})
        assert set(store.sources.claim(until, later(minutes=59))) == set()
        # Once more just before a slot: for one host.
        assert set(other.sources.claim(until, later(minutes=40), dict.fromkeys(names, later(minutes=35)))) == set(names)
        assert set(store.sources.claim(until, later(minutes=40), dict.fromkeys(names, later(minutes=35)))) == set()
    assert set(store.sources.claim({**until, "unknown": NOW}, later(hours=1))) == set(names)


def test_hosts_that_claim_at_the_same_time_share_the_sources(store: Store, store_url: str, tmp_path: Path) -> None:
    names = [f"blog{n}" for n in range(40)]
    store.sources.see(dict.fromkeys(names, URL), NOW)
    until = dict.fromkeys(names, later(hours=1))
    start = Barrier(4, timeout=300)

    def claim(number: int) -> list[str]:
        with open_store(store_url, tmp_path) as host:
            start.wait()
            mine = host.sources.claim(dict(sorted(until.items(), reverse=number % 2 > 0)), NOW)
            host.sources.finished({name: state.claim for name, state in mine.items()})
            return list(mine)

    with ThreadPoolExecutor(4) as hosts:
        claimed = [name for mine in hosts.map(claim, range(4)) for name in mine]
    assert sorted(claimed) == sorted(names)


def test_no_one_fetches_a_source_that_asks_for_a_pause(store: Store) -> None:
    state = store.sources.see({"blog": URL}, NOW)["blog"]
    failed = replace(
        state, next_at=later(hours=2), closed_until=later(hours=2), failing_since=NOW, failures=1, error="HTTP 503"
    )
    store.sources.answered(failed)
    assert store.sources.state("blog") == failed
    until = {"blog": later(hours=3)}
    assert set(store.sources.claim(until, later(hours=1), {"blog": later(hours=1)})) == set()
    assert set(store.sources.claim(until, later(hours=2))) == {"blog"}


def test_the_claim_of_a_killed_host_ends_and_so_does_a_returned_one(store: Store) -> None:
    store.sources.see({"blog": URL}, NOW)
    until = {"blog": later(hours=9)}
    (mine,) = store.sources.claim(until, NOW).values()
    assert (mine.asked_at, mine.next_at, mine.is_being_fetched(later(minutes=9))) == (NOW, later(hours=9), True)
    assert not mine.is_being_fetched(later(minutes=10))
    assert store.sources.claim(until, later(minutes=9)) == {}
    (other,) = store.sources.claim({"blog": later(hours=8)}, later(minutes=10)).values()
    assert other.claim != mine.claim
    store.sources.answered(replace(mine, next_at=later(hours=1), etag="late"))  # it was only slow
    assert store.sources.state("blog") == replace(other, etag="late")
    store.sources.finished({"blog": other.claim})
    assert store.sources.claim(until, later(hours=7)) == {}


def test_a_notification_during_a_fetch_causes_another_fetch(store: Store) -> None:
    store.sources.see({"blog": URL}, NOW)
    (mine,) = store.sources.claim({"blog": later(hours=1)}, NOW).values()
    store.sources.wake("blog", later(minutes=5))
    assert store.sources.apply(
        replace(mine, etag="new", next_at=later(hours=1)), ItemChanges((new(1),), listed=(-1,)), NOW
    )
    state = store.sources.state("blog")
    assert state is not None
    assert (state.next_at, state.etag) == (later(minutes=5), "new")


def test_a_wrong_clock_delays_a_source_by_at_most_an_hour(store: Store) -> None:
    (state,) = store.sources.see({"blog": URL}, NOW).values()
    assert state.may_be_claimed(NOW)
    (claimed,) = store.sources.claim({"blog": later(days=400)}, later(days=399)).values()
    closed = replace(claimed, next_at=later(days=400), closed_until=later(days=400))
    store.sources.answered(closed)
    (now,) = store.sources.states()
    assert now.may_be_claimed(NOW)
    assert set(store.sources.claim({"blog": later(hours=1)}, NOW)) == {"blog"}
    (now,) = store.sources.states()
    assert not now.may_be_claimed(later(minutes=-30))
    assert store.sources.claim({"blog": later(hours=2)}, later(minutes=-30)) == {}


def test_a_new_url_is_fetched_immediately_and_keeps_the_items(store: Store) -> None:
    fill(store, 1)
    state = store.sources.state("blog")
    assert state is not None
    gone = replace(state, next_at=later(days=9), ended_at=NOW, etag='"a"', first_fetched_at=NOW, title="The blog")
    store.sources.answered(gone)
    assert store.sources.see({"blog": URL}, later(hours=1))["blog"] == gone
    moved = store.sources.see({"blog": "https://new.example.org/feed"}, later(hours=1))["blog"]
    assert (moved.url, moved.next_at, moved.etag, moved.ended_at) == (
        "https://new.example.org/feed",
        later(hours=1),
        "",
        None,
    )
    assert (moved.title, moved.first_fetched_at, moved.revision, len(store.sources.items("blog"))) == (
        "The blog",
        NOW,
        state.revision,
        1,
    )


def test_an_item_is_skipped_once(store: Store) -> None:
    (number,) = fill(store, 1)
    before = store.sources.revision()
    assert store.sources.skip(number, NOW)
    assert not store.sources.skip(number, later(hours=1))
    assert not store.sources.skip(number + 1, NOW)
    item = store.sources.item(number)
    assert item is not None
    assert (item.skipped_at, item.revision) == (NOW, before + 1)
    assert store.sources.revision() == before + 1


def test_a_lease_with_a_hub_ends_with_the_url(store: Store) -> None:
    store.sources.see({"blog": URL, "other": URL}, NOW)
    lease = HubLease("https://hub.example.org/", URL, "token", "secret", NOW, later(days=5))
    store.sources.set_hub("blog", lease)
    assert store.sources.hub("blog") == lease
    assert store.sources.hubs() == {"blog": lease}
    store.sources.claim({"blog": later(hours=1)}, NOW)
    store.sources.wake("blog", later(minutes=5))
    assert set(store.sources.claim({"blog": later(hours=2)}, later(minutes=5))) == {"blog"}
    store.sources.see({"blog": "https://new.example.org/"}, NOW)
    assert store.sources.hub("blog") is store.sources.hub("other") is None


def test_the_quick_check_of_sources_agrees_with_the_store(tmp_path: Path) -> None:
    url = "sqlite:///publisher.db"
    assert sources_key(url, tmp_path) is None
    keys = []
    with open_store(url, tmp_path) as store:
        keys.append(sources_key(url, tmp_path))
        store.sources.see({"blog": URL}, NOW)
        keys.append(sources_key(url, tmp_path))
        fill(store, 1)
        keys.append(sources_key(url, tmp_path))
        store.sources.claim({"blog": later(hours=1)}, NOW + timedelta(days=1))
        keys.append(sources_key(url, tmp_path))
        fill(store, 2)
        keys.append(sources_key(url, tmp_path))
    assert keys == ["", "", "1:1", "1:1", "1:2"]
