"""A post that never ends stops no command: each names it and leaves it out, and pays for it once."""

from __future__ import annotations

import pytest

from publisher.posts.bounded_process import shared_process
from tests.support.project import Project

REASON = "posts/endless.md:8: takes longer than 2 s to render: 15,000 lines begin with '# a'"


@pytest.fixture
def endless(project: Project) -> Project:
    project.post("hello")
    project.post("endless", body="Text\n\n" + "# a\n" * 15_000)
    project.subscribe("ben")
    return project


def test_each_command_names_a_post_that_never_ends_and_the_others_publish(endless: Project) -> None:
    assert REASON in endless.run("build").said
    assert "2026/11/10/hello/index.html" in endless.files()
    assert "2026/11/10/endless/index.html" not in endless.files()
    shared_process().end()
    assert REASON in endless.run("build").said
    assert shared_process().pid == 0  # the post was not rendered again
    dry = endless.run("publish", "--dry-run")
    assert REASON in dry.said
    assert "1 subscriber" in dry.said
    assert shared_process().pid != 0
    assert REASON in endless.run("check").said


def test_a_post_that_never_ends_does_not_keep_an_edition_from_its_readers(endless: Project) -> None:
    assert REASON in endless.run("publish").said
    (message,) = endless.mail()["ben@example.org"]
    assert "All about hello" in message.as_string()
    assert "Endless" not in message.as_string()


def test_a_post_that_was_too_long_is_rendered_when_it_changes(endless: Project) -> None:
    endless.run("build")
    endless.post("endless", body="Short now.")
    endless.ok("build")
    assert "Short now." in endless.read("public/2026/11/10/endless/index.html")
