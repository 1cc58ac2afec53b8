"""The parts of the preview that answer without a server: the state of files, the desk, frames, angles."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from publisher.config import Config
from publisher.web.preview.live_project import LiveProject, state_of
from publisher.web.preview.snapshot import Snapshot
from publisher.web.preview.view_options import ViewOptions
from publisher.web.sample_email import link_to_preview, open_links_in_tabs
from tests.support.project import Project

MONDAY_AT_TEN = datetime(2026, 11, 16, 10, tzinfo=ZoneInfo("Europe/Berlin"))


def rewritten(file: Path) -> None:
    file.write_text("other words")


def touched(file: Path) -> None:
    os.utime(file, ns=(1, 1))


def moved(file: Path) -> None:
    file.rename(file.with_name("other.md"))


def joined(file: Path) -> None:
    (file.parent / "deeper").mkdir()
    (file.parent / "deeper/new.md").write_text("")


@pytest.mark.parametrize("change", [rewritten, touched, moved, joined, Path.unlink], ids=lambda change: change.__name__)
def test_whatever_happens_to_a_file_is_seen(change: Callable[[Path], None], tmp_path: Path) -> None:
    file = tmp_path / "posts/a.md"
    file.parent.mkdir()
    file.write_text("words")
    before = state_of([tmp_path / "posts", tmp_path / "not-there"])
    assert state_of([tmp_path / "posts", tmp_path / "not-there"]) == before
    change(file)
    assert state_of([tmp_path / "posts", tmp_path / "not-there"]) != before


def test_an_editors_own_files_and_links_in_a_circle_do_not_count(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text("words")
    before = state_of([tmp_path])
    (tmp_path / ".a.md.swp").write_text("")
    (tmp_path / "a.md~").write_text("")
    assert state_of([tmp_path]) == before
    (tmp_path / "circle").symlink_to(tmp_path)
    (tmp_path / "nowhere").symlink_to(tmp_path / "gone")
    assert state_of([tmp_path]) == state_of([tmp_path])


class Clock:
    """A clock that a test sets."""

    now = MONDAY_AT_TEN

    def __call__(self, config: Config) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def desk(project: Project, clock: Clock) -> Iterator[LiveProject]:
    made = LiveProject(project.root, clock)
    yield made
    made.close()


def subject(snapshot: Snapshot) -> str:
    return snapshot.sample("weekly", "next", "").letter.subject


def test_a_letter_is_composed_once_for_one_state_of_the_files(project: Project, desk: LiveProject) -> None:
    first = desk.ask(lambda snapshot: snapshot.sample("weekly", "next", ""))
    assert desk.ask(lambda snapshot: snapshot.sample("weekly", "next", "")) is first
    project.post("fourth", "2026-11-16")
    assert desk.ask(subject) == "Fourth and 3 more"


def test_a_post_that_waits_for_its_hour_changes_the_state_when_it_comes(
    project: Project, desk: LiveProject, clock: Clock
) -> None:
    project.post("later", "2026-11-17")
    assert desk.ask(subject) == "Third and 2 more"
    before = desk.state()
    clock.now += timedelta(days=2)
    time.sleep(0.3)  # the desk looks at most so often
    after = desk.state()
    assert after != before
    assert desk.ask(subject) == "Later and 3 more"
    time.sleep(0.3)
    assert desk.state() == after


def test_a_post_whose_body_cannot_be_read_is_left_out_of_the_letter(project: Project, desk: LiveProject) -> None:
    project.write("posts/third.md", b"---\ntitle: Third\ndate: 2026-11-15\n---\n\n" + b"word " * 2000 + b"\xff\xfe\xff")
    assert desk.ask(subject) == "Second and 1 more"
    assert [problem.path for problem in desk.ask(lambda snapshot: snapshot.problems)] == ["posts/third.md"]


@pytest.mark.parametrize(
    ("html", "framed"),
    [
        ('<img src="https://a.example/x.png">', '<img src="/site/x.png">'),
        ('<a href="https://a.example/">', '<a href="/site/">'),
        ('<img srcset="https://a.example/1 1x, https://a.example/2 2x">', '<img srcset="/site/1 1x, /site/2 2x">'),
        ('<td style="background:url(https://a.example/x.png)">', '<td style="background:url(/site/x.png)">'),
        ('<a href="https://a.example.org/x">', '<a href="https://a.example.org/x">'),
        ('<a href="https://b.example/?to=https://a.example/">', '<a href="https://b.example/?to=https://a.example/">'),
        ("<p>https://a.example/x</p>", "<p>https://a.example/x</p>"),
        ("<head><title>", '<head><base target="_blank"><title>'),
        ("<header>", "<header>"),
    ],
)  # fmt: skip
def test_addresses_of_the_site_lead_into_the_preview_and_nothing_else_changes(html: str, framed: str) -> None:
    assert open_links_in_tabs(link_to_preview(html, "https://a.example")) == framed


def test_an_angle_outlives_an_address_and_nonsense_is_as_usual() -> None:
    angle = ViewOptions("source", "phone", "both", "a&b,c d")
    read = dict(part.split("=") for part in angle.query().removeprefix("?").split("&"))
    assert read == {"view": "source", "width": "phone", "scheme": "both", "topics": "a%26b%2Cc+d"}
    assert ViewOptions.of({"view": "source", "width": "phone", "scheme": "both", "topics": "a&b,c d"}) == angle
    assert ViewOptions.of({"view": "<script>", "width": "", "scheme": "DARK"}) == ViewOptions()
    assert ViewOptions().query() == ""
