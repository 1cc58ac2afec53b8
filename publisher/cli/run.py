"""publisher run"""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from publisher.cli.app import App, with_app

if TYPE_CHECKING:
    from collections.abc import Callable

EXAMPLES = """\
\b
Examples:
  publisher run                            until Ctrl-C or SIGTERM
  publisher --now 2026-11-23T07:59 run     as it will be on that Monday
"""


@click.command(short_help="Do everything on time, in one process.", epilog=EXAMPLES)
@click.option("--host", metavar="ADDRESS", help="Listen on this address of the machine. Default: that of web.listen.")
@click.option("--port", type=click.IntRange(0, 65_535), metavar="PORT", help="Default: that of web.listen.")
@with_app
def run(app: App, host: str | None, port: int | None) -> int:
    """Make each newsletter's editions on time and deliver them, let readers come and go, keep the site up to date.

    One process a project. What was due while it was away is made up for at its start. Real mail leaves without a
    question: look at `publisher publish --dry-run` before. A changed post is on the site within a second; a changed
    publisher.toml is taken over where it has no mistake, also by SIGHUP.

    Ctrl-C or SIGTERM ends it in order: the message in hand is finished, and the next run goes on with the rest. Said
    again, it hurries. Lines on stderr tell what it does, without addresses or tokens.
    """
    config = app.config()
    from publisher.daemon.lock import only_one
    from publisher.web.server import address_of, listen

    with only_one(config.state_dir):
        own_host, _, own_port = config.web.listen.rpartition(":")
        listener = listen(int(own_port) if port is None else port, host or own_host.strip("[]"))
        clock, address = _clock(app), address_of(listener)
        from publisher.core.logging import configure
        from publisher.daemon.web_thread import WebThread

        configure(config.run.log)
        web = WebThread(listener, clock)
        web.open(config)
        web.begin()
        from publisher.daemon.process import Process  # loads while the pages are already served

        def ready() -> None:
            if app.json:
                app.print_json({"url": address})
            if not config.web.public_url:
                app.say(f"web.public_url is not set: links in mails lead to {config.public_url}")
            app.say(f"Running {config.site.title}: {address}   (Ctrl-C ends it)")
            sys.stdout.flush()

        return Process(config, web, clock).run(ready)


def _clock(app: App) -> Callable[[], datetime]:
    """Return the present; with --now, one that goes on from there."""
    if not app.now_text:
        return lambda: datetime.now(UTC)
    config = app.config()
    ahead = app.now(config) - datetime.now(UTC)
    return lambda: datetime.now(UTC) + ahead
