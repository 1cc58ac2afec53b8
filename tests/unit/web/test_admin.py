"""The parts of the admin page: passwords, sessions, reported subscribers, charts and progress."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import Request
from starlette.responses import Response

from publisher.core.errors import PublisherError
from publisher.core.hold_reasons import by_person
from publisher.core.newsletter_models import DeliveryCounts, DeliveryStatus, Edition
from publisher.store import Store, open_store
from publisher.web.admin.charts import subscribers_over_time
from publisher.web.admin.credentials import check_password, hash_password, is_password
from publisher.web.admin.delivery_progress import EditionProgress
from publisher.web.admin.feed_stats import FeedStats, reported_subscribers
from publisher.web.admin.session_cookies import Session, Sessions, browser_name
from publisher.web.forms import is_same_site

NOW = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
DAY = timedelta(hours=12)


@pytest.mark.parametrize("password", ["", "eleven char", "aaaaaaaaaaaaaaaaaaaa", "x" * 1_001, "no text \udcff at all"])
def test_weak_password_is_refused(password: str) -> None:
    with pytest.raises(PublisherError):
        check_password(password)


def test_password_matches_only_its_hash() -> None:
    kept = hash_password("correct horse battery")
    assert kept.startswith("$argon2id$")
    assert is_password("correct horse battery", kept)
    assert not is_password("correct horse batterz", kept)
    assert is_password("cafe\u0301 horse battery", hash_password("caf\u00e9 horse battery"))
    assert not is_password("correct horse battery", "")
    assert not is_password("correct horse battery", "no hash")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store("sqlite:///publisher.db", tmp_path) as opened:
        yield opened


def sessions_of(store: Store, secret: str = "secret") -> Sessions:
    return Sessions(store, secret, DAY, "http://letters.example")


def request_with(cookie: str = "", agent: str = "") -> Request:
    headers = [(b"cookie", f"publisher_admin={cookie}".encode("latin-1", "replace")), (b"user-agent", agent.encode())]
    return Request({"type": "http", "headers": headers})


def cookie_of(response: Response) -> str:
    return response.headers["set-cookie"].partition(";")[0].removeprefix("publisher_admin=")


def test_session_is_valid_until_it_ends(store: Store) -> None:
    sessions, response = sessions_of(store), Response()
    sessions.begin(request_with(), response, NOW, "203.0.113.0/24")
    request = request_with(cookie_of(response))
    session = sessions.find(request, NOW + DAY - timedelta(seconds=1))
    assert session
    assert (session.is_owner, session.ends_at) == (True, NOW + DAY)
    assert sessions.find(request, NOW + DAY) is None
    sessions.end(request, response)
    assert sessions.find(request, NOW) is None


def test_foreign_sessions_are_refused(store: Store) -> None:
    sessions, response = sessions_of(store), Response()
    sessions.begin_login(request_with(), response, sessions.for_login(NOW))
    cookie = cookie_of(response)
    assert sessions.find(request_with(cookie), NOW)
    assert sessions.find(request_with(cookie), NOW + timedelta(hours=1)) is None
    assert sessions_of(store, "another secret").find(request_with(cookie), NOW) is None
    assert sessions.find(request_with(cookie[:-1] + ("A" if cookie[-1] != "A" else "B")), NOW) is None


def test_a_login_session_is_valid_only_for_its_form(store: Store) -> None:
    sessions = sessions_of(store)
    guest, owner = sessions.for_login(NOW), Session("another nonce", NOW + DAY, is_owner=True)
    assert not guest.is_owner
    assert sessions.owns_form(guest, sessions.form_token(guest))
    assert not sessions.owns_form(owner, sessions.form_token(guest))
    assert not sessions.owns_form(guest, "")


def test_no_text_is_a_valid_session(tmp_path: Path) -> None:
    with open_store("sqlite:///publisher.db", tmp_path) as store:
        sessions = sessions_of(store)

        @given(st.text(max_size=600))
        def try_text(cookie: str) -> None:
            assert sessions.find(request_with(cookie), NOW) is None

        try_text()


@pytest.mark.parametrize(
    ("headers", "is_secure"),
    [
        ({"host": "admin.letters.example", "sec-fetch-site": "none"}, True),
        ({"host": "nas.example:8019"}, False),
        ({"host": "localhost:8019", "sec-fetch-site": "none"}, False),
        ({"host": "10.8.0.1:8019"}, False),
        ({}, False),
    ],
)
def test_the_origin_shows_whether_the_browser_used_tls(store: Store, headers: dict[str, str], is_secure: bool) -> None:
    sessions = Sessions(store, "secret", DAY, "https://letters.example", has_own_address=True)
    response, raw = Response(), [(name.encode(), value.encode()) for name, value in headers.items()]
    sessions.begin_login(Request({"type": "http", "headers": raw}), response, sessions.for_login(NOW))
    assert ("; Secure" in response.headers["set-cookie"]) is is_secure
    assert response.headers["set-cookie"].startswith("__Host-" if is_secure else "publisher_admin=")


@pytest.mark.parametrize(
    ("agent", "name"),
    [
        ("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox on Linux"),
        (
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/140.0 Safari/537.36 Edg/140.0",
            "Edge on Windows",
        ),
        (
            "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 Chrome/140.0 Mobile Safari/537.36",
            "Chrome on Android",
        ),
        (
            "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 Version/18.0 Safari/605.1.15",
            "Safari on macOS",
        ),
        ("curl/8.5", "unknown browser"),
        ("<b>" * 9_999, "unknown browser"),
        ("", "unknown browser"),
    ],
)
def test_browsers_have_short_names(agent: str, name: str) -> None:
    assert browser_name(agent) == name


@pytest.mark.parametrize(
    ("agent", "found"),
    [
        ("Feedly/1.0 (+http://www.feedly.com/fetcher.html; 42 subscribers; like FeedFetcher-Google)", ("Feedly", 42)),
        ("NewsBlur Feed Fetcher - 12 subscribers - http://www.newsblur.com/site/1/x", ("NewsBlur", 12)),
        ("Inoreader/1.0 (+http://www.inoreader.com/feed-fetcher; 7 subscribers; )", ("Inoreader", 7)),
        ("Feedbin feed-id:1373711 - 142 subscribers", ("Feedbin", 142)),
        ("Mozilla/5.0 (compatible; theoldreader.com; 3 subscribers; feed-id=01)", ("theoldreader.com", 3)),
        ("BazQux/2.4 (+https://bazqux.com/fetcher; 4 subscribers)", ("BazQux", 4)),
        ("Feed Wrangler/1.0 (1 subscriber; feed-id=2; http://feedwrangler.net)", ("Feed Wrangler", 1)),
        ("Netvibes (http://www.netvibes.com; 1,234 subscribers; feedId: 9)", ("Netvibes", 1234)),
        ("Bloglovin/1.0 (http://www.bloglovin.com; 0 subscribers)", ("Bloglovin", 0)),
        ("SomeReader/2 (https://reader.example; 15 readers)", ("SomeReader", 15)),
        ("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", None),
        ("FreshRSS/1.25 (Linux; https://freshrss.org)", None),
        ("42 subscribers", None),
        ("Liar/1.0 (999999999 subscribers)", None),
        ("<script>alert(1)</script> - 3 subscribers", ("scriptalert", 3)),
        ("", None),
    ],
)
def test_reported_subscribers_are_read(agent: str, found: tuple[str, int] | None) -> None:
    said = reported_subscribers(agent)
    assert (said and (said.reader, said.subscribers)) == found


@given(st.text(max_size=80), st.text(max_size=40))
def test_any_user_agent_gives_a_plain_name_or_none(before: str, after: str) -> None:
    said = reported_subscribers(f"{before} 3 subscribers {after}")
    assert said is None or (0 < len(said.reader) <= 40 and not set(said.reader) & set('<>"/\\\n\0'))


def test_feed_readers_are_stored_once_an_hour(tmp_path: Path) -> None:
    moments = iter(NOW + timedelta(minutes=minutes) for minutes in (0, 0, 30, 30, 61, 61))
    with open_store("sqlite:///publisher.db", tmp_path) as store:
        stats = FeedStats(store, lambda: next(moments))
        kept = []
        for number in (1, 2, 3):
            stats.count("feed.xml", f"Feedly/1.0 ({number} subscribers)")
            stats.count("feed.xml", "curl/8")
            stats.write()
            (row,) = store.feed_readers.list(NOW)
            kept.append(row.subscribers)
        assert kept == [1, 1, 3]
        assert store.feed_readers.requests("2026-01-01") == {("feed.xml", "2026-11-21"): 3}


def test_counts_are_stored_at_the_end(tmp_path: Path) -> None:
    with open_store("sqlite:///publisher.db", tmp_path) as store:
        stats = FeedStats(store, lambda: NOW)
        stats.start()
        stats.count("feed.xml", "NewsBlur Feed Fetcher - 12 subscribers")
        stats.close()
        assert [(each.reader, each.subscribers) for each in store.feed_readers.list(NOW)] == [("NewsBlur", 12)]


def test_chart_counts_joins_and_leaves() -> None:
    chart = subscribers_over_time({"2026-11-19": 3, "2026-11-21": 2, "2027-01-01": 1}, {"2026-11-20": 1}, NOW.date())
    assert chart is not None
    assert [(point.day.day, point.active, point.joined, point.left) for point in chart.points] == [
        (19, 3, 3, 0),
        (20, 2, 0, 1),
        (21, 5, 3, 0),
    ]
    assert (chart.line, chart.top) == ("M0 67.6L300 98.4L600 6", 5)
    assert subscribers_over_time({}, {}, NOW.date()) is None


@given(
    st.dictionaries(st.dates(date(2020, 1, 1), date(2027, 1, 1)).map(str), st.integers(1, 9), min_size=1, max_size=30)
)
def test_chart_has_few_points_and_loses_no_one(joined: dict[str, int]) -> None:
    chart = subscribers_over_time(joined, {}, date(2027, 1, 1))
    assert chart is not None
    assert 1 <= len(chart.points) <= 60
    assert chart.points[-1].active == sum(joined.values()) <= chart.top
    assert chart.points[-1].day == date(2027, 1, 1)


@pytest.mark.parametrize(
    ("counts", "held", "state", "said"),
    [
        ({}, "", "nobody", "no recipients"),
        ({"queued": 3}, "why", "held", "0 of 3 sent"),
        ({"queued": 3}, "", "waiting", "0 of 3 sent"),
        ({"queued": 1, "sending": 1, "sent": 1}, "", "sending", "1 of 3 sent"),
        ({"sent": 1_200, "failed": 2}, "why", "sent", "1,200 of 1,202 sent, 2 failed"),
        ({"failed": 2}, "", "failed", "0 of 2 sent, 2 failed"),
        ({"sent": 2, "uncertain": 1}, "", "unclear", "2 of 3 sent, 1 uncertain"),
        ({"skipped": 4}, "", "cancelled", "0 of 4 sent, 4 skipped"),
    ],
)
def test_edition_reports_its_progress(counts: dict[str, int], held: str, state: str, said: str) -> None:
    edition = Edition(1, "weekly", "2026-W47", 1, "Hello", NOW, (), by_person(held) if held else None)
    counted = DeliveryCounts({DeliveryStatus(name): total for name, total in counts.items()})
    progress = EditionProgress(edition, counted)
    assert (progress.state, progress.summary) == (state, said)
    assert sum(segment.width for segment in progress.segments) == pytest.approx(100 if counts else 0, abs=0.01)


@pytest.mark.parametrize(
    ("origin", "host", "ours"),
    [
        ("https://letters.example", "127.0.0.1:8018", True),  # behind a proxy that does not pass on the host
        ("https://letters.example", "letters.example", True),
        ("http://127.0.0.1:8018", "127.0.0.1:8018", True),
        ("http://evil.example", "letters.example", False),
        ("https://letters.example.evil.example", "letters.example", False),
        ("null", "letters.example", False),
        ("http://[", "letters.example", False),
        ("https://[letters.example", "[letters.example", False),
        ("https://]", "]", False),
        ("", "", False),
    ],
)
def test_form_must_come_from_our_site(origin: str, host: str, ours: bool) -> None:
    headers = [(b"origin", origin.encode()), (b"host", host.encode())]
    request = Request({"type": "http", "headers": headers, "method": "POST", "path": "/"})
    assert is_same_site(request, "https://letters.example") is ours
