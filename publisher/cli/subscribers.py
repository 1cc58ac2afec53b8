"""publisher subscribers: one person, all of them, files, and a newsletter's new name"""

from __future__ import annotations

import click

from publisher.cli.app import App, with_app
from publisher.cli.lazy import LazyGroup

ONE, LISTS, FILES = "publisher.cli.subscriber", "publisher.cli.subscriber_lists", "publisher.cli.subscriber_files"

COMMANDS = {
    "add": (f"{ONE}:add", "Add somebody who agreed, or change their name."),
    "list": (f"{LISTS}:list_subscribers", "List subscribers in the order they came."),
    "show": (f"{ONE}:show", "Show everything that is kept of one person."),
    "remove": (f"{ONE}:remove", "Stop mail to an address; the record stays."),
    "erase": (f"{ONE}:erase", "Delete everything of an address, for good."),
    "suppress": (f"{ONE}:suppress", "Never mail an address again."),
    "import": (f"{FILES}:import_file", "Add the people in a CSV file."),
    "export": (f"{FILES}:export_file", "Write all subscribers to a CSV or JSON file."),
    "stats": (f"{LISTS}:stats", "Count who stands where."),
    "rename-newsletter": (
        "publisher.cli.subscriber_lists:rename_newsletter",
        "Take a newsletter's readers along to its new name.",
    ),
    "tidy": (f"{LISTS}:tidy", "Delete who never confirmed."),
}


@click.group(
    cls=LazyGroup,
    groups={"Commands": COMMANDS},
    short_help="Add, list, remove, import and export subscribers.",
    epilog="Examples: publisher subscribers add ada@example.org --newsletter weekly; "
    "publisher subscribers import people.csv",
)
@with_app
def subscribers(app: App) -> None:
    """Add, list, remove, import and export subscribers."""
