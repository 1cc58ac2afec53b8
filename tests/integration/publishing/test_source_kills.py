"""A project with a source is killed in each phase: nothing is lost or sent twice, as in benchmarks.source_kills."""

from __future__ import annotations

import subprocess
from pathlib import Path
from types import SimpleNamespace

import pytest

from benchmarks import source_kills
from benchmarks.source_kills import prove
from tests.support.forked_program import Program


def test_a_killed_project_sends_each_item_once(store_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source_kills, "subprocess", SimpleNamespace(**vars(subprocess) | {"Popen": Program}))
    # python -m benchmarks.source_kills tests all of them, 25 times, on both databases
    phases = ("send",) if store_url.startswith("sqlite") else ("write",)
    found = prove(tmp_path / "project", store_url, phases, readers=2)
    assert (found.lost, found.twice, found.unsent, found.copies, found.problems) == (0, 0, 0, 0, ())
    assert found.items >= 5
    assert found.met.total() == len(phases)
