"""The command line: the group, and the only place where an error becomes an exit code."""

from __future__ import annotations

import io
import sys
from typing import Any

import click

from publisher import __version__
from publisher.cli.app import App, fail, take_options, with_app
from publisher.cli.lazy import LazyGroup
from publisher.core.errors import PublisherError

# By what a person is about to do, in the order in which a newcomer comes to it.
GROUPS: dict[str, dict[str, tuple[str, str]]] = {
    "Write": {
        "init": ("publisher.cli.start:init", "Make a new project in a folder."),
        "new": ("publisher.cli.start:new", "Begin a post and print its path."),
        "preview": ("publisher.cli.preview:preview", "Look at the next letters, the site and the feeds in a browser."),
        "check": ("publisher.cli.check:check", "Look for mistakes in settings, posts, links and letters."),
        "build": ("publisher.cli.build:build", "Turn the posts into feeds and pages."),
    },
    "Publish": {
        "publish": ("publisher.cli.publish:publish", "Build, make the next editions and deliver them."),
        "status": ("publisher.cli.status:status", "Show what there is, what was sent and what comes next."),
        "schedule": (
            "publisher.cli.schedule:schedule",
            "Show when the next editions are due and what they would hold.",
        ),
        "editions": ("publisher.cli.editions:editions", "List the editions that were made, or show one."),
        "deliveries": (
            "publisher.cli.deliveries:deliveries",
            "Look at an edition's messages; try again, hold, resume, cancel.",
        ),
    },
    "Readers": {
        "subscribers": (
            "publisher.cli.subscribers:subscribers",
            "Add, list, remove, import and export subscribers.",
        ),
    },
    "Mail": {
        "mail": ("publisher.cli.mail:mail", "Make keys that sign mail, and look whether mail is set up well."),
        "bounces": ("publisher.cli.bounces:bounces", "Read reports of letters that came back, and list them."),
    },
    "Run": {
        "run": ("publisher.cli.run:run", "Do everything on time, in one process."),
        "admin": ("publisher.cli.admin:admin", "Set the password of the owner's page, /admin."),
        "hosts": ("publisher.cli.hosts:hosts", "Say which machines may send."),
        "serve": ("publisher.cli.serve:serve", "Let readers subscribe, choose and leave in a browser."),
    },
}

COMMANDS = {name: found for group in GROUPS.values() for name, found in group.items()}

HELP = """\
From a folder of Markdown posts to feeds, pages and newsletters.

\b
Begin:
  publisher init my-letter          a new project
  cd my-letter
  publisher new "Hello, world"      a draft; write it, then take out `draft: true`
  publisher subscribers add you@example.org
  publisher publish                 feeds and pages in public/, letters in outbox/

\b
Every day:
  publisher preview                 letters, site and feeds in a browser, while you write
  publisher check                   what is wrong, where, and how to mend it
  publisher publish --dry-run       what would be sent, to how many
  publisher status                  what was sent, what waits, what comes next
  publisher run                     everything on time, in one process that stays
"""


@click.group(
    cls=LazyGroup,
    groups=GROUPS,
    help=HELP,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, prog_name="publisher")
@with_app
def cli(app: App) -> None:
    pass


def run(arguments: list[str]) -> int:
    """Run one command line; return the exit code. Never raises, and never shows a traceback."""
    _write_what_cannot_be_written()
    try:
        result = cli.main(arguments, prog_name="publisher", standalone_mode=False)
        return result if isinstance(result, int) else 0
    except click.exceptions.Exit as end:
        return end.exit_code
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except PublisherError as error:
        fail(error)
        return 1
    except (KeyboardInterrupt, click.Abort):
        click.echo("stopped", err=True)
        return 130
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 1  # Click: whoever read our output went away, as `head` does
    except OSError as error:
        return _refused(error)
    except Exception as error:  # noqa: BLE001 - the last line of defence: a person gets a line, not a traceback
        return _unexpected(error, arguments)


def _write_what_cannot_be_written() -> None:
    """Let a screen that has no such character show its number: a title is no reason to stop."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _refused(error: OSError) -> int:
    """Say what the machine refused: a file that is locked away, a screen or pipe that takes no more."""
    import errno
    import os

    mends = {
        errno.EEXIST: "a folder must stand there: move the file away",
        errno.ENOTDIR: "a folder must stand there: move the file away",
        errno.EACCES: "mend the permissions",
        errno.EPERM: "mend the permissions",
        errno.EROFS: "make the disk writable",
        errno.ENOSPC: "make room",
    }
    where = os.fsdecode(error.filename) if isinstance(error.filename, str | bytes) else "the output"
    hint = mends.get(error.errno or 0, "") if error.filename else ""
    fail(PublisherError(error.strerror or str(error), where=where, hint=hint))
    return 1


def _unexpected(error: Exception, arguments: list[str]) -> int:
    """Say one line about a defect of ours; keep the traceback in a file for the report."""
    first = " ".join(str(error).split())[:200]
    said = f"this should not have happened: {type(error).__name__}" + (f": {first}" if first else "")
    path = _keep(error, arguments)
    fail(PublisherError(said, hint=f"please report it with {path}" if path else "please report it"))
    return 1


def _keep(error: Exception, arguments: list[str]) -> str:
    import os
    import tempfile
    import traceback

    try:
        handle, path = tempfile.mkstemp(prefix="publisher-", suffix=".log", text=True)
        with os.fdopen(handle, "w", encoding="utf-8", errors="backslashreplace") as file:
            file.write(f"publisher {__version__} {arguments}\n")
            traceback.print_exception(error, file=file)
    except OSError:
        return ""  # the disk may be what is wrong
    return path


__all__: list[Any] = ["cli", "run", "take_options"]
