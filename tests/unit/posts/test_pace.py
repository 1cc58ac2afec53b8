"""When a source is fetched next, and from which URL."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from publisher.core.source_models import FeedPace
from publisher.posts.sources.fetcher import Answer, FetchError
from publisher.posts.sources.pace import Whereabouts, after_redirect, fresh_for, is_skipped, next_fetch

NOW = datetime(2026, 11, 16, 9, 7, tzinfo=UTC)  # a Monday
URL = "https://blog.example/feed"


def answered(moved_to: str = "", **headers: str) -> Answer:
    return Answer(URL, 200, {name.replace("_", "-"): value for name, value in headers.items()}, b"", moved_to)


def failed(status: int = 500, retry_after: str = "") -> FetchError:
    return FetchError("failed", where=URL, status=status, retry_after=retry_after)


def minutes(outcome: Answer | FetchError, pace: FeedPace | None = None, failures: int = 0) -> tuple[int, int]:
    """Return the earliest and the latest next fetch among 200 sources, in minutes from now."""
    times = [next_fetch(NOW, outcome, pace or FeedPace(), failures, f"source-{number}") - NOW for number in range(200)]
    return min(times) // timedelta(minutes=1), -(-max(times) // timedelta(minutes=1))


def test_a_source_is_fetched_at_its_own_pace_and_at_most_twice_an_hour() -> None:
    cases = [
        (answered(), FeedPace(), 30),
        (answered(cache_control="max-age=60"), FeedPace(), 30),
        (answered(cache_control="public, max-age=7200"), FeedPace(), 120),
        (answered(cache_control='MAX-AGE="3600"'), FeedPace(), 60),
        (answered(cache_control="s-maxage=7200"), FeedPace(), 30),
        (answered(cache_control="no-cache, max-age=7200"), FeedPace(), 30),
        (answered(cache_control="no-store"), FeedPace(minutes=240), 240),
        (answered(cache_control="max-age=7200", age="3600"), FeedPace(), 60),
        (answered(cache_control="max-age=7200", age="-1"), FeedPace(), 120),
        (answered(cache_control="max-age=no"), FeedPace(), 30),
        (answered(expires="Mon, 16 Nov 2026 12:07:00 GMT"), FeedPace(), 180),
        (answered(expires="Mon, 16 Nov 2026 12:07:00 GMT", date="Mon, 16 Nov 2026 11:07:00 GMT"), FeedPace(), 60),
        (answered(expires="0"), FeedPace(), 30),
        (answered(expires="-1"), FeedPace(), 30),
        (answered(expires="Thu, 01 Jan 1970 00:00:00 GMT"), FeedPace(), 30),
        (answered(cache_control="max-age=60", expires="Mon, 16 Nov 2026 12:07:00 GMT"), FeedPace(), 30),
        (answered(), FeedPace(minutes=45), 45),
        (answered(), FeedPace(minutes=1440), 1440),
        (answered(cache_control="max-age=7200"), FeedPace(minutes=60), 120),
        (answered(cache_control="max-age=31536000"), FeedPace(), 7 * 1440),
        (answered(cache_control="max-age=9999999999"), FeedPace(minutes=10**9), 7 * 1440),
    ]
    for outcome, pace, least in cases:
        first, last = minutes(outcome, pace)
        assert least <= first, (outcome.headers, pace)
        assert last <= least * 1.1 + 1, (outcome.headers, pace)


def test_a_failing_source_is_fetched_ever_less_often_but_never_given_up() -> None:
    for failures, least in ((1, 30), (2, 60), (3, 120), (4, 240), (5, 360), (6, 360), (10_000, 360)):
        first, last = minutes(failed(), failures=failures)
        assert least <= first <= last <= least * 1.1 + 1
    assert minutes(failed(429), failures=1)[0] == 60


def test_a_server_that_asks_us_to_wait_is_heeded() -> None:
    for status in (429, 503, 500, 403):
        for value, least in (
            ("7200", 120),
            (" 7200 ", 120),
            ("Mon, 16 Nov 2026 12:07:00 GMT", 180),
            ("Mon, 16 Nov 2026 13:07:00 +0100", 180),
            ("Monday, 16-Nov-26 12:07:00 GMT", 180),
            ("99999999999999", 30),
            ("9999999999", 7 * 1440),
            ("Mon, 16 Nov 2020 12:07:00 GMT", 30),
            ("soon", 30),
            ("", 30),
            ("²", 30),
        ):
            first, last = minutes(failed(status, value), failures=1)
            least = max(least, 60) if status == 429 else least
            assert least <= first <= last <= least * 1.1 + 1, (status, value)


def test_hours_and_days_without_changes_are_skipped() -> None:
    until_noon = FeedPace(skip_hours=frozenset(range(12)))
    assert NOW + timedelta(minutes=173) <= next_fetch(NOW, answered(), until_noon) < NOW + timedelta(minutes=184)
    weekdays = FeedPace(skip_days=frozenset(range(5)))
    found = next_fetch(NOW, answered(), weekdays, name="a")
    assert (found.weekday(), found.hour) == (5, 0)
    assert found.minute < 10
    both = FeedPace(skip_days=frozenset(range(6)), skip_hours=frozenset(range(23)))
    found = next_fetch(NOW, answered(), both)
    assert (found.weekday(), found.hour) == (6, 23)
    everything = FeedPace(skip_hours=frozenset(range(24)))
    assert minutes(answered(), everything)[0] >= 30
    assert next_fetch(NOW, failed(), until_noon, 1).hour >= 12
    assert is_skipped(NOW, until_noon)
    assert is_skipped(NOW, weekdays)
    assert not any(is_skipped(NOW, each) for each in (everything, FeedPace(skip_days=frozenset(range(7))), FeedPace()))


def test_the_spread_is_the_same_each_time_and_differs_between_sources() -> None:
    one, other = (next_fetch(NOW, answered(), FeedPace(), name=name) for name in ("one", "other"))
    assert one == next_fetch(NOW, answered(), FeedPace(), name="one")
    assert one != other


def test_a_move_to_another_host_is_followed_after_three_fetches_and_otherwise_immediately() -> None:
    here = Whereabouts("http://blog.example/feed")
    secure = "https://blog.example/feed"
    assert after_redirect(here, answered(moved_to=secure)) == Whereabouts(secure)
    away = "https://other.example/feed"
    seen = [here]
    for _ in range(3):
        seen.append(after_redirect(seen[-1], answered(moved_to=away)))
    assert seen[1:] == [
        Whereabouts(here.url, away, 1),
        Whereabouts(here.url, away, 2),
        Whereabouts(away),
    ]
    assert after_redirect(seen[2], answered()) == here
    assert after_redirect(seen[2], answered(moved_to="https://third.example/")) == Whereabouts(
        here.url, "https://third.example/", 1
    )
    assert after_redirect(here, answered(moved_to=here.url)) == here


@given(
    st.fixed_dictionaries(
        {}, optional={name: st.text(max_size=40) for name in ("cache-control", "expires", "date", "age")}
    ),
    st.text(max_size=40),
    st.integers(0, 10**9),
    st.frozensets(st.integers(-5, 30)),
)
def test_the_next_fetch_is_always_within_a_week_or_two(
    headers: dict[str, str], retry_after: str, ttl: int, skipped: frozenset[int]
) -> None:
    pace = FeedPace(ttl, skipped, skipped)
    for outcome in (Answer(URL, 200, headers, b""), failed(503, retry_after)):
        found = next_fetch(NOW, outcome, pace, 1, "a")
        assert timedelta(minutes=30) <= found - NOW <= timedelta(days=16)
    assert fresh_for(headers, NOW) >= timedelta(0)
