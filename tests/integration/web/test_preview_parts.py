"""The preview without HTTP: the state of the files, the live project, frames and view options."""

from __future__ import annotations

import os
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
def test_any_file_change_is_noticed(change: Callable[[Path], None], tmp_path: Path) -> None:
    file = tmp_path / "posts/a.md"
    file.parent.mkdir()
    file.write_text("words")
    before = state_of([tmp_path / "posts", tmp_path / "not-there"])
    assert state_of([tmp_path / "posts", tmp_path / "not-there"]) == before
    change(file)
    assert state_of([tmp_path / "posts", tmp_path / "not-there"]) != before


def test_editor_files_and_link_loops_are_ignored(tmp_path: Path) -> None:
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
def live(project: Project, clock: Clock) -> Iterator[LiveProject]:
    made = LiveProject(project.root, clock)
    yield made
    made.close()


def subject(snapshot: Snapshot) -> str:
    return snapshot.sample("weekly", "next", "").letter.subject


def test_email_is_composed_once_per_state(project: Project, live: LiveProject) -> None:
    first = live.ask(lambda snapshot: snapshot.sample("weekly", "next", ""))
    assert live.ask(lambda snapshot: snapshot.sample("weekly", "next", "")) is first
    project.post("fourth", "2026-11-16")
    assert live.ask(subject) == "Fourth and 3 more"


def test_scheduled_post_changes_the_state_once(
    project: Project, live: LiveProject, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("_CHECK_EVERY", "_REST"):  # check whenever the state is asked for
        monkeypatch.setattr(f"publisher.web.preview.live_project.{name}", 0)
    project.post("later", "2026-11-17")
    assert live.ask(subject) == "Third and 2 more"
    before = live.state()
    clock.now += timedelta(days=2)
    after = live.state()
    assert after != before
    assert live.ask(subject) == "Later and 3 more"
    assert live.state() == after


def test_unreadable_post_is_left_out(project: Project, live: LiveProject) -> None:
    project.write("posts/third.md", b"---\ntitle: Third\ndate: 2026-11-15\n---\n\n" + b"word " * 2000 + b"\xff\xfe\xff")
    assert live.ask(subject) == "Second and 1 more"
    assert [problem.path for problem in live.ask(lambda snapshot: snapshot.problems)] == ["posts/third.md"]


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
def test_site_urls_lead_into_the_preview(html: str, framed: str) -> None:
    assert open_links_in_tabs(link_to_preview(html, "https://a.example")) == framed


def test_view_options_survive_in_a_url() -> None:
    options = ViewOptions("source", "phone", "both", "a&b,c d")
    read = dict(part.split("=") for part in options.query().removeprefix("?").split("&"))
    assert read == {"view": "source", "width": "phone", "scheme": "both", "topics": "a%26b%2Cc+d"}
    assert ViewOptions.of({"view": "source", "width": "phone", "scheme": "both", "topics": "a&b,c d"}) == options
    assert ViewOptions.of({"view": "<script>", "width": "", "scheme": "DARK"}) == ViewOptions()
    assert ViewOptions().query() == ""
