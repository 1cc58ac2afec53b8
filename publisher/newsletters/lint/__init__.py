"""What is wrong with a composed letter, and how to mend it. Pure, but for reading the files that it names."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain

from publisher.config import Config, NewsletterConfig
from publisher.core.models import RenderedPost
from publisher.core.newsletter_models import Letter
from publisher.core.templates import Templates
from publisher.newsletters.letter.css.sources import template_findings
from publisher.newsletters.letter.finding import Finding
from publisher.newsletters.lint.blocks import block_findings
from publisher.newsletters.lint.clients import client_findings
from publisher.newsletters.lint.computed_styles import Sheet
from publisher.newsletters.lint.contrast import contrast_findings
from publisher.newsletters.lint.duties import duty_findings
from publisher.newsletters.lint.inbox import inbox_findings
from publisher.newsletters.lint.letter_context import Case
from publisher.newsletters.lint.links import link_findings
from publisher.newsletters.lint.locations import Places
from publisher.newsletters.lint.pictures import picture_findings
from publisher.newsletters.lint.size import size_findings

__all__ = ["findings_of", "in_order"]

_LOOKS = (
    duty_findings,
    block_findings,
    inbox_findings,
    size_findings,
    client_findings,
    picture_findings,
    link_findings,
    contrast_findings,
)
_RANKS = {"error": 0, "warning": 1, "note": 2}


def findings_of(
    letter: Letter,
    *,
    config: Config,
    newsletter: NewsletterConfig,
    posts: Sequence[RenderedPost],
    templates: Templates,
    slot: str = "",
    paths: frozenset[str] | None = None,
) -> list[Finding]:
    """Return what is wrong with a letter, errors first; the same letter and project give the same findings.

    posts      those of the letter, rendered, so that a finding can name the file and line
    templates  the project's
    slot       names the writer's note
    paths      every file that a build writes, relative to the output; None leaves links into the site unchecked

    Nothing is written, fetched or run. Takes about as long as composing the letter.
    """
    case = Case(Sheet(letter), Places(config, newsletter, posts, templates, slot), posts, paths)
    of_css = template_findings(templates, f"email/{newsletter.template}.html")
    return in_order([*chain.from_iterable(look(case) for look in _LOOKS), *of_css])


def in_order(findings: Iterable[Finding]) -> list[Finding]:
    """Return findings without repetition: errors, warnings, notes, and each by place."""
    return sorted(set(findings), key=lambda each: (_RANKS[each.level], each.where, each.code, each.message))
