"""publisher subscribers add | show | remove | erase | suppress: one person"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from publisher.cli.app import App, require_known, with_app
from publisher.core.errors import PublisherError

if TYPE_CHECKING:
    from publisher.config import Config
    from publisher.store import Store


several: Callable[[Any], Any] = click.option(
    "-n",
    "--newsletter",
    "newsletters",
    multiple=True,
    metavar="NAME",
    help="The newsletter; may be given several times. Default: all.",
)


def chosen_newsletters(config: Config, names: Sequence[str]) -> list[str]:
    """Return the newsletters that were named, all if none was; raise PublisherError for an unknown one."""
    known = [newsletter.name for newsletter in config.newsletters]
    if not known:
        raise PublisherError(
            "the project has no newsletter to subscribe to",
            hint="add a [[newsletters]] table to publisher.toml",
        )
    require_known(config, names)
    return list(dict.fromkeys(names)) or known


def chosen_topics(topics: Iterable[str]) -> list[str]:
    """Return topics as slugs; raise PublisherError for one without a letter, digit or sign that a tag can have."""
    from publisher.posts.slugs import normal_form, topic_slug

    named = list(topics)
    if not all(map(normal_form, named)):
        raise PublisherError("--topic is empty", hint="name a tag, or leave --topic out for all posts")
    return [topic_slug(topic) for topic in named]


def strange_topics(config: Config, now: datetime, slugs: Sequence[str]) -> Iterator[str]:
    """Return a line for each topic that no post has, with the tag that was meant, perhaps."""
    import difflib

    from publisher.posts.archive import open_archive

    if not slugs:
        return
    posts = open_archive(config, now, keep=False).posts
    tags = {tag.slug: tag.name for post in posts for tag in post.tags}
    for slug in dict.fromkeys(slugs):
        if slug not in tags:
            near = difflib.get_close_matches(slug, tags, n=1)
            yield f"no post has the topic {slug!r}" + (f" (did you mean {tags[near[0]]!r}?)" if near else " yet")


NOBODY = "there are no subscribers yet"


@click.command(epilog='Example: publisher subscribers add ada@example.org --name "Ada" --topic ruby')
@click.argument("address")
@click.option("--name", default="", help="How to address the person; also of somebody who is known.")
@several
@click.option(
    "--topic",
    "topics",
    multiple=True,
    metavar="TAG",
    help="A tag of posts; again for more. None: all posts, or as it was for somebody who is known.",
)
@click.option("--language", default="", help="The person's language, such as de.")
@click.option("--again", is_flag=True, help="The person left, or bounced, and asked you to come back.")
@with_app
def add(
    app: App,
    address: str,
    name: str,
    newsletters: tuple[str, ...],
    topics: tuple[str, ...],
    language: str,
    again: bool,
) -> None:
    """Add ADDRESS. You vouch that the person agreed; it is recorded as coming from the command line."""
    from publisher.publishing.wiring import open_project_store
    from publisher.subscribers.address import clean_language, normalise, shortened
    from publisher.subscribers.manage import subscribe

    config = app.config()
    chosen = chosen_newsletters(config, newsletters)
    slugs = chosen_topics(topics)
    if language and not clean_language(language):
        raise PublisherError(f"{shortened(language)!r} is no language", hint="give a tag such as de or pt-BR")
    bare = normalise(address)
    with open_project_store(config) as store:
        done = subscribe(
            store,
            bare,
            newsletters=chosen,
            at=app.now(config),
            name=name,
            topics=slugs,
            language=language,
            again=again,
        )
    for line in strange_topics(config, app.now(config), slugs):
        click.echo(f"warning: {line}", err=True)
    if app.json:
        app.print_json({"address": bare, "newsletters": chosen, "result": done.value})
    app.say(f"{bare}: {done.value} ({', '.join(chosen)})")


@click.command(epilog="Example: publisher subscribers show ada@example.org")
@click.argument("address")
@with_app
def show(app: App, address: str) -> None:
    """Show everything that is kept of ADDRESS: what they read, what they agreed to, what was sent."""
    from publisher.subscribers.address import normalise
    from publisher.subscribers.privacy import export_data

    config = app.config()
    bare = normalise(address)
    with _people(config) as store:
        person = store.subscribers.get(bare)
        data = export_data(store, person.uid) if person else None
        listed = store.suppressions.reason(bare)
    if data is None:
        stands = "moved to another address" if listed == "moved" else "is suppressed"
        raise PublisherError(f"{bare} {f'{stands}, and nothing else is kept of it' if listed else 'is not known'}")
    if app.json:
        app.print_json(data)
        return
    for line in _described(data):
        app.say(line)


@click.command(epilog="Example: publisher subscribers remove ada@example.org --newsletter weekly")
@click.argument("address")
@click.option("-n", "--newsletter", metavar="NAME", help="Leave only this newsletter. Default: all mail stops.")
@with_app
def remove(app: App, address: str, newsletter: str | None) -> None:
    """Stop mail to ADDRESS. The record stays, so that no import brings the person back."""
    from publisher.subscribers.manage import unsubscribe

    config = app.config()
    with _people(config) as store:
        if newsletter and not any(store.subscribers.list(newsletter)):
            require_known(config, [newsletter])
        changed = unsubscribe(store, address, newsletter, at=app.now(config))
    if app.json:
        app.print_json({"address": address, "changed": changed})
    app.say(
        f"{address}: {'gets no more mail' if changed else 'got none already'}"
        + (f" of {newsletter}" if newsletter else "")
    )


@click.command(epilog="Example: publisher subscribers erase ada@example.org")
@click.argument("address")
@with_app
def erase(app: App, address: str) -> int:
    """Delete everything of ADDRESS from the database, down to the bytes of its file.

    What stays is a keyed hash: no import and no form brings the address back. Messages in the outbox, logs and
    backups are yours to delete. Exit code 1 if another process was reading the database: run it again.
    """
    from publisher.subscribers.manage import COMMAND_LINE
    from publisher.subscribers.privacy import erase as erase_address

    config = app.config()
    with _people(config) as store:
        done = erase_address(store, address, now=app.now(config), source=COMMAND_LINE)
    if app.json:
        app.print_json({"address": address, "rows": done.rows, "scrubbed": done.scrubbed})
    app.say(f"{address}: {f'erased ({done.rows:,} rows)' if done.rows else 'was not there'}; it is never mailed again")
    if not done.scrubbed:
        click.echo("another process was reading, and the file may still hold traces: run it again", err=True)
    return 0 if done.scrubbed else 1


@click.command(epilog="Example: publisher subscribers suppress ada@example.org")
@click.argument("address")
@click.option("--lift", is_flag=True, help="Take it back. Nobody is mailed by that alone.")
@with_app
def suppress(app: App, address: str, lift: bool) -> None:
    """Never mail ADDRESS again, whether it is known or not, and refuse it in imports and forms."""
    from publisher.publishing.wiring import open_project_store
    from publisher.subscribers import manage

    config = app.config()
    change = manage.lift_suppression if lift else manage.suppress
    with open_project_store(config) as store:
        changed = change(store, address, now=app.now(config), source=manage.COMMAND_LINE)
    if app.json:
        app.print_json({"address": address, "changed": changed})
    said = ("is no longer suppressed", "was not suppressed") if lift else ("is suppressed", "was suppressed already")
    app.say(f"{address}: {said[0] if changed else said[1]}")


def _people(config: Config) -> Store:
    """Open the store of a project that has one."""
    from publisher.publishing.wiring import has_store, open_project_store

    if not has_store(config):
        raise PublisherError(NOBODY)
    return open_project_store(config)


def _described(data: dict[str, Any]) -> Iterator[str]:
    yield f"{data['email']}  {data['name']}".rstrip()
    yield f"  status      {data['status']}, since {data['created_at'][:10]}"
    for label, key in (("language", "language"), ("paused to", "paused_until"), ("bounces", "bounces")):
        if data[key]:
            yield f"  {label:<11} {data[key]}"
    for wish in data["subscriptions"]:
        topics = f" ({', '.join(wish['topics'])})" if wish["topics"] else ""
        yield f"  newsletter  {wish['newsletter']}{topics}"
    for event in data["consent"]:
        yield f"  {event['at'][:16]}  {event['what']}  {event['detail']}  [{event['source']}]"
    for row in data["deliveries"]:
        yield f"  {(row['sent_at'] or '')[:16]:<16}  {row['status']}  {row['newsletter']} {row['slot']}"
