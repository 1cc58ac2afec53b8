"""The whole site of 10,000 posts: `publisher build` compared with Hugo, in one run, in paired rounds.

    python -m benchmarks.site [--rounds 5] [--posts 10000] [--json FILE] [--hugo PATH] [--publisher PATH]

Both make the same pages with the same words, links and metadata in the head, the same feeds of the site, of 40 tags and
of 5 authors in three formats, the sitemap and the list of feeds, with highlighting; hugo_layouts/ has Hugo's templates,
and site_outputs.py compares each page. Archived feeds (RFC 5005) are off, because Hugo has none. Cold: no output and no
cache. One changed: a post on the first page was edited. Each round also runs `publisher check` of the same posts,
without an index. CPU is user and system time of all processes; a ratio is taken within each round, then the median of
the ratios.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks import corpus, feeds, hugo, hugo_site, report
from benchmarks.measure import Usage, median, run
from benchmarks.report import OURS, PEER, Limit, Results
from benchmarks.site_outputs import site_differences

_CPU_RATIOS = {"cold": 0.6, "nothing changed": 0.02, "one changed": 0.05}
_WALL_RATIO = 0.5
_CHECK_RATIO = 1.2
_PEAK_MIB = 250.0
_EDITED = 10  # counted from the newest: on the first page, and in the main feed

_SETTINGS = """\
[site]
title = "Benchmark"
url = "https://bench.example.org"

[feeds]
editions = false
archives = false
"""


@dataclass(frozen=True, slots=True)
class SiteResults:
    """The builds of both programs, and one check by ours in each round."""

    builds: Results
    checks: list[Usage] = field(default_factory=list)

    @property
    def check_ratio(self) -> float:
        """The median over the rounds of a check's CPU time divided by that of the cold build."""
        cold = self.builds.of("cold", OURS)
        return median([check.cpu / build.cpu for check, build in zip(self.checks, cold, strict=True)])


def write_site(folder: Path, posts: int) -> list[Path]:
    """Write the posts and both programs' settings; return the posts' paths, oldest first."""
    (folder / "publisher.toml").write_text(_SETTINGS, encoding="utf-8")
    hugo_site.write_project(folder)
    return corpus.write_posts(folder / "posts", posts)


def compete(folder: Path, arguments: argparse.Namespace, tell: Callable[[str], None]) -> tuple[SiteResults, list[str]]:
    """Run the whole benchmark in `folder`; return the figures, and why the outputs are not comparable."""
    programs = feeds.contestants(folder, arguments)
    tell(f"writing {arguments.posts:,} posts")
    edited = write_site(folder, arguments.posts)[-_EDITED]
    for program in programs:  # fills the page cache and compiles bytecode; not counted
        run(program.build, folder)
    results = SiteResults(Results(states={state: [] for state in feeds.STATES}, help={}))
    for number in range(1, arguments.rounds + 1):
        tell(f"round {number} of {arguments.rounds}")
        feeds.wipe(programs, folder)
        results.checks.append(run([programs[-1].help[0], "check"], folder))
        for state, pair in feeds.run_round(number, programs, folder, edited).items():
            results.builds.states[state].append(pair)
    tell("comparing the two sites")
    theirs, ours = (folder / program.output for program in programs)
    return results, site_differences(ours, theirs) + feeds.stale([theirs, ours], arguments.rounds)


def limits(results: SiteResults) -> list[Limit]:
    """Return the promises about the whole site with the values in `results`."""
    builds = results.builds
    found = [Limit(f"site, {s}: CPU of {PEER}'s", builds.ratio(s), most) for s, most in _CPU_RATIOS.items()]
    found.append(Limit(f"site, cold: wall time of {PEER}'s", builds.ratio("cold", "wall"), _WALL_RATIO))
    peak = max(usage.peak_mib for state in builds.states for usage in builds.of(state, OURS))
    found.append(Limit("site: highest peak of a process, MiB", peak, _PEAK_MIB))
    found.append(Limit("check: CPU of the cold site build's", results.check_ratio, _CHECK_RATIO))
    return found


def main() -> int:
    """Run, print the figures, and return 0 if every limit is kept."""
    arguments = feeds.parse_arguments("site", __doc__ or "", 5)
    (results, unlike), in_memory = feeds.in_a_project(lambda folder, tell: compete(folder, arguments, tell))
    found = limits(results)
    print(report.table(results.builds, f"Whole site of {arguments.posts:,} posts"))
    check = report.median_usage(results.checks)
    print(f"check: CPU {check.cpu:.3f} s, wall {check.wall:.3f} s, peak {check.peak_mib:.0f} MiB\n")
    print(report.verdict(found, unlike, "both made the same pages and feeds"))
    if arguments.json:
        setting = {"posts": arguments.posts, "in_memory": in_memory, "hugo": hugo.VERSION}
        report.write_json(arguments.json, results.builds, found, unlike, **setting)
    return 0 if all(limit.holds for limit in found) and not unlike else 1


if __name__ == "__main__":
    sys.exit(main())
