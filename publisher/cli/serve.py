"""The command `publisher serve`."""

from __future__ import annotations

import click

from publisher.cli.app import App, say_addresses, with_app
from publisher.cli.hosts import allowing_hint, why_this_host_waits
from publisher.core.logging import log
from publisher.daemon.web_supervisor import require_newsletters
from publisher.web.public.subscribe_page import snippet as form_snippet
from publisher.web.server import Server, address_of, listen_for

EXAMPLES = """\
\b
Examples:
  publisher serve                          on web.listen, 127.0.0.1:8018
  publisher serve --host 0.0.0.0 --port 80
  publisher serve --snippet                a form to paste into any page
"""


@click.command(short_help="Serve the pages for subscribers; print a form for other sites.", epilog=EXAMPLES)
@click.option("--host", metavar="ADDRESS", help="Listen on this IP address. Default: the address in web.listen.")
@click.option("--port", type=click.IntRange(0, 65_535), metavar="PORT", help="Default: the port in web.listen.")
@click.option("--snippet", is_flag=True, help="Print an HTML sign-up form for use on any page, then exit.")
@with_app
def serve(app: App, host: str | None, port: int | None, snippet: bool) -> None:
    """Serve the sign-up, preferences and unsubscribe pages, and the site as it was built.

    The links in emails lead here: confirmation, preferences, one-click unsubscribe. Put a web server with TLS in
    front of it, and set web.public_url to its URL. Emails about subscriptions go out through the project's transport.

    The admin page is at /admin, once `publisher admin password` has set a password.

    Each request is logged to stderr, without email addresses or tokens. Ctrl-C or SIGTERM stops it.
    """
    config = app.config()
    if snippet:
        click.echo(form_snippet(config), nl=False)
        return
    require_newsletters(config)
    listeners = listen_for(config, host, port)
    # Not at the top: Starlette and the database take 0.6 s to load, which --snippet does not need.
    from publisher.web.application import open_application

    with open_application(config, lambda: app.now(config)) as application:
        say_addresses(app, config, "Serving", *map(address_of, listeners))
        if waits := why_this_host_waits(config):
            log(
                "host not confirmed",
                f"{waits}: no edition is sent from here ({allowing_hint(waits)})",
                level="warning",
                waits=waits,
            )
        Server(*listeners, grace=10, proxies=config.web.trusted_proxies).run(application)
    app.say("Stopped.")
