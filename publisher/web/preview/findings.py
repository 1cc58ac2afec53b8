"""What a writer should know of a letter before it goes: what the checks of letters find, and of its posts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec

from publisher.config import Config, NewsletterConfig
from publisher.editions.finding import Finding
from publisher.model import Post, Problem
from publisher.templating import Templates
from publisher.web.preview.proof import Proof
from publisher.web.preview.site import Site

# Where the checks of letters stand: findings_of(letter, config=..., ...) gives findings.
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

    @property
    def pressing(self) -> int:
        """How many there are beside notes."""
        return self.count("error") + self.count("warning")


def letter_findings(
    config: Config, site: Site, proof: Proof, posts: Sequence[Post], doubtful: Sequence[Problem]
) -> LetterFindings:
    """Return what is found in a letter, and what is doubtful in the posts that it carries.

    posts     of a letter that was sent, none: it no longer depends on them
    doubtful  warnings about the heads of any posts
    """
    paths = {f"{config.posts.folder}/{post.source}" for post in posts}
    of_bodies = [problem for post in posts for problem in site.render(post).problems]
    of_posts = [_of_problem(problem) for problem in (*doubtful, *of_bodies) if problem.path in paths]
    is_checked = find_spec(CHECKS) is not None
    found = dict.fromkeys([*(_checked(config, site, proof, posts) if is_checked else ()), *of_posts])
    return LetterFindings(tuple(sorted(found, key=_rank)), is_checked)


def _checked(config: Config, site: Site, proof: Proof, posts: Sequence[Post]) -> Sequence[Finding]:
    name = proof.edition.newsletter
    found: Sequence[Finding] = import_module(CHECKS).findings_of(
        proof.letter,
        config=config,
        newsletter=config.newsletter(name) or NewsletterConfig(name=name),
        posts=[site.render(post) for post in posts],
        templates=Templates(config.root / "templates"),
        slot=proof.edition.slot,
        paths=site.paths(posts),
    )
    return found


def _of_problem(problem: Problem) -> Finding:
    return Finding(problem.severity.value, "post", problem.message, problem.where, problem.mend)


def _rank(finding: Finding) -> tuple[int, str]:
    return _ORDER.index(finding.level) if finding.level in _ORDER else len(_ORDER), finding.where
