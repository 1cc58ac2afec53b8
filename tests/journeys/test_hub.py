"""`publisher publish` and a WebSub hub: the real program, and a real server on loopback that gets notifications."""

from __future__ import annotations

import shutil
import socket
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import StreamRequestHandler, ThreadingTCPServer
from urllib.parse import parse_qs

import pytest

from publisher.site.websub import HubLimits, ping
from tests.support.project import Project

SITE = "https://letters.example"


@dataclass
class Hub:
    """A running hub: its URL, the notifications and feeds that it got, and its answers; it repeats the last answer."""

    url: str = ""
    told: list[dict[str, str]] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    statuses: list[int] = field(default_factory=lambda: [204])
    look: Callable[[], object] = lambda: None
    seen: list[object] = field(default_factory=list)

    def topics(self) -> Counter[str]:
        """The number of notifications about each feed."""
        return Counter(each["hub.url"].removeprefix(f"{SITE}/") for each in self.told)


@pytest.fixture
def hub() -> Iterator[Hub]:
    hub = Hub()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            assert self.headers["Content-Type"] == "application/x-www-form-urlencoded"
            hub.told.append({name: value for name, (value,) in parse_qs(body, strict_parsing=True).items()})
            hub.paths.append(self.path)
            hub.seen.append(hub.look())
            self.send_response(hub.statuses.pop(0) if len(hub.statuses) > 1 else hub.statuses[0])
            self.end_headers()

        def log_message(self, *parts: object) -> None:
            """Log nothing, because the lines would appear in the output of pytest."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    hub.url = f"http://127.0.0.1:{server.server_port}/publish?key=a%26b"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield hub
    server.shutdown()
    thread.join()
    server.server_close()


def with_hub(project: Project, url: str, newsletters: str = "") -> Project:
    project.configure(f'\n[feeds]\nhub = "{url}"\n', newsletters)
    return project


def files_of(*folders: str) -> Counter[str]:
    return Counter(f"{folder}{name}" for folder in folders for name in ("feed.xml", "atom.xml", "feed.json"))


def test_the_hub_is_notified_once_of_every_feed_that_changed_and_of_no_other(project: Project, hub: Hub) -> None:
    with_hub(project, hub.url)
    assert project.spawn("publish").code == 0
    assert hub.topics() == files_of("", "tags/reading/", "tags/r_and_d/", "tags/%E6%97%A5%E6%9C%AC%E8%AA%9E/")
    for told in hub.told:
        assert told == {"hub.mode": "publish", "hub.url": told["hub.url"], "hub.topic": told["hub.url"]}
    assert set(hub.paths) == {"/publish?key=a%26b"}
    hub.told.clear()
    project.post("third", "2026-11-15", "Other words.", tags="[R&D]")
    assert project.spawn("publish").code == 0
    assert hub.topics() == files_of("", "tags/r_and_d/")


def test_without_a_change_no_hub_is_notified(project: Project, hub: Hub) -> None:
    with_hub(project, hub.url)
    project.ok("publish")
    hub.told.clear()
    project.ok("publish")
    assert hub.told == []


def test_building_alone_notifies_no_hub(project: Project, hub: Hub) -> None:
    with_hub(project, hub.url).ok("build")
    with_hub(project, hub.url).ok("publish", "--dry-run")
    assert hub.told == []


def test_the_hub_is_notified_of_the_feed_of_a_newsletter_when_its_edition_is_published(
    project: Project, hub: Hub
) -> None:
    with_hub(project, hub.url, '\n[[newsletters]]\nname = "weekly"\nschedule = "weekly monday 08:00"\nfirst = 3\n')
    project.subscribe("ada")
    project.ok("publish")
    assert len(project.mail()["ada@example.org"]) == 1
    assert files_of("", "editions/weekly/").items() <= hub.topics().items()
    assert set(hub.topics().values()) == {1}


def test_an_unreachable_hub_is_one_warning_and_no_failure(project: Project) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # a port on which nothing listens
        with_hub(project, f"http://127.0.0.1:{taken.getsockname()[1]}/")
        ran = project.spawn("publish")
    assert ran.code == 0
    assert (
        ran.err.count("could not be notified of 12 feeds (https://letters.example/atom.xml and 11 more): no answer:")
        == 1
    )
    assert "the next `publisher publish` tries again; feed readers see the changes when they poll" in ran.err
    assert ran.err.count("warning:") == 1
    assert "error:" not in ran.err
    assert (project.root / "public/feed.xml").is_file()


def test_a_hub_that_refuses_three_feeds_gets_no_other_notification(project: Project, hub: Hub) -> None:
    hub.statuses = [403]
    ran = with_hub(project, hub.url).ok("publish")
    assert hub.topics() == files_of("")
    assert ran.err.count("could not be notified of 12 feeds") == ran.err.count("it answered 403 Forbidden") == 1


def test_feeds_that_a_hub_refuses_do_not_block_the_others_for_ever(project: Project, hub: Hub) -> None:
    hub.statuses = [400, 400, 400]
    with_hub(project, hub.url).ok("publish")
    hub.told.clear()
    hub.statuses = [204]
    project.ok("publish")
    assert not {each["hub.url"] for each in hub.told[:9]} & {f"{SITE}/{name}" for name in files_of("")}
    assert set(hub.topics().values()) == {1} and len(hub.topics()) == 12


def test_a_hub_that_is_busy_for_a_moment_is_tried_again(project: Project, hub: Hub) -> None:
    hub.statuses = [503, 503, 202]
    ran = with_hub(project, hub.url).ok("publish")
    assert "could not be notified" not in ran.err
    assert sorted(hub.topics().values()) == [1] * 11 + [3]


def test_a_broken_hub_is_tried_three_times_for_one_feed_and_once_for_two_more(project: Project, hub: Hub) -> None:
    hub.statuses = [500]
    ran = with_hub(project, hub.url).ok("publish")
    assert list(hub.topics().values()) == [3, 1, 1]
    assert ran.err.count("could not be notified of 12 feeds") == 1


def test_the_next_publish_notifies_of_changes_made_by_a_build(project: Project, hub: Hub) -> None:
    with_hub(project, hub.url).ok("publish")
    hub.told.clear()
    project.post("third", "2026-11-15", "Other words.", tags="[R&D]")
    project.ok("build")
    assert hub.told == []
    project.ok("publish")
    assert hub.topics() == files_of("", "tags/r_and_d/")


def test_failed_notifications_are_repeated_once_by_the_next_publish(project: Project, hub: Hub) -> None:
    hub.statuses = [204, 403, 403, 403, 204]
    assert "could not be notified of 11 feeds" in with_hub(project, hub.url).ok("publish").err
    hub.told.clear()
    project.ok("publish")
    assert len(hub.topics()) == 11 and "atom.xml" not in hub.topics()
    hub.told.clear()
    project.ok("publish")
    assert hub.told == []


def test_a_feed_that_was_only_rewritten_causes_no_notification(project: Project, hub: Hub) -> None:
    with_hub(project, hub.url).ok("publish")
    hub.told.clear()
    shutil.rmtree(project.root / "public")
    project.ok("publish")
    assert hub.told == []


def test_a_deleted_feed_is_forgotten(project: Project, hub: Hub) -> None:
    hub.statuses = [403]
    with_hub(project, hub.url).ok("publish")
    (project.root / "posts/third.md").unlink()
    hub.statuses = [204]
    hub.told.clear()
    project.ok("publish")
    assert hub.topics() == files_of("", "tags/reading/", "tags/%E6%97%A5%E6%9C%AC%E8%AA%9E/")
    assert "r_and_d" not in project.read(".publisher/hub.json")


@pytest.mark.parametrize("broken", [b"", b"{", b"[]", b'{"hub": 1}', b"\xff"])
def test_a_damaged_state_file_makes_the_hub_notified_again(project: Project, hub: Hub, broken: bytes) -> None:
    with_hub(project, hub.url).ok("publish")
    hub.told.clear()
    project.write(".publisher/hub.json", broken)
    project.ok("publish")
    assert len(hub.topics()) == 12


LETTERS = '\n[[newsletters]]\nname = "weekly"\nschedule = "weekly monday 08:00"\nfirst = 3\n'


def test_emails_are_sent_before_the_hub_is_notified(project: Project, hub: Hub) -> None:
    hub.look = lambda: sum(path.is_file() for path in (project.root / ".publisher/outbox").rglob("*.eml"))
    with_hub(project, hub.url, LETTERS)
    project.subscribe("ada")
    project.ok("publish")
    assert len(hub.told) > 12
    assert set(hub.seen) == {1}


def test_a_request_without_an_answer_blocks_no_notification(project: Project, hub: Hub) -> None:
    more = f'transport = "smtp"\n\n[feeds]\nhub = "{hub.url}"\n'
    project.configure(more, LETTERS)
    project.subscribe("ada")
    assert "use --yes" in project.run("publish").err
    assert len(hub.topics()) == 12


@contextmanager
def drip(first: bytes, again: bytes) -> Iterator[str]:
    """A server that answers each connection with `first`, and then `again` until the client disconnects."""

    class Handler(StreamRequestHandler):
        def handle(self) -> None:
            with suppress(OSError):
                self.request.recv(65_536)
                self.wfile.write(first)
                while not over.wait(0.02):
                    self.wfile.write(again)

    over = threading.Event()
    with ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}/"
        over.set()
        server.shutdown()
        thread.join()


URLS = [f"{SITE}/{number}.xml" for number in range(5)]


def test_a_hub_that_sends_endless_headers_is_given_up_at_the_deadline() -> None:
    with drip(b"HTTP/1.1 200 OK\r\n", b"X-Slow: 1\r\n") as url:
        done = ping(url, URLS, HubLimits(each_seconds=1, all_seconds=60))
    assert [each.error for each in done] == ["no answer within 1 seconds"] * 5


def test_a_huge_body_is_not_read() -> None:
    with drip(b"HTTP/1.1 500 Broken\r\n\r\n", b"x" * 10_000) as url:
        done = ping(url, URLS, HubLimits(pause_seconds=0))
    assert [each.error for each in done] == ["it answered 500 Broken"] * 5


def test_all_feeds_together_also_have_a_deadline() -> None:
    with drip(b"HTTP/1.1 200 OK\r\n", b"X-Slow: 1\r\n") as url:
        done = ping(url, URLS, HubLimits(all_seconds=0))
    assert {each.error for each in done} == {"there was no time left"}


def test_a_forbidden_address_is_reported_and_not_tried() -> None:
    done = ping("http://2130706433:8080/", URLS)
    assert {each.error for each in done} == {
        "its address has an IP address in an unusual form; write it as four numbers, like 192.0.2.1"
    }
