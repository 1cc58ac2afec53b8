"""What every test has: a project in a folder of its own, a store on either database, a browser."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.support.project import Project

pytest_plugins = ["tests.support.store_fixtures", "tests.support.browser"]

# A busy machine is slow, and no test is about time.
settings.register_profile("publisher", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("publisher")


@pytest.fixture
def empty(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Project:
    """A folder that is no project yet."""
    return Project(tmp_path / "letter", capsys)


@pytest.fixture
def project(empty: Project) -> Project:
    """A project with one newsletter and three posts."""
    empty.configure()
    empty.post("first", "2026-11-02", tags="[Reading]")
    empty.post("second", "2026-11-09", tags="[Reading, 日本語]")
    empty.post("third", "2026-11-15", tags="[R&D]")
    return empty


@pytest.fixture(autouse=True)
def no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Take PUBLISHER_* variables of the machine away."""
    for name in list(os.environ):
        if name.startswith("PUBLISHER_"):
            monkeypatch.delenv(name)
    yield
