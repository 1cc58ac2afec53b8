"""Measures the CPU time and memory that text from outside costs: every pattern through every entry point.

    python -m benchmarks.bounds [--size 60000] [--door NAME] [--pattern WORD] [--csv FILE]

Each entry point, called a door, has its own process, which is replaced if it hangs or dies. Times are CPU time of that
process and its children. Memory is their highest use up to that pattern, minus what they used when the door had been
set up. The last lines show the slowest pattern and the largest memory of each door. Exits with 1 if a limit is
exceeded, if a process hangs or dies, or if any error other than a refusal is raised.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import resource
import select
import signal
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import psutil

from benchmarks.doors import DOORS, REFUSALS, Door
from benchmarks.repetitions import CODE, SHAPES, Text
from benchmarks.tables import markdown

MOST_MEMORY = 500
"""Megabytes of memory that one text may use."""
_PATIENCE = 120.0  # seconds until a process counts as hanging, even on a busy computer
_WITH_CODE = ("post", "email", "site and feeds")


@dataclass(frozen=True, slots=True)
class Cell:
    """The cost of one pattern at one door. said: why the text was refused, or the error."""

    door: str
    pattern: str
    seconds: float
    megabytes: int
    said: str = ""
    wrong: bool = False


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print the tables, and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=int, default=60_000, help="characters of each text")
    parser.add_argument("--door", action="append", choices=list(DOORS), help="only this door; can be repeated")
    parser.add_argument("--pattern", default="", help="only patterns whose names contain this word")
    parser.add_argument("--csv", type=Path, help="write every cell to this file")
    options = parser.parse_args(arguments)
    cells: list[Cell] = []
    for name in options.door or DOORS:
        shapes = {key: text for key, text in _shapes(name).items() if options.pattern in key}
        for cell in measure(name, DOORS[name], shapes, options.size):
            cells.append(cell)
            if cell.wrong:
                print(f"{cell.door}: {cell.pattern}: {cell.said}", file=sys.stderr, flush=True)
    if options.csv:
        _write(options.csv, cells)
    print(_matrix(cells), _summary(cells), sep="\n\n")
    return int(any(cell.wrong for cell in cells))


def measure(name: str, door: Door, shapes: Mapping[str, Text], size: int) -> Iterator[Cell]:
    """Yield the cost of each pattern at a door."""
    left = list(shapes)
    while left:
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(reading)
            _in_child(name, door, {key: shapes[key] for key in left}, size, writing)
        os.close(writing)
        begun = ""
        with os.fdopen(reading, encoding="utf-8") as lines:
            for line in _patiently(lines, child):
                found = json.loads(line)
                begun = "" if "seconds" in found else found["pattern"]
                if not begun:
                    left.remove(found["pattern"])
                    yield Cell(**found)
        _, status = os.waitpid(child, 0)
        if begun or (left and status):
            pattern = begun or left[0]
            left.remove(pattern)
            number = os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0
            said = "hangs" if number == signal.SIGKILL else f"ends the process ({status})"
            yield Cell(name, pattern, _PATIENCE if number == signal.SIGKILL else 0, 0, said, wrong=True)


def _patiently(lines: Any, child: int) -> Iterator[str]:
    while True:
        ready, _, _ = select.select([lines], [], [], _PATIENCE)
        if not ready:
            os.kill(child, signal.SIGKILL)
            return
        line = lines.readline()
        if not line:
            return
        yield line


def _in_child(name: str, door: Door, shapes: Mapping[str, Text], size: int, writing: int) -> None:
    """Process the text of each pattern, and write a line before and after each. Never returns."""
    code = 1
    try:
        with os.fdopen(writing, "w", encoding="utf-8", buffering=1) as out, door.open() as take:
            _outcome(take, "a")
            before = _memory()
            for pattern, text in shapes.items():
                print(json.dumps({"pattern": pattern}), file=out)
                written = text(size)
                begin = _processor_time()
                said, wrong = _outcome(take, written)
                seconds = _processor_time() - begin
                memory = max(0, _memory() - before)
                if not wrong and (seconds > door.most_seconds or memory > MOST_MEMORY):
                    said, wrong = f"takes {seconds:.2f} s and {memory} MB", True
                print(json.dumps(asdict(Cell(name, pattern, seconds, memory, said, wrong))), file=out)
        code = 0
    finally:
        os._exit(code)


def _outcome(take: Any, text: str) -> tuple[str, bool]:
    try:
        take(text)
    except REFUSALS as refusal:
        return f"refused: {refusal}"[:200], False
    except Exception as error:  # noqa: BLE001 - whatever it is, it is shown
        return f"{type(error).__name__}: {error}"[:200], True
    return "", False


def _processor_time() -> float:
    """Return the CPU seconds used by this process and its children, including those that are still running."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    ended = sum(each.ru_utime + each.ru_stime for each in used)
    alive = 0.0
    for child in psutil.Process().children(recursive=True):
        with suppress(psutil.NoSuchProcess):
            times = child.cpu_times()
            alive += times.user + times.system
    return ended + alive


def _memory() -> int:
    used = [resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return max(used) // 1024


def _shapes(door: str) -> dict[str, Text]:
    return SHAPES | CODE if door in _WITH_CODE else SHAPES


def _matrix(cells: Iterable[Cell]) -> str:
    """Return a table of the seconds of each pattern at each door; "-" for a text that was refused."""
    found: dict[str, dict[str, Cell]] = {}
    for cell in cells:
        found.setdefault(cell.pattern, {})[cell.door] = cell
    doors = list(dict.fromkeys(door for row in found.values() for door in row))
    rows = (
        [pattern.replace("|", "\\|"), *(_shown(row[door]) if door in row else "" for door in doors)]
        for pattern, row in found.items()
    )
    return markdown(["Pattern", *doors], rows)


def _shown(cell: Cell) -> str:
    return f"{cell.seconds:.2f}{'!' if cell.wrong else '-' if cell.said else ''}"


def _summary(cells: Sequence[Cell]) -> str:
    """Return a table of the slowest pattern and the largest memory of each door."""
    rows = []
    for door in dict.fromkeys(cell.door for cell in cells):
        of_door = [cell for cell in cells if cell.door == door]
        slow = max(of_door, key=lambda cell: cell.seconds)
        large = max(of_door, key=lambda cell: cell.megabytes)
        bound = f"{DOORS[door].most_seconds:.2g} s"
        worst = f"{slow.seconds:.2f} s: {slow.pattern}".replace("|", "\\|")
        rows.append([door, bound, worst, f"{large.megabytes} MB", str(sum(cell.wrong for cell in of_door))])
    return markdown(["Door", "Bound", "Slowest", "Memory", "Over a bound"], rows)


def _write(path: Path, cells: Iterable[Cell]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(("door", "pattern", "seconds", "megabytes", "said", "wrong"))
        rows.writerows(asdict(cell).values() for cell in cells)


if __name__ == "__main__":
    sys.exit(main())
