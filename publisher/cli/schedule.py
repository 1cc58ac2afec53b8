"""publisher schedule"""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

import click

from publisher.cli.app import App, plural, require_known, with_app

if TYPE_CHECKING:
    from publisher.publishing.forecast import Coming, Contents, Timetable


@click.command(
    short_help="Show when the next editions are due and what they would hold.",
    epilog="Examples: publisher schedule; publisher schedule weekly --count 52",
)
@click.argument("newsletters", nargs=-1, metavar="[NEWSLETTER]...")
@click.option("--count", type=click.IntRange(1, 1_000), default=10, show_default=True, help="How many slots of each.")
@with_app
def schedule(app: App, newsletters: tuple[str, ...], count: int) -> None:
    """Show each newsletter's next slots in its own zone, and what each holds if nothing is written until then."""
    from publisher.publishing.forecast import timetables
    from publisher.publishing.wiring import has_store, open_project_store

    config = app.config()
    require_known(config, newsletters)
    now = app.now(config)
    with open_project_store(config) if has_store(config) else nullcontext() as store:
        tables = timetables(config, store, newsletters, now, count)
    if app.json:
        app.print_json([_as_json(table) for table in tables])
        return
    if not tables:
        app.say("the project has no newsletter")
    for table in tables:
        _show(app, table)


def _show(app: App, table: Timetable) -> None:
    from publisher.config import parse_schedule
    from publisher.publishing.forecast import when_not

    zone = f" ({table.slots[0].at.tzinfo})" if table.slots else ""
    app.say(f"{table.newsletter.name}: {table.newsletter.schedule}{zone}")
    told = ""  # the same reason is not said slot after slot
    for slot in table.slots:
        app.say(f"  {slot.label:<16}  {slot.at:%a %Y-%m-%d %H:%M %z}  {_remarks(slot, told)}".rstrip())
        told = slot.contents.idle or told
        _titles(app, slot.contents)
    if not table.slots:
        rest = when_not(parse_schedule(table.newsletter.schedule), table.newsletter.settle_minutes)
        app.say(f"  {rest}; today: {_holds(table.next)}")
        _titles(app, table.next)


def _remarks(slot: Coming, told: str) -> str:
    holds = "has its edition" if slot.made else _holds(slot.contents)
    holds = "" if holds == told else holds
    return "; ".join(filter(None, (slot.remark, holds)))


def _holds(contents: Contents) -> str:
    if not contents.posts:
        return contents.idle
    return f"{plural(len(contents.posts), 'post')} to {plural(contents.readers, 'reader')}"


def _titles(app: App, contents: Contents) -> None:
    for title in contents.posts:
        app.say(f"    {title}")


def _as_json(table: Timetable) -> dict[str, Any]:
    return {
        "newsletter": table.newsletter.name,
        "schedule": table.newsletter.schedule,
        "slots": [
            {"slot": slot.label, "at": slot.at.isoformat(), "remark": slot.remark, "made": slot.made}
            | _contents(slot.contents)
            for slot in table.slots
        ],
        **_contents(table.next),
    }


def _contents(contents: Contents) -> dict[str, Any]:
    return {"would_hold": list(contents.posts), "would_reach": contents.readers, "idle": contents.idle}
