"""The benchmark of start-up times measures everything about which it makes promises."""

from __future__ import annotations

import sys
from pathlib import Path

from benchmarks.start import limits, make_project, measure


def test_every_promise_is_measured(tmp_path: Path) -> None:
    program = Path(sys.executable).with_name("publisher")
    project = make_project(tmp_path / "both", 3, program)
    used = measure(project, project, program, 1)
    assert all(len(usages) == 1 and usages[0].wall > 0 for usages in used.values())
    assert [limit.name.split(":")[0] for limit in limits(used, 3)] == [
        "start, --help",
        "start, status",
        "start, run until it is ready",
        "publish with nothing new, 3 posts",
    ]
