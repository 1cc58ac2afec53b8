"""The commands `publisher segments list`, `show`, `count`, `save`, `rename` and `delete`."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import click

from publisher.cli.app import App, log_action, plural, require_known, with_app
from publisher.cli.completion import newsletter_names, segment_names
from publisher.cli.terminal import print_table
from publisher.config import Config
from publisher.core.action_kinds import ActionKind
from publisher.core.segment_language import parse
from publisher.publishing.recipients import SHOWN, local, require_segment, resolved
from publisher.publishing.segment_check import require_unused, segment_findings
from publisher.publishing.wiring import open_existing_store, open_project_store
from publisher.subscribers.export import as_json

if TYPE_CHECKING:
    from publisher.store import Store


@click.group(
    invoke_without_command=True,
    short_help="Save conditions on subscribers, and count who meets them.",
    epilog="Examples: publisher segments save vip 'tag:vip and not status:paused'; publisher segments show vip",
)
@with_app
def segments(app: App) -> None:
    """Save conditions on subscribers under a name, and count who meets them.

    A condition is written like: tag:vip and joined > 2026-01-01 and not topic:ruby. docs/segments.md describes all of
    it. Wherever a command asks for a segment, give its name or a condition. Without a subcommand it lists them.
    """
    ctx = click.get_current_context()
    if ctx.invoked_subcommand is None:
        ctx.invoke(list_segments)


@segments.command("list", epilog="Example: publisher segments list --json")
@with_app
def list_segments(app: App) -> None:
    """List the saved segments, and how many people are in each."""
    config = app.config()
    now = app.now(config).astimezone(config.zone)
    with open_existing_store(config) as store:
        found = store.segments.list() if store else ()
        people = {each.name: _count(store, each.condition, now) for each in found}
    if app.json:
        app.print_json([{"name": s.name, "condition": s.condition, "people": people[s.name]} for s in found])
    elif found:
        rows = [(each.name, f"{people[each.name]:,}", " ".join(each.condition.split())) for each in found]
        print_table(("Segment", "People", "Condition"), rows)
    else:
        app.say("no segments yet; save one: publisher segments save vip tag:vip")


_newsletter = click.option(
    "-n",
    "--newsletter",
    metavar="NAME",
    shell_complete=newsletter_names,
    help="Only people who would be sent this newsletter now.",
)


@segments.command(epilog="Examples: publisher segments show vip; publisher segments show 'joined > 30 days ago'")
@click.argument("segment", shell_complete=segment_names)
@_newsletter
@click.option("--limit", metavar="N", type=click.IntRange(0, 1_000), default=SHOWN, help="How many people to show.")
@with_app
def show(app: App, segment: str, newsletter: str | None, limit: int) -> None:
    """Show the condition of a segment, how many people are in it, and the first of them."""
    config = app.config()
    with open_existing_store(config) as store:
        text = resolved(store, segment, "SEGMENT")
        at = _at(app, config, newsletter)
        condition = parse(text)
        total = store.segments.count(condition, at, newsletter) if store else 0
        people = store.segments.some(condition, at, newsletter, limit) if store and limit else ()
        findings = list(segment_findings(config, store, condition))
    if app.json:
        listed = [as_json(each) for each in people]
        app.print_json({"condition": text, "people": total, "some": listed, "findings": findings})
        return
    app.say(text)
    app.say(f"{plural(total, 'subscriber')}")
    for each in people:
        app.say(f"  {each.address}{f'  {each.name}' if each.name else ''}")
    if total > len(people) > 0:
        app.say("  ...")
    for finding in findings:
        app.say(f"note: {finding}")


@segments.command(epilog="Example: publisher segments count 'tag:vip and newsletter:weekly'")
@click.argument("segment", shell_complete=segment_names)
@_newsletter
@with_app
def count(app: App, segment: str, newsletter: str | None) -> None:
    """Print how many people are in a segment."""
    config = app.config()
    with open_existing_store(config) as store:
        condition = parse(require_segment(config, store, segment, "SEGMENT"))
        total = store.segments.count(condition, _at(app, config, newsletter), newsletter) if store else 0
    if app.json:
        app.print_json({"people": total})
    else:
        app.say(str(total))


@segments.command(epilog="Example: publisher segments save vip 'tag:vip and joined > 2026-01-01'")
@click.argument("name", shell_complete=segment_names)
@click.argument("condition")
@with_app
def save(app: App, name: str, condition: str) -> None:
    """Save a condition under a name, replacing any that has this name."""
    config = app.config()
    now = app.now(config)
    with open_project_store(config) as store:
        is_new = store.segments.save(name, condition, now)
        log_action(app, store, ActionKind.SEGMENT_SAVED, name, detail=condition.strip())
        total = _count(store, condition, now.astimezone(config.zone))
        findings = list(segment_findings(config, store, parse(condition)))
    if app.json:
        app.print_json({"name": name, "condition": condition.strip(), "people": total, "findings": findings})
        return
    app.say(f"{name}: {'saved' if is_new else 'changed'} ({plural(total, 'subscriber')})")
    for finding in findings:
        app.say(f"note: {finding}")


@segments.command(epilog="Example: publisher segments rename vip patrons")
@click.argument("name", shell_complete=segment_names)
@click.argument("new")
@with_app
def rename(app: App, name: str, new: str) -> None:
    """Give a segment a new name. If files name it, this is refused; change them by hand first."""
    config = app.config()
    with open_project_store(config) as store:
        require_unused(config, store, name)
        store.segments.rename(name, new)
        log_action(app, store, ActionKind.SEGMENT_RENAMED, name, detail=new)
    app.say(f"{name} is now {new}")


@segments.command(epilog="Example: publisher segments delete vip")
@click.argument("name", shell_complete=segment_names)
@with_app
def delete(app: App, name: str) -> None:
    """Delete a segment. No subscriber is deleted, and editions that were made for it stay as they are."""
    config = app.config()
    with open_project_store(config) as store:
        store.segments.require(name)
        require_unused(config, store, name)
        store.segments.delete(name)
        log_action(app, store, ActionKind.SEGMENT_DELETED, name)
    app.say(f"{name}: deleted")


def _at(app: App, config: Config, newsletter: str | None) -> datetime:
    if newsletter is None:
        return app.now(config).astimezone(config.zone)
    require_known(config, [newsletter])
    known = config.newsletter(newsletter)
    assert known is not None  # noqa: S101 - it was just looked up
    return local(config, known, app.now(config))


def _count(store: Store | None, condition: str, at: datetime) -> int:
    return store.segments.count(parse(condition), at) if store else 0
