"""publisher check"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from publisher.cli.app import App, plural, with_app
from publisher.cli.terminal import bar
from publisher.core.errors import ConfigError, PublisherError

if TYPE_CHECKING:
    from publisher.core.models import Problem
    from publisher.publishing.next_letter import Proof


class Line(NamedTuple):
    """One thing that a check tells; newsletter and code only of a finding about a letter."""

    level: str
    path: str
    line: int
    message: str
    hint: str
    newsletter: str = ""
    code: str = ""

    @property
    def where(self) -> str:
        return f"{self.path}:{self.line}" if self.line else self.path


@click.command(
    short_help="Look for mistakes in settings, posts, links and letters.",
    epilog="Example: publisher check --strict && publisher publish",
)
@click.option("--strict", is_flag=True, help="Fail on warnings too.")
@click.option("--spam", is_flag=True, help="Ask SpamAssassin about the letters, where it is installed.")
@with_app
def check(app: App, strict: bool, spam: bool) -> int:
    """Look for mistakes in settings, posts, links between posts, and each newsletter's next letter.

    Every problem is named with its file and line and how to mend it. Errors keep a post or a letter back, or
    wrong its readers; warnings do not. --verbose tells notes about the letters too. Writes nothing. Exit code 1
    on errors, with --strict on warnings too.
    """
    from publisher.publishing.check import Inspection, inspect_project

    try:
        config = app.config()
        with bar(app, "Reading") as progress:
            inspection = inspect_project(config, app.now(config), progress, spam=spam)
    except ConfigError as error:
        inspection = Inspection(tuple(_config_problem(mistake) for mistake in error.mistakes))
    problems = [_of_problem(problem) for problem in inspection.problems]
    letters = [(proof, list(_of_proof(proof, app.verbose))) for proof in inspection.proofs]
    every = [*problems, *(line for _, lines in letters for line in lines)]
    errors, warnings = (sum(line.level == level for line in every) for level in ("error", "warning"))
    if app.json:
        app.print_json([_json(line) for line in every])
    else:
        _show(problems, letters)
    app.say(f"{plural(errors, 'error')}, {plural(warnings, 'warning')}" if errors or warnings else "no problems found")
    return 1 if errors or (strict and warnings) else 0


def _config_problem(error: PublisherError) -> Problem:
    from publisher.core.models import Problem

    path, line = _place(error.where)
    return Problem(path, line, error.message, error.hint)


def _place(where: str) -> tuple[str, int]:
    path, _, line = where.rpartition(":")
    return (path, int(line)) if path and line.isdigit() else (where, 0)


def _of_problem(problem: Problem) -> Line:
    return Line(problem.severity.value, problem.path, problem.line, problem.message, problem.hint)


def _of_proof(proof: Proof, notes: bool) -> Iterator[Line]:
    for each in proof.findings:
        if notes or each.level != "note" or each.code.startswith("spam-"):  # the score was asked for
            name = proof.planned.newsletter.name
            yield Line(each.level, *_place(each.where), each.message, each.hint, name, each.code)


def _json(line: Line) -> dict[str, Any]:
    told = {"path": line.path, "line": line.line, "severity": line.level, "message": line.message, "mend": line.hint}
    return told | ({"newsletter": line.newsletter, "code": line.code} if line.code else {})


def _show(problems: Sequence[Line], letters: Sequence[tuple[Proof, list[Line]]]) -> None:
    """Tables where a person looks on; plain lines, which editors and grep understand, where not."""
    import sys

    if sys.stdout.isatty():
        _print_table(problems)
        for proof, lines in letters:
            if lines:
                click.echo(_heading(proof))
                _print_table(lines)
        return
    for line in (*problems, *(line for _, lines in letters for line in lines)):
        name = f"newsletter {line.newsletter}: " if line.newsletter else ""
        hint = f" ({line.hint})" if line.hint else ""
        click.echo(f"{line.level}: {line.where}: {name}{line.message}{hint}")


def _heading(proof: Proof) -> str:
    letter = proof.letter
    assert letter is not None  # noqa: S101 - a letter that cannot be made has no findings
    posts = plural(len(proof.planned.posts), "post")
    name = click.style(proof.planned.newsletter.name, bold=True)
    return f"{name}, next letter: {letter.subject!r} ({posts}, {len(letter.html.encode()):,} bytes of HTML)\n"


def _print_table(lines: Sequence[Line]) -> None:
    if not lines:
        return
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    table.add_column("Where", overflow="fold", ratio=3)
    table.add_column("What", overflow="fold", ratio=4)
    table.add_column("How to mend it", overflow="fold", ratio=3)
    colours = {"error": "red", "warning": "yellow", "note": "cyan"}
    for line in lines:
        table.add_row(Text(line.where, style=colours[line.level]), Text(line.message), Text(line.hint, style="dim"))
    Console().print(table)
    click.echo()
