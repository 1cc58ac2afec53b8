"""The commands `publisher database copy`, `backup`, `restore` and `accept`."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from publisher.cli.app import App, log_action, plural, with_app
from publisher.cli.subscriber import yes_option
from publisher.cli.terminal import bar, confirm, print_table
from publisher.config import database_url
from publisher.core.action_kinds import ActionKind
from publisher.core.errors import PublisherError
from publisher.core.host_id import host_id
from publisher.daemon.lock import only_one
from publisher.mail.claim_count import accept_older, is_older_than_sent
from publisher.posts.archive import open_archive
from publisher.publishing.backup import back_up, read_backup
from publisher.publishing.backup import restore as restore_backup
from publisher.publishing.wiring import has_store, open_project_store
from publisher.store import open_store
from publisher.store.copying import copy_all, row_counts
from publisher.store.location import store_exists

EXAMPLES = """\
\b
Examples:
  publisher database backup /backup/project.tar            everything that exists nowhere else, in one file
  publisher database restore /backup/project.tar
  publisher database copy sqlite:///.publisher/publisher.db postgresql://user@host/name
"""

# The tables that say most to people, and what they call a row of each.
_TABLES = {"subscribers": "subscriber", "editions": "edition", "deliveries": "message", "suppressions": "suppression"}


@click.group(short_help="Back up the database, restore it, or copy it to another one.", epilog=EXAMPLES)
@with_app
def database(app: App) -> None:
    """Back up the database, restore it, or copy it to another one."""


@database.command(
    epilog="Example: publisher database copy sqlite:///.publisher/publisher.db postgresql://user@host/name"
)
@click.argument("source", metavar="FROM")
@click.argument("target", metavar="TO")
@with_app
def copy(app: App, source: str, target: str) -> None:
    """Copy the database at the URL FROM to that at TO, from SQLite to PostgreSQL or back.

    FROM is copied as it is when the command begins, and may be in use. If the copy is interrupted, run it again: it
    goes on where it stopped. Run it once more after you have stopped everything that uses FROM, so that TO has the last
    changes too. Rows of TO that FROM does not have are deleted. Then set database.url to TO.
    """
    root = app.config().root
    _check_url(source)
    _check_url(target)
    if source == target:
        raise PublisherError("FROM and TO are the same database", hint="name the new one as TO")
    if not store_exists(source, root):
        raise PublisherError("there is no such database", where=source)
    with open_store(source, root) as reading, open_store(target, root) as writing:
        total = sum(row_counts(reading.database).values())
        with _progress(app, "Copying", total) as copied:
            done = copy_all(reading.database, writing.database, copied)
    if app.json:
        app.print_json(
            [{"table": each.name, "rows": each.rows, "written": each.written, "removed": each.removed} for each in done]
        )
        return
    rows = [(each.name, f"{each.rows:,}", f"{each.written:,}", f"{each.removed:,}") for each in done]
    print_table(("Table", "Rows", "Written", "Deleted"), [row for row in rows if row[1:] != ("0", "0", "0")])
    rows_in_all = plural(sum(each.rows for each in done), "row")
    app.say(f"Both have {rows_in_all}. To use the copy, set database.url in publisher.toml.")


@database.command(epilog="Example: publisher database backup /backup/project.tar")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@with_app
def backup(app: App, file: Path) -> None:
    """Write everything that exists nowhere else to FILE, while the project may be running.

    That is the database with all subscribers and all that was sent, the secret of the links in emails, the ids of posts
    and the DKIM keys. Posts, templates and publisher.toml are your own files: back them up as well. Anyone who has the
    file can make links for every subscriber, so keep it as safe as the project itself.
    """
    config = app.config()
    total = 0
    if config.database.url.startswith("postgres"):
        with open_project_store(config) as store:
            total = sum(row_counts(store.database).values())
    with _progress(app, "Backing up", total) as copied:
        done = back_up(config, file.absolute(), app.now(config), copied)
    if app.json:
        app.print_json({"file": str(file), "files": list(done.names), "rows": done.counts})
        return
    app.say(f"{file}: {_summary(done.counts)}")


@database.command(epilog="Example: publisher database restore /backup/project.tar")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@yes_option
@with_app
def restore(app: App, file: Path, yes: bool) -> None:
    """Put the backup in FILE in place of the project's database, secret, ids of posts and DKIM keys.

    Stop `publisher run` first. What was sent after the backup was made is not in it. So this host will not send until
    you have run `publisher database accept`.
    """
    config = app.config()
    found = read_backup(file)
    made = f"{found.made_at:%Y-%m-%d %H:%M}"
    if has_store(config):
        question = f"Replace the database of this project by the one of {made} ({_summary(found.counts)})?"
        confirm(question, yes=yes, unasked=f"the database of this project would be replaced by the one of {made}")
    with only_one(config.state_dir), _progress(app, "Restoring", sum(found.counts.values())) as copied:
        restore_backup(config, file, copied)
    if app.json:
        app.print_json({"made_at": found.made_at.isoformat(), "files": list(found.names), "rows": found.counts})
    app.say(f"Restored as it was at {made}: {_summary(found.counts)}")
    with open_project_store(config) as store:
        if is_older_than_sent(store, config.state_dir, host_id(config.root, os.environ)):
            app.say("Emails were sent after that. See `publisher database accept --help` before you send again.")


@database.command(epilog="Examples: publisher database accept; publisher database accept --pass-over")
@click.option("--pass-over", is_flag=True, help="Never send the posts that this database takes for new.")
@with_app
def accept(app: App, pass_over: bool) -> None:
    """Let this host send again, although its database is older than what it has sent.

    That is so after a backup was restored. `publisher publish --dry-run` shows the posts that the database takes for
    new, and the outbox or your mail server's log shows which of them were sent. If all were, use --pass-over. People
    who unsubscribed after the backup are subscribed in it: if you know of any, unsubscribe them before.
    """
    config = app.config()
    now, here = app.now(config), host_id(config.root, os.environ)
    if not has_store(config):
        raise PublisherError("there is no database yet")
    passed: dict[str, int] = {}
    with open_project_store(config) as store:
        is_older = is_older_than_sent(store, config.state_dir, here)
        if pass_over:
            ids = {post.id for post in open_archive(config, now, whole=True).posts}
            for newsletter in config.newsletters:
                new = ids - store.editions.handled_posts(newsletter.name)
                store.editions.pass_over(newsletter.name, new)
                passed[newsletter.name] = len(new)
        accept_older(store, config.state_dir, here)
        if is_older or pass_over:
            log_action(app, store, ActionKind.ACCEPTED_OLDER, detail=", ".join(f"{n}: {c}" for n, c in passed.items()))
    if app.json:
        app.print_json({"was_older": is_older, "passed_over": passed})
        return
    app.say("This host may send again." if is_older else "The database knows all that this host has sent.")
    for name, number in passed.items():
        app.say(f"{name}: {plural(number, 'post')} will never be sent")


@contextmanager
def _progress(app: App, title: str, total: int) -> Iterator[Callable[[str, int], None]]:
    done = 0
    with bar(app, title) as draw:

        def copied(table: str, rows: int) -> None:
            nonlocal done
            done += rows
            if draw:
                draw(done, max(total, done))

        yield copied


def _summary(counts: dict[str, Any]) -> str:
    return ", ".join(plural(counts[name], word) for name, word in _TABLES.items() if name in counts)


def _check_url(url: str) -> None:
    try:
        database_url(url)
    except ValueError as error:
        raise click.BadParameter(str(error)) from error
