"""What a writer should know of a letter before it goes: what the checks of letters find, and of its posts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec

from publisher.config import Config
from publisher.editions.finding import Finding
from publisher.model import Problem
from publisher.web.preview.proof import Proof
from publisher.web.preview.snapshot import Snapshot

# Where the checks of letters stand: findings_of(config, letter) gives findings.
CHECKS = "publisher.editions.findings"

_ORDER = ("error", "warning", "note")


@dataclass(frozen=True, slots=True)
class LetterFindings:
    """All that is known of one letter, the worst first. is_checked: whether more than its posts was looked at."""

    findings: tuple[Finding, ...]
    is_checked: bool

    def count(self, level: str) -> int:
        """Return how many findings have this level."""
        return sum(finding.level == level for finding in self.findings)


def letter_findings(snapshot: Snapshot, newsletter: str, which: str, proof: Proof) -> LetterFindings:
    """Return what is found in a letter, and what is doubtful in the posts that it carries."""
    posts = snapshot.posts(newsletter, which)
    paths = {f"{snapshot.config.posts.folder}/{post.source}" for post in posts}
    doubtful = [problem for problem in snapshot.warnings if problem.path in paths]
    of_posts = of_problems([*doubtful, *snapshot.site.problems_of(posts)])
    found = dict.fromkeys([*checked(snapshot.config, proof), *of_posts])  # one that is named twice is told once
    return LetterFindings(tuple(sorted(found, key=_rank)), has_checks())


def has_checks() -> bool:
    """Return whether there are checks of letters."""
    return find_spec(CHECKS) is not None


def checked(config: Config, proof: Proof) -> Sequence[Finding]:
    """Return what the checks of letters find; nothing where there are none."""
    if not has_checks():
        return ()
    found: Sequence[Finding] = import_module(CHECKS).findings_of(config, proof.letter)
    return found


def of_problems(problems: Iterable[Problem]) -> list[Finding]:
    """Return problems of posts as findings."""
    return [Finding(p.severity.value, "post", p.message, p.where, p.mend) for p in problems]


def _rank(finding: Finding) -> tuple[int, str]:
    return _ORDER.index(finding.level) if finding.level in _ORDER else len(_ORDER), finding.where
