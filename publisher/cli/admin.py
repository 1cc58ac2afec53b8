"""The commands `publisher admin password` and `publisher admin logout-all`."""

from __future__ import annotations

import sys

import click

from publisher.cli.app import App, plural, with_app
from publisher.core.errors import PublisherError
from publisher.publishing.wiring import open_project_store
from publisher.web.admin.credentials import check_password, hash_password


@click.group(
    short_help="Set the password of the admin page, and log everyone out.",
    epilog="Examples: publisher admin password; publisher admin logout-all",
)
@with_app
def admin(app: App) -> None:
    """Decide who may use the admin page, /admin."""


@admin.command(
    epilog="Examples:\n\n\b\n  publisher admin password\n  pass show letters | publisher admin password",
)
@with_app
def password(app: App) -> None:
    """Set the password of the admin page; this logs everyone out.

    It is prompted for twice without being shown, or read from the first line of stdin. Only its argon2 hash is
    stored.
    """
    config = app.config()
    given = _prompt() if sys.stdin.isatty() else _read()
    check_password(given)
    with open_project_store(config) as store:
        is_first = not store.owner.password_hash()
        store.owner.set_password(hash_password(given), app.now(config))
    place = f"{config.public_url}/admin"
    if app.json:
        app.print_json({"url": place, "first": is_first})
    app.say(f"The password is set. `publisher serve` shows the page at {place}")


@admin.command("logout-all", epilog="Example: publisher admin logout-all")
@with_app
def logout_all(app: App) -> None:
    """End all sessions of the admin page, so that everyone has to log in again."""
    with open_project_store(app.config()) as store:
        ended = store.sessions.end_all()
    if app.json:
        app.print_json({"ended": ended})
    app.say(f"{plural(ended, 'session')} ended" if ended else "no one was logged in")


def _prompt() -> str:
    return str(click.prompt("New password", hide_input=True, confirmation_prompt="Repeat it"))


def _read() -> str:
    given = sys.stdin.readline().rstrip("\r\n")
    if not given:
        raise PublisherError("no password was given on stdin", hint="run it in a terminal, or pipe the password in")
    return given
