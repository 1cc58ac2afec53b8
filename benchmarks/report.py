"""Figures of paired runs as a table, as promises that are kept or broken, and as JSON."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks.measure import Usage, median, median_usage

PEER, OURS = "hugo", "publisher"

_CPU_RATIOS = {"cold": 0.3, "nothing changed": 0.05, "one changed": 0.06}
_PEAK_MIB = 150.0
_HELP_CPU = 0.06


@dataclass(frozen=True, slots=True)
class Results:
    """Every figure of one benchmark: a pair of usages per state and round, and the runs of each program's help."""

    states: dict[str, list[dict[str, Usage]]]
    help: dict[str, list[Usage]]

    def of(self, state: str, name: str) -> list[Usage]:
        """Return the usages of one program in one state, in the order of the rounds."""
        return [pair[name] for pair in self.states[state]]

    def ratio(self, state: str, figure: str = "cpu") -> float:
        """Return the median over the rounds of our CPU (or wall) time divided by the peer's."""
        return median([getattr(pair[OURS], figure) / getattr(pair[PEER], figure) for pair in self.states[state]])


@dataclass(frozen=True, slots=True)
class Limit:
    """One promise about speed or size, and the measured value.

    goal      the highest value that keeps the promise, or with at_least the lowest
    at_least  whether higher is better
    """

    name: str
    measured: float
    goal: float
    at_least: bool = False

    @property
    def holds(self) -> bool:
        """Whether the measured value keeps the promise."""
        return self.measured >= self.goal if self.at_least else self.measured <= self.goal

    def __str__(self) -> str:
        bound = "least" if self.at_least else "most"
        return f"{'holds' if self.holds else 'BROKEN':6}  {self.name}: {self.measured:.3f}, at {bound} {self.goal:g}"


def limits(results: Results) -> list[Limit]:
    """Return the promises of this project with the values in `results`."""
    found = [Limit(f"feeds, {s}: CPU of {PEER}'s", results.ratio(s), most) for s, most in _CPU_RATIOS.items()]
    peak = max(usage.peak_mib for state in results.states for usage in results.of(state, OURS))
    found.append(Limit("feeds: highest peak of a process, MiB", peak, _PEAK_MIB))
    found.append(Limit(f"{OURS} --help: CPU seconds", median_usage(results.help[OURS]).cpu, _HELP_CPU))
    return found


def table(results: Results, work: str) -> str:
    """Return the medians as a table of plain text."""
    rows = [["state", "program", "CPU s", "wall s", "peak MiB", "CPU ratio", "wall ratio"]]
    for state in results.states:
        for name in (PEER, OURS):
            figures = ("cpu", "wall") if name == OURS else ()
            ratios = [f"{results.ratio(state, figure):.3f}" for figure in figures] or ["", ""]
            rows.append([state if name == PEER else "", name, *_figures(results.of(state, name)), *ratios])
    rows += [["help" if name == PEER else "", name, *_figures(runs), "", ""] for name, runs in results.help.items()]
    rounds = len(next(iter(results.states.values())))
    return f"{work}, medians of {rounds} rounds, {machine()}\n\n{_columns(rows)}\n"


def verdict(found: Sequence[Limit], unlike: Sequence[str], alike: str) -> str:
    """Return one line for each limit, and lines that say why the outputs are not comparable, or `alike`."""
    lines = [str(limit) for limit in found]
    if not unlike:
        lines.append(f"alike   {alike}")
    return "\n".join([*lines, *(f"UNLIKE  {sentence}" for sentence in unlike)])


def write_json(path: Path, results: Results, found: Sequence[Limit], unlike: Sequence[str], **setting: Any) -> None:
    """Write every figure to `path`, so that runs can be compared later."""
    ratios = {state: results.ratio(state) for state in results.states}
    write_limits(path, found, unlike, **setting, **asdict(results), cpu_ratios=ratios)


def write_limits(path: Path, found: Sequence[Limit], unlike: Sequence[str] = (), **more: Any) -> None:
    """Write the promises with the measured values, and any other data, in the format of benchmarks.performance."""
    data = {
        "machine": machine(),
        **more,
        "limits": [{**asdict(limit), "holds": limit.holds} for limit in found],
        "unlike": list(unlike),
    }
    path.write_text(json.dumps(data, indent=1) + "\n", encoding="utf-8")


def _figures(usages: Sequence[Usage]) -> list[str]:
    middle = median_usage(usages)
    return [f"{middle.cpu:.3f}", f"{middle.wall:.3f}", f"{middle.peak_mib:.0f}"]


def _columns(rows: Sequence[Sequence[str]]) -> str:
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    return "\n".join("  ".join(map(_cell, row, widths, range(len(row)))).rstrip() for row in rows)


def _cell(text: str, width: int, column: int) -> str:
    return text.ljust(width) if column < 2 else text.rjust(width)  # text left-aligned, figures right-aligned


def machine() -> str:
    """Return the system, its cores and this Python, in a few words."""
    python = platform.python_version()
    return f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores, Python {python}"
