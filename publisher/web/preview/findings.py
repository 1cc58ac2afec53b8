"""What a writer should know of a letter before it goes: what the checks of letters find, and of its posts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from publisher.config import Config, NewsletterConfig
from publisher.core.models import Post, Problem
from publisher.core.templates import Templates
from publisher.newsletters.lint.finding_codes import Finding
from publisher.web.preview.sample import Sample
from publisher.web.preview.site import Site

_ORDER = ("error", "warning", "note")


@dataclass(frozen=True, slots=True)
class LetterFindings:
    """All that is known of one letter, the worst first."""

    findings: tuple[Finding, ...]

    def count(self, level: str) -> int:
        """Return how many findings have this level."""
        return sum(finding.level == level for finding in self.findings)

    @property
    def pressing(self) -> int:
        """How many there are beside notes."""
        return self.count("error") + self.count("warning")


def letter_findings(
    config: Config, site: Site, sample: Sample, posts: Sequence[Post], doubtful: Sequence[Problem]
) -> LetterFindings:
    """Return what is found in a letter, and what is doubtful in the posts that it carries.

    posts     of a letter that was sent, none: it no longer depends on them
    doubtful  warnings about the heads of any posts
    """
    paths = {f"{config.posts.folder}/{post.source}" for post in posts}
    of_bodies = [problem for post in posts for problem in site.render(post).problems]
    of_posts = [_of_problem(problem) for problem in (*doubtful, *of_bodies) if problem.path in paths]
    found = dict.fromkeys([*_of_letter(config, site, sample, posts), *of_posts])
    return LetterFindings(tuple(sorted(found, key=_rank)))


def _of_letter(config: Config, site: Site, sample: Sample, posts: Sequence[Post]) -> Sequence[Finding]:
    from publisher.newsletters.lint.lint_letter import lint_letter

    name = sample.edition.newsletter
    return lint_letter(
        sample.letter,
        config=config,
        newsletter=config.newsletter(name) or NewsletterConfig(name=name),
        posts=[site.render(post) for post in posts],
        templates=Templates(config.root / "templates"),
        slot=sample.edition.slot,
        paths=site.paths(posts),
    )


def _of_problem(problem: Problem) -> Finding:
    return Finding(problem.severity.value, "post", problem.message, problem.where, problem.hint)


def _rank(finding: Finding) -> tuple[int, str]:
    return _ORDER.index(finding.level) if finding.level in _ORDER else len(_ORDER), finding.where
