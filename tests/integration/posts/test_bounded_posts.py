"""A post that exceeds a limit stops no command: each command reports and skips it, and it costs time only once."""

from __future__ import annotations

import pytest

from publisher.posts import bounded_process
from publisher.posts.bounded_process import BoundedProcess, shared_process
from tests.support.project import Project

TABLE = f"|{'a|' * 2000}\n|{'-|' * 2000}\n" + "a\n" * 2000  # 1.7 GB without a limit
REASON = "posts/huge.md:8: takes more than 100 MB of memory to render: 2,000 lines begin with 'a'"


@pytest.fixture
def huge(project: Project, monkeypatch: pytest.MonkeyPatch) -> Project:
    small = BoundedProcess(memory=100_000_000)  # 400 take four times as long
    monkeypatch.setattr(bounded_process, "_shared", small)
    project.post("hello")
    project.post("huge", body=TABLE)
    project.subscribe("ben")
    return project


def test_each_command_reports_a_post_that_exceeds_a_limit_and_publishes_the_others(huge: Project) -> None:
    assert REASON in huge.run("build").said
    assert "2026/11/10/hello/index.html" in huge.files()
    assert "2026/11/10/huge/index.html" not in huge.files()
    shared_process().end()
    assert REASON in huge.run("build").said
    assert shared_process().pid == 0  # the post was not rendered again
    dry = huge.run("publish", "--dry-run")
    assert REASON in dry.said
    assert "1 subscriber" in dry.said
    assert shared_process().pid == 0
    assert REASON in huge.run("check").said
    assert shared_process().pid != 0  # a check reads everything again


def test_a_post_that_exceeds_a_limit_does_not_stop_an_edition(huge: Project) -> None:
    assert REASON in huge.run("publish").said
    (message,) = huge.mail()["ben@example.org"]
    assert "All about hello" in message.as_string()
    assert "Huge" not in message.as_string()


def test_a_post_that_was_too_large_is_rendered_when_it_changes(huge: Project) -> None:
    huge.run("build")
    huge.post("huge", body="Short now.")
    huge.ok("build")
    assert "Short now." in huge.read("public/2026/11/10/huge/index.html")
