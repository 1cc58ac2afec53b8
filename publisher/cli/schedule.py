"""publisher schedule"""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

import click

from publisher.cli.app import App, plural, require_known, with_app

if TYPE_CHECKING:
    from publisher.timetable import Timetable


@click.command(
    short_help="Show when the next editions are due and what they would hold.",
    epilog="Examples: publisher schedule; publisher schedule weekly --count 52",
)
@click.argument("newsletters", nargs=-1, metavar="[NEWSLETTER]...")
@click.option("--count", type=click.IntRange(1, 1_000), default=10, show_default=True, help="How many slots of each.")
@with_app
def schedule(app: App, newsletters: tuple[str, ...], count: int) -> None:
    """Show each newsletter's next slots in its own zone, and what the next edition would hold if it were made today."""
    from publisher.runtime import has_store, open_project_store
    from publisher.timetable import timetables

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
    from publisher.timetable import when_not

    zone = f" ({table.slots[0].at.tzinfo})" if table.slots else ""
    app.say(f"{table.newsletter.name}: {table.newsletter.schedule}{zone}")
    for slot in table.slots:
        remarks = "; ".join(filter(None, ("has its edition" if slot.made else "", slot.remark)))
        app.say(f"  {slot.label:<16}  {slot.at:%a %Y-%m-%d %H:%M %z}{f'  {remarks}' if remarks else ''}")
    if not table.slots:
        app.say(f"  {when_not(parse_schedule(table.newsletter.schedule), table.newsletter.settle_minutes)}")
    holds = f"{plural(len(table.posts), 'post')} to {plural(table.readers, 'reader')}" if table.posts else table.idle
    app.say(f"  today the next would hold: {holds}")
    for title in table.posts:
        app.say(f"    {title}")


def _as_json(table: Timetable) -> dict[str, Any]:
    return {
        "newsletter": table.newsletter.name,
        "schedule": table.newsletter.schedule,
        "slots": [
            {"slot": slot.label, "at": slot.at.isoformat(), "remark": slot.remark, "made": slot.made}
            for slot in table.slots
        ],
        "would_hold": list(table.posts),
        "would_reach": table.readers,
        "idle": table.idle,
    }
