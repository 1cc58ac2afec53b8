"""Newsletters from sources with a controlled clock: each item once, slots that wait, editions on hold for a person."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

import pytest

from publisher.publishing.edition_plan import make_plan
from publisher.publishing.source_slots import wanted_for_slots
from publisher.publishing.wiring import open_project_store
from tests.support.clockwork import DAY, HOUR, MINUTE, OWNER, SLOT, Clockwork, configure, slots, text
from tests.support.project import Project
from tests.support.source_samples import changed, fetched, item

SOURCES = """
[[sources]]
name = "blog"
url = "https://blog.example.net/feed.xml"

[[sources]]
name = "news"
url = "https://news.example.net/feed.xml"
"""
DIGEST = """
[[newsletters]]
name = "weekly"
schedule = "weekly monday 08:00"
sources = ["blog", "news"]
first = 2
wait_minutes = 60
"""
WEEK = timedelta(weeks=1)


@pytest.fixture
def clockwork(project: Project) -> Iterator[Clockwork]:
    """A weekly newsletter from two sources, whose first fetch was on the Friday before the slot."""
    configure(project, DIGEST, SOURCES)
    project.subscribe("ada")
    config = project.config()
    friday = SLOT - 3 * DAY
    fetched(config, *(item(number, published=friday - (9 - number) * DAY) for number in range(9)), at=friday)
    fetched(config, at=friday, name="news", title="The News")
    with open_project_store(config) as store:
        ready = Clockwork(project, store)
        ready.at(friday)
        yield ready


def ask(clockwork: Clockwork, at: datetime, *, failing: str = "") -> None:
    """Record that both sources were fetched, successfully except for the failing one, if any."""
    sources = clockwork.store.sources
    sources.claim({"blog": at + HOUR, "news": at + HOUR}, at, {"blog": at, "news": at})
    for state in sources.states():
        since = at if state.name == failing else None
        error = "answers 503" if since else ""
        sources.answered(replace(state, failing_since=since, failures=int(bool(since)), error=error))


def test_each_item_is_sent_once_and_a_deleted_one_not_at_all(clockwork: Clockwork) -> None:
    config = clockwork.project.config()
    ask(clockwork, SLOT - 5 * MINUTE)
    assert slots(clockwork.at(SLOT)) == ["2026-W48"]
    assert clockwork.letters() == ["Item 8 and 1 more"]
    back_dated = item(20, published=SLOT - 4000 * DAY)
    seen = SLOT + 7 * DAY - HOUR
    fetched(config, back_dated, item(21), item(22), at=seen)
    fetched(config, item(23, guid="n23", link="https://news.example.net/23/"), at=SLOT + 7 * DAY - MINUTE, name="news")
    changed(config, "Item 22", None, at=seen)
    ask(clockwork, SLOT + WEEK - 5 * MINUTE)
    assert slots(clockwork.at(SLOT + WEEK)) == ["2026-W49"]
    assert clockwork.letters() == ["Item 8 and 1 more", "Item 21 and 1 more"]
    changed(config, "Item 21", item(21, title="Item 21, edited"), at=SLOT + WEEK + HOUR)
    ask(clockwork, SLOT + 2 * WEEK - 5 * MINUTE)
    assert slots(clockwork.at(SLOT + 2 * WEEK)) == ["2026-W50"]
    assert clockwork.letters()[2:] == ["Item 23"]  # it settled in the week before
    copies = [clockwork.project.root / f"public/editions/weekly/{slot}/index.html" for slot in ("2026-W50", "2026-W49")]
    one, two = (path.read_text() for path in copies)
    assert '<link rel="canonical" href="https://news.example.net/23/">' in one
    assert '<link rel="canonical" href="https://letters.example/editions/weekly/2026-W49/">' in two
    mail = text(clockwork.project.mail()["ada@example.org"][1])
    assert "https://blog.example.net/20/" in mail
    assert "/editions/weekly/2026-W49/" in mail


def test_a_newsletter_or_source_that_is_added_later_begins_with_the_newest_items(clockwork: Clockwork) -> None:
    """Two newsletters and a source are added after a month; none of them gets items that were sent before."""
    project, at = clockwork.project, SLOT + 4 * WEEK
    for day in range(28):
        fetched(project.config(), item(30 + day, published=SLOT + day * DAY), at=SLOT + day * DAY + HOUR)
    two, later = DIGEST.replace('"weekly"', '"two"').replace("first = 2\n", ""), at + 2 * WEEK
    configure(project, DIGEST.replace(', "news"', "") + two.replace(', "news"', ""), SOURCES)
    project.subscribe("eve", newsletter="two")
    config = project.config()
    with open_project_store(config) as store:
        added = Clockwork(project, store)
        plan = partial(make_plan, config, store, ["two"])
        assert [post.title for post in plan(at - HOUR).editions[0].posts] == [f"Item {n}" for n in range(57, 52, -1)]
        (late,) = added.at(at - HOUR).created
        assert len(late.posts) == 2 + 28
        fetched(config, *(item(60 + n, published=at - 900 * DAY) for n in range(9)), at=at - HOUR / 2)
        assert len(plan(at).editions[0].posts) == 5 + 9
        ask(added, at - 5 * MINUTE)
        assert {each.newsletter: len(each.posts) for each in added.at(at).created} == {
            "weekly": 9,
            "two": 5 + 9,
        }
        assert store.editions.handled_posts("two") > {post.id for post in store.editions.list("two")[0].posts}
    fetched(config, *(item(100 + n, published=at - n * DAY) for n in range(9)), at=at, name="news")
    configure(project, DIGEST + two, SOURCES)  # now both use the source news, with which one of them began long ago
    with open_project_store(project.config()) as store:
        added = Clockwork(project, store)
        assert {e.newsletter: len(e.posts) for e in added.at(later - DAY).created} == {"weekly": 9, "two": 5}
        fetched(project.config(), item(120, published=at - 900 * DAY), at=later - HOUR, name="news")
        ask(added, later - 5 * MINUTE)
        assert {each.newsletter: len(each.posts) for each in added.at(later).created} == {"weekly": 1, "two": 1}


def test_a_newsletter_begins_with_its_first_subscriber(project: Project) -> None:
    configure(project, DIGEST.replace(', "news"', ""), SOURCES)
    config = project.config()
    with open_project_store(config) as store:
        clockwork = Clockwork(project, store)
        for day in range(28):
            fetched(config, item(day, published=SLOT + day * DAY), at=SLOT + day * DAY)
            assert clockwork.at(SLOT + day * DAY + 5 * MINUTE).created == ()
        project.subscribe("ada")
        clockwork.at(SLOT + 27 * DAY + HOUR)
        fetched(config, *map(item, range(30, 40)), at=SLOT + 27 * DAY + 2 * HOUR)
        ask(clockwork, SLOT + 4 * WEEK - 5 * MINUTE)
        (made,) = clockwork.at(SLOT + 4 * WEEK).created
        assert {post.title for post in made.posts} == {f"Item {n}" for n in (26, 27, *range(30, 40))}


def test_an_item_that_a_filter_left_out_of_an_edition_stays_out(clockwork: Clockwork) -> None:
    project = clockwork.project
    filtered = SOURCES.replace('feed.xml"\n', 'feed.xml"\nexclude = { title_words = ["60"] }\n', 1)
    configure(project, DIGEST, filtered)
    config = project.config()
    fetched(config, item(60), item(61), at=SLOT - HOUR)
    fetched(config, item(62), at=SLOT - MINUTE)  # it settles
    with open_project_store(config) as store:
        again = Clockwork(project, store)
        ask(again, SLOT - 5 * MINUTE)
        (made,) = again.at(SLOT).created
        assert [post.title for post in made.posts] == ["Item 61", "Item 8", "Item 7"]
    configure(project, DIGEST, SOURCES)
    with open_project_store(project.config()) as store:
        again = Clockwork(project, store)
        ask(again, SLOT + WEEK - 5 * MINUTE)
        (made,) = again.at(SLOT + WEEK).created
        assert [post.title for post in made.posts] == ["Item 62"]


def test_a_slot_waits_for_a_failing_source_and_is_then_sent_without_it(clockwork: Clockwork) -> None:
    ask(clockwork, SLOT - 5 * MINUTE, failing="news")
    for minutes in (0, 30, 59):
        assert clockwork.at(SLOT + minutes * MINUTE).created == ()
    done = clockwork.at(SLOT + HOUR)
    assert slots(done) == ["2026-W48"]
    (warning,) = [str(problem) for problem in done.problems]
    assert warning == (
        "source news: weekly 2026-W48 is sent without its new items, because it can't be fetched: answers 503 "
        "(they will be in the next edition)"
    )
    assert warning in text(clockwork.project.mail()[OWNER][0])
    assert clockwork.at(SLOT + 2 * HOUR).problems == ()


def test_a_slot_is_sent_as_soon_as_the_source_works_again(clockwork: Clockwork) -> None:
    ask(clockwork, SLOT - 5 * MINUTE, failing="blog")
    assert clockwork.at(SLOT + MINUTE).created == ()
    ask(clockwork, SLOT + 20 * MINUTE)
    assert slots(clockwork.at(SLOT + 21 * MINUTE)) == ["2026-W48"]


def test_an_edition_waits_a_little_for_sources_that_were_never_fetched(clockwork: Clockwork) -> None:
    assert clockwork.at(SLOT + 4 * MINUTE).created == ()
    assert slots(clockwork.at(SLOT + 5 * MINUTE)) == ["2026-W48"]


def test_sources_are_fetched_once_more_before_a_slot(clockwork: Clockwork) -> None:
    config = clockwork.project.config()
    since = SLOT - 10 * MINUTE
    both = {"blog": since, "news": since}
    table = [(-11, {}), (-10, both), (0, both), (60, both), (61, {})]
    for minutes, expected in table:
        assert wanted_for_slots(config, SLOT + minutes * MINUTE) == expected
    approved = replace(config, newsletters=(replace(config.newsletters[0], approve=True, approve_hours=24),))
    assert wanted_for_slots(approved, SLOT - DAY) == dict.fromkeys(both, SLOT - DAY - 10 * MINUTE)
    by_hand = replace(config, newsletters=(replace(config.newsletters[0], schedule="manual"),))
    assert wanted_for_slots(by_hand, SLOT) == {}


def test_an_edition_is_put_on_hold_if_half_of_a_feed_is_new(clockwork: Clockwork) -> None:
    fetched(clockwork.project.config(), item(30), at=SLOT - DAY, is_suspect=True)
    ask(clockwork, SLOT - 5 * MINUTE)
    (made,) = clockwork.at(SLOT).created
    assert made.held == "waits for a person: more than half of the items of blog suddenly appeared as new"
    assert clockwork.letters() == []
    assert "suddenly appeared as new" in text(clockwork.project.mail()[OWNER][0])


def test_a_newsletter_for_each_post_sends_each_item_once_it_has_settled(project: Project) -> None:
    each = DIGEST.replace("weekly monday 08:00", "each post").replace("first = 2\n", "")
    configure(project, each, SOURCES)
    project.subscribe("ada")
    config = project.config()
    with open_project_store(config) as store:
        clockwork = Clockwork(project, store)
        clockwork.at(SLOT - DAY)  # before the first fetch
        fetched(config, item(1), item(2), at=SLOT)
        assert clockwork.at(SLOT + HOUR).created == ()
        fetched(config, item(3, published=SLOT - 4000 * DAY), at=SLOT + HOUR)
        changed(config, "Item 3", item(3, title="Item three"), at=SLOT + HOUR + 5 * MINUTE)
        assert clockwork.at(SLOT + HOUR + 14 * MINUTE).created == ()
        (made,) = clockwork.at(SLOT + HOUR + 15 * MINUTE).created
        assert (made.held, clockwork.letters()) == ("", ["Item three"])
        assert clockwork.at(SLOT + 2 * DAY).created == ()
