"""Common commands start quickly because they load few libraries; each test lists those that a command may load."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.support.project import Project

SCRIPT = """
import json, sys
from publisher.__main__ import run
code = run(sys.argv[1:])
sys.stdout.flush()
print("\\n" + json.dumps({"code": code, "modules": sorted(sys.modules)}))
"""
WEB = {"starlette", "uvicorn", "h11", "prometheus_client"}
LETTERS = {"premailer", "lxml", "cssutils", "tinycss2"}
HEAVY = {
    *WEB,
    *LETTERS,
    "feedgen",
    "apscheduler",
    "pydantic",
    "cryptography",
    "babel",
    "httpx",
    "argon2",
    "watchfiles",
    "procrastinate",
    "psycopg",
}


def loaded(*arguments: str, folder: Path | None = None) -> set[str]:
    """Run a command, which must succeed, and return the names of all modules that it loaded."""
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, *arguments], cwd=folder, capture_output=True, text=True, check=False
    )
    answer = json.loads(done.stdout.splitlines()[-1])
    assert answer["code"] == 0, done.stdout + done.stderr
    return set(answer["modules"])


def heavy(modules: set[str]) -> set[str]:
    """Return the heavy libraries among these modules, and print the names of our own modules."""
    ours = sorted(name for name in modules if name.startswith("publisher."))
    sys.stdout.write(f"{len(ours)} modules of ours: {' '.join(ours)}\n")
    return modules & {*HEAVY, "sqlalchemy", "jinja2", "pygments", "comrak", "rich", "yaml"}


@pytest.fixture
def built(project: Project) -> Project:
    project.ok("build")
    return project


def test_help_loads_no_library_but_click() -> None:
    modules = loaded("--help")
    assert heavy(modules) == set()
    assert len([name for name in modules if name.startswith("publisher.")]) < 20


def test_a_build_with_nothing_to_do_loads_no_library_that_renders(built: Project) -> None:
    assert heavy(loaded("--project", str(built.root), "--now", "2026-11-16T10:00", "build")) == set()


def test_an_unchanged_build_loads_neither_command_line_nor_configuration(project: Project) -> None:
    time.sleep(0.03)  # longer than a tick of the file system's clock
    project.run("build", now="")
    modules = loaded("build", folder=project.root)
    assert heavy(modules) == set()
    assert not modules & {"click", "dataclasses", "publisher.config", "publisher.posts.archive", "sqlite3", "tomllib"}


def test_status_loads_the_database_and_nothing_about_emails_or_the_web(built: Project) -> None:
    assert heavy(loaded("--project", str(built.root), "--now", "2026-11-16T10:00", "status")) <= {
        "sqlalchemy",
        "rich",
        "yaml",
    }


def test_status_of_a_project_on_sqlite_loads_nothing_for_postgresql(built: Project) -> None:
    built.subscribe("ada")
    modules = loaded("--project", str(built.root), "--now", "2026-11-16T10:00", "status")
    assert "sqlalchemy" in modules
    assert {name for name in modules if "postgresql" in name or "psycopg" in name} == set()
