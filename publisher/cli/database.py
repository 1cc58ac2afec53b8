"""The commands `publisher database copy`, `backup`, `restore` and `accept`."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from publisher.cli.app import App, log_action, plural, require_known, with_app
from publisher.cli.completion import newsletter_names
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
from publisher.publishing.due_editions import unsent_posts
from publisher.publishing.wiring import Project, has_store, open_project_store
from publisher.store import open_store
from publisher.store.copying import copy_all, row_counts
from publisher.store.location import store_exists
from publisher.store.standstill import standstill

if TYPE_CHECKING:
    from publisher.core.models import Post
    from publisher.store import Store

EXAMPLES = """\
\b
Examples:
  publisher database backup /backup/project.tar            everything that exists nowhere else, in one file
  publisher database restore /backup/project.tar
  publisher database copy sqlite:///.publisher/publisher.db postgresql://user@host/name
"""

# The tables that mean most to people, and what a row of each is called.
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
    continues where it stopped. Run it once more after you have stopped everything that uses FROM, so that TO has the
    last changes too. Rows of TO that FROM does not have are deleted. Then set database.url to TO.

    It refuses while a worker is sending from TO, and names the hosts.
    """
    config = app.config()
    root = config.root
    _check_url(source)
    _check_url(target)
    if source == target:
        raise PublisherError("FROM and TO are the same database", hint="name the new one as TO")
    if not store_exists(source, root):
        raise PublisherError("there is no such database", where=source)
    with open_store(source, root) as reading, open_store(target, root) as writing:
        total = sum(row_counts(reading.database).values())
        alone = standstill(writing.database, app.now(config), writes=True)
        with alone, _progress(app, "Copying", total) as copied:
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

    That is the database with all subscribers and everything that was sent, the secret of the links in emails, the ids
    of posts and the DKIM keys. Posts, templates and publisher.toml are your own files: back them up as well. Anyone who
    has the file can make links for every subscriber, so keep it as safe as the project itself.
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
    """Replace the project's database, secret, ids of posts and DKIM keys with the backup in FILE.

    Stop `publisher run` on every host first. A `publisher worker` that has nothing to send can keep running: it waits
    until the database is replaced. While anything is sending, restore refuses and names the hosts: stop what sends
    there.

    If the database that is replaced can be read, what it knows about people who unsubscribed,
    were suppressed or deleted since is carried over, and so is what was sent since. If it can't, this host will not
    send until you have run `publisher database accept`.
    """
    config = app.config()
    found = read_backup(file)
    made = f"{found.made_at:%Y-%m-%d %H:%M}"
    if has_store(config):
        question = f"Replace the database of this project with the one from {made} ({_summary(found.counts)})?"
        confirm(question, yes=yes, unasked=f"the database of this project would be replaced with the one from {made}")
    with only_one(config.state_dir), _progress(app, "Restoring", sum(found.counts.values())) as copied:
        done = restore_backup(config, file, app.now(config), copied)
    carried = asdict(done.carried) if done.carried else None
    if app.json:
        values = {"made_at": found.made_at.isoformat(), "files": list(found.names), "rows": found.counts}
        app.print_json(values | {"carried_over": carried})
        return
    app.say(f"Restored as it was at {made}: {_summary(found.counts)}")
    if done.carried:
        app.say(
            f"Carried over from the previous database: {plural(done.carried.left, 'person', 'people')} who stopped "
            f"getting email, {done.carried.erased:,} whose data was deleted, "
            f"{plural(done.carried.editions, 'edition')} made since"
        )
    if done.replaced:
        app.say(f"The previous database is now {done.replaced.name}: delete it when you have what you need from it.")
    with open_project_store(config) as store:
        if is_older_than_sent(store, config.state_dir, host_id(config.root, os.environ)):
            app.say("Emails were sent after that. See `publisher database accept --help` before you send again.")


@database.command(epilog="Examples: publisher database accept; publisher database accept weekly --pass-over")
@click.argument("names", nargs=-1, metavar="[NEWSLETTER]...", shell_complete=newsletter_names)
@click.option("--pass-over", is_flag=True, help="Never send the posts that this database regards as new.")
@yes_option
@with_app
def accept(app: App, names: tuple[str, ...], pass_over: bool, yes: bool) -> None:
    """Let this host send again, although its database is older than what it has sent.

    That happens if the database was replaced with an old copy, or if a backup was restored and the previous database
    could not be read. It lists the posts that each NEWSLETTER (all, if none is named) would send now; the outbox or
    your mail server's log shows which of them were sent. If they were, --pass-over ensures that none of them is sent
    again. People who unsubscribed or were deleted since are subscribed in an older database: if you know of any,
    unsubscribe them first.
    """
    config = app.config()
    require_known(config, names)
    now, here = app.now(config), host_id(config.root, os.environ)
    if not has_store(config):
        raise PublisherError("there is no database yet")
    with open_project_store(config) as store:
        is_older = is_older_than_sent(store, config.state_dir, here)
        new = _unsent(Project(config, store, lambda: now), names, now) if is_older or pass_over else {}
        for name, post in ((name, post) for name, posts in new.items() for post in posts):
            app.say(f"{name}: {post.title} ({post.published:%Y-%m-%d}) seems to be unsent")
        if pass_over:
            _pass_over(store, new, yes=yes)
        accept_older(store, config.state_dir, here)
        passed = ", ".join(f"{name}: {len(posts)}" for name, posts in new.items() if pass_over)
        log_action(app, store, ActionKind.ACCEPTED_OLDER, detail=passed, dry_run=not (is_older or pass_over))
    if app.json:
        seen = {name: [post.id for post in posts] for name, posts in new.items()}
        app.print_json({"was_older": is_older, "passed_over": seen if pass_over else {}, "unsent": seen})
        return
    app.say("This host may send again." if is_older else "The database knows everything that this host has sent.")
    if pass_over:
        app.say(f"{_number(new)} will never be sent.")


def _unsent(project: Project, names: Sequence[str], now: datetime) -> dict[str, Sequence[Post]]:
    archive = open_archive(project.config, now, whole=True)
    chosen = [each for each in project.config.newsletters if not names or each.name in names]
    return {each.name: unsent_posts(project, each, archive, now) for each in chosen}


def _pass_over(store: Store, posts: Mapping[str, Sequence[Post]], *, yes: bool) -> None:
    if any(posts.values()):
        confirm(f"Never send {_number(posts)}?", yes=yes, unasked=f"{_number(posts)} would never be sent")
    for name, some in posts.items():
        store.editions.pass_over(name, [post.id for post in some])


def _number(posts: Mapping[str, Sequence[Post]]) -> str:
    return plural(sum(map(len, posts.values())), "post")


@contextmanager
def _progress(app: App, title: str, total: int) -> Iterator[Callable[[str, int], None]]:
    done = 0
    with bar(app, title) as draw:

        def copied(table: str, rows: int) -> None:
            """Draw how many rows have been copied."""
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
