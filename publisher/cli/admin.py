"""The commands `publisher admin password`, `totp`, `logout-all` and `log`."""

from __future__ import annotations

import sys
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from publisher.cli.app import App, log_action, plural, with_app
from publisher.cli.terminal import confirm, print_table
from publisher.core.action_kinds import ActionKind
from publisher.core.errors import PublisherError
from publisher.publishing.mail_wiring import project_secret
from publisher.publishing.wiring import open_existing_store, open_project_store
from publisher.web.admin.credentials import check_password, hash_password
from publisher.web.admin.second_factor import SecondFactor, key_uri, new_key, text_code

if TYPE_CHECKING:
    from publisher.store import Store


@click.group(
    short_help="Decide who may use the admin page.",
    epilog="Examples: publisher admin password; publisher admin totp; publisher admin logout-all",
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
        log_action(app, store, ActionKind.PASSWORD_SET)
    place = config.admin_url
    if app.json:
        app.print_json({"url": place, "first": is_first})
    app.say(f"The password is set. `publisher run` (or `serve`) shows the page at {place}")


@admin.command("logout-all", epilog="Example: publisher admin logout-all")
@with_app
def logout_all(app: App) -> None:
    """End all sessions of the admin page, so that everyone has to log in again."""
    with open_project_store(app.config()) as store:
        ended = store.sessions.end_all()
        if ended:
            log_action(app, store, ActionKind.SESSIONS_ENDED, detail=f"{ended:,}")
    if app.json:
        app.print_json({"ended": ended})
    app.say(f"{plural(ended, 'session')} ended" if ended else "no one was logged in")


@admin.command(
    short_help="Turn the second factor on or off.",
    epilog="Examples: publisher admin totp; publisher admin totp --off",
)
@click.option("--off", is_flag=True, help="Turn it off, for example because the device was lost.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@with_app
def totp(app: App, off: bool, yes: bool) -> None:
    """Turn the second factor of the admin page on: logging in then also needs a code from an app (TOTP).

    It shows a QR code for the app, asks for the code that the app shows, and prints ten recovery codes, each of which
    can be used once instead of a code. Everyone who is logged in has to log in again.
    """
    config = app.config()
    with open_project_store(config) as store:
        second = SecondFactor(store, project_secret(config))
        if off:
            _turn_off(app, store, second, yes)
            return
        if second.is_on:
            raise PublisherError("the second factor is already on", hint="turn it off first, with --off")
        key = new_key()
        uri = key_uri(key, config.site.title)
        click.echo(f"{text_code(uri)}\nScan this with the app, or type in the key: {key}\n", err=True)
        codes = second.turn_on(key, click.prompt("Code that the app shows now", err=True), app.now(config))
        store.sessions.end_all()
        log_action(app, store, ActionKind.FACTOR_ON)
    if app.json:
        app.print_json({"recovery_codes": codes})
    app.say("The second factor is on. Keep these recovery codes; they are not shown again:")
    for code in codes:
        app.say(f"  {code}")


@admin.command(epilog="Examples: publisher admin log; publisher admin log --limit 0 --json")
@click.option("--limit", metavar="N", type=click.IntRange(0), default=50, help="Show at most this many; 0 for all.")
@with_app
def log(app: App, limit: int) -> None:
    """List what people did with buttons and commands, and who logged in, newest first."""
    config = app.config()
    with open_existing_store(config) as store:
        found = store.actions.list(limit=limit or None) if store else ()
    if app.json:
        app.print_json([asdict(each) for each in found])
    elif found:
        rows = [
            (
                f"{each.at.astimezone(config.zone):%Y-%m-%d %H:%M}",
                each.who,
                each.what,
                each.about,
                each.detail,
                f"{each.via}, {each.client}",
            )
            for each in found
        ]
        print_table(("When", "Who", "What", "About", "Detail", "From"), rows)
    else:
        app.say("nothing was done yet")


def _turn_off(app: App, store: Store, second: SecondFactor, yes: bool) -> None:
    confirm("Turn the second factor off?", yes=yes, unasked="the password alone would be enough to log in")
    was_on = second.turn_off()
    if was_on:
        log_action(app, store, ActionKind.FACTOR_OFF)
    if app.json:
        app.print_json({"changed": was_on})
    app.say("The second factor is off." if was_on else "It was already off.")


def _prompt() -> str:
    return str(click.prompt("New password", hide_input=True, confirmation_prompt="Repeat it"))


def _read() -> str:
    given = sys.stdin.readline().rstrip("\r\n")
    if not given:
        raise PublisherError("no password was given on stdin", hint="run it in a terminal, or pipe the password in")
    return given
