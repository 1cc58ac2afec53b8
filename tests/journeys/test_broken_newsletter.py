"""One newsletter whose edition cannot be rendered, and one whose edition can."""

from __future__ import annotations

import pytest

from tests.support.project import WEEKLY, Project

TWO = WEEKLY + '\n[[newsletters]]\nname = "daily"\nschedule = "daily 08:00"\ntemplate = "own"\n'
BROKEN = [
    ("templates/email/own.html", "\n{{ letter.nothing }}", "templates/email/own.html:2"),
    ("letters/daily/2026-11-16.md", "---\nsubject: [\n---\n", "letters/daily/2026-11-16.md"),
]
WHOLE = '{% extends "email/digest.html" %}'


@pytest.fixture(params=BROKEN, ids=["template", "note"])
def broken(project: Project, request: pytest.FixtureRequest) -> str:
    """The file that breaks one of the project's two newsletters, as errors name it."""
    path, text, where = request.param
    project.configure(newsletters=TWO)
    project.post("first")
    project.write("templates/email/own.html", WHOLE)
    project.write(path, text)
    project.subscribe("ada")
    project.subscribe("ben", newsletter="daily")
    return str(where)


def assert_told(where: str, said: str) -> None:
    (line,) = [line for line in said.splitlines() if "newsletter daily: " in line]
    assert line.startswith(f"error: {where}")


def test_a_broken_newsletter_stops_no_other(project: Project, broken: str) -> None:
    ran = project.run("publish")
    assert ran.code == 1
    assert_told(broken, ran.err)
    assert set(project.mail()) == {"ada@example.org"}


def test_a_fixed_newsletter_is_sent(project: Project, broken: str) -> None:
    project.run("publish")
    project.write("templates/email/own.html", WHOLE)
    (project.root / "letters/daily/2026-11-16.md").unlink(missing_ok=True)
    project.ok("publish")
    assert {to: len(letters) for to, letters in project.mail().items()} == {"ada@example.org": 1, "ben@example.org": 1}


def test_a_dry_run_reports_the_same(project: Project, broken: str) -> None:
    ran = project.run("publish", "--dry-run")
    assert ran.code == 1
    assert_told(broken, ran.err)
    assert "weekly 2026-W47" in ran.out
    assert "daily 2026" not in ran.out


def test_test_emails_of_other_newsletters_are_sent(project: Project, broken: str) -> None:
    ran = project.run("publish", "--to", "me@example.org")
    assert (ran.code, set(project.mail())) == (1, {"me@example.org"})
    assert_told(broken, ran.err)
