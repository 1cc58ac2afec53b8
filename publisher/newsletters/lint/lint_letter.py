"""Runs every rule over one composed letter."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import chain

from publisher.config import Config, NewsletterConfig
from publisher.core.models import RenderedPost
from publisher.core.newsletter_models import Letter
from publisher.core.templates import Templates
from publisher.newsletters.letter.personal import as_checked
from publisher.newsletters.lint.clients import client_findings, size_findings
from publisher.newsletters.lint.contrast import contrast_findings
from publisher.newsletters.lint.finding_codes import Finding, in_order
from publisher.newsletters.lint.foreign_code import foreign_code_findings
from publisher.newsletters.lint.letter_context import LintContext, SourceLocator
from publisher.newsletters.lint.links_and_pictures import link_findings, picture_findings
from publisher.newsletters.lint.parsed_letter import ParsedLetter
from publisher.newsletters.lint.project_templates import block_findings, template_findings
from publisher.newsletters.lint.requirements import inbox_findings, requirement_findings

_RULES = (
    requirement_findings,
    block_findings,
    inbox_findings,
    foreign_code_findings,
    size_findings,
    client_findings,
    picture_findings,
    link_findings,
    contrast_findings,
)


def lint_letter(
    letter: Letter,
    *,
    config: Config,
    newsletter: NewsletterConfig,
    posts: Sequence[RenderedPost],
    templates: Templates,
    slot: str = "",
    paths: frozenset[str] | None = None,
) -> list[Finding]:
    """Return the findings about a letter, errors first; the same letter and project give the same findings.

    posts      the rendered posts of the letter, so that findings can name files and lines
    templates  the project's templates
    slot       the scheduled time of the edition, which names the writer's note; "" if there is no note
    paths      every file that a build writes, relative to the output folder; None leaves links to the site unchecked

    Nothing is written, fetched or run. The checks take about as long as composing the letter. A problem in an item of a
    source is at most a warning, because it cannot be corrected here.
    """
    locator = SourceLocator(config, newsletter, posts, templates, slot)
    context = LintContext(ParsedLetter(as_checked(letter)), locator, posts, paths)
    in_css = template_findings(templates, f"email/{newsletter.template}.html")
    found = [*chain.from_iterable(rule(context) for rule in _RULES), *in_css]
    items = {post.post.where("") for post in posts if post.post.from_source}
    harmless = [each for each in found if each.level != "error" or each.where not in items]
    return in_order([*harmless, *(replace(each, level="warning") for each in found if each not in harmless)])
