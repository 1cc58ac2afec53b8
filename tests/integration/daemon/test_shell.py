"""An edition is sent while child processes die and strangers send requests; `make proof` runs this on a full scale."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import shell, troubles
from tests.support.needs import needs

pytestmark = [needs("smtp-sink"), pytest.mark.slow]

TROUBLES = {
    "endless path": troubles.endless_paths,
    "hanging build": troubles.killed("publisher build"),
    "web killed": troubles.killed("publisher web"),
}


def test_no_trouble_of_the_child_processes_loses_an_email(tmp_path: Path) -> None:
    outcome = shell.prove(tmp_path, TROUBLES, letters=80, seconds=1, rate=10)
    assert (outcome.lost, outcome.twice, outcome.uncertain) == (0, 0, 0)
    assert len(outcome.rows) == len(TROUBLES)
