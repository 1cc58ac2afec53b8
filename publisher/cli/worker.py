"""The command `publisher worker`."""

from __future__ import annotations

import os
import sys
import tempfile
from contextlib import nullcontext
from datetime import UTC, datetime
from functools import partial
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING

import click

from publisher.cli.app import App, with_app
from publisher.core.errors import ConfigError, PublisherError

if TYPE_CHECKING:
    from publisher.config import Config

EXAMPLES = """\
\b
Examples:
  publisher worker                         until Ctrl-C or SIGTERM
  publisher worker --queues send           send only
  publisher worker --connections 2         fewer connections than publisher.toml allows
"""


@click.command(short_help="Send editions from another machine, without posts or a disk.", epilog=EXAMPLES)
@click.option(
    "--queues",
    metavar="LIST",
    default="send,sources,chores",
    show_default=True,
    help="What to do: send editions, fetch sources, do chores in the database.",
)
@click.option(
    "--connections",
    type=click.IntRange(1, 200),
    metavar="N",
    help="Open at most N connections to each mail server. Default: as in publisher.toml.",
)
@click.option(
    "--health",
    metavar="ADDRESS:PORT",
    default="",
    help="Answer /healthz and /readyz there, for probes; such as 0.0.0.0:8019",
)
@with_app
def worker(app: App, queues: str, connections: int | None, health: str) -> int:
    """Help `publisher run` on other machines: send its editions, fetch its sources, and do its chores.

    It needs PostgreSQL, publisher.toml, and the project's secret in PUBLISHER_SECRET. It needs no posts or templates,
    serves no pages, and writes only into a temporary folder. Any number can run alongside one or more `publisher run`,
    even on the same machine. The database decides who sends which email, so that each is sent once.

    Like any new host, a worker sends nothing until it is confirmed: with `publisher hosts confirm`, or with a token
    from `publisher hosts token` in PUBLISHER_JOIN.

    Ctrl-C or SIGTERM stops it cleanly: it waits for the answers of the mail servers and gives back the rest. A second
    Ctrl-C stops it within seconds. It logs to stderr, without email addresses or tokens.
    """
    # Not at the top: `--help` must load quickly.
    from publisher.core.logging import configure
    from publisher.core.signing import SECRET_VARIABLE
    from publisher.daemon.health import health_port
    from publisher.daemon.worker_process import WorkerProcess, worker_config
    from publisher.publishing.mail_wiring import known_secret

    chosen, config, (host, port) = _chosen(queues), _config(app), _address(health)
    with tempfile.TemporaryDirectory(prefix="publisher-worker-", ignore_cleanup_errors=True) as scratch:
        adapted = partial(worker_config, scratch=Path(scratch), connections=connections)
        adapted(config)
        os.environ[SECRET_VARIABLE] = known_secret(config)  # the temporary folder has none
        configure(config.run.log)
        ahead = app.ahead(config)
        process = WorkerProcess(config, adapted, chosen, lambda: datetime.now(UTC) + ahead)

        def ready() -> None:
            """Say which jobs the worker does from now on."""
            app.say(f"Working for {config.site.title}: {', '.join(chosen)}   (press Ctrl-C to stop)")
            sys.stdout.flush()

        with health_port(host, port, process.health) if host else nullcontext():
            return process.run(ready)


def _config(app: App) -> Config:
    """Load the configuration. A worker needs the secret that the project has, so it must not generate one."""
    from publisher.core.signing import SECRET_VARIABLE  # not at the top: `--help` must load quickly
    from publisher.publishing.mail_wiring import SAME_SECRET

    try:
        return app.config()
    except ConfigError as error:
        found = [
            PublisherError(each.message, where=each.where, hint=SAME_SECRET) if each.where == SECRET_VARIABLE else each
            for each in error.mistakes
        ]
        raise ConfigError(found) from error


def _address(text: str) -> tuple[str, int]:
    """Return the IP address and the port of a text such as 0.0.0.0:8019 or [::]:8019; "" and 0 if it is empty."""
    if not text:
        return "", 0
    host, _, port = text.rpartition(":")
    try:
        found = ip_address(host[1:-1] if host.startswith("[") else host)
        return str(found), click.IntRange(1, 65_535)(port)
    except (ValueError, click.BadParameter) as error:
        why = f"{text!r} is not an IP address with a port; write it like 0.0.0.0:8019"
        raise click.BadParameter(why, param_hint="--health") from error


def _chosen(text: str) -> tuple[str, ...]:
    from publisher.daemon.worker_process import QUEUES  # not at the top: `--help` must load quickly

    names = tuple(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))
    unknown = [name for name in names if name not in QUEUES]
    if unknown or not names:
        what = f"there is no queue {unknown[0]!r}" if unknown else "name at least one queue"
        raise click.BadParameter(f"{what}; a worker knows {', '.join(QUEUES)}", param_hint="--queues")
    return names
