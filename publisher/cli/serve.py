"""publisher serve"""

from __future__ import annotations

import sys

import click

from publisher.cli.app import App, with_app

EXAMPLES = """\
\b
Examples:
  publisher serve                          on web.listen, 127.0.0.1:8018
  publisher serve --host 0.0.0.0 --port 80
  publisher serve --snippet                a form to paste into any page
"""


@click.command(short_help="Let readers subscribe, choose and leave in a browser.", epilog=EXAMPLES)
@click.option("--host", metavar="ADDRESS", help="Listen on this address of the machine. Default: that of web.listen.")
@click.option("--port", type=click.IntRange(0, 65_535), metavar="PORT", help="Default: that of web.listen.")
@click.option("--snippet", is_flag=True, help="Print the HTML of a form that can stand in any page, and end.")
@with_app
def serve(app: App, host: str | None, port: int | None, snippet: bool) -> None:
    """Let readers subscribe, choose and leave in a browser, and serve the site as it was built.

    The addresses behind the links in letters answer here: a form to subscribe, confirmation by mail,
    preferences, one-click unsubscribing. Put a web server with TLS before it, and name its address in
    web.public_url. Mails about subscriptions go out by the project's transport.

    The owner's page is at /admin, once `publisher admin password` has set a password.

    Each answer is a line on stderr, without addresses or tokens. Ctrl-C or SIGTERM ends it.
    """
    config = app.config()
    if snippet:
        from publisher.web.public.subscribe_page import snippet as made

        click.echo(made(config), nl=False)
        return
    from publisher.cli.hosts import MEND, why_unconfirmed
    from publisher.core.logging import log
    from publisher.daemon.web_thread import require_newsletters
    from publisher.web.application import open_application
    from publisher.web.server import Server, address_of, listen

    require_newsletters(config)
    own_host, _, own_port = config.web.listen.rpartition(":")
    listener = listen(int(own_port) if port is None else port, host or own_host.strip("[]"))
    with open_application(config, lambda: app.now(config)) as application:
        address = address_of(listener)
        if app.json:
            app.print_json({"url": address})
        if not config.web.public_url:
            app.say(f"web.public_url is not set: links in mails lead to {config.public_url}")
        app.say(f"Serving {config.site.title}: {address}   (Ctrl-C ends it)")
        sys.stdout.flush()
        if waits := why_unconfirmed(config):
            log("host not confirmed", f"{waits}: no edition leaves from here ({MEND})", level="warning", waits=waits)
        Server(listener, grace=10).run(application)
    app.say("Serving has ended.")
