"""publisher hosts list | confirm | forget; and what another machine than a confirmed one may not do"""

from __future__ import annotations

import os
from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from publisher.cli.app import App, with_app
from publisher.core.errors import PublisherError

if TYPE_CHECKING:
    from publisher.config import Config
    from publisher.store import Store
    from publisher.store.hosts import Host


MEND = "publisher hosts confirm, if this machine is to send"


def require_confirmed(config: Config, store: Store, now: datetime) -> None:
    """Write this host down, the first as confirmed. Raises PublisherError where another one has to be confirmed."""
    from publisher.publishing.tick import why_not_here

    if waits := why_not_here(config, store, now):
        raise PublisherError(waits, hint=MEND)


def why_unconfirmed(config: Config) -> str:
    """Return why nothing may be sent from here; "" where it may, and before any host has run. Writes nothing."""
    from publisher.core.host_id import host_id, host_name
    from publisher.publishing.wiring import has_store, open_project_store

    if not has_store(config):
        return ""
    with open_project_store(config) as store:
        known = store.hosts.list()
    confirmed = {host.id: host.name for host in known if host.confirmed_at is not None}
    if not known or host_id(config.root, os.environ) in confirmed:
        return ""
    others = ", ".join(confirmed.values()) or "another"
    name = host_name(config.root, os.environ)
    return f"this host, {name}, is not confirmed, and the project has run on {others}"


@click.group(
    invoke_without_command=True,
    short_help="Say which machines may send.",
    epilog="Examples: publisher hosts; publisher hosts confirm",
)
@with_app
def hosts(app: App) -> None:
    """Say which machines may send. The first to run a project may; another, such as a copy, must be confirmed.

    Without a word after it, it lists.
    """
    ctx = click.get_current_context()
    if ctx.invoked_subcommand is None:
        ctx.invoke(list_hosts)


@hosts.command("list", epilog="Example: publisher hosts list --json")
@with_app
def list_hosts(app: App) -> None:
    """List the machines that have run this project, and whether they may send."""
    from publisher.core.host_id import host_id
    from publisher.publishing.wiring import has_store, open_project_store

    config = app.config()
    here = host_id(config.root, os.environ)
    rows: list[dict[str, Any]] = []
    if has_store(config):
        with open_project_store(config) as store:
            rows = [_row(host, here) for host in store.hosts.list()]
    if app.json:
        app.print_json(rows)
    elif rows:
        _table(rows)
    else:
        app.say("no host has run this project yet: the first one may send")


@hosts.command("confirm", epilog="Examples: publisher hosts confirm; publisher hosts confirm 3f6c2a9d1b40e577")
@click.argument("host_id", metavar="[ID]", default="")
@with_app
def confirm(app: App, host_id: str) -> None:
    """Let this machine send from now on, or the one with this ID."""
    from publisher.core.host_id import host_id as own_id
    from publisher.core.host_id import host_name
    from publisher.publishing.wiring import open_project_store

    config = app.config()
    with open_project_store(config) as store:
        now = app.now(config)
        here = store.hosts.check_in(own_id(config.root, os.environ), host_name(config.root, os.environ), now)
        host = _known(store, host_id) if host_id else here
        store.hosts.confirm(host.id, now)
        others = [other.name for other in store.hosts.list() if other.confirmed_at and other.id != host.id]
    app.say(f"{host.name} may send")
    if others:
        app.say(f"so may {', '.join(others)}: `publisher hosts forget ID` takes that back")


@hosts.command("forget", epilog="Example: publisher hosts forget 3f6c2a9d1b40e577")
@click.argument("host_id", metavar="ID")
@with_app
def forget(app: App, host_id: str) -> None:
    """Let the machine with this ID send no more, until it is confirmed again."""
    from publisher.publishing.wiring import has_store, open_project_store

    config = app.config()
    if not has_store(config):
        raise PublisherError("no host has run this project yet")
    with open_project_store(config) as store:
        host = _known(store, host_id)
        store.hosts.forget(host.id)
    app.say(f"{host.name} may not send")


def _known(store: Store, host_id: str) -> Host:
    host = store.hosts.find(host_id)
    if host is None:
        raise PublisherError(f"there is no host {host_id!r}", hint="publisher hosts lists them")
    return host


def _row(host: Host, here: str) -> dict[str, Any]:
    return {
        "id": host.id,
        "name": host.name,
        "here": host.id == here,
        "seen_at": host.seen_at.isoformat(timespec="seconds"),
        "confirmed_at": host.confirmed_at.isoformat(timespec="seconds") if host.confirmed_at else None,
    }


def _table(rows: list[dict[str, Any]]) -> None:
    from publisher.cli.terminal import print_table

    print_table(
        ("ID", "Host", "First seen", "May send"),
        [
            (
                row["id"],
                row["name"] + (" (this one)" if row["here"] else ""),
                row["seen_at"][:10],
                f"since {row['confirmed_at'][:10]}" if row["confirmed_at"] else "no",
            )
            for row in rows
        ],
    )
