"""publisher preview"""

from __future__ import annotations

import os
import sys

import click

from publisher.cli.app import App, with_app

EXAMPLES = """\
\b
Examples:
  publisher preview                        opens a browser where there is one
  publisher preview --port 9000 --no-open
  publisher preview --now 2026-12-24T08:00 the letter as it would be then
"""


@click.command(short_help="Look at the next letters, the site and the feeds in a browser.", epilog=EXAMPLES)
@click.option(
    "--port",
    type=click.IntRange(1, 65_535),
    metavar="PORT",
    help="Listen on this port of 127.0.0.1. Default: 8017, or the next one that is free.",
)
@click.option("--open/--no-open", "open_", default=None, help="Open a browser. Default: where there is a desktop.")
@with_app
def preview(app: App, port: int | None, open_: bool | None) -> None:
    """Look at the next letters, the site and the feeds in a browser, while you write.

    Each letter at desktop and phone width, light and dark, as plain text, source and headers; with its size
    and what is found in it. What you save appears within a second. Nothing is published, no edition is made,
    and no mail leaves but the test copy that you ask for. Ctrl-C ends it.

    On the page, press ? for its keys.
    """
    from publisher.web.preview.live_project import LiveProject
    from publisher.web.preview.routes import make_preview
    from publisher.web.server import Server, address_of, listen

    root = app.root()
    app.moment()  # a --now that cannot be read is said here, not in the browser
    listener = listen(port)
    address = address_of(listener)
    if app.json:
        app.print_json({"url": address})
    app.say(f"Preview of {root.name}: {address}   (Ctrl-C ends it)")
    sys.stdout.flush()
    if _has_desktop() if open_ is None else open_:
        _open(address)
    server = Server(listener)
    desk = LiveProject(root, app.now, server.is_ending)
    desk.begin()
    try:
        server.run(make_preview(desk, root, server.is_ending))
    finally:
        desk.close()
    app.say("Preview has ended.")


def _has_desktop() -> bool:
    """Whether a browser would be a window: without a desktop, it could be a text browser in this terminal."""
    windows = sys.platform in ("darwin", "win32") or any(os.environ.get(n) for n in ("DISPLAY", "WAYLAND_DISPLAY"))
    return windows and sys.stdout.isatty()


def _open(address: str) -> None:
    """Open a browser, in the background: some come back only when they are closed."""
    import threading
    import webbrowser

    threading.Thread(target=webbrowser.open, args=(address,), daemon=True).start()
