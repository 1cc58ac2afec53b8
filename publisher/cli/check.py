"""The command `publisher check`."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from typing import Any

import click

from publisher.cli.app import App, plural, with_app
from publisher.cli.check_output import CheckLine, github_lines, grouped, plain_lines
from publisher.cli.terminal import bar, draw_table
from publisher.core.errors import ConfigError, file_and_line
from publisher.core.models import Problem, problem_at
from publisher.publishing.letter_check import LetterCheck
from publisher.publishing.project_check import ProjectCheck, check_project

_COLOURS = {"error": "red", "warning": "yellow", "note": "cyan"}


@click.command(
    short_help="Find problems in settings, posts, links and emails.",
    epilog="Example: publisher check --strict && publisher publish",
)
@click.option("--strict", is_flag=True, help="Fail on warnings too.")
@click.option("--spam", is_flag=True, help="Ask SpamAssassin about the emails, if it is installed.")
@click.option(
    "--format",
    "shown",
    type=click.Choice(("text", "github")),
    default="text",
    help="How problems are printed: github shows them next to the files of a pull request.",
)
@with_app
def check(app: App, strict: bool, spam: bool, shown: str) -> int:
    """Find problems in settings, posts, links between posts, and each newsletter's next email.

    Every problem is shown with its file and line and how to fix it. Errors stop a post or an edition from going out, or
    would harm its recipients; warnings don't. For a problem that many files have, it shows their number and the first
    few. --verbose shows them all, and notes about the emails. Writes nothing. Exits with 1 if there are errors, or
    warnings with --strict.
    """
    try:
        config = app.config()
        with bar(app, "Reading") as progress:
            found = check_project(config, app.now(config), progress, spam=spam)
    except ConfigError as error:
        found = ProjectCheck(tuple(problem_at(mistake) for mistake in error.mistakes))
    problems = [_of_problem(problem) for problem in found.problems]
    letters = [(letter, list(_of_letter(letter, app.verbose))) for letter in found.letters]
    every = [*problems, *(line for _, lines in letters for line in lines)]
    errors, warnings = (sum(line.level == level for line in every) for level in ("error", "warning"))
    if app.json:
        app.print_json([_json(line) for line in every])
    elif shown == "github":
        for line in github_lines(every, app.root(), every=app.verbose):
            click.echo(line)
    else:
        _show(problems, letters, every=app.verbose)
    for note in found.notes:
        app.say(f"note: {note}")
    app.say(f"{plural(errors, 'error')}, {plural(warnings, 'warning')}" if errors or warnings else "no problems found")
    return 1 if errors or (strict and warnings) else 0


def _of_problem(problem: Problem) -> CheckLine:
    return CheckLine(problem.severity.value, problem.path, problem.line, problem.what, problem.hint)


def _of_letter(letter: LetterCheck, notes: bool) -> Iterator[CheckLine]:
    for each in letter.findings:
        if notes or each.level != "note" or each.code.startswith("spam-"):  # the user asked for the spam score
            name = letter.planned.newsletter.name
            yield CheckLine(each.level, *file_and_line(each.where), each.message, each.hint, name, each.code)


def _json(line: CheckLine) -> dict[str, Any]:
    shown = {"path": line.path, "line": line.line, "severity": line.level, "message": line.message, "mend": line.hint}
    return shown | ({"newsletter": line.newsletter, "code": line.code} if line.code else {})


def _show(
    problems: Sequence[CheckLine], letters: Sequence[tuple[LetterCheck, list[CheckLine]]], *, every: bool
) -> None:
    """Print tables if the output is a terminal, or else plain lines. every: whether to show groups line by line."""
    if not sys.stdout.isatty():
        for text in plain_lines([*problems, *(line for _, lines in letters for line in lines)], every=every):
            click.echo(text)
        return
    groups, rest = ([], problems) if every else grouped(problems)
    for group in groups:
        click.echo(click.style(group.summary, fg=_COLOURS[group.level], bold=True))
    if groups:
        click.echo()
    for group in groups:
        _print_table(group.shown)
        click.echo(f"and {group.rest:,} more like these; --verbose shows all\n")
    _print_table(rest)
    for letter, lines in letters:
        if lines:
            click.echo(_heading(letter))
            _print_table(lines)


def _heading(check: LetterCheck) -> str:
    letter = check.letter
    assert letter is not None  # noqa: S101 - a letter that cannot be rendered has no findings
    posts = plural(len(check.planned.posts), "post")
    name = click.style(check.planned.newsletter.name, bold=True)
    return f"{name}, next edition: {letter.plain_subject!r} ({posts}, {len(letter.html.encode()):,} bytes of HTML)\n"


def _print_table(lines: Sequence[CheckLine]) -> None:
    if lines:
        draw_table(
            [("Where", 3), ("What", 4), ("How to fix it", 3)],
            [((line.where, _COLOURS[line.level]), line.message, (line.hint, "dim")) for line in lines],
        )
        click.echo()
