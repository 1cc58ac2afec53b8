"""The commands `publisher hosts list`, `confirm`, `token` and `forget`."""

from __future__ import annotations

import os
from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from publisher.cli.app import App, log_action, plural, warn, with_app
from publisher.cli.terminal import print_table
from publisher.config import Config
from publisher.core.action_kinds import ActionKind
from publisher.core.errors import PublisherError
from publisher.core.host_id import host_id as this_host_id
from publisher.core.host_id import host_name
from publisher.daemon.lock import running
from publisher.publishing.joining import join_token
from publisher.publishing.wiring import (
    check_in_host,
    open_existing_store,
    open_project_store,
    way_to_send,
    why_secret_differs,
    why_unconfirmed,
)

if TYPE_CHECKING:
    from publisher.store import Store
    from publisher.store.fleet import HostActivity
    from publisher.store.hosts import Host

_UNITS = (("day", 86_400), ("hour", 3_600), ("minute", 60))
PUBLISH = "run `publisher publish` to send"
_LIVELY = 90
"""A host whose last sign of life is not older than this many seconds is shown as seen now."""


def require_confirmed(config: Config, store: Store, now: datetime) -> None:
    """Record this host; raise PublisherError if it is not confirmed. A project's first host counts as confirmed."""
    if waits := check_in_host(config, store, now):
        raise PublisherError(waits, hint=allowing_hint(waits))


def allowing_hint(waits: str) -> str:
    """Return how to allow this host to send. waits: the reason why it may not, from wiring.why_unconfirmed."""
    return way_to_send(waits)


def why_this_host_waits(config: Config) -> str:
    """Return why this host may not send; "" if it may or if no host has run the project yet. Writes nothing."""
    with open_existing_store(config) as store:
        return why_unconfirmed(config, store) if store else ""


@click.group(
    invoke_without_command=True,
    short_help="List and manage the hosts that may send.",
    epilog="Examples: publisher hosts; publisher hosts confirm",
)
@with_app
def hosts(app: App) -> None:
    """List and manage the hosts that may send. A host is a computer that runs the project.

    The first host to run a project may send; any other, such as a copy, must be confirmed. Without a subcommand it
    lists them.
    """
    ctx = click.get_current_context()
    if ctx.invoked_subcommand is None:
        ctx.invoke(list_hosts)


@hosts.command("list", epilog="Example: publisher hosts list --json")
@with_app
def list_hosts(app: App) -> None:
    """List the hosts that have run this project, whether they may send, and what they are doing.

    It shows when each gave its last sign of life, how many of its workers are sending, how many messages they have in
    hand, how many were sent (over mail servers or into the outbox), and the version of its program.
    """
    config = app.config()
    with open_existing_store(config) as store:
        rows = host_rows(config, store, app.now(config)) if store else []
    if app.json:
        app.print_json(rows)
    elif rows:
        if waits := why_this_host_waits(config):
            warn(f"this host sends nothing: {waits} ({allowing_hint(waits)})")
        titles = ("ID", "Host", "May send", "Last seen", "Sending", "In hand", "Sent", "Version")
        print_table(titles, [_cells(row) for row in rows])
    else:
        app.say("no host has run this project yet; the first one may send")


@hosts.command("confirm", epilog="Examples: publisher hosts confirm; publisher hosts confirm 3f6c2a9d1b40e577")
@click.argument("host_id", metavar="[ID]", default="")
@with_app
def confirm(app: App, host_id: str) -> None:
    """Let this host send from now on, or the one with this ID.

    A host whose secret differs from that of another one that may send is refused, because links in its emails would
    not work.
    """
    config = app.config()
    with open_project_store(config) as store:
        now = app.now(config)
        me = this_host_id(config.root, os.environ), host_name(config.root, os.environ)
        key_id = store.suppressions.key_id()
        here = store.hosts.check_in(*me, now, key_id=key_id)
        host = _known(store, host_id) if host_id else here
        its_key = key_id if host.id == here.id else host.key_id
        if differs := why_secret_differs(store, host.id, its_key):
            raise PublisherError(differs.replace("this host", host.name), hint=way_to_send(differs))
        if store.hosts.confirm(host.id, now):
            log_action(app, store, ActionKind.HOST_CONFIRMED, host.name)
        waits = why_unconfirmed(config, store) if host.id == here.id else ""
        others = [other.name for other in store.hosts.list() if other.confirmed_at and other.id != host.id]
    if waits:
        warn(f"{host.name} is confirmed, but sends nothing: {waits} ({way_to_send(waits)})")
    else:
        app.say(f"{host.name} may send")
    if others:
        app.say(f"so may {', '.join(others)}; to stop one: publisher hosts forget ID")


@hosts.command("token", epilog="Example: publisher hosts token")
@with_app
def token(app: App) -> None:
    """Print a token with which new hosts may send without being confirmed.

    Give it to the machines of one fleet as PUBLISHER_JOIN, along with PUBLISHER_SECRET. It is only valid for this
    project's secret and database, so a copy of the database elsewhere still sends nothing. A host that was forgotten
    must still be confirmed.
    """
    config = app.config()
    made = join_token(config)
    if app.json:
        app.print_json({"PUBLISHER_JOIN": made})
    app.say(f"PUBLISHER_JOIN={made}")


@hosts.command("forget", epilog="Example: publisher hosts forget 3f6c2a9d1b40e577")
@click.argument("host_id", metavar="ID")
@with_app
def forget(app: App, host_id: str) -> None:
    """Stop the host with this ID from sending until it is confirmed again."""
    with open_existing_store(app.config()) as store:
        if store is None:
            raise PublisherError("no host has run this project yet")
        host = _known(store, host_id)
        store.hosts.forget(host.id, app.now(app.config()))
        log_action(app, store, ActionKind.HOST_FORGOTTEN, host.name)
    app.say(f"{host.name} may not send")


def _known(store: Store, host_id: str) -> Host:
    host = store.hosts.find(host_id)
    if host is None:
        raise PublisherError(f"there is no host {host_id!r}", hint="`publisher hosts` lists them")
    return host


def host_rows(config: Config, store: Store, now: datetime) -> list[dict[str, Any]]:
    """Return each host that has run the project, and what it is doing, as JSON."""
    here = this_host_id(config.root, os.environ)
    return [_row(activity, here) for activity in store.fleet.hosts(now)]


def how_to_send(config: Config, store: Store, now: datetime) -> str:
    """Return what will send the messages that are due: a running process, perhaps on another host, or a command."""
    if pid := running(config.state_dir):
        return f"`publisher run` (pid {pid}) sends what is due"
    shown = [row for row in host_rows(config, store, now) if row["confirmed_at"]]
    if sending := [row["name"] for row in shown if row["workers"]]:
        return f"what is due is sent by {', '.join(sending)}"
    if others := [row["name"] for row in shown if not row["here"] and last_seen(row) == "now"]:
        names, by = ", ".join(others), "`publisher run` or `publisher worker`"
        return f"{by} on {names}, seen a moment ago, sends what is due; if neither runs there, run `publisher publish`"
    return PUBLISH


def last_seen(row: dict[str, Any]) -> str:
    """Return how long ago a host of `host_rows` gave its last sign of life."""
    seconds = row["silent_seconds"]
    if seconds is None:
        return "not known"
    if seconds < _LIVELY:
        return "now"
    unit, size = next(each for each in _UNITS if seconds >= each[1])
    return f"{plural(seconds // size, unit)} ago"


def _row(activity: HostActivity, here: str) -> dict[str, Any]:
    host = activity.host
    return {
        "id": host.id,
        "name": host.name,
        "here": host.id == here,
        "seen_at": host.seen_at.isoformat(timespec="seconds"),
        "confirmed_at": host.confirmed_at.isoformat(timespec="seconds") if host.confirmed_at else None,
        "silent_seconds": None if activity.silent is None else round(activity.silent.total_seconds()),
        "version": host.version,
        "workers": activity.workers,
        "in_hand": activity.in_hand,
        "in_doubt": activity.in_doubt,
        "sent": activity.sent,
    }


def _cells(row: dict[str, Any]) -> tuple[str, ...]:
    return (
        row["id"],
        row["name"] + (" (this one)" if row["here"] else ""),
        f"since {row['confirmed_at'][:10]}" if row["confirmed_at"] else "no",
        last_seen(row),
        plural(row["workers"], "worker") if row["workers"] else "no",
        f"{row['in_hand']:,}",
        f"{row['sent']:,}",
        row["version"],
    )
