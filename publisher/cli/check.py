"""publisher check"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from publisher.cli.app import App, plural, with_app
from publisher.cli.progress import bar
from publisher.errors import ConfigError, PublisherError

if TYPE_CHECKING:
    from publisher.model import Problem


@click.command(
    short_help="Look for mistakes in settings, posts, links and letters.",
    epilog="Example: publisher check --strict && publisher publish",
)
@click.option("--strict", is_flag=True, help="Fail on warnings too.")
@with_app
def check(app: App, strict: bool) -> int:
    """Look for mistakes in settings, posts, links between posts, and letters.

    Every problem is named with its file and line and how to mend it. Errors keep a post or a letter back;
    warnings do not. Writes nothing. Exit code 1 on errors, with --strict on warnings too.
    """
    from publisher.inspection import inspect_project
    from publisher.model import Severity

    try:
        config = app.config(remember=False)
        with bar(app, "Reading") as progress:
            problems = inspect_project(config, app.now(config), progress)
    except ConfigError as error:
        problems = [_config_problem(mistake) for mistake in error.mistakes]
    errors = sum(problem.severity is Severity.ERROR for problem in problems)
    warnings = len(problems) - errors
    if app.json:
        app.print_json(
            [
                {
                    "path": p.path,
                    "line": p.line,
                    "severity": p.severity.value,
                    "message": p.message,
                    "mend": p.mend,
                }
                for p in problems
            ]
        )
    elif problems:
        _show(problems)
    app.say(f"{plural(errors, 'error')}, {plural(warnings, 'warning')}" if problems else "no problems found")
    return 1 if errors or (strict and warnings) else 0


def _config_problem(error: PublisherError) -> Problem:
    from publisher.model import Problem

    path, _, line = error.where.rpartition(":")
    return (
        Problem(path, int(line), error.message, error.mend)
        if line.isdigit()
        else Problem(error.where, 0, error.message, error.mend)
    )


def _show(problems: Sequence[Problem]) -> None:
    """A table where a person looks on; plain lines, which editors and grep understand, where not."""
    import sys

    if not sys.stdout.isatty():
        for problem in problems:
            click.echo(f"{problem.severity.value}: {problem}")
        return
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    table.add_column("Where", overflow="fold", ratio=3)
    table.add_column("What", overflow="fold", ratio=4)
    table.add_column("How to mend it", overflow="fold", ratio=3)
    for problem in problems:
        colour = "red" if problem.severity.value == "error" else "yellow"
        table.add_row(Text(problem.where, style=colour), Text(problem.message), Text(problem.mend, style="dim"))
    Console().print(table)
