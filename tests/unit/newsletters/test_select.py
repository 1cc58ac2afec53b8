"""The selection of posts for an edition, tested as a pure function."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from publisher.newsletters.select import select_posts
from tests.support.editions_samples import BERLIN, MADE_AT, WEEKLY, post


def choose(posts, newsletter=WEEKLY, handled=(), is_first=False, zone=BERLIN):
    return select_posts(posts, newsletter, frozenset(handled), is_first, MADE_AT, zone)


def numbers(selection):
    return [int(post.id.rsplit(":", 1)[1]) for post in selection.posts]


def ids(*numbers):
    return [f"tag:example.org,2026:{number}" for number in numbers]


TEN = [post(number) for number in range(1, 11)]  # 1 is the newest


def test_an_edition_shows_its_newest_post_first():
    assert numbers(choose(TEN[::-1])) == list(range(1, 11))


def test_posts_in_the_ledger_are_not_sent_again():
    assert numbers(choose(TEN, handled=ids(1, 2, 5))) == [3, 4, 6, 7, 8, 9, 10]
    assert numbers(choose(TEN, handled=ids(*range(1, 11)))) == []


def test_a_late_post_with_an_old_date_is_sent():
    old = post(400)
    first = choose([*TEN, old], handled=ids(*range(1, 11)))
    assert numbers(first) == [400]
    assert numbers(choose([*TEN, old], handled=ids(*range(1, 11), 400))) == []


def test_future_expired_and_hidden_posts_are_not_sent():
    future = post(1, age=-timedelta(seconds=1))
    expired = replace(post(2), expires=MADE_AT)
    hidden = post(3, in_newsletters=False)
    just_now = post(4, age=timedelta(0))
    assert numbers(choose([future, expired, hidden, just_now])) == [4]


TAGS = [
    ((), [1, 2, 3]),
    (("news",), [1]),
    (("NEWS",), [1]),
    (("long reads",), [2]),
    (("long-reads",), [2]),
    (("news", "long-reads"), [1, 2]),
    (("ÜBER",), [3]),
    (("other",), []),
]


@pytest.mark.parametrize(("wanted", "taken"), TAGS)
def test_tags_match_by_name_or_slug(wanted, taken):
    posts = [post(1, tags=("News",)), post(2, tags=("Long Reads",)), post(3, tags=("über",))]
    assert numbers(choose(posts, replace(WEEKLY, tags=wanted))) == taken


def test_the_first_edition_skips_the_archive():
    mine = replace(WEEKLY, first=2, tags=("a",))
    posts = [post(1, tags=("a",)), post(2), post(3, tags=("a",)), post(4, tags=("a",)), post(5)]
    found = choose([*posts, post(6, in_newsletters=False), post(-1)], mine, is_first=True)
    assert numbers(found) == [1, 3]
    assert sorted(found.passed_over) == ids(2, 4, 5, 6)  # not tomorrow's post
    assert found.waiting == 0


def test_since_is_a_date_in_the_time_zone_of_the_newsletter():
    # 20 November 00:30 in Berlin is still the 19th in New York.
    early = post(1, age=MADE_AT - MADE_AT.replace(day=20, hour=0, minute=30))
    since = replace(WEEKLY, since="2026-11-20", first=1)
    assert numbers(choose([early, post(0)], since, is_first=True)) == [0, 1]
    assert numbers(choose([early, post(0)], since, is_first=True, zone=ZoneInfo("America/New_York"))) == [0]


def test_a_first_edition_has_no_old_posts_unless_requested():
    old = [post(number, age=timedelta(days=60 + number)) for number in (1, 2)]
    new = [post(number, age=timedelta(days=59 - number)) for number in range(3, 10)]
    usual = replace(WEEKLY, first=0)
    assert numbers(choose([*old, new[0]], usual, is_first=True)) == [3]
    assert sorted(choose([*old, new[0]], usual, is_first=True).passed_over) == ids(1, 2)
    assert len(numbers(choose([*old, *new], usual, is_first=True))) == 5
    nothing = choose(old, usual, is_first=True)
    assert (nothing.posts, nothing.passed_over, nothing.too_old) == ((), (), 2)
    for asked in (replace(WEEKLY, first=5), replace(usual, since="2026-01-01")):
        assert numbers(choose(old, asked, is_first=True)) == [1, 2]
    assert numbers(choose(old, usual)) == [1, 2]  # a later edition selects posts that are added late


def test_a_later_edition_skips_nothing():
    assert choose(TEN, replace(WEEKLY, first=2)).passed_over == ()


def test_below_the_minimum_there_is_no_edition():
    found = choose(TEN[:2], replace(WEEKLY, minimum=3), is_first=True)
    assert (found.posts, found.passed_over, found.waiting, found.needed) == ((), (), 2, 3)
    assert numbers(choose(TEN[:3], replace(WEEKLY, minimum=3))) == [1, 2, 3]


def test_a_high_minimum_does_not_block_the_newsletter():
    assert numbers(choose(TEN, replace(WEEKLY, minimum=10, first=5), is_first=True)) == [1, 2, 3, 4, 5]
    assert numbers(choose(TEN, replace(WEEKLY, minimum=10, maximum=4))) == [7, 8, 9, 10]


def test_above_the_maximum_the_oldest_are_sent():
    found = choose(TEN, replace(WEEKLY, maximum=4))
    assert numbers(found) == [7, 8, 9, 10]
    assert found.waiting == 6


def test_posts_waiting_after_a_first_edition_are_sent_later():
    found = choose(TEN, replace(WEEKLY, first=5, maximum=2), is_first=True)
    assert numbers(found) == [4, 5]
    assert found.waiting == 3
    assert sorted(found.passed_over) == sorted(ids(6, 7, 8, 9, 10))


@settings(deadline=None)
@given(
    handled=st.sets(st.integers(1, 10)),
    first=st.integers(1, 12),
    maximum=st.integers(1, 12),
    minimum=st.integers(1, 12),
)
def test_every_post_is_sent_or_skipped_once(handled, first, maximum, minimum):
    newsletter = replace(WEEKLY, first=first, maximum=maximum, minimum=minimum)
    known, sent, is_first = set(ids(*handled)), [], True
    while (found := choose(TEN, newsletter, known, is_first)).posts:
        assert len(found.posts) <= maximum
        new = [post.id for post in found.posts] + list(found.passed_over)
        assert not known & set(new)
        assert len(new) == len(set(new))
        sent += [post.id for post in found.posts]
        known |= set(new)
        is_first = False
    assert len(sent) == len(set(sent))
    assert len(TEN) - len(known) == found.waiting < found.needed or found.waiting == 0
