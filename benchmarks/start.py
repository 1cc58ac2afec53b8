"""How long people wait before anything happens: help, status, publishing with nothing new, and `publisher run`.

    python -m benchmarks.start [--rounds 9] [--posts 10000] [--publisher PATH] [--json FILE] [--quick]

The programs run in turn, and the figures are medians: CPU time (user and system) and wall time of the whole process. An
ordinary project has 100 posts, a newsletter and a subscriber; the large one has as many posts as --posts says. `run` is
ready when it notifies systemd: its pages answer then. Everything was built and sent beforehand, so there is nothing to
do. --quick uses small numbers, to check that everything runs.
"""

from __future__ import annotations

import argparse
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks import corpus
from benchmarks.free_ports import free_port
from benchmarks.measure import RunFailedError, Usage, find_program, median_usage, memory_folder, run
from benchmarks.report import Limit, machine, write_limits
from benchmarks.tables import markdown

ORDINARY = 100
_LONGEST_START = 240  # seconds

_SETTINGS = """\
[site]
title = "Benchmark"
url = "https://bench.example.net"
author = {{ name = "Ada", email = "ada@bench.example.net" }}
postal_address = "1 Reading Room, 12345 Bookham"

[mail]
sender = "Ada <ada@bench.example.net>"

[web]
listen = "127.0.0.1:{port}"

[[newsletters]]
name = "weekly"
schedule = "weekly monday 08:00"
first = 5
"""


def make_project(folder: Path, posts: int, program: Path) -> Path:
    """Write a project with this many posts and a subscriber, and publish it until there is nothing new."""
    folder.mkdir()
    (folder / "publisher.toml").write_text(_SETTINGS.format(port=free_port()), encoding="utf-8")
    corpus.write_posts(folder / "posts", posts)
    run([program, "subscribers", "add", "ada@bench.example.net"], folder)
    for _ in range(2):
        run([program, "publish", "--yes"], folder)
    return folder


def time_to_ready(program: Path, folder: Path) -> Usage:
    """Start `publisher run` and end it when it is ready; return the wall time until then, without CPU time.

    Raises RunFailedError if it ends before that, or takes longer than four minutes.
    """
    with tempfile.TemporaryDirectory() as own, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as wire:
        wire.bind(f"{own}/notify")
        wire.settimeout(_LONGEST_START)
        environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
        begun = time.perf_counter()
        with subprocess.Popen(
            [program, "run"],
            cwd=folder,
            env={**environment, "NOTIFY_SOCKET": f"{own}/notify"},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        ) as child:
            try:
                while b"READY=1" not in wire.recv(4096):
                    pass
                wall = time.perf_counter() - begun
            except TimeoutError:
                raise RunFailedError("publisher run was not ready within four minutes") from None
            finally:
                child.send_signal(signal.SIGTERM)
    return Usage(float("nan"), wall, float("nan"))


def measure(ordinary: Path, large: Path, program: Path, rounds: int) -> dict[str, list[Usage]]:
    """Run everything in turn; return the usages by what was run."""
    works: dict[str, Callable[[], Usage]] = {
        "--help": lambda: run([program, "--help"], ordinary),
        "status": lambda: run([program, "status"], ordinary),
        "run, until it is ready": lambda: time_to_ready(program, ordinary),
        "status, large": lambda: run([program, "status"], large),
        "build, large, nothing changed": lambda: run([program, "build"], large),
        "publish, large, nothing new": lambda: run([program, "publish"], large),
    }
    used: dict[str, list[Usage]] = {name: [] for name in works}
    for _ in range(rounds):
        for name, work in works.items():
            used[name].append(work())
    return used


def limits(used: dict[str, list[Usage]], posts: int) -> list[Limit]:
    """Return the promises about starting, with the measured values."""
    middle = {name: median_usage(usages) for name, usages in used.items()}
    return [
        Limit("start, --help: CPU seconds", middle["--help"].cpu, 0.06),
        Limit("start, status: seconds", middle["status"].wall, 0.25),
        Limit("start, run until it is ready: seconds", middle["run, until it is ready"].wall, 1.0),
        Limit(f"publish with nothing new, {posts:,} posts: seconds", middle["publish, large, nothing new"].wall, 0.5),
    ]


def parse_arguments() -> argparse.Namespace:
    """Return the command line's settings."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.start", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--rounds", type=int, default=9, help="rounds (default 9)")
    parser.add_argument("--posts", type=int, default=10_000, help="posts of the large project (default 10000)")
    parser.add_argument(
        "--publisher", default="", metavar="PATH", help="the program (default: the one next to this Python)"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures to FILE")
    parser.add_argument("--quick", action="store_true", help="small numbers, to check that everything runs")
    return parser.parse_args()


def main() -> int:
    """Measure, print the figures, and return 0 if every limit is kept."""
    arguments = parse_arguments()
    rounds, posts = (1, 200) if arguments.quick else (arguments.rounds, arguments.posts)
    program = find_program("publisher", arguments.publisher)
    if program is None:
        sys.exit("publisher is missing: run `make` first, or give its path with --publisher")
    with tempfile.TemporaryDirectory(prefix="publisher-bench-", dir=memory_folder()[0]) as scratch:
        try:
            ordinary = make_project(Path(scratch) / "ordinary", ORDINARY, program)
            large = make_project(Path(scratch) / "large", posts, program)
            used = measure(ordinary, large, program, rounds)
        except RunFailedError as failure:
            sys.exit(str(failure))
    found = limits(used, posts)
    lines = [(name, f"{middle.cpu:.3f}", f"{middle.wall:.3f}") for name, middle in _medians(used).items()]
    print(f"{posts:,} posts in the large project, medians of {rounds} rounds, {machine()}\n")
    print(markdown(("work", "CPU s", "wall s"), lines))
    print("\n".join(map(str, found)))
    if arguments.json:
        write_limits(arguments.json, found, posts=posts, rounds=rounds, medians={n: [c, w] for n, c, w in lines})
    return 0 if all(limit.holds for limit in found) else 1


def _medians(used: dict[str, list[Usage]]) -> dict[str, Usage]:
    return {name: median_usage(usages) for name, usages in used.items()}


if __name__ == "__main__":
    sys.exit(main())
