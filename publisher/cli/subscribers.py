"""The command group `publisher subscribers`. Its commands are in the `subscriber*` modules and load on demand."""

from __future__ import annotations

import click

from publisher.cli.app import App, with_app
from publisher.cli.lazy import LazyGroup

ONE, LISTS, FILES = "publisher.cli.subscriber", "publisher.cli.subscriber_lists", "publisher.cli.subscriber_files"
PEOPLE = "publisher.cli.people"
EDITS = "publisher.cli.subscriber_edits"

COMMANDS = {
    "add": (f"{ONE}:add", "Add someone who has agreed, or change their name."),
    "list": (f"{PEOPLE}:list_subscribers", "List subscribers, or find some of them."),
    "show": (f"{ONE}:show", "Show everything stored about an address."),
    "edit": (f"{EDITS}:edit", "Correct an address, or change name, tags, fields and note."),
    "tag": (f"{EDITS}:tag", "Tag people, one by one or by segment."),
    "confirm-again": (f"{EDITS}:confirm_again", "Send the confirmation email again."),
    "unsubscribe": (f"{ONE}:unsubscribe", "Unsubscribe an address; its entry is kept."),
    "erase": (f"{ONE}:erase", "Delete all data about an address."),
    "suppress": (f"{ONE}:suppress", "Never send to an address again."),
    "import": (f"{FILES}:import_file", "Add the people in a CSV file."),
    "imports": (f"{FILES}:list_imports", "List the files that were imported."),
    "export": (f"{PEOPLE}:export_file", "Write subscribers to a CSV or JSON file."),
    "stats": (f"{LISTS}:stats", "Show subscriber counts by status."),
    "rename-newsletter": (
        f"{LISTS}:rename_newsletter",
        "Move a newsletter's subscribers and editions to its new name.",
    ),
    "tidy": (f"{LISTS}:tidy", "Delete people who never confirmed."),
}


@click.group(
    cls=LazyGroup,
    groups={"Commands": COMMANDS},
    aliases={"remove": "unsubscribe"},
    short_help="Add, list, unsubscribe, import and export subscribers.",
    epilog="Examples: publisher subscribers add ada@example.org --newsletter weekly; "
    "publisher subscribers import people.csv",
)
@with_app
def subscribers(app: App) -> None:
    """Add, list, unsubscribe, import and export subscribers."""
