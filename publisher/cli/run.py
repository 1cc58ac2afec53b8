"""The command `publisher run`."""

from __future__ import annotations

from datetime import UTC, datetime

import click

from publisher.cli.app import App, say_addresses, with_app
from publisher.core.logging import configure
from publisher.daemon.child_processes import Children
from publisher.daemon.lock import only_one
from publisher.daemon.reporting import Outage
from publisher.daemon.systemd import noted_reloads
from publisher.daemon.web_supervisor import WebSupervisor
from publisher.web.server import address_of, listen_for

EXAMPLES = """\
\b
Examples:
  publisher run                            until Ctrl-C or SIGTERM
  publisher --now 2026-11-23T07:59 run     as it will be on that Monday
"""


@click.command(short_help="Do everything on schedule, in one long-running program.", epilog=EXAMPLES)
@click.option("--host", metavar="ADDRESS", help="Listen on this IP address. Default: the address in web.listen.")
@click.option("--port", type=click.IntRange(0, 65_535), metavar="PORT", help="Default: the port in web.listen.")
@click.option(
    "--wait/--no-wait",
    default=True,
    help="Whether to wait for a database server that cannot be reached at the start. Default: wait.",
)
@with_app
def run(app: App, host: str | None, port: int | None, wait: bool) -> int:
    """Create each newsletter's editions on schedule and deliver them, handle sign-ups and unsubscribes, and keep the
    site up to date.

    Only one can run per project. Anything that came due while it was stopped is handled when it starts. It sends real
    email without asking, so check `publisher publish --dry-run` first. A changed post is on the site within a second;
    a changed publisher.toml is reloaded if it has no mistakes, as on SIGHUP.

    The web application and each build are processes of their own: when one dies, email goes out all the same, and
    another takes its place.

    Ctrl-C or SIGTERM stops it cleanly: it finishes the message in progress, and the next run sends the rest. A second
    Ctrl-C stops it within seconds. It logs to stderr, without email addresses or tokens.
    """
    config = app.config()
    with only_one(config.state_dir), noted_reloads() as must_reload:
        listeners = listen_for(config, host, port)
        ahead = app.ahead(config)
        configure(config.run.log)
        # Before anything else is loaded or opened: it takes as long to start as the rest does.
        children = Children(listeners)
        # Not at the top: the scheduler takes 0.2 s to load, and meanwhile the other process loads the pages.
        from publisher.daemon.process import Process

        outage = Outage()
        web = WebSupervisor(children, config, ahead, outage)
        web.begin(wait=wait)

        def ready() -> None:
            """Print the addresses at which the pages are served."""
            say_addresses(app, config, "Running", *map(address_of, listeners))

        return Process(config, children, web, lambda: datetime.now(UTC) + ahead, outage).run(ready, must_reload)
