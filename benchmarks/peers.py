"""The same posts built by several generators in one run: only feeds, and a whole site.

    python -m benchmarks.peers [--posts 1000 10000] [--only NAME ...] [--write]
                               [--tools DIR] [--publisher PATH] [--json FILE]

Installs the others from PyPI and npm into a folder for tools, once; Jekyll must be installed on the system. Missing
programs are listed with the way to install them. Each is set up as its documentation shows, as far as it can, for 20
entries in each feed, feeds of tags, lists of 20 posts and highlighting; the numbers of pages and feeds are listed next
to the time. Every program builds each project once, without output and cache, after a small build that is not counted.
--write puts the table into docs/performance.md.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from benchmarks import peer_projects
from benchmarks.compare.program import MissingError
from benchmarks.measure import RunFailedError, Usage, memory_folder, run
from benchmarks.peer_projects import KINDS, Peer
from benchmarks.performance import DOCUMENT
from benchmarks.report import machine, write_limits
from benchmarks.tables import markdown, write

HEADER = ("program", "work", "posts", "CPU s", "wall s", "peak MiB", "pages", "feeds")


@dataclass(frozen=True, slots=True)
class Built:
    """The cost and output of one build; fault: why it made nothing."""

    program: str
    kind: str
    posts: int
    used: Usage | None
    pages: int = 0
    feeds: int = 0
    fault: str = ""

    def cells(self) -> tuple[str, ...]:
        """Return the line of the table for this build."""
        if self.used is None:
            return (self.program, self.kind, f"{self.posts:,}", "-", "-", "-", "-", f"it fails: {self.fault}")
        figures = (f"{self.used.cpu:.2f}", f"{self.used.wall:.2f}", f"{self.used.peak_mib:.0f}")
        return (self.program, self.kind, f"{self.posts:,}", *figures, f"{self.pages:,}", f"{self.feeds:,}")


def build_once(peer: Peer, version: str, kind: str, posts: int, tools: Path) -> Built:
    """Write a project and build it once."""
    name = f"{peer.name} {version}"
    with tempfile.TemporaryDirectory(prefix="publisher-bench-", dir=memory_folder()[0]) as scratch:
        folder = Path(scratch)
        peer.write(folder, kind, posts, tools)
        try:
            used = run(peer.command(tools, folder), folder)
        except RunFailedError as failure:
            return Built(name, kind, posts, None, fault=" ".join(str(failure).split())[-200:])
        output = folder / peer.output
        return Built(name, kind, posts, used, *count(output))


def count(output: Path) -> tuple[int, int]:
    """Return how many pages and how many feeds a folder has."""
    files = [path for path in output.rglob("*") if path.suffix in (".html", ".xml", ".json") and path.is_file()]
    pages = sum(path.suffix == ".html" for path in files)
    return pages, sum(_is_feed(path) for path in files if path.suffix != ".html")


def _is_feed(path: Path) -> bool:
    data = path.read_bytes()
    if path.suffix == ".json":
        return b"jsonfeed.org/version" in data
    return b"<rss" in data[:1_000] or b"<feed" in data[:1_000]


def compare(
    wanted: list[Peer], sizes: list[int], tools: Path, tell: Callable[[str], None]
) -> tuple[list[Built], dict[str, str]]:
    """Build everything with each program; return the results, and why programs are missing."""
    found, missing = [], {}
    tools.mkdir(parents=True, exist_ok=True)
    for peer in wanted:
        tell(f"{peer.name}: installing")
        try:
            version = peer.install(tools)
        except MissingError as error:
            missing[peer.name] = f"{error}. {peer.hint}"
            continue
        build_once(peer, version, KINDS[0], 20, tools)
        for kind in KINDS:
            for posts in sizes:
                tell(f"{peer.name}: {kind}, {posts:,} posts")
                found.append(build_once(peer, version, kind, posts, tools))
    return found, missing


def section(found: list[Built], missing: dict[str, str]) -> str:
    """Return the table, ordered by work and time, and the missing programs."""
    key = {kind: number for number, kind in enumerate(KINDS)}
    ordered = sorted(found, key=lambda built: (key[built.kind], built.posts, built.used.cpu if built.used else 1e9))
    parts = [f"{machine()}; one build of each.", markdown(HEADER, [built.cells() for built in ordered])]
    if missing:
        parts.append("\n".join(f"- {name} is missing: {reason}" for name, reason in missing.items()))
    return "\n\n".join(parts)


def parse_arguments() -> argparse.Namespace:
    """Return the command line's settings."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.peers", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--posts", nargs="+", type=int, default=[1_000, 10_000], help="default 1000 10000")
    parser.add_argument("--only", nargs="+", metavar="NAME", help="only these programs")
    parser.add_argument("--write", action="store_true", help="put the table into docs/performance.md")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the table to FILE")
    parser.add_argument(
        "--publisher", default="", metavar="PATH", help="the publisher program (default: the one of this checkout)"
    )
    default = Path(tempfile.gettempdir()) / "publisher-compare-tools"
    parser.add_argument(
        "--tools", type=Path, default=default, metavar="DIR", help="the folder where the others are installed"
    )
    return parser.parse_args()


def main() -> int:
    """Build, print, and write if asked to."""
    arguments = parse_arguments()
    known = peer_projects.peers(arguments.publisher)
    wanted = [peer for peer in known if not arguments.only or peer.name in arguments.only]
    tell = lambda line: print(line, file=sys.stderr, flush=True)  # noqa: E731
    found, missing = compare(wanted, arguments.posts, arguments.tools.resolve(), tell)
    text = section(found, missing)
    print(text)
    if arguments.json:
        write_limits(arguments.json, [], rows=[built.cells() for built in found], missing=missing)
    if arguments.write:
        write("peers", text, DOCUMENT)
    return 0


if __name__ == "__main__":
    sys.exit(main())
