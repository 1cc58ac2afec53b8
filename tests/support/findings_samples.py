"""A project whose email has no findings, for tests that break the email in one way."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

from publisher.config import Config
from publisher.core.newsletter_models import Edition, Letter
from publisher.newsletters.lint.finding_codes import Finding
from publisher.posts.archive import open_archive
from publisher.publishing.letter_check import LetterChecker, sample_message
from publisher.publishing.render import EditionRenderer
from publisher.publishing.sample_editions import sample_edition
from tests.support.project import Project

NOW = datetime(2026, 11, 16, 10, tzinfo=ZoneInfo("Europe/Berlin"))
SETTINGS = """\
[site]
title = "The Quiet Reader"
url = "https://quiet-reader.eu"
timezone = "Europe/Berlin"
postal_address = "1 Reading Room, 12345 Bookham"
authority = "quiet-reader.eu,2024"

[mail]
sender = "Ada <ada@quiet-reader.eu>"

[[newsletters]]
name = "weekly"
schedule = "weekly monday 08:00"
content = "full"
"""


def good(project: Project) -> Project:
    """Write a project whose email has no findings."""
    project.write("publisher.toml", SETTINGS)
    project.write("posts/shelf.png", b"\x89PNG")
    body = "A shelf, and [what it holds](/2026/11/09/second/).\n\n![A long shelf](shelf.png)"
    project.post("first", "2026-11-02", title="What a shelf tells of its reader", body=body)
    project.post("second", "2026-11-09", body="Twelve books, of which three were read.")
    return project


def in_template(project: Project, html: str, block: str = "intro") -> None:
    """Write the project's own email template, which has this HTML in a block, on line 3."""
    text = f'{{% extends "shipped/email/digest.html" %}}\n{{% block {block} %}}\n{html}\n{{% endblock %}}\n'
    project.write("templates/email/digest.html", text)


def examine(project: Project, **changes: str) -> list[Finding]:
    """Return the findings about the project's email, after changes to the email itself."""
    config = project.config()
    archive = open_archive(config, NOW, keep=False)
    planned = sample_edition(config, config.newsletters[0], archive, NOW)
    letter: Letter = replace(EditionRenderer(config, archive).letter(planned, NOW), **changes)
    return LetterChecker(config, archive).findings(planned, letter)


def sample_messages(config: Config) -> list[bytes]:
    """Return the message of each newsletter's sample email."""
    archive = open_archive(config, NOW, keep=False)
    made = []
    for newsletter in config.newsletters:
        planned = sample_edition(config, newsletter, archive, NOW)
        letter = EditionRenderer(config, archive).letter(planned, NOW)
        edition = Edition(0, newsletter.name, planned.slot, planned.number, letter.subject, NOW)
        made.append(sample_message(config, edition, letter))
    return made


def places(findings: list[Finding]) -> set[tuple[str, str]]:
    """Return the code and the place of each finding."""
    return {(each.code, each.where) for each in findings}
