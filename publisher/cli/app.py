"""What all commands share: the global options, the project that they work on, and how they print."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from publisher.core.errors import ProjectError, PublisherError

if TYPE_CHECKING:
    from publisher.config import Config
    from publisher.core.models import Problem


@dataclass
class App:
    """The global options of one run."""

    project: Path | None = None
    now_text: str = ""
    json: bool = False
    verbose: bool = False

    def config(self) -> Config:
        """Load the project's configuration; raise ConfigError with every mistake in it."""
        from publisher.config import load_config  # not at the top: `--help` must load quickly

        return load_config(self.root())

    def root(self) -> Path:
        """Return the project's folder. It has a publisher.toml, which may not be valid. Raises ProjectError."""
        from publisher.config import CONFIG_FILE, find_project  # not at the top: `--help` must load quickly

        if self.project is None:
            return find_project(_here())
        try:
            root = self.project.resolve()
            found = (root / CONFIG_FILE).is_file()
        except (OSError, RuntimeError) as error:  # which of them a circular link raises depends on Python's version
            raise ProjectError("cannot be opened", where=str(self.project), hint="name a different folder") from error
        if not found:
            raise ProjectError(
                "is a file, not a folder" if root.is_file() else f"there is no {CONFIG_FILE}",
                where=str(self.project),
                hint="" if root.is_file() else f"create one with `publisher init {self.project}`",
            )
        return root

    def now(self, config: Config) -> datetime:
        """Return the time at which the command acts: --now, or the clock's."""
        return self.moment(config.zone)

    def moment(self, zone: tzinfo = UTC) -> datetime:
        """Return the time at which the command acts. A --now without a time zone is taken to be in `zone`."""
        if not self.now_text:
            return datetime.now(UTC)
        from publisher.posts.dates import parse_date  # not at the top: `--help` must load quickly

        try:
            return parse_date(self.now_text, zone)
        except ValueError as error:
            raise click.BadParameter(str(error), param_hint="--now") from error

    def say(self, text: str = "") -> None:
        """Print a line, unless --json is set: then stdout is for a script."""
        if not self.json:
            click.echo(text)

    def print_json(self, value: Any) -> None:
        """Print a value as JSON."""
        import json  # not at the top: `--help` must load quickly

        click.echo(json.dumps(value, ensure_ascii=False, indent=2, default=str))

    def report(self, problems: Iterable[Problem]) -> None:
        """Print problems on stderr, a line each."""
        for problem in problems:
            mark = click.style(problem.severity.value, fg="red" if problem.severity == "error" else "yellow")
            click.echo(f"{mark}: {problem}", err=True)

    @property
    def shows_progress(self) -> bool:
        """Whether to show a live progress bar: someone is watching the terminal."""
        return sys.stderr.isatty() and not self.json


def _global_options(function: Callable[..., Any]) -> Callable[..., Any]:
    options = [
        click.option(
            "-C",
            "--project",
            "project_",
            metavar="DIR",
            type=click.Path(path_type=Path),
            help="Project folder (default: the nearest one upwards that has a publisher.toml).",
        ),
        click.option(
            "--now", "now_", metavar="TIMESTAMP", help="Pretend that it is this time, such as 2026-11-23T08:00."
        ),
        click.option("--json", "json_", is_flag=True, help="Print JSON."),
        click.option("-v", "--verbose", "verbose_", is_flag=True, help="Show more detail."),
    ]
    for option in reversed(options):
        function = option(function)
    return function


def take_options(ctx: click.Context, values: dict[str, Any]) -> App:
    """Apply the global options given in this place; they override those given further left."""
    app: App = ctx.ensure_object(App)
    project = values.pop("project_", None)
    if project is None and app.project is None and os.environ.get("PUBLISHER_PROJECT"):
        project = Path(os.environ["PUBLISHER_PROJECT"])
    app.project = project or app.project
    app.now_text = values.pop("now_", None) or app.now_text
    app.json = values.pop("json_", False) or app.json
    app.verbose = values.pop("verbose_", False) or app.verbose
    return app


def with_app(function: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the global options, accepted before and after its name, and the App as its first argument."""

    @_global_options
    @click.pass_context
    @wraps(function)
    def command(ctx: click.Context, /, **values: Any) -> Any:
        return function(take_options(ctx, values), **values)

    return command


def _here() -> Path:
    try:
        return Path.cwd()
    except OSError as error:
        raise ProjectError("the current folder no longer exists", hint="go to another, or use --project") from error


def require_known(config: Config, names: Iterable[str]) -> None:
    """Raise PublisherError for a name that is not a newsletter's, suggesting the nearest one."""
    import difflib  # not at the top: `--help` must load quickly

    known = [newsletter.name for newsletter in config.newsletters]
    for name in names:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            hint = f"did you mean {near[0]}?" if near else f"known: {', '.join(known) or 'none'}"
            raise PublisherError(f"there is no newsletter {name!r}", hint=hint)


def plural(number: int, noun: str, plural_noun: str = "") -> str:
    """Return "1 post", "2 posts", "1,200 posts"."""
    return f"{number:,} {noun if number == 1 else plural_noun or noun + 's'}"


def warn(message: str) -> None:
    """Print a warning on stderr."""
    click.echo(f"{click.style('warning', fg='yellow')}: {message}", err=True)


def fail(error: PublisherError) -> None:
    """Print an error on stderr, a line for each mistake."""
    for line in error.lines():
        click.echo(f"{click.style('error', fg='red')}: {line}", err=True)
