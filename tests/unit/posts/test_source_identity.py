"""Which items of a document are new: nothing is lost, and nothing is sent twice."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from publisher.core.source_models import FeedDocument, FeedItem
from publisher.core.source_records import ItemChanges, KnownItem
from publisher.posts.sources.identity import changes
from publisher.posts.sources.item_links import canonical_link
from publisher.posts.sources.item_text import have_words_in_common
from tests.support.item_cases import BLOG, CASES, NOW, SAME, A, B, C, D, item

MINT = "tag:example.org,2026:blog/"
DAY = timedelta(days=1)


@dataclass
class Life:
    """A source over several fetches, with the items that the database would contain."""

    known: dict[int, KnownItem] = field(default_factory=dict)
    items: dict[int, FeedItem] = field(default_factory=dict)
    listed: tuple[int, ...] = ()
    now: datetime = NOW

    def read(self, *found: FeedItem, link: str = f"{BLOG}/", later: timedelta = timedelta(hours=1)) -> ItemChanges:
        """Compare the next document with the known items, apply the changes, and return them."""
        document = FeedDocument("rss", "A blog", link, found)
        is_first, self.now = not self.known and not self.listed, self.now + later
        known, texts = list(self.known.values()), {number: each.html for number, each in self.items.items()}
        done = changes(
            known, document, self.now, is_first=is_first, mint=MINT, listed=self.listed, text_of=texts.__getitem__
        )
        start = len(self.known)
        for number, new in enumerate(done.new, start + 1):
            self._set(number, new.item, KnownItem(number, new.post_id, new.keys, new.digest, None, self.now))
        for each in done.changed:
            old = self.known[each.number]
            self._set(each.number, each.item, replace(old, keys=each.keys, digest=each.digest))
        for numbers, is_gone in ((done.back, False), (done.gone, True)):
            for number in numbers:
                self.known[number] = replace(self.known[number], is_gone=is_gone)
        self.listed = tuple(number if number > 0 else start - number for number in done.listed)
        assert len({each.keys.guid for each in self.known.values()}) == len(self.known)
        assert len({each.post_id for each in self.known.values()}) == len(self.known)
        return done

    def _set(self, number: int, found: FeedItem, known: KnownItem) -> None:
        self.items[number], self.known[number] = found, replace(known, published=found.published)

    def titles(self) -> list[str]:
        """Return the titles of all items, in the order in which they were first seen."""
        return [self.items[number].title for number in sorted(self.items)]


@pytest.mark.parametrize("case", CASES)
def test_each_item_becomes_one_post(case: str) -> None:
    documents, expected = CASES[case]
    life = Life()
    for found in documents:
        life.read(*found)
    assert "".join(sorted(title.removeprefix("On ") for title in life.titles())) == "".join(sorted(split(expected)))
    again = life.read(*documents[-1])
    assert (again.new, again.changed) == ((), ())


def split(text: str) -> Iterator[str]:
    """Yield the names in a text. For example, `a!bc` consists of the names `a!`, `b` and `c`."""
    for char in text:
        if char != "!":
            yield char + "!" * text.count(f"{char}!")


def test_an_edit_keeps_the_post_and_its_id() -> None:
    life = Life()
    (first,) = life.read(A).new
    assert (first.post_id, first.is_backlog, first.is_suspect) == (A.guid, True, False)
    edited = life.read(replace(A, title="Other", html="<p>other</p>"))
    assert [(each.number, each.is_edited) for each in edited.changed] == [(1, True)]
    moved = life.read(replace(A, guid="x y", title="Other", html="<p>other</p>"))
    assert [(each.number, each.is_edited) for each in moved.changed] == [(1, False)]
    assert life.known[1].post_id == A.guid
    assert not life.read(replace(A, guid="x y", title="Other", html="<p>other</p>", updated=NOW))


def test_a_guid_that_is_not_a_uri_or_is_in_use_gets_an_id_from_us() -> None:
    life = Life()
    life.read(A)
    life.read(replace(A, guid="x"))
    new = life.read(replace(C, guid="n o"), replace(B, guid="http:" + "a" * 600), replace(D, guid=A.guid)).new
    assert all(each.post_id.startswith(MINT) for each in new)
    assert len({each.post_id for each in new}) == 3
    (late,) = life.read(replace(C, guid="n o"), item("f", guid="urn:uuid:1"), days(B)).new[:1]
    assert late.post_id == "urn:uuid:1"


def days(each: FeedItem) -> FeedItem:
    return replace(each, guid="http:" + "a" * 600)


def gone_after(*documents: Sequence[FeedItem], later: timedelta = timedelta(hours=1)) -> str:
    life = Life()
    for found in documents:
        done = life.read(*found, later=later)
    return "".join(life.items[number].title[-1] for number in done.gone)


def test_a_withdrawn_item_is_gone_and_one_that_moved_out_of_the_feed_is_not() -> None:
    assert gone_after([B, A], [C, B, A], [B, A]) == "c"
    assert gone_after([C, B, A], [C, A]) == "b"
    assert gone_after([C, B], [D, C]) == ""
    assert gone_after([B, A], [B]) == "a"
    assert gone_after([B, A], [B], later=DAY) == ""
    assert gone_after([A], []) == "a"
    assert gone_after([A, B, C], [A, C, D]) == "b"  # oldest first
    assert gone_after([C, B, A], [D, B, A]) == "c"
    life = Life()
    for found in ([C, B, A], [B, A]):
        life.read(*found)
    assert life.known[3].is_gone
    assert life.read(C, B, A).back == (3,)
    assert life.read(B, A).gone == (3,)
    assert life.read(B, A).gone == ()


def test_a_feed_with_only_new_items_is_suspect_and_a_growing_one_is_not() -> None:
    def held(before: Sequence[FeedItem], after: Sequence[FeedItem]) -> bool:
        life = Life()
        life.read(*before)
        done = life.read(*after)
        assert all(each.is_suspect == done.is_held for each in done.new if not each.is_old)
        return done.is_held

    old, new = [item(f"o{n}", days=n) for n in range(10)], [item(f"n{n}", days=n) for n in range(10)]
    assert held(old, new)
    assert held(old, [*new[:6], *old[:4]])
    assert not held(old, [*new[:5], *old[:5]])
    assert not held(old, [*new, *old])
    assert not held(old[:1], new[:1])
    assert not held(old[:1], [*new[:2], *old[:1]])
    assert held(old[:2], new[:2])
    assert not held([], new)
    # New items come after all known ones, and a date in the future does not count.
    before = [item(f"o{n}", days=n + 50) for n in range(10)]
    assert not held(before, [*new[:7], *before[:3]])
    assert not held(before, new)
    assert not held([item("future", days=-90), *before[:9]], [item("future", days=-90), *new[:7], *before[:2]])
    undated = [replace(each, published=None) for each in new]
    assert held(before, [*undated[:7], *before[:3]])
    assert held([replace(each, published=None) for each in before], new)
    # A move that gives everything a new date, with known titles. The unknown titles have the same date.
    moved = [item(f"m{n}", title=f"On o{n}", days=0.001 * n) for n in range(10)]
    assert held(before, moved)
    assert held(before, [*moved[:6], *new[1:5]])
    assert held(before, [*moved[:3], *(replace(each, title=f"Unknown {each.title}") for each in moved[3:])])
    at_once = [replace(each, published=NOW) for each in new]
    assert held(before, at_once)
    assert not held(before, [*at_once[:5], *new[5:7], *before[:3]])
    # A repeated title identifies nothing.
    same = [[replace(each, title="Open thread") for each in each_time] for each_time in (before, new)]
    assert not held(*same)


def old_after(*documents: Sequence[FeedItem]) -> str:
    """Return the names of the new items in the last document that are treated as old, and therefore as backlog."""
    life = Life()
    for found in documents:
        done = life.read(*found)
    assert all(each.is_backlog and not each.is_suspect for each in done.new if each.is_old)
    return " ".join(each.item.title.removeprefix("On ") for each in done.new if each.is_old)


def test_items_that_appear_at_the_old_end_are_backlog() -> None:
    posts = [item(str(n), days=n) for n in range(2, 22)]  # 2 is the newest
    first = posts[:10]
    news, back = item("news", days=1), item("back", days=300)
    without_two = [each for each in posts if each.title not in ("On 4", "On 9")]
    assert old_after(first, without_two[:10]) == "13 12"
    assert old_after(first, [news, *without_two[:9]]) == "12"
    assert old_after(first, [*posts[:9], posts[10]]) == "12"  # the oldest was deleted
    assert old_after(first, [news, *posts[:15]]) == "16 15 14 13 12"  # it has more items
    assert old_after(first, [item("news", days=1), *posts[:15]][::-1]) == "16 15 14 13 12"  # oldest first
    assert old_after(posts[:2], [news], [news, *posts[:5]]) == "6 5 4"
    undated = [replace(each, published=None) for each in posts]
    assert old_after(undated[:10], undated[:15]) == "16 15 14 13 12"
    assert old_after(first, [*first, *undated[10:12]]) == "13 12"
    # After an item that always comes first, there may be new items without dates.
    assert old_after(undated[:5], [undated[0], *undated[10:14]]) == ""
    assert old_after(first, [first[0], *undated[10:14]]) == ""
    # A back-dated item is elsewhere, or is the only change. Its date says nothing about others.
    assert old_after(first, [back, *first[:9]]) == ""
    assert old_after(first, [first[0], back, *first[1:9]]) == ""
    assert old_after(first, [*first, back]) == ""
    assert old_after([back, *first[:9]], [back, *without_two[:9]]) == "12 11"
    # An item that is dated later than the oldest may be new although it is in that place, and so may all others.
    assert old_after(first, [*first[1:], item("late", days=5.5)]) == ""
    assert old_after(first, [news, *first[:9]]) == ""
    assert old_after(first, posts[10:]) == ""
    assert old_after(posts) == ""


def test_a_link_is_compared_without_irrelevant_parts() -> None:
    same = ("https://a.org/x/", "http://www.A.org:80/x?utm_source=b#", "//a.org/x", "https://a.org:443/x?utm_a=b")
    assert {canonical_link(each) for each in same} == {"a.org/x"}
    other = ("https://a.org/x?p=1", "https://a.org/X", "https://a.org:8080/x", "https://b.a.org/x", "https://a.org/x#y")
    assert len({canonical_link(each) for each in (*other, *same)}) == 6
    assert canonical_link("http://[bad") == "http://[bad"


def test_texts_with_words_in_common_may_be_versions_of_one() -> None:
    old = "<p>This is the text of Planet 20. It is long enough to be read by anybody.</p><p>And a second one.</p>"
    longer = f"<h2>Update</h2><p>There is more to say now, and we say it at length, as we always do.</p>{old}"
    assert have_words_in_common(old, longer)
    assert have_words_in_common(old, old.replace("Planet 20", "<b>Planet</b> 21"))
    assert have_words_in_common("<p>船が港に戻ってきた。来週また出る。</p>", "<p>船が港に戻ってきた。もう出ない。</p>")
    assert have_words_in_common("b", "<p>b</p>")
    other = "<p>Ten links of the week, of which the first is about bread, and the text of the last is long.</p>"
    assert not have_words_in_common(old, "<p>Wholly different</p>")
    assert not have_words_in_common(old, other)
    assert not have_words_in_common("<p>船が港に戻ってきた。</p>", "<p>今日はパンを焼いた。</p>")


TEXT = st.sampled_from(["", "a", "b", BLOG, SAME, "https://[bad", "\ud83d", "tag:x,2026:1"])
ITEMS = st.builds(
    FeedItem, TEXT, TEXT, TEXT, html=TEXT, published=st.sampled_from([None, NOW, NOW - DAY, NOW - 50 * DAY])
)


@settings(max_examples=40)
@given(st.lists(st.lists(ITEMS, max_size=6), max_size=4))
def test_the_same_document_again_changes_nothing(documents: list[list[FeedItem]]) -> None:
    life = Life()
    for found in documents:
        life.read(*found)
        again = life.read(*found)
        assert (again.new, again.gone, again.back) == ((), (), ())


def test_items_with_the_same_guid_link_and_title_are_one() -> None:
    many = [
        FeedItem("same", SAME, f"title {n % 100}", f"<p>{n}</p>", published=NOW + n * DAY / 10**4) for n in range(2_000)
    ]
    life = Life()
    assert len(life.read(*many).new) == 100
    assert life.read(*many).new == ()
