"""The 20 functions that take most of the time in three builds and in sending, before and after a change.

    python -m benchmarks.profile [--before DIR] [--posts 10000] [--messages 5000] [--only sending] [--write]

The builds: the feeds and the whole site without output and cache, and the site after one post changed. Sampling by
sampler.py costs about one per cent, so small functions are not inflated; child processes are sampled, too. --before is
an older checkout, as made by `git worktree add --detach DIR COMMIT`; it runs the same projects. --write puts the tables
into docs/performance.md.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks import corpus, feeds, sending, site
from benchmarks.measure import memory_folder
from benchmarks.performance import DOCUMENT, ROOT
from benchmarks.tables import markdown, write

SAMPLER = Path(__file__).with_name("sampler.py")
MOST = 20

Looks = Counter[str]
Run = Callable[[Path, argparse.Namespace, Path], Looks]


def look_at(tree: Path, folder: Path, module: str, *words: str) -> Looks:
    """Run a module of a checkout in `folder`; return the number of samples of each function."""
    with tempfile.TemporaryDirectory(prefix="publisher-looks-") as name:
        file = Path(name) / "looks"
        file.touch()
        kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
        command = [sys.executable, str(SAMPLER), str(file), str(tree), module, *words]
        subprocess.run(command, cwd=folder, env=kept, check=True, stdout=subprocess.DEVNULL)
        return Counter(file.read_text(encoding="utf-8", errors="replace").splitlines())


def feeds_cold(tree: Path, arguments: argparse.Namespace, folder: Path) -> Looks:
    """Build the feeds without output and cache."""
    feeds.write_project(folder, arguments.posts)
    return look_at(tree, folder, "publisher", "build")


def site_cold(tree: Path, arguments: argparse.Namespace, folder: Path) -> Looks:
    """Build the whole site without output and cache."""
    site.write_site(folder, arguments.posts)
    return look_at(tree, folder, "publisher", "build")


def site_one_changed(tree: Path, arguments: argparse.Namespace, folder: Path) -> Looks:
    """Build the whole site several times, each time after one post changed, so that there are enough samples."""
    edited = site.write_site(folder, arguments.posts)[-10]
    look_at(tree, folder, "publisher", "build")
    looks: Looks = Counter()
    for edition in range(1, 6):
        corpus.edit_post(edited, edition)
        looks += look_at(tree, folder, "publisher", "build")
    return looks


def sent(tree: Path, arguments: argparse.Namespace, folder: Path) -> Looks:
    """Send messages to smtp-sink, with the ledger in SQLite."""
    with sending.sink() as port:
        words = ("plain", str(port), "64", str(arguments.messages), str(folder))
        return look_at(tree, folder, "benchmarks.sender", *words)


RUNS: dict[str, tuple[str, Run]] = {
    "feeds": ("Feeds, cold", feeds_cold),
    "site": ("Whole site, cold", site_cold),
    "changed": ("Whole site, one changed", site_one_changed),
    "sending": ("Sending", sent),
}


@contextmanager
def scratch() -> Iterator[Path]:
    """Yield an empty folder, in memory if possible."""
    with tempfile.TemporaryDirectory(prefix="publisher-bench-", dir=memory_folder()[0]) as name:
        yield Path(name)


def table(title: str, before: Looks | None, after: Looks) -> str:
    """Return the functions that took the most time, side by side if there is an older checkout."""
    own = [f"{function} | {_share(looks, after)}" for function, looks in after.most_common(MOST)]
    if before is None:
        return f"### {title}\n\n{markdown(('function', 'share'), (line.split(' | ') for line in own))}"
    old = [f"{function} | {_share(looks, before)}" for function, looks in before.most_common(MOST)]
    rows = [[*_cells(old, index), *_cells(own, index)] for index in range(max(len(old), len(own)))]
    times = f"Looks: {before.total():,} before, {after.total():,} after ({after.total() / before.total():.2f})."
    return f"### {title}\n\n{times}\n\n{markdown(('before', 'share', 'after', 'share'), rows)}"


def _share(looks: int, of: Looks) -> str:
    return f"{100 * looks / of.total():.1f} %"


def _cells(lines: list[str], index: int) -> list[str]:
    function, _, share = (lines[index] if index < len(lines) else "").partition(" | ")
    return [f"`{function}`" if function else "", share]


def parse_arguments() -> argparse.Namespace:
    """Return the command line's settings."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.profile", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--before", type=Path, metavar="DIR", help="an older checkout, to compare with")
    parser.add_argument("--posts", type=int, default=10_000, help="posts of each build (default 10000)")
    parser.add_argument("--messages", type=int, default=5_000, help="messages to send (default 5000)")
    parser.add_argument("--only", nargs="+", choices=tuple(RUNS), default=list(RUNS))
    parser.add_argument("--write", action="store_true", help="put the tables into docs/performance.md")
    return parser.parse_args()


def main() -> int:
    """Sample, and print the tables."""
    arguments = parse_arguments()
    sections = []
    for name in arguments.only:
        title, run = RUNS[name]
        found: list[Looks | None] = []
        for tree in (arguments.before, ROOT):
            if tree is None:
                found.append(None)
                continue
            print(f"{title}: {'before' if tree is arguments.before else 'now'}", file=sys.stderr, flush=True)
            with scratch() as folder:
                found.append(run(tree.resolve(), arguments, folder))
        before, after = found
        assert after is not None
        sections.append(table(title, before, after))
        print(sections[-1], flush=True)
    if arguments.write:
        write("profile", "\n\n".join(sections), DOCUMENT)
    return 0


if __name__ == "__main__":
    sys.exit(main())
