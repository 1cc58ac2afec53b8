"""`publisher publish` and a WebSub hub: a real program, and a real server on loopback that takes the news."""

from __future__ import annotations

import socket
import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs

import pytest
from conftest import Project

SITE = "https://letters.example"


@dataclass
class Hub:
    """A running hub: where it is, what it was told, and the statuses that it answers, the last one for ever."""

    url: str = ""
    told: list[dict[str, str]] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    statuses: list[int] = field(default_factory=lambda: [204])

    def topics(self) -> Counter[str]:
        """How often it was told of each feed."""
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
            self.send_response(hub.statuses.pop(0) if len(hub.statuses) > 1 else hub.statuses[0])
            self.end_headers()

        def log_message(self, *parts: object) -> None:
            """Say nothing between the dots of the tests."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    hub.url = f"http://127.0.0.1:{server.server_port}/publish?key=a%26b"
    thread = threading.Thread(target=server.serve_forever)
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


def test_the_hub_is_told_once_of_every_feed_that_changed_and_of_no_other(project: Project, hub: Hub) -> None:
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


def test_when_nothing_changed_nobody_is_told(project: Project, hub: Hub) -> None:
    with_hub(project, hub.url)
    project.ok("publish")
    hub.told.clear()
    project.ok("publish")
    assert hub.told == []


def test_building_alone_tells_nobody(project: Project, hub: Hub) -> None:
    with_hub(project, hub.url).ok("build")
    with_hub(project, hub.url).ok("publish", "--dry-run")
    assert hub.told == []


def test_the_feed_of_a_newsletter_is_told_when_its_edition_is_up(project: Project, hub: Hub) -> None:
    with_hub(project, hub.url, '\n[[newsletters]]\nname = "weekly"\nschedule = "weekly monday 08:00"\nfirst = 3\n')
    project.subscribe("ada")
    project.ok("publish")
    assert len(project.mail()["ada@example.org"]) == 1
    assert files_of("", "editions/weekly/").items() <= hub.topics().items()
    assert set(hub.topics().values()) == {1}


def test_a_hub_that_nobody_answers_for_is_one_warning_a_feed_and_no_failure(project: Project) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # a port on which nobody listens
        with_hub(project, f"http://127.0.0.1:{taken.getsockname()[1]}/")
        ran = project.spawn("publish")
    assert ran.code == 0
    assert ran.err.count("was not told of") == 12
    assert "no answer:" in ran.err
    assert "readers see it when they poll" in ran.err
    assert "error:" not in ran.err
    assert (project.root / "public/feed.xml").is_file()


def test_a_hub_that_refuses_is_a_warning_with_its_answer(project: Project, hub: Hub) -> None:
    hub.statuses = [403]
    ran = with_hub(project, hub.url).ok("publish")
    assert set(hub.topics().values()) == {1}
    assert ran.err.count("it answered 403 Forbidden") == 12


def test_a_hub_that_is_busy_for_a_moment_is_asked_again(project: Project, hub: Hub) -> None:
    hub.statuses = [503, 503, 202]
    ran = with_hub(project, hub.url).ok("publish")
    assert "was not told" not in ran.err
    assert sorted(hub.topics().values()) == [1] * 11 + [3]
