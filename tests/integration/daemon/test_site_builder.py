"""Builds in their own processes: what happens when one hangs, grows or dies, and what the next one does."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from publisher.core.errors import PublisherError
from publisher.daemon.child_processes import BuildNote, ChildError, Children
from publisher.daemon.site_builder import SiteBuilder
from publisher.publishing.wiring import site_problems
from tests.support.project import Project
from tests.support.web_client import until

NOW = datetime(2026, 11, 17, 10, tzinfo=UTC)


@pytest.fixture(scope="module")
def children() -> Iterator[Children]:
    started = Children(())
    yield started
    started.end()


def builder(project: Project, children: Children) -> SiteBuilder:
    config = project.config()
    return SiteBuilder(children, lambda: config, lambda: NOW, quiet=300)


def break_page(project: Project, loop: str) -> None:
    """Make the page of the newest post run for ever, or until no memory is left."""
    project.write("templates/pages/post.html", loop)


class LateNote(BuildNote):
    """A note in which a build makes progress until it is at the newest post, however slow the computer is."""

    def read(self) -> tuple[int, str]:
        count, name = super().read()
        return (count if "third" in name else -time.monotonic_ns()), name


def test_a_build_without_progress_is_ended_and_reported(
    project: Project, children: Children, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = builder(project, children)
    before = site.build(project.config(), NOW)
    assert before.written > 0
    feed = project.read("public/feed.xml")
    break_page(project, "{% for n in range(10 ** 15) %}{% endfor %}")
    with monkeypatch.context() as patch, pytest.raises(ChildError, match="made no progress for 1 s") as hung:
        patch.setattr("publisher.daemon.site_builder.BuildNote", LateNote)
        patch.setattr(site, "_quiet", 1.0)
        site.build(project.config(), NOW)
    assert "third" in hung.value.where  # the post, or its page
    assert project.read("public/feed.xml") == feed
    with pytest.raises(ChildError) as again:  # the same would happen again, so it is not tried immediately
        site.build(project.config(), NOW)
    assert again.value is hung.value
    ((noted,), _) = site_problems(project.config())  # which a tick emails to the owner
    assert (noted.path, "made no progress for 1 s" in noted.message) == (hung.value.where, True)
    (project.root / "templates/pages/post.html").unlink()
    site.changed()
    assert site.build(project.config(), NOW).problems == before.problems
    assert site_problems(project.config())[0] == []


def test_a_build_that_needs_too_much_memory_is_ended(project: Project, children: Children) -> None:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") + 2 * 1024**3
    break_page(project, f"{{{{ 'x' * {memory} }}}}")
    with pytest.raises(PublisherError, match="memory") as grown:
        builder(project, children).build(project.config(), NOW)
    assert "MemoryError" not in str(grown.value)


def test_a_killed_build_is_reported_and_the_next_one_succeeds(project: Project, children: Children) -> None:
    break_page(project, "{% for n in range(10 ** 15) %}{% endfor %}")
    site = builder(project, children)
    failures: list[PublisherError] = []

    def attempt() -> None:
        with pytest.raises(ChildError) as killed:
            site.build(project.config(), NOW)
        failures.append(killed.value)

    thread = threading.Thread(target=attempt)
    thread.start()
    child = until(lambda: site._child)
    os.kill(child.pid, signal.SIGKILL)
    thread.join(60)
    assert "ended too early (killed by SIGKILL)" in str(failures[0])
    (project.root / "templates/pages/post.html").unlink()
    site.changed()
    assert site.build(project.config(), NOW).posts > 0


def test_an_error_of_the_project_arrives_unchanged(project: Project, children: Children) -> None:
    (project.root / "public").write_text("in the way", encoding="utf-8")
    with pytest.raises(PublisherError, match="is a file, not a folder") as refused:
        builder(project, children).build(project.config(), NOW)
    assert not isinstance(refused.value, ChildError)


def test_a_note_is_read_while_it_is_being_written() -> None:
    note = BuildNote()
    assert note.read() == (0, "")
    note.write("")
    assert note.read() == (1, "")
    note.write("posts/ä.md")
    note.write("")
    assert note.read() == (3, "posts/ä.md")
    note.write("x" * 10_000)
    assert note.read() == (4, "x" * 4_000)
    note.close()
