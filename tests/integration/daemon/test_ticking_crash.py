"""Two processes tick on one database and are killed: each slot is made once. benchmarks.ticking runs more slots."""

from __future__ import annotations

from pathlib import Path

from benchmarks.ticking import prove


def test_two_killed_processes_fill_each_slot_once(store_url: str, tmp_path: Path) -> None:
    found = prove(tmp_path / "project", store_url, slots=2, kills=2, readers=3)
    assert (found.slots, found.letters) == (2, 6)
    assert (found.missing, found.double, found.lost, found.copies) == (0, 0, 0, 0)
