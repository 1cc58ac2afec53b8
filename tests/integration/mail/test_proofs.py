"""The proofs in benchmarks/, on a small scale: killed senders, and faults with their designed outcomes."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from benchmarks import clocks, faults, fleet, kills, million, tables
from benchmarks.broken import Fault
from benchmarks.disks import DISKS
from tests.support.needs import needs

pytestmark = needs("smtp-sink")

FAST = (
    "5xx to MAIL",
    "4xx to the end of the message",
    "421 to DATA",
    "421 to the end of the message",
    'connection closed instead of an answer to the end of the message, `"hold"`',
    'the same with `"resend"`',
    "the server dies and returns",
    "one of two servers dies",
    "one of two servers is cut off",
)


def test_killed_senders_keep_every_promise(store_url: str, tmp_path: Path) -> None:
    mode = "hold" if store_url.startswith("sqlite") else "resend"  # python -m benchmarks.kills runs all of them
    trial = kills.Trial("any", 2, mode, recipients=2_400, kills=8, connections=4)
    result = kills.prove(trial, store_url, tmp_path)
    assert result.broken() == []


@pytest.mark.postgres
def test_interrupted_hosts_keep_every_promise(postgres_url: str, tmp_path: Path) -> None:
    trial = fleet.FleetTrial("postgresql", 3, "hold", recipients=900, kills=3, connections=4, lease=4.0, rate="200/s")
    result = fleet.prove(trial, postgres_url, tmp_path)
    assert result.broken() == []
    assert result.ways == {"process": 1, "host": 1, "pause": 1}


@pytest.mark.postgres
def test_hosts_with_different_clocks_fill_each_slot_once(
    postgres_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PUBLISHER_HOST", "one")
    made = clocks.prove(postgres_url, tmp_path, 2016, 0.03)
    assert made.holds, made
    assert made.messages == clocks.READERS * made.slots > 0


def test_run_and_workers_send_an_edition_to_everyone_once(store_url: str, tmp_path: Path) -> None:
    trial = million.Trial(recipients=600, workers=0 if store_url.startswith("sqlite") else 1, connections=8)
    outcome = million.prove(trial, store_url, tmp_path)
    assert outcome.faults() == []
    assert len(outcome.memory) == 1 + trial.workers
    assert all(memory.peak > 0 for memory in outcome.memory.values())


@pytest.mark.parametrize("name", FAST)
def test_a_fault_has_its_designed_outcome(name: str) -> None:
    (fault,) = (each for each in faults.FAULTS if each.name == name)
    assert faults.differences(fault, faults.inject(fault)) == []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a small file system")
@pytest.mark.parametrize("fault", DISKS, ids=lambda fault: fault.name)
def test_a_full_disk_has_its_designed_outcome(fault: Fault) -> None:
    assert faults.differences(fault, faults.inject(fault)) == []


def test_a_table_is_replaced_only_between_its_own_marks(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    begin, end = "<!-- kills: begin, written by python -m benchmarks.kills --write -->", "<!-- kills: end -->"
    page.write_text(f"Before\n\n{begin}\nold\n{end}\n\nAfter\n")
    tables.write("kills", tables.markdown(("a", "b"), [("1", "2")]), page)
    assert page.read_text() == f"Before\n\n{begin}\n\n| a | b |\n| --- | --- |\n| 1 | 2 |\n\n{end}\n\nAfter\n"
    with pytest.raises(ValueError, match="no marks for faults"):
        tables.write("faults", "", page)


@pytest.mark.parametrize("name", ["kills", "fleet", "outages", "reactions", "faults", "queue", "million"])
def test_the_document_has_the_figures_of_each_proof(name: str) -> None:
    text = tables.DOCUMENT.read_text(encoding="utf-8")
    section = text.partition(f"<!-- {name}: begin")[2].partition(f"<!-- {name}: end -->")[0]
    assert section.count("\n| ") >= 3


def test_every_fault_is_documented_and_loses_no_one() -> None:
    text = tables.DOCUMENT.read_text(encoding="utf-8")
    for fault in faults.FAULTS:
        (line,) = (line for line in text.splitlines() if line.startswith(f"| {fault.name} | {fault.does} |"))
        lost, twice = line.strip("| ").split(" | ")[-2:]
        assert lost == "0"
        assert int(twice) <= fault.twice
