"""Fetching sources: the requests, the records, and the owner's notifications."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from publisher.config import Config, NewsletterConfig, Site, SourceConfig
from publisher.config.origins import KeyLines
from publisher.core.errors import StoppedError
from publisher.core.hold_reasons import turned_new
from publisher.core.source_records import SourceState
from publisher.mail.run_options import Stop
from publisher.publishing.fetch_sources import SourceReport, fetch_sources
from publisher.publishing.operations import skip
from publisher.publishing.owner_alerts import alert_sources
from publisher.publishing.source_check import source_problems
from publisher.publishing.source_views import SourceHealth, source_views
from publisher.publishing.wiring import Project
from publisher.store import Store, open_store
from tests.support.source_server import PUBLIC, AskedRequest, Internet, SourceServer, answer, redirect, source_server
from tests.support.store_samples import NOW, add_people, draft, later

HOUR = timedelta(hours=1)
BLOG = "http://blog.test"


def feed(*names: str, title: str = "A blog", more: str = "") -> bytes:
    """Return an RSS document with these items, newest first."""
    items = "".join(
        f"<item><title>On {name}</title><link>{BLOG}/{name}/</link><guid>{BLOG}/?p={name}</guid>"
        f"<description>&lt;p>Words of {name}&lt;/p></description></item>"
        for name in names
    )
    head = f"<title>{title}</title><link>{BLOG}/</link><description>x</description>{more}"
    return f'<?xml version="1.0"?><rss version="2.0"><channel>{head}{items}</channel></rss>'.encode()


@dataclass
class Blog:
    """A project with a source, a server of feeds, and a network whose names lead to it."""

    store: Store
    server: SourceServer
    answers: dict[str, Any]
    internet: Internet
    root: Path
    config: Config

    def fetch(self, now: datetime = NOW, names: list[str] | None = None, **options: Any) -> tuple[SourceReport, ...]:
        return fetch_sources(self.project(now), now, names, network=self.internet.network, **options)

    def project(self, now: datetime = NOW) -> Project:
        return Project(self.config, self.store, lambda: now)

    def configure(self, *sources: SourceConfig) -> None:
        newsletter = NewsletterConfig(name="weekly", sources=tuple(source.name for source in sources))
        self.config = replace(self.config, sources=sources, newsletters=(newsletter,))

    def state(self, name: str = "blog") -> SourceState:
        state = self.store.sources.state(name)
        assert state is not None
        return state

    def titles(self, name: str = "blog") -> list[str]:
        return [item.item.title.removeprefix("On ") for item in self.store.sources.items(name)]

    def asked(self, header: str, path: str = "/feed") -> list[str]:
        return [request.headers.get(header, "") for request in self.server.requests(path)]


SOURCE = SourceConfig(name="blog", url=f"{BLOG}/feed")


@pytest.fixture
def blog(sqlite_store: Store, tmp_path: Path) -> Iterator[Blog]:
    yield from serving(sqlite_store, tmp_path)


@pytest.fixture
def either_blog(store: Store, tmp_path: Path) -> Iterator[Blog]:
    """The same as `blog`, on both databases."""
    yield from serving(store, tmp_path)


def serving(store: Store, root: Path) -> Iterator[Blog]:
    answers: dict[str, Any] = {"/feed": answer(feed("b", "a"), ETag='"1"', Last_Modified="yesterday")}
    with source_server(answers) as server:
        hosts = {name: [[PUBLIC]] for name in ("blog.test", "new.test", "other.test")}
        internet = Internet(hosts, {PUBLIC: server.port})
        blog = Blog(
            store,
            server,
            answers,
            internet,
            root,
            Config(root=root, site=Site(title="Notes", url="https://notes.example")),
        )
        blog.configure(SOURCE)
        yield blog


def not_modified(tag: str, otherwise: bytes, **headers: str) -> Callable[[AskedRequest], bytes]:
    """Answer with 304 if the request has this ETag."""

    def made(request: AskedRequest) -> bytes:
        if request.headers.get("if-none-match") == tag:
            return answer(status="304 Not Modified", **headers)
        return answer(otherwise, ETag=tag, **headers)

    return made


def test_a_source_is_fetched_when_it_is_due_and_unchanged_items_cost_nothing(either_blog: Blog) -> None:
    blog = either_blog
    blog.answers["/feed"] = not_modified('W/"1"', feed("b", "a"), Cache_Control="max-age=7200")
    (first,) = blog.fetch()
    assert (first.new, first.is_first, first.summary) == (2, True, "2 new")
    assert blog.titles() == ["a", "b"]
    assert all(item.is_backlog for item in blog.store.sources.items("blog"))
    assert blog.fetch(later(minutes=119)) == ()
    state = blog.state()
    written = blog.store.sources.revision()
    (again,) = blog.fetch(state.next_at)
    assert (again.has_news, again.error) == (False, "")
    after = blog.state()
    assert after == replace(state, asked_at=state.next_at, next_at=after.next_at)  # its claim is given back
    assert after.next_at - state.next_at >= 2 * HOUR
    assert blog.store.sources.revision() == written
    assert blog.asked("if-none-match") == ["", 'W/"1"']
    blog.answers["/feed"] = answer(feed("c", "b"), ETag='"2"')
    (third,) = blog.fetch(after.next_at)
    assert (third.new, third.gone, blog.titles(), blog.state().etag) == (1, 0, ["a", "b", "c"], '"2"')
    assert [item.is_backlog for item in blog.store.sources.items("blog")] == [True, True, False]
    assert blog.asked("if-modified-since")[-1] == ""


def test_two_hosts_fetch_once_and_once_more_before_a_slot(either_blog: Blog, store_url: str, tmp_path: Path) -> None:
    blog = either_blog
    with open_store(store_url, tmp_path) as store:
        other = replace(blog, store=store)
        assert len(blog.fetch() + other.fetch() + blog.fetch()) == 1
        slot = later(minutes=20)
        assert (
            len(
                other.fetch(slot, since={"blog": later(minutes=15)})
                + blog.fetch(slot, since={"blog": later(minutes=15)})
            )
            == 1
        )
        assert len(blog.server.asked) == 2
        (refused,) = blog.fetch(later(minutes=21), ["blog"])
        assert refused.summary.startswith("not due before 2026-11-21 ")
        (forced,) = blog.fetch(later(minutes=21), ["blog"], force=True)
        assert (forced.waits, len(blog.server.asked)) == ("", 3)


def test_a_person_may_fetch_immediately_unless_another_process_is_fetching(either_blog: Blog) -> None:
    blog = either_blog
    blog.answers["/feed"] = answer(status="500 Oops")
    for count in (1, 2, 3):  # all at one moment, as after each attempt to fix it
        (report,) = blog.fetch(NOW, ["blog"], force=True)
        assert (report.waits, bool(report.error), len(blog.server.asked)) == ("", True, count)
    claimed = blog.store.sources.claim({"blog": later(hours=1)}, NOW, force=True)
    for moment in (NOW, later(minutes=9)):
        (report,) = blog.fetch(moment, ["blog"], force=True)
        assert report.summary == "is being fetched by another process"
    assert blog.store.sources.claim({"blog": later(hours=1)}, NOW, force=True) == {}
    (report,) = blog.fetch(later(minutes=11), ["blog"], force=True)  # it was killed
    assert report.waits == ""
    blog.store.sources.finished({"blog": claimed["blog"].claim})
    blog.answers["/feed"] = answer(feed("b", "a"))
    assert blog.fetch(later(minutes=11), ["blog"], force=True)[0].new == 2


def test_sources_with_the_same_url_share_a_request(blog: Blog) -> None:
    blog.configure(SOURCE, replace(SOURCE, name="same"), replace(SOURCE, name="fewer", max_items=1))
    assert [report.new for report in blog.fetch()] == [2, 1, 2]
    assert (len(blog.server.asked), blog.titles("fewer"), blog.titles("same")) == (1, ["b"], ["a", "b"])
    posts = {item.post_id for name in ("blog", "same") for item in blog.store.sources.items(name)}
    assert posts == {f"{BLOG}/?p=a", f"{BLOG}/?p=b"}


def test_a_failing_source_is_fetched_less_often_and_reported_after_a_day(blog: Blog) -> None:
    blog.fetch()
    blog.answers["/feed"] = answer(status="500 Oops")
    moment, moments = blog.state().next_at, []
    while moment < later(days=3):
        (report,) = blog.fetch(moment)
        assert report.problem is not None
        assert report.error == f"{BLOG}/feed: failed (500) (nothing to do: Publisher will try again later)"
        moments.append(moment)
        moment = blog.state().next_at
    waits = [after - before for before, after in pairwise(moments)]
    assert waits == sorted(waits)[:3] + waits[3:]
    assert timedelta(minutes=30) <= waits[0] <= timedelta(minutes=33)
    assert 6 * HOUR <= max(waits) <= 6.7 * HOUR
    assert blog.state().failing_since == moments[0]
    quiet, loud = (alert_sources(blog.project(), moments[0] + timedelta(hours=hours))[0] for hours in (23, 25))
    assert quiet == []
    assert [line.partition(" since ")[0] for line in loud] == ["source blog: it has been failing"]
    assert alert_sources(blog.project(), later(days=9)) == ([], [])
    blog.answers["/feed"] = answer(feed("b", "a"))
    (report,) = blog.fetch(moment)
    assert (report.error, blog.state().failing_since, blog.state().error) == ("", None, "")
    assert blog.titles() == ["a", "b"]


def test_a_server_that_asks_for_a_pause_is_not_even_fetched_by_hand(blog: Blog) -> None:
    blog.answers["/feed"] = answer(status="503 Busy", Retry_After="7200")
    blog.fetch()
    (report,) = blog.fetch(later(hours=1), ["blog"], force=True)
    assert report.waits == "its server asks not to be contacted before 2026-11-21 11:00"
    assert blog.fetch(later(hours=1), since={"blog": later(hours=1)}) == ()
    assert len(blog.server.asked) == 1
    blog.answers["/feed"] = answer(feed("a"))
    assert blog.fetch(later(hours=3))[0].new == 1
    for wish, minutes in (("60", 2), ("0", 0), ("soon", 0)):  # no longer than it requests, whatever our own pace is
        blog.answers["/feed"] = answer(status="503 Busy", Retry_After=wish)
        blog.fetch(later(hours=9), ["blog"], force=True)
        assert blog.fetch(later(hours=9, minutes=minutes), ["blog"], force=True)[0].error
        assert blog.state().next_at >= later(hours=9, minutes=30)
        blog.store.sources.answered(replace(blog.state(), closed_until=None))


def test_a_feed_that_is_gone_is_no_longer_fetched_and_reported_once(blog: Blog) -> None:
    blog.answers["/feed"] = answer(status="410 Gone")
    (report,) = blog.fetch()
    assert "is gone for good (410)" in report.error
    assert blog.fetch(later(days=30)) == ()
    assert len(alert_sources(blog.project(), NOW)[0]) == 1
    assert alert_sources(blog.project(), later(days=30)) == ([], [])
    blog.answers["/feed"] = answer(feed("a"))
    (forced,) = blog.fetch(later(days=30), ["blog"], force=True)
    assert (forced.new, blog.state().ended_at) == (1, None)
    assert alert_sources(blog.project(), later(days=30)) == ([], [])


def test_a_new_host_is_trusted_after_three_fetches_and_never_gets_the_password(blog: Blog) -> None:
    (blog.root / "password").write_text("secret\n", "utf-8")
    blog.configure(replace(SOURCE, user="ada", password_file="password"))
    blog.answers |= {
        "/feed": lambda request: redirect("http://new.test/new" if "new" not in request.headers["host"] else "/new"),
        "/new": not_modified('"1"', feed("b", "a")),
    }
    moment = NOW
    for number in range(1, 6):
        blog.fetch(moment)
        assert blog.state().address == ("" if number < 3 else "http://new.test/new")
        (view,) = source_views(blog.config, blog.store)
        assert (view.address, view.moved_seen) == (blog.state().address, number if number < 3 else 0)
        assert view.moved_to == ("http://new.test/new" if number < 3 else "")
        moment = blog.state().next_at
    assert len(blog.server.requests("/feed")) == 3
    assert blog.asked("if-none-match", "/new") == ["", *['"1"'] * 4]
    assert all(blog.asked("authorization"))
    assert not any(blog.asked("authorization", "/new"))
    # The new host disappears: the old one is asked again, and is trusted immediately.
    blog.answers |= {"/feed": answer(feed("c", "b")), "/new": answer(status="404 Not Found")}
    for _ in range(3):
        blog.fetch(moment)
        moment = blog.state().next_at
    assert (blog.state().address, blog.titles()) == ("", ["a", "b", "c"])


def test_a_document_that_is_not_a_feed_changes_no_item(blog: Blog) -> None:
    blog.fetch()
    blog.answers["/feed"] = answer(b"<html><body>Login</body></html>", ETag='"login"')
    (report,) = blog.fetch(blog.state().next_at)
    assert report.error.startswith(f"{BLOG}/feed")
    assert (blog.state().etag, blog.titles()) == ('"1"', ["a", "b"])
    blog.configure(replace(SOURCE, password_file="missing"))
    (report,) = blog.fetch(blog.state().next_at)
    assert report.error == (
        "the password cannot be read from 'missing': no such file or directory "
        "(write the password into that file, or correct password_file)"
    )
    assert blog.state().error == report.error


def test_items_that_vanished_before_they_were_sent_are_reported(blog: Blog) -> None:
    blog.fetch()
    blog.answers["/feed"] = answer(feed("d", "c", "b", "a"))
    blog.fetch(later(hours=1))
    posts = draft("2026-W47").posts
    blog.store.editions.create(draft("2026-W47", posts=(replace(posts[0], id=f"{BLOG}/?p=c"),)))
    blog.answers["/feed"] = answer(feed("b", "a"))
    (report,) = blog.fetch(later(hours=2))
    assert report.gone == 2
    assert [str(each) for each in report.warnings] == [
        "source blog: 'On d' vanished from the feed before it was sent, and is left out"
    ]


def test_several_vanished_items_are_reported_in_one_line(blog: Blog) -> None:
    blog.fetch()
    blog.answers["/feed"] = answer(feed("h", "g", "f", "e", "d", "b", "a").replace(b"<title>On d</title>", b""))
    blog.fetch(later(hours=1))
    blog.answers["/feed"] = answer(feed("g", "f", "b", "a"))
    (report,) = blog.fetch(later(hours=2))
    assert [str(each) for each in report.warnings] == [
        "source blog: 'Words of d', 'On e' and 'On h' vanished from the feed before they were sent, and are left out"
    ]
    blog.answers["/feed"] = answer(feed("h", "g", "f", "e", "d", "b", "a"))
    blog.fetch(later(hours=3))
    blog.answers["/feed"] = answer(feed("b", "a"))
    (report,) = blog.fetch(later(hours=4))
    (line,) = [str(each) for each in report.warnings]
    assert line.endswith("'On f' and 2 more vanished from the feed before they were sent, and are left out")


def test_a_feed_with_only_new_items_is_on_hold_until_each_is_handled(blog: Blog) -> None:
    blog.fetch()
    blog.answers["/feed"] = answer(feed("y", "x"))
    (report,) = blog.fetch(later(hours=1))
    assert report.is_held
    assert "a person has to look" in report.summary
    assert len(alert_sources(blog.project(), later(hours=1))[0]) == 1
    assert blog.store.sources.suspects() == {f"{BLOG}/?p={name}": "blog" for name in "xy"}
    assert blog.fetch(later(hours=2))[0].is_held is False
    assert blog.state().held_at == later(hours=1)
    blog.store.editions.pass_over("weekly", list(blog.store.sources.suspects()))
    blog.fetch(later(hours=3))
    assert blog.state().held_at is None


def held(blog: Blog) -> str:
    """Return the advice of `check` about the source on hold; "" if it is not."""
    found = source_problems(blog.config, blog.store, later(hours=1), KeyLines(""))
    return next((each.hint for each in found if "needs you" in each.message), "")


def test_an_owner_who_skips_the_edition_does_not_get_its_items_again(blog: Blog) -> None:
    blog.fetch()
    blog.answers["/feed"] = answer(feed("y", "x"))
    blog.fetch(later(hours=1))
    post = draft().posts[0]
    posts = (replace(post, id=f"{BLOG}/?p=x"), replace(post, id=f"{BLOG}/?p=y"), replace(post, id="own"))
    add_people(blog.store, 1)
    assert held(blog).endswith("; the edition with them will wait for you to approve or skip it")
    edition = blog.store.editions.create(draft(posts=posts, hold=turned_new(["blog"])))
    assert edition is not None
    assert held(blog).endswith(
        f"; to send them: publisher deliveries resume {edition.id}; "
        f"to leave them out: publisher deliveries skip {edition.id}"
    )
    assert skip(blog.store, edition)
    assert held(blog) == ""
    assert source_views(blog.config, blog.store)[0].health is SourceHealth.OK
    assert blog.store.editions.handled_posts("weekly") == {f"{BLOG}/?p=x", f"{BLOG}/?p=y"}
    blog.fetch(later(hours=2))
    assert blog.state().held_at is None


def test_sources_that_a_stopped_run_has_not_fetched_are_due_immediately(blog: Blog) -> None:
    blog.configure(SOURCE, replace(SOURCE, name="other", url="http://other.test/feed"))
    stop = Stop()
    stop.ask()
    with pytest.raises(StoppedError):
        blog.fetch(stop=stop)
    assert len(blog.fetch(later(minutes=1))) == 1
    assert blog.titles("blog") == blog.titles("other") == ["a", "b"]


def test_a_stop_waits_for_no_server(blog: Blog) -> None:
    stop = Stop()

    async def never(request: AskedRequest) -> AsyncIterator[bytes]:
        stop.ask()
        await asyncio.sleep(60)
        yield b""

    blog.answers["/feed"] = never
    with pytest.raises(StoppedError):
        blog.fetch(stop=stop)
    assert blog.state().failing_since is None  # as if the server's requested pause were over


def test_a_killed_host_delays_its_sources_by_only_ten_minutes(blog: Blog) -> None:
    blog.answers["/feed"] = answer(feed("a"), Cache_Control="max-age=86400")
    blog.fetch()
    tomorrow = blog.state().next_at
    blog.store.sources.claim({"blog": tomorrow + 24 * HOUR}, tomorrow)  # and then it is killed
    assert blog.fetch(tomorrow + timedelta(minutes=9)) == ()
    assert len(blog.fetch(tomorrow + timedelta(minutes=11))) == 1
    assert blog.state().claim == ""
