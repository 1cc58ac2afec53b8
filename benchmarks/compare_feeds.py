"""Feeds that Publisher and other generators build from one hostile corpus, judged by the same rules.

    python -m benchmarks.compare_feeds [--write FILE] [--only NAME ...] [--publisher PATH] [--tools DIR]

Installs the others from PyPI and npm into a folder for tools, once; builds the corpus and its variants with each;
prints the table. With --write, writes the table and the reasons to a file. Nothing is timed.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from benchmarks.compare import astro, eleventy, hexo, hugo, nikola, ours, pelican, report
from benchmarks.compare.evidence import gather
from benchmarks.compare.program import Generator, MissingError


def generators(publisher: str = "") -> list[Generator]:
    """Return every generator, ours first."""
    others = (hugo, pelican, nikola, eleventy, hexo, astro)
    return [ours.generator(publisher), *(module.generator() for module in others)]


def compare(wanted: list[Generator], tools: Path) -> tuple[list[report.Column], dict[str, str]]:
    """Build with every generator and judge the feeds; return the columns, and why generators are missing."""
    columns, missing = [], {}
    tools.mkdir(parents=True, exist_ok=True)
    for generator in wanted:
        _tell(f"{generator.name}: installing")
        try:
            version = generator.install(tools)
        except MissingError as error:
            missing[generator.name] = str(error)
            continue
        with tempfile.TemporaryDirectory(prefix="publisher-compare-") as scratch:
            evidence = gather(generator, tools, Path(scratch), _tell)
            columns.append(report.judge(generator, version, evidence))
    return columns, missing


def _tell(line: str) -> None:
    print(line, file=sys.stderr)


def parse_arguments() -> argparse.Namespace:
    """Return the command line's settings."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.compare_feeds", description=__doc__.split("\n")[0])
    parser.add_argument("--write", type=Path, metavar="FILE", help="write the table and the reasons to a file")
    parser.add_argument("--only", nargs="+", metavar="NAME", help="only these generators")
    parser.add_argument(
        "--publisher", default="", metavar="PATH", help="the publisher program (default: the one of this checkout)"
    )
    default = Path(tempfile.gettempdir()) / "publisher-compare-tools"
    parser.add_argument(
        "--tools", type=Path, default=default, metavar="DIR", help="the folder where the others are installed"
    )
    return parser.parse_args()


def main() -> int:
    """Compare, print, and write if asked to."""
    arguments = parse_arguments()
    wanted = [g for g in generators(arguments.publisher) if not arguments.only or g.name in arguments.only]
    columns, missing = compare(wanted, arguments.tools.resolve())
    section = report.table(columns, missing)
    print(report.plain(columns), f"\n{section}", sep="\n")
    if arguments.write:
        arguments.write.write_text(section, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
