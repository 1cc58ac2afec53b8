"""The table of promises is made from the saved results, and each benchmark names the promises that it measures."""

from __future__ import annotations

import json
import sys
from argparse import Namespace
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from benchmarks import feeds, growth, imports, performance, profile, queue, report, sending, site
from benchmarks.measure import Usage
from benchmarks.performance import ROWS, Row, read, table
from benchmarks.report import OURS, PEER, Limit, Results
from tests.support import ROOT
from tests.support.web_client import until

PROMISES = [
    Limit("feeds, cold: CPU of hugo's", 0.25, 0.3),
    Limit("sending: messages a second", 0.9, 1.0, at_least=True),
]

BUSY = """
import os, time

class Parent:
    def spin(self):
        until = time.process_time() + 0.3
        while time.process_time() < until:
            sum(range(99))

class Child:
    def spin(self):
        until = time.process_time() + 0.3
        while time.process_time() < until:
            sum(range(99))

Parent().spin()
if not (child := os.fork()):
    Child().spin()
    os._exit(0)
os.waitpid(child, 0)
"""


def keep(folder: Path, name: str, *, limits: list[Limit], unlike: tuple[str, ...] = (), code: int = 0) -> None:
    """Save figures as a run of the benchmark does."""
    report.write_limits(folder / "figures", limits, unlike)
    figures = json.loads((folder / "figures").read_text(encoding="utf-8"))
    more = {"command": f"python -m benchmarks.{name}", "taken": "2026-11-30T04:15+00:00", "load": 0.1, "seconds": 60.0}
    (folder / f"{name}.json").write_text(json.dumps({**figures, **more, "code": code}), encoding="utf-8")


def usage(seconds: float) -> Usage:
    return Usage(seconds, seconds * 2, 100.0)


def test_each_promise_has_a_line_with_goal_figure_and_command(tmp_path: Path) -> None:
    keep(tmp_path, "feeds", limits=PROMISES)
    lines = table(ROWS, tmp_path).splitlines()
    assert lines[2] == "| feeds, cold: CPU of hugo's | at most 0.3 | 0.25 | yes | `python -m benchmarks.feeds` |"
    assert lines[3] == "| sending: messages a second | at least 1 | 0.9 | **no** | `python -m benchmarks.feeds` |"
    assert "1 of 2 are reached." in lines


def test_rows_that_were_not_measured_are_listed(tmp_path: Path) -> None:
    keep(tmp_path, "feeds", limits=PROMISES)
    assert "Not measured: site, growth, " in table(ROWS, tmp_path)
    assert read(ROWS[1], tmp_path) is None


@pytest.mark.parametrize(
    ("unlike", "code", "fault"),
    [(("2 pages differ",), 1, "not comparable: 2 pages differ"), ((), 2, "the benchmark ended with 2")],
)
def test_figures_that_do_not_count_have_a_line_too(
    tmp_path: Path, unlike: tuple[str, ...], code: int, fault: str
) -> None:
    keep(tmp_path, "site", limits=[], unlike=unlike, code=code)
    assert f"| {fault} |  |  | **no** | `python -m benchmarks.site` |" in table(ROWS, tmp_path)


def test_a_benchmark_saves_its_figures_for_the_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    module = tmp_path / "benchmarks" / "one.py"
    module.parent.mkdir()
    (module.parent / "__init__.py").touch()
    limits = json.dumps({"limits": [{"name": "one", "measured": 1, "goal": 2, "at_least": False, "holds": True}]})
    module.write_text(f"import sys\nopen(sys.argv[-1], 'w').write('''{limits}''')\n", encoding="utf-8")
    monkeypatch.setattr(performance, "ROOT", tmp_path)
    row = Row("one", "--rounds 3", "--rounds 1")
    performance.take(row, tmp_path, Namespace(quick=True))
    kept = read(row, tmp_path)
    assert kept is not None
    assert kept.limits == (Limit("one", 1, 2),)
    assert kept.command == "python -m benchmarks.one --rounds 1"


def test_the_document_has_a_place_for_each_table() -> None:
    text = performance.DOCUMENT.read_text(encoding="utf-8")
    for name in ("performance", "profile", "peers"):
        assert f"<!-- {name}: begin, written by python -m benchmarks.{name} --write -->" in text
        assert f"<!-- {name}: end -->" in text


def test_a_ratio_is_taken_within_each_round_before_the_median() -> None:
    rounds = [{PEER: usage(peer), OURS: usage(own)} for peer, own in ((1.0, 0.5), (2.0, 0.5), (10.0, 9.0))]
    results = Results(states=dict.fromkeys(feeds.STATES, rounds), help={OURS: [usage(0.04)]})
    assert results.ratio("cold") == 0.5
    assert [limit.holds for limit in report.limits(results)] == [False, False, False, True, True]
    whole = site.SiteResults(results, checks=[usage(0.5), usage(1.0), usage(9.0)])
    found = {limit.name: limit.measured for limit in site.limits(whole)}
    assert found["check: CPU of the cold site build's"] == 1.0
    assert found["site, cold: wall time of hugo's"] == 0.5


def test_growth_may_be_slightly_more_than_proportional() -> None:
    grown = growth.Growth("site", usage(1.0), usage(10.4), 251.0, (10, 100))
    times, memory = growth.limits([grown], 10)
    assert times.holds
    assert not memory.holds
    assert "10.40" in growth.table([grown])


def test_memory_of_child_processes_counts(tmp_path: Path) -> None:
    code = f"""
import os, time
block = b'x' * (64 << 20)
while not os.path.exists({str(tmp_path / "seen")!r}):
    time.sleep(0.01)
"""
    with growth.watching() as memory, ThreadPoolExecutor() as apart:
        running = apart.submit(growth.run, [sys.executable, "-c", code], ROOT)
        until(lambda: memory.mib > 64)
        (tmp_path / "seen").touch()
        running.result(60)


def test_sending_imports_and_editions_have_promises() -> None:
    near = {"smtp-source": [100.0], "plain": [101.0], "ed25519": [80.0], "rsa": [70.0]}
    found = sending.limits(near, {"aiosmtplib": [10.0], "plain": [45.0]})
    assert [limit.holds for limit in found] == [True, False, True, True]
    assert [limit.goal for limit in imports.limits({"sqlite": 39.0, "postgresql": 61.0}, 1_000_000)] == [40.0, 60.0]
    (seconds, more) = queue.limits({"sqlite": {"making": 2.9, "more_mib": 40.0}}, 1_000_000)
    assert seconds.holds
    assert not more.holds


def test_a_profile_sees_what_a_program_and_its_child_do(tmp_path: Path) -> None:
    (tmp_path / "busy.py").write_text(BUSY, encoding="utf-8")
    looks = profile.look_at(tmp_path, tmp_path, "busy")
    assert set(looks) >= {"busy.py: Parent.spin", "busy.py: Child.spin"}
    shown = profile.table("Busy", looks, looks)
    assert "| `busy.py: Child.spin` |" in shown
    assert "(1.00)" in shown
