"""The code that all commands share: the global options, the project to work on, and printing."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from publisher.cli.wording import plural as plural  # commands import it from here
from publisher.core.errors import ProjectError, PublisherError

if TYPE_CHECKING:
    from publisher.config import Config
    from publisher.core.action_kinds import ActionKind
    from publisher.core.models import Problem
    from publisher.core.newsletter_models import Subscriber
    from publisher.store import Store


@dataclass
class App:
    """The global options of a command line."""

    project: Path | None = None
    now_text: str = ""
    json: bool = False
    verbose: bool = False

    def config(self) -> Config:
        """Load the project's configuration and protect its private folders; raise ConfigError with all its mistakes."""
        return protected_config(self.root())

    def root(self) -> Path:
        """Return the project's folder; raise ProjectError if there is no folder with a publisher.toml.

        The publisher.toml may not be valid.
        """
        from publisher.config import CONFIG_FILE, find_project  # not at the top: `--help` must load quickly

        if self.project is None:
            return find_project(_here())
        try:
            root = self.project.resolve()
            found = (root / CONFIG_FILE).is_file()
        except (OSError, RuntimeError) as error:  # a circular link raises one or the other, depending on the Python
            raise ProjectError("cannot be opened", where=str(self.project), hint="name a different folder") from error
        if not found:
            raise ProjectError(
                "is a file, not a folder" if root.is_file() else f"there is no {CONFIG_FILE}",
                where=str(self.project),
                hint="" if root.is_file() else f"create one with `publisher init {self.project}`",
            )
        return root

    def now(self, config: Config) -> datetime:
        """Return the time at which to act: --now (by default in the site's time zone), or the current time."""
        return self.moment(config.zone)

    def moment(self, zone: tzinfo = UTC) -> datetime:
        """Return the time at which to act: --now, or the current time. Raise BadParameter if --now is not a time.

        zone  the time zone of a --now that names none
        """
        if not self.now_text:
            return datetime.now(UTC)
        from publisher.config.schedule import next_weekday  # not at the top: `--help` must load quickly
        from publisher.posts.front_matter.dates import parse_date  # the same

        try:
            return next_weekday(self.now_text, datetime.now(zone)) or parse_date(self.now_text, zone)
        except ValueError as error:
            raise click.BadParameter(str(error), param_hint="--now") from error

    def ahead(self, config: Config) -> timedelta:
        """Return how far the project's clock is ahead of the host's. With --now, it starts at that time and goes on."""
        return self.now(config) - datetime.now(UTC) if self.now_text else timedelta()

    def say(self, text: str = "") -> None:
        """Print a line, unless --json is set, because stdout then contains only JSON."""
        if not self.json:
            click.echo(text)

    def print_json(self, value: Any) -> None:
        """Print a value as JSON."""
        import json  # not at the top: `--help` must load quickly

        click.echo(json.dumps(value, ensure_ascii=False, indent=2, default=str))

    def report(self, problems: Iterable[Problem]) -> None:
        """Print each problem as a line on stderr."""
        for problem in problems:
            mark = click.style(problem.severity.value, fg="red" if problem.severity == "error" else "yellow")
            click.echo(f"{mark}: {problem}", err=True)

    @property
    def shows_progress(self) -> bool:
        """Whether to show a live progress bar: stderr is a terminal, and --json is not set."""
        return sys.stderr.isatty() and not self.json


def protected_config(root: Path) -> Config:
    """Load the configuration of the project in a folder, and protect its private folders; raise ConfigError."""
    from publisher.config import load_config  # not at the top: `--help` must load quickly
    from publisher.core.private_folder import protect  # the same

    config = load_config(root)
    for folder in (config.state_dir, config.root / config.outbox):
        if folder.is_dir():
            protect(folder)  # an older version left them open to git and to other users
    return config


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
            "--now",
            "now_",
            metavar="TIMESTAMP",
            help="Pretend that it is this time, such as 2026-11-23T08:00 or 'monday 08:00'.",
        ),
        click.option("--json", "json_", is_flag=True, help="Print JSON."),
        click.option("-v", "--verbose", "verbose_", is_flag=True, help="Show more detail."),
    ]
    for option in reversed(options):
        function = option(function)
    return function


def take_options(ctx: click.Context, values: dict[str, Any]) -> App:
    """Apply the global options in `values`, which override those further left on the command line; return the App."""
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
    """Decorate a command to accept the global options, before or after its name, and to get the App as an argument."""

    @_global_options
    @click.pass_context
    @wraps(function)
    def command(ctx: click.Context, /, **values: Any) -> Any:
        """Run the function with the app of its context, and with the options that every command has."""
        return function(take_options(ctx, values), **values)

    return command


def _here() -> Path:
    try:
        return Path.cwd()
    except OSError as error:
        raise ProjectError(
            "the current folder no longer exists", hint="go to another folder, or use --project"
        ) from error


def log_action(
    app: App,
    store: Store,
    what: ActionKind,
    about: str = "",
    *,
    detail: str = "",
    subscriber: Subscriber | None = None,
    dry_run: bool = False,
) -> None:
    """Add what a command did to the log of actions, unless it was a dry run.

    about       the object of the action, in words
    subscriber  the person who was affected; the address is not copied
    """
    if dry_run:
        return
    from publisher.core.action_kinds import Via  # not at the top: `--help` must load quickly
    from publisher.core.host_id import host_name  # the same

    config = app.config()
    here = host_name(config.root, os.environ).partition(":")[0]
    known = subscriber.id if subscriber else None
    store.actions.record(
        what, app.now(config), via=Via.COMMAND, client=here, about=about, detail=detail, subscriber_id=known
    )


def say_addresses(app: App, config: Config, doing: str, address: str, *admin: str) -> None:
    """Print the address at which the pages are served, and the admin page's own address if it has one.

    doing: what the command does from now on, such as "Serving"
    """
    if app.json:
        app.print_json({"url": address} | ({"admin_url": admin[0]} if admin else {}))
    for url in admin:
        app.say(f"Admin page: {url}")
    if not config.web.public_url:
        app.say(f"web.public_url is not set, so links in emails point to {config.public_url}")
    app.say(f"{doing} {config.site.title}: {address}   (press Ctrl-C to stop)")
    sys.stdout.flush()


def require_known(config: Config, names: Iterable[str]) -> None:
    """Raise PublisherError, with the nearest known name, if one of the names is not a configured newsletter."""
    import difflib  # not at the top: `--help` must load quickly

    known = [newsletter.name for newsletter in config.newsletters]
    for name in names:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            hint = f"did you mean {near[0]}?" if near else f"known: {', '.join(known) or 'none'}"
            raise PublisherError(f"there is no newsletter {name!r}", hint=hint)


def warn(message: str) -> None:
    """Print a warning on stderr."""
    click.echo(f"{click.style('warning', fg='yellow')}: {message}", err=True)


def fail(error: PublisherError) -> None:
    """Print an error on stderr, with a line for each mistake that it contains."""
    for line in error.lines():
        click.echo(f"{click.style('error', fg='red')}: {line}", err=True)
