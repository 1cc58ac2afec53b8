"""The table of commands, and the only place where an error becomes an exit code."""

from __future__ import annotations

import errno
import io
import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import click

from publisher import __version__
from publisher.cli.app import App, fail, with_app
from publisher.cli.lazy import LazyGroup
from publisher.core.errors import PublisherError

# The commands, grouped by task, in the order in which a newcomer needs them.
GROUPS: dict[str, dict[str, tuple[str, str]]] = {
    "Write": {
        "init": ("publisher.cli.start:init", "Create a new project."),
        "adopt": ("publisher.cli.adopt:adopt", "Make a project for a blog that another tool makes."),
        "new": ("publisher.cli.start:new", "Create a post and print its path."),
        "keep-id": ("publisher.cli.start:keep_id", "Write the id of a post into it, so that it never changes."),
        "import-posts": (
            "publisher.cli.import_posts:import_file",
            "Write the posts of Ghost, WordPress or Substack as files.",
        ),
        "sources": ("publisher.cli.sources:sources", "Fetch the feeds of other sites, and show their items."),
        "preview": ("publisher.cli.preview:preview", "Show the next emails, the site and the feeds in a browser."),
        "share": ("publisher.cli.share:share", "Print a link to a draft or the next email, for a colleague."),
        "check": ("publisher.cli.check:check", "Find problems in settings, posts, links and emails."),
        "build": ("publisher.cli.build:build", "Turn the posts into feeds and pages."),
    },
    "Publish": {
        "publish": ("publisher.cli.publish:publish", "Build the site and send each newsletter's new posts."),
        "status": ("publisher.cli.status:status", "Show what there is, what was sent and what's next."),
        "schedule": (
            "publisher.cli.schedule:schedule",
            "Show when the next editions are due and what they will contain.",
        ),
        "emails": ("publisher.cli.emails:emails", "Write, test and list emails without posts."),
        "editions": ("publisher.cli.editions:editions", "List editions, or show one."),
        "deliveries": (
            "publisher.cli.deliveries:deliveries",
            "List an edition's messages; add, retry, hold, resume, skip or cancel them.",
        ),
    },
    "Subscribers": {
        "subscribers": (
            "publisher.cli.subscribers:subscribers",
            "Add, list, unsubscribe, import and export subscribers.",
        ),
        "segments": ("publisher.cli.segments:segments", "Save conditions on subscribers, and count who meets them."),
    },
    "Mail": {
        "mail": ("publisher.cli.mail:mail", "Create DKIM keys, and check that email is set up correctly."),
        "outbox": ("publisher.cli.outbox:outbox", "Show the newest emails in the outbox."),
        "bounces": ("publisher.cli.bounces:bounces", "Process bounce reports, and list them."),
    },
    "Run": {
        "run": ("publisher.cli.run:run", "Do everything on schedule, in one long-running program."),
        "worker": ("publisher.cli.worker:worker", "Send editions from another machine, without posts or a disk."),
        "admin": ("publisher.cli.admin:admin", "Decide who may use the admin page."),
        "database": (
            "publisher.cli.database:database",
            "Back up the database, restore it, or copy it to another one.",
        ),
        "hosts": ("publisher.cli.hosts:hosts", "List and manage the hosts that may send."),
        "serve": ("publisher.cli.serve:serve", "Serve the pages for subscribers; print a form for other sites."),
    },
}

COMMANDS = {name: found for group in GROUPS.values() for name, found in group.items()}

HELP = """\
Turn a folder of Markdown posts, or the feed of any blog, into feeds, pages and newsletters.

\b
Getting started:
  publisher init my-newsletter      create a project
  cd my-newsletter
  publisher new "Hello, world"      create a draft; when it's written, delete the line `draft: true`
  publisher subscribers add you@example.org
  publisher publish                 write feeds and pages to public/, emails to .publisher/outbox/

\b
For a blog that another tool makes:
  publisher sources try https://blog.example.org              see the email that its feed would make
  publisher init weekly --from-feed https://blog.example.org
  publisher adopt --dry-run         in the folder of its files: what could be carried over

\b
Day to day:
  publisher preview                 see emails, site and feeds in a browser while you write
  publisher check                   what is wrong, where, and how to fix it
  publisher publish --dry-run       what would be sent, and to how many people
  publisher status                  what was sent, what's waiting, what's next
  publisher run                     do everything on schedule, until you stop it
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
    """Accept the options that all commands have; it does nothing itself."""


def run(arguments: list[str]) -> int:
    """Run a command line and return its exit code, without ever raising an exception or showing a traceback."""
    with _open_streams() as output_is_closed:
        code = _run(arguments)
        if output_is_closed and code == 0:
            fail(PublisherError("is closed", where="the output", hint="send it to a file, or to /dev/null"))
            code = 1
        return _flush(code)


@contextmanager
def _open_streams() -> Iterator[bool]:
    """Open the null device for the standard streams that are closed, and yield whether the output is one of them.

    Python sets a closed stream to None. The next file that is opened, such as the database, would get its number.
    """
    closed = [name for name in ("stdin", "stdout", "stderr") if getattr(sys, name) is None]
    with ExitStack() as opened:
        for name in closed:
            mode = "r" if name == "stdin" else "w"
            null = Path(os.devnull).open
            setattr(sys, name, opened.enter_context(null(mode, encoding="utf-8", errors="backslashreplace")))
        try:
            yield "stdout" in closed
        finally:
            for name in closed:
                setattr(sys, name, None)


def _run(arguments: list[str]) -> int:
    _escape_unprintable()
    try:
        result = cli.main(arguments, prog_name="publisher", standalone_mode=False)
        return result if isinstance(result, int) else 0
    except click.exceptions.Exit as end:
        return end.exit_code
    except click.ClickException as error:
        return _show_usage(error)
    except PublisherError as error:
        fail(error)
        return 1
    except (KeyboardInterrupt, click.Abort):
        click.echo("stopped", err=True)
        return 130
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 1  # Click: the reader of our output is gone, as with `head`
    except OSError as error:
        return _system_error(error)
    except Exception as error:  # noqa: BLE001 - the last line of defence: the user gets a line, not a traceback
        return _unexpected(error, arguments)


def _show_usage(error: click.ClickException) -> int:
    """Print what is wrong with a command line; return the exit code. Only options that are similar are suggested."""
    if isinstance(error, click.NoSuchOption) and error.possibilities:
        from difflib import get_close_matches  # not at the top: only a mistake needs it

        bare = {each.strip("-"): each for each in error.possibilities}  # the hyphens make all options similar
        near = get_close_matches(error.option_name.strip("-"), bare, n=3)
        error = click.NoSuchOption(error.option_name, possibilities=[bare[each] for each in near], ctx=error.ctx)
    error.show()
    return error.exit_code


def _escape_unprintable() -> None:
    """Make the output escape characters that its encoding lacks, so that a title cannot make a command fail."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _flush(code: int) -> int:
    """Flush the output; return the exit code, or 1 if flushing failed and the code was 0.

    If Python's own flush at exit failed, the exit code would be 120.
    """
    for stream in (sys.stdout, sys.stderr):
        try:
            if stream is not None:
                stream.flush()
        except OSError as error:
            _discard(stream)
            if code == 0 and stream is sys.stdout and not isinstance(error, BrokenPipeError):
                _system_error(error)
            code = code or 1
        except ValueError:
            code = code or 1  # the stream is closed
    return code


def _discard(stream: Any) -> None:
    """Redirect a stream to the null device, so that Python's own flush at exit succeeds."""
    try:
        descriptor = stream.fileno()
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, descriptor)
        os.close(nowhere)
    except (OSError, ValueError):
        pass  # not a real file, or no file descriptor is left


def _system_error(error: OSError) -> int:
    """Report an error of the operating system, such as a missing permission or a full disk; return exit code 1."""
    hints = {
        errno.EEXIST: "a file is in the way: move it",
        errno.ENOTDIR: "a file is in the way: move it",
        errno.EACCES: "fix the permissions",
        errno.EPERM: "fix the permissions",
        errno.EROFS: "make the disk writable",
        errno.ENOSPC: "free some disk space",
    }
    what = error.strerror or str(error)
    if isinstance(error.filename, str | bytes):
        fail(PublisherError(what, where=os.fsdecode(error.filename), hint=hints.get(error.errno or 0, "")))
    else:
        fail(PublisherError(f"the output cannot be written: {what}", hint=hints.get(error.errno or 0, "")))
    return 1


def _unexpected(error: Exception, arguments: list[str]) -> int:
    """Report a bug in Publisher in one line, save the traceback in a file to attach, and return exit code 1."""
    first = " ".join(str(error).split())[:200]
    message = f"internal error: {type(error).__name__}" + (f": {first}" if first else "")
    path = _save_traceback(error, arguments)
    fail(PublisherError(message, hint=f"please report it, and attach {path}" if path else "please report it"))
    return 1


def _save_traceback(error: Exception, arguments: list[str]) -> str:
    import tempfile  # these two not at the top: only a bug needs them
    import traceback

    try:
        handle, path = tempfile.mkstemp(prefix="publisher-", suffix=".log", text=True)
        with os.fdopen(handle, "w", encoding="utf-8", errors="backslashreplace") as file:
            file.write(f"publisher {__version__} {arguments}\n")
            traceback.print_exception(error, file=file)
    except OSError:
        return ""  # the disk may be the problem
    return path
