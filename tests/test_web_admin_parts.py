"""The admin page's parts without a server: passwords, sessions, what feed readers say, charts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from publisher.errors import PublisherError
from publisher.store import open_store
from publisher.web.admin.aggregators import announced
from publisher.web.admin.passwords import check_password, hash_password, is_password
from publisher.web.admin.sessions import Sessions
from publisher.web.admin.tally import Tally

NOW = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
DAY = timedelta(hours=12)


@pytest.mark.parametrize("password", ["", "short", "eleven char", "aaaaaaaaaaaaaaaaaaaa", "x" * 1_001])
def test_a_password_that_is_easily_guessed_is_refused(password: str) -> None:
    with pytest.raises(PublisherError):
        check_password(password)


def test_a_password_fits_its_own_hash_and_no_other() -> None:
    kept = hash_password("correct horse battery")
    assert kept.startswith("$argon2id$")
    assert is_password("correct horse battery", kept)
    assert not is_password("correct horse batterz", kept)
    assert not is_password("correct horse battery", "")
    assert not is_password("correct horse battery", "no hash")


def test_a_session_is_read_back_until_it_ends() -> None:
    sessions = Sessions("secret", DAY)
    session, cookie = sessions.begin("hash", NOW)
    assert sessions.read(cookie, "hash", NOW + DAY - timedelta(seconds=1)) == session
    assert session.is_owner
    assert sessions.read(cookie, "hash", NOW + DAY) is None


def test_a_session_of_another_password_secret_or_maker_is_none() -> None:
    sessions = Sessions("secret", DAY)
    _, cookie = sessions.begin("hash", NOW)
    assert sessions.read(cookie, "another hash", NOW) is None
    assert Sessions("another secret", DAY).read(cookie, "hash", NOW) is None
    assert sessions.read(cookie[:-1] + ("A" if cookie[-1] != "A" else "B"), "hash", NOW) is None


def test_a_guest_is_no_owner_and_owns_only_the_form_that_was_made_for_it() -> None:
    sessions = Sessions("secret", DAY)
    guest, cookie = sessions.welcome("hash", NOW)
    owner, _ = sessions.begin("hash", NOW)
    assert sessions.read(cookie, "hash", NOW) == guest
    assert not guest.is_owner
    assert sessions.owns_form(guest, sessions.form_token(guest))
    assert not sessions.owns_form(owner, sessions.form_token(guest))
    assert not sessions.owns_form(guest, "")


@given(st.text(max_size=600))
def test_no_text_is_a_session(cookie: str) -> None:
    assert Sessions("secret", DAY).read(cookie, "hash", NOW) is None


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
        ("<script>alert(1)</script> - 3 subscribers", ("script", 3)),
        ("", None),
    ],
)
def test_what_a_feed_reader_says_of_its_subscribers_is_read(agent: str, found: tuple[str, int] | None) -> None:
    said = announced(agent)
    assert (said and (said.reader, said.subscribers)) == found


@given(st.text(max_size=80), st.text(max_size=40))
def test_any_user_agent_gives_a_short_plain_name_or_none(before: str, after: str) -> None:
    said = announced(f"{before} 3 subscribers {after}")
    assert said is None or (0 < len(said.reader) <= 60 and not set(said.reader) & set('<>"/\\\n\0'))


def test_a_reader_is_written_once_an_hour_and_plain_programs_are_only_counted(tmp_path: Path) -> None:
    moment = NOW
    with open_store("sqlite:///publisher.db", tmp_path) as store:
        for minutes, number in ((0, 1), (30, 2), (61, 3)):
            moment = NOW + timedelta(minutes=minutes)
            tally = tally if minutes else Tally(store, lambda: moment, every=3_600)  # noqa: F821 - made in the first turn
            tally.count("feed.xml", f"Feedly/1.0 ({number} subscribers)")
            tally.count("feed.xml", "curl/8")
            tally.write()
            (row,) = store.feed_readers.list(NOW)
            assert row.subscribers == {0: 1, 30: 1, 61: 3}[minutes]
        assert store.feed_readers.requests("2026-01-01") == {("feed.xml", "2026-11-21"): 3}
