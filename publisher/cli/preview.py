"""The command `publisher preview`."""

from __future__ import annotations

import os
import sys
import threading
import webbrowser

import click

from publisher.cli.app import App, with_app
from publisher.web.preview.live_project import LiveProject
from publisher.web.preview.routes import make_preview
from publisher.web.server import Server, address_of, listen

EXAMPLES = """\
\b
Examples:
  publisher preview                        opens a browser if there is one
  publisher preview --port 9000 --no-open
  publisher preview --now 2026-12-24T08:00 the emails as they would be then
"""


@click.command(short_help="Show the next emails, the site and the feeds in a browser.", epilog=EXAMPLES)
@click.option(
    "--port",
    type=click.IntRange(1, 65_535),
    metavar="PORT",
    help="Listen on this port of 127.0.0.1. Default: 8017, or the next one that is free.",
)
@click.option("--open/--no-open", "open_", default=None, help="Open a browser. Default: if there is a desktop.")
@with_app
def preview(app: App, port: int | None, open_: bool | None) -> None:
    """Show the next emails, the site and the feeds in a browser while you write.

    Each email is shown at desktop and phone width, light and dark, as plain text, source and headers, with its size
    and findings. What you save appears within a second. Nothing is published, no edition is created, and no email is
    sent except a test that you ask for. Press Ctrl-C to stop.

    On the page, press ? for its keyboard shortcuts.
    """
    root = app.root()
    app.moment()  # reports an unreadable --now here, not in the browser
    listener = listen(port)
    address = address_of(listener)
    if app.json:
        app.print_json({"url": address})
    app.say(f"Preview of {root.name}: {address}   (press Ctrl-C to stop)")
    sys.stdout.flush()
    if _has_desktop() if open_ is None else open_:
        _open(address)
    server = Server(listener)
    project = LiveProject(root, app.now, server.is_ending)
    project.begin()
    try:
        server.run(make_preview(project, root, server.is_ending))
    finally:
        project.close()
    app.say("Stopped.")


def _has_desktop() -> bool:
    """Return whether a browser would open in a window, rather than as a text browser in this terminal."""
    windows = sys.platform in ("darwin", "win32") or any(os.environ.get(n) for n in ("DISPLAY", "WAYLAND_DISPLAY"))
    return windows and sys.stdout.isatty()


def _open(address: str) -> None:
    """Open a browser in a thread, because some browsers block until they are closed."""
    threading.Thread(target=webbrowser.open, args=(address,), daemon=True).start()
