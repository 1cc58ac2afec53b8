"""The selection of items from sources for an edition, tested as a pure function."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from publisher.config import NewsletterConfig
from publisher.core.models import Post
from publisher.core.source_records import SourceBeginning
from publisher.newsletters.select import Selection, select_posts
from tests.support.editions_samples import BERLIN, MADE_AT, post

DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)
WEEKLY = NewsletterConfig(name="weekly", sources=("blog",))
MIXED = replace(WEEKLY, sources=("blog", "posts", "news"))


def an_item(number: int, seen: timedelta = 10 * DAY, name: str = "blog", **values: Any) -> Post:
    """Return an item dated `number` days ago and first seen `seen` ago. By default, the first fetch contained it."""
    at = MADE_AT - seen
    usual = {"first_seen": at, "changed_at": at, "is_backlog": True, "from_source": name, "id": f"{name}:{number}"}
    return replace(post(number), **(usual | values))


def later(number: int, seen: timedelta = DAY, **values: Any) -> Post:
    """Return an item that appeared after the first fetch."""
    return an_item(number, seen, **({"is_backlog": False} | values))


def choose(
    posts: list[Post],
    newsletter: NewsletterConfig = WEEKLY,
    handled: tuple[str, ...] = (),
    is_first: bool = True,
    now: datetime = MADE_AT,
    begun: SourceBeginning | None = None,
) -> Selection:
    return select_posts(posts, newsletter, handled, is_first, now, BERLIN, {"blog": begun} if begun else None)


def names(selection: Selection) -> str:
    return " ".join(each.id.replace("tag:example.org,2026:", "own:") for each in selection.posts)


# The newsletter began with the source at its first fetch, in the past.
AT_FIRST = SourceBeginning(MADE_AT - 10 * DAY, MADE_AT - 10 * DAY)

BACKLOG = [an_item(number) for number in range(11, 111, 10)]  # the newest is 11 days old


def test_the_settings_for_the_first_edition_limit_the_backlog() -> None:
    assert names(choose(BACKLOG)) == "blog:11 blog:21 blog:31 blog:41 blog:51"
    assert names(choose(BACKLOG, replace(WEEKLY, first=2))) == "blog:11 blog:21"
    assert names(choose(BACKLOG, replace(WEEKLY, since="2026-10-22"))) == "blog:11 blog:21"
    assert names(choose([an_item(70), an_item(80)])) == ""
    assert choose([an_item(70), an_item(80)]).too_old == 2
    assert len(choose(BACKLOG, replace(WEEKLY, first=2)).passed_over) == 8
    assert names(choose([*BACKLOG, later(5)], replace(WEEKLY, first=2))) == "blog:5 blog:11"
    found = choose([*BACKLOG, later(5)], replace(WEEKLY, first=2), begun=AT_FIRST)
    assert (names(found), len(found.passed_over)) == ("blog:5 blog:11 blog:21", 8)


def test_old_items_that_a_feed_shows_later_are_not_sent() -> None:
    old = [an_item(number, DAY, is_old=True) for number in (121, 131)] + [an_item(1, DAY, is_old=True)]  # 1 is undated
    many = replace(WEEKLY, since="2026-01-01")
    assert names(choose([*BACKLOG[:2], *old], many, ("blog:11",))) == "blog:21"
    assert names(choose([*BACKLOG[:2], *old], replace(WEEKLY, first=50), ("blog:11", "blog:21"), is_first=False)) == ""
    assert names(choose([*BACKLOG[:2], *old[:2]], many)) == "blog:11 blog:21 blog:121 blog:131"
    assert names(choose([*BACKLOG[:5], *old])) == "blog:11 blog:21 blog:31 blog:41 blog:51"


def test_no_other_item_is_left_out_because_of_a_date() -> None:
    """Undated, back-dated and future-dated items are sent once, even in a first edition with few other items."""
    old = later(4000)
    for handled, is_first in (((), True), (("blog:11",), False)):
        assert "blog:4000" in names(choose([*BACKLOG, old], handled=handled, is_first=is_first, begun=AT_FIRST))
        assert "blog:4000" in names(choose([*BACKLOG, old], handled=("blog:11",), is_first=is_first))
    assert names(choose([old], handled=("blog:4000",), is_first=False)) == ""
    assert names(choose([old], replace(WEEKLY, first=1), begun=AT_FIRST)) == "blog:4000"
    future = replace(an_item(1), published=MADE_AT + DAY, is_backlog=False)
    assert names(choose([future])) == ""
    assert names(choose([future], now=MADE_AT + DAY)) == "blog:1"


def test_a_newsletter_begins_with_each_source_separately() -> None:
    own = [post(number) for number in range(1, 4)]
    news = [an_item(number, name="news") for number in (2, 3, 400)]
    first = choose([*own, *BACKLOG], replace(MIXED, first=2))
    assert names(first) == "own:1 own:2 blog:11 blog:21"
    handled = (*first.passed_over, *(each.id for each in first.posts))
    second = choose([*own, *BACKLOG, *news], replace(MIXED, first=2), handled, is_first=False)
    assert (names(second), second.passed_over) == ("news:2 news:3", ("news:400",))
    handled += (*second.passed_over, *(each.id for each in second.posts))
    third = choose([*own, *BACKLOG, *news], MIXED, handled, is_first=False)
    assert (names(third), third.passed_over) == ("", ())


def test_the_rest_of_the_first_items_is_sent_in_later_editions() -> None:
    small = replace(WEEKLY, maximum=2)
    first = choose(BACKLOG, small)
    assert (names(first), first.waiting) == ("blog:41 blog:51", 3)
    handled = (*first.passed_over, *(each.id for each in first.posts))
    second = choose(BACKLOG, small, handled, is_first=False, now=MADE_AT + 100 * DAY)
    assert names(second) == "blog:21 blog:31"


def test_an_item_of_a_backlog_that_passes_the_filters_later_is_not_sent() -> None:
    handled = tuple(each.id for each in BACKLOG)
    unfiltered = [*BACKLOG, *(an_item(number) for number in range(200, 300))]
    assert names(choose(unfiltered, handled=handled, is_first=False)) == ""


def test_every_item_that_exists_when_a_newsletter_begins_is_backlog() -> None:
    """A newsletter that is added later selects the same items as if their source had just been fetched."""
    year = [later(day, seen=day * DAY) for day in range(1, 365)]
    since = replace(WEEKLY, since=f"{MADE_AT - 3 * DAY:%Y-%m-%d}")
    undated_or_late = [later(9, seen=HOUR), later(30, seen=HOUR), *year]
    table = [
        (year, WEEKLY, "1 2 3 4 5"),
        (year, replace(WEEKLY, first=3), "1 2 3"),
        (year, since, "1 2 3"),
        (undated_or_late, since, "1 2 3"),  # in the order of their own dates
        ([later(day, seen=day * DAY) for day in range(61, 99)], WEEKLY, ""),
        (year, replace(WEEKLY, schedule="each post"), ""),
    ]
    for posts, newsletter, numbers in table:
        for begun in (None, SourceBeginning(MADE_AT, MADE_AT - HOUR)):
            found = choose(posts, newsletter, begun=begun)
            assert names(found) == " ".join(f"blog:{number}" for number in numbers.split())
            assert {*found.never} == {each.id for each in posts} - {each.id for each in found.posts}
    beside = choose(
        [*year, post(1)], MIXED, handled=(post(1).id,), is_first=False
    )  # the source is new, not the newsletter
    assert names(beside) == "blog:1 blog:2 blog:3 blog:4 blog:5"


def test_items_between_the_beginning_and_the_first_edition_are_sent() -> None:
    few = [an_item(number) for number in (11, 12)]
    came = [later(4000 + number, seen=DAY) for number in range(20)]
    for newsletter in (WEEKLY, replace(WEEKLY, first=1), replace(WEEKLY, since="2026-01-01")):
        found = choose([*few, *came], newsletter, begun=AT_FIRST)
        assert {each.id for each in came} <= {each.id for each in found.posts}
    tomorrow = replace(WEEKLY, since=f"{MADE_AT + DAY:%Y-%m-%d}")
    assert names(choose([*few, *came], tomorrow, begun=AT_FIRST)) == ""
    due_later = later(1, seen=20 * DAY, published=MADE_AT - HOUR)  # it was there, but still dated in the future
    assert "blog:1" in names(choose([*BACKLOG, due_later], replace(WEEKLY, first=1), begun=AT_FIRST))


def test_an_item_that_is_not_selected_is_skipped_once_it_has_settled() -> None:
    ruby = replace(WEEKLY, tags=("ruby",), settle_minutes=30)
    posts = [later(1, tags=post(1, tags=("Ruby",)).tags), later(2), later(3, MINUTE)]
    found = choose(posts, ruby, begun=AT_FIRST)
    assert (names(found), found.passed_over) == ("blog:1", ("blog:2",))


def test_a_newsletter_selects_only_from_its_sources() -> None:
    posts = [post(1), an_item(2), an_item(3, name="news"), later(4, tags=post(1, tags=("Ruby",)).tags)]
    table = [
        ((), "own:1"),
        (("posts",), "own:1"),
        (("blog",), "blog:2 blog:4"),
        (("news", "posts"), "own:1 news:3"),
    ]
    for sources, expected in table:
        assert names(choose(posts, replace(WEEKLY, sources=sources))) == expected
    assert names(choose(posts, replace(MIXED, tags=("ruby",)))) == "blog:4"
    both = replace(an_item(5), also_from=("news",))
    assert names(choose([both], replace(WEEKLY, sources=("news",)))) == "blog:5"
    file = replace(post(6), also_from=("news",))
    for sources, expected in (((), "own:6"), (("posts",), "own:6"), (("news",), "own:6"), (("blog",), "")):
        assert names(choose([file], replace(WEEKLY, sources=sources))) == expected


def test_an_item_waits_until_it_has_not_changed_for_a_while() -> None:
    weekly = replace(WEEKLY, settle_minutes=30, max_settle="2h")
    table = [
        (29 * MINUTE, 29 * MINUTE, False),
        (30 * MINUTE, 30 * MINUTE, True),
        (90 * MINUTE, 10 * MINUTE, False),
        (90 * MINUTE, 31 * MINUTE, True),
        (2 * HOUR, MINUTE, True),  # it keeps changing
    ]
    for seen, unchanged, goes in table:
        found = choose([later(1, seen, changed_at=MADE_AT - unchanged)], weekly)
        assert (len(found.posts), found.resting) == (int(goes), int(not goes))
    resting = choose([*BACKLOG, later(1, MINUTE)], replace(weekly, first=1), begun=AT_FIRST)
    assert (names(resting), "blog:1" in resting.passed_over) == ("blog:11", False)
    assert (resting.resting, resting.rests_until) == (1, MADE_AT + 29 * MINUTE)
    only = choose([*BACKLOG, later(1, MINUTE)], replace(weekly, first=1))  # it is the newest, so no other item is sent
    assert (names(only), only.resting) == ("", 1)


def test_a_newsletter_for_each_post_sends_no_backlog_unless_configured() -> None:
    each = replace(WEEKLY, schedule="each post")
    assert names(choose([*BACKLOG, later(4000)], each, begun=AT_FIRST)) == "blog:4000"
    assert names(choose([*BACKLOG, later(4000)], each)) == ""
    assert names(choose(BACKLOG, replace(each, first=1))) == "blog:11"


def test_each_item_is_sent_once_however_editions_are_timed() -> None:
    """Items appear day by day, with any dates; nothing is sent twice, and no later item is lost."""
    items = [later((day * 7919) % 3000, timedelta(days=60 - day), id=f"day:{day}") for day in range(60)]
    posts, sent, handled = [*BACKLOG, *items], [], tuple[str, ...]()
    began = SourceBeginning(MADE_AT - timedelta(days=60.5), MADE_AT - timedelta(days=60.5))
    for day in range(70):
        now = MADE_AT - timedelta(days=60 - day)
        seen = [each for each in posts if (each.first_seen or now) <= now]
        if day % 7 == 3:
            found = choose(seen, replace(WEEKLY, maximum=20), handled, is_first=not handled, now=now, begun=began)
            sent += [each.id for each in found.posts]
            handled += (*found.passed_over, *(each.id for each in found.posts))
    assert len(sent) == len(set(sent))
    assert {f"day:{day}" for day in range(60)} <= set(sent)
