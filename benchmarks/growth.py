"""From 10,000 to 100,000 posts: the time and memory of cold builds of the feeds and of the whole site.

    python -m benchmarks.growth [--posts 10000] [--times 10] [--only feeds] [--json FILE] [--publisher PATH]

The projects are those of benchmarks.feeds and benchmarks.site. Each size is built once. The memory is that of all
processes of a build together, with shared memory counted once (PSS), sampled four times a second; the site of 100,000
posts takes 3 GB of a file system in memory.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from benchmarks import feeds, site
from benchmarks.measure import RunFailedError, Usage, find_program, memory_folder, run
from benchmarks.report import Limit, machine, write_limits

MOST_TIMES = 10.5
MOST_MIB = 250.0
_SAMPLE_SECONDS = 0.25

KINDS: dict[str, Callable[[Path, int], list[Path]]] = {"feeds": feeds.write_project, "site": site.write_site}


@dataclass(slots=True)
class Memory:
    """The most memory that all processes of a build used together, in MiB."""

    mib: float = 0.0


@dataclass(frozen=True, slots=True)
class Growth:
    """One kind of build, at both sizes."""

    kind: str
    small: Usage
    large: Usage
    memory: float
    sizes: tuple[int, int] = field(default=(0, 0))

    @property
    def times(self) -> float:
        """The CPU seconds of the large build, divided by those of the small one."""
        return self.large.cpu / self.small.cpu


@contextmanager
def watching() -> Iterator[Memory]:
    """Watch the memory of this process's descendants until the block ends."""
    memory, over = Memory(), threading.Event()

    def watch() -> None:
        while not over.wait(_SAMPLE_SECONDS):
            memory.mib = max(memory.mib, sum(map(_own_mib, psutil.Process().children(recursive=True))))

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield memory
    finally:
        over.set()
        thread.join()


def _own_mib(process: psutil.Process) -> float:
    with suppress(psutil.Error):
        return float(process.memory_full_info().pss) / 2**20
    return 0.0


def build_once(kind: str, posts: int, program: Path, scratch: Path) -> tuple[Usage, float]:
    """Write a project with this many posts and build it; return the usage, and the memory of all processes in MiB."""
    with tempfile.TemporaryDirectory(prefix="publisher-bench-", dir=scratch) as folder:
        KINDS[kind](Path(folder), posts)
        with watching() as memory:
            used = run([program, "build"], Path(folder))
    return used, max(memory.mib, used.peak_mib if memory.mib == 0.0 else 0.0)


def measure(kind: str, sizes: tuple[int, int], program: Path, scratch: Path, tell: Callable[[str], None]) -> Growth:
    """Build both sizes once, after a small build that compiles the bytecode and is not counted."""
    build_once(kind, 50, program, scratch)
    tell(f"{kind}: {sizes[0]:,} posts")
    small, _ = build_once(kind, sizes[0], program, scratch)
    tell(f"{kind}: {sizes[1]:,} posts")
    large, memory = build_once(kind, sizes[1], program, scratch)
    return Growth(kind, small, large, memory, sizes)


def limits(found: list[Growth], times: int) -> list[Limit]:
    """Return the promises about growth with the measured values; ten times the posts may take 10.5 times the CPU."""
    most = MOST_TIMES * times / 10
    return [
        limit
        for growth in found
        for limit in (
            Limit(f"{growth.kind}, {times} times the posts: times the CPU", growth.times, most),
            Limit(f"{growth.kind} of {growth.sizes[1]:,} posts: memory of all processes, MiB", growth.memory, MOST_MIB),
        )
    ]


def table(found: list[Growth]) -> str:
    """Return the figures as plain text."""
    lines = [f"cold builds, one of each, {machine()}", ""]
    lines.append(f"{'':<8}{'posts':>9}{'CPU s':>10}{'wall s':>10}{'memory MiB':>12}")
    for growth in found:
        for posts, used in zip(growth.sizes, (growth.small, growth.large), strict=True):
            memory = f"{growth.memory:.0f}" if used is growth.large else ""
            lines.append(f"{growth.kind:<8}{posts:>9,}{used.cpu:>10.2f}{used.wall:>10.2f}{memory:>12}")
    return "\n".join(lines)


def parse_arguments() -> argparse.Namespace:
    """Return the command line's settings."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.growth", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--posts", type=int, default=10_000, help="posts of the small project (default 10000)")
    parser.add_argument(
        "--times", type=int, default=10, help="how many times as many the large project has (default 10)"
    )
    parser.add_argument("--only", nargs="+", choices=tuple(KINDS), default=list(KINDS))
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures to FILE")
    parser.add_argument("--publisher", default="", metavar="PATH", help="the publisher program")
    return parser.parse_args()


def main() -> int:
    """Measure, print, and return 0 if every limit is kept."""
    arguments = parse_arguments()
    program = find_program("publisher", arguments.publisher)
    if program is None:
        sys.exit("publisher is missing: run `make` first, or give its path with --publisher")
    scratch, in_memory = memory_folder()
    if in_memory and shutil.disk_usage(scratch).free < arguments.posts * arguments.times * 40_000:
        print(f"warning: {scratch} may be too small", file=sys.stderr)
    sizes = (arguments.posts, arguments.posts * arguments.times)
    try:
        tell = lambda line: print(line, file=sys.stderr, flush=True)  # noqa: E731
        found = [measure(kind, sizes, program, scratch, tell) for kind in arguments.only]
    except RunFailedError as failure:
        sys.exit(str(failure))
    promises = limits(found, arguments.times)
    print(table(found))
    print("\n".join(map(str, promises)))
    if arguments.json:
        write_limits(arguments.json, promises, posts=sizes, in_memory=in_memory)
    return 0 if all(limit.holds for limit in promises) else 1


if __name__ == "__main__":
    sys.exit(main())
