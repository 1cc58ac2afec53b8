"""publisher admin password"""

from __future__ import annotations

import sys

import click

from publisher.cli.app import App, with_app
from publisher.core.errors import PublisherError


@click.group(
    short_help="Set the password of the owner's page, /admin.",
    epilog="Example: publisher admin password",
)
@with_app
def admin(app: App) -> None:
    """Set the password of the owner's page, /admin."""


@admin.command(
    epilog="Examples:\n\n\b\n  publisher admin password\n  pass show letters | publisher admin password",
)
@with_app
def password(app: App) -> None:
    """Set the password of the owner's page; who was logged in with another is logged out.

    It is asked for twice without being shown, or read from the first line of stdin. Kept is its hash, by argon2.
    """
    from publisher.publishing.wiring import open_project_store
    from publisher.web.admin.credentials import check_password, hash_password

    config = app.config()
    given = _asked() if sys.stdin.isatty() else _read()
    check_password(given)
    with open_project_store(config) as store:
        is_first = not store.owner.password_hash()
        store.owner.set_password(hash_password(given), app.now(config))
    place = f"{config.public_url}/admin"
    if app.json:
        app.print_json({"url": place, "first": is_first})
    app.say(f"The password is set. `publisher serve` shows the page at {place}")


def _asked() -> str:
    return str(click.prompt("New password", hide_input=True, confirmation_prompt="Once more"))


def _read() -> str:
    given = sys.stdin.readline().rstrip("\r\n")
    if not given:
        raise PublisherError("no password came on stdin", hint="run it on a terminal, or pipe the password into it")
    return given
