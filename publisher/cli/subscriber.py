"""The commands `publisher subscribers add`, `show`, `unsubscribe`, `erase` and `suppress`, for one subscriber."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from publisher.cli.app import App, log_action, plural, require_known, warn, with_app
from publisher.cli.completion import newsletter_names
from publisher.cli.subscriber_bulk import NO_SUBSCRIBERS, BulkDeed, do_to_segment, dry_run_option, segment_option
from publisher.cli.terminal import confirm
from publisher.config import Config
from publisher.core.action_kinds import ActionKind
from publisher.core.characters import clean_line
from publisher.core.errors import PublisherError
from publisher.core.subscriber_fields import shown_value
from publisher.posts.archive import open_archive
from publisher.posts.slugs import normal_form, topic_slug
from publisher.publishing.sequences import see_sequences
from publisher.publishing.wiring import has_store, open_project_store
from publisher.subscribers.address import normalise, shortened
from publisher.subscribers.bulk import erase_people, suppress_people, unsubscribe_people
from publisher.subscribers.edit import Change, edit, known_fields, require_possible, values_in
from publisher.subscribers.languages import clean_language
from publisher.subscribers.manage import (
    COMMAND_LINE,
    lift_suppression,
    require_subscriber,
    similar_address,
    subscribe,
)
from publisher.subscribers.manage import suppress as suppress_address
from publisher.subscribers.manage import unsubscribe as unsubscribe_address
from publisher.subscribers.privacy import erase as erase_address
from publisher.subscribers.privacy import export_data, rows_about

if TYPE_CHECKING:
    from publisher.store import Store
    from publisher.store.subscriber_records import AddResult

yes_option: Callable[[Any], Any] = click.option("-y", "--yes", is_flag=True, help="Do it without asking.")

newsletter_options: Callable[[Any], Any] = click.option(
    "-n",
    "--newsletter",
    "newsletters",
    multiple=True,
    metavar="NAME",
    shell_complete=newsletter_names,
    help="The newsletter; can be repeated. Default: all.",
)


@click.command(epilog='Example: publisher subscribers add ada@example.org --name "Ada" --topic ruby')
@click.argument("address")
@click.option("--name", default="", help="The person's name; also updates an existing subscriber.")
@newsletter_options
@click.option(
    "--topic",
    "topics",
    multiple=True,
    metavar="TAG",
    help="A tag of posts; can be repeated. Default: all posts, or no change for an existing subscriber.",
)
@click.option("--language", default="", help="The person's language, such as de.")
@click.option("--tag", "tags", multiple=True, metavar="TAG", help="A tag of your own for the person; can be repeated.")
@click.option("--field", "fields", multiple=True, metavar="NAME=VALUE", help="A field of your own; can be repeated.")
@click.option(
    "--all-topics", is_flag=True, help="All posts again, for a subscriber who has chosen topics of these newsletters."
)
@click.option(
    "--again",
    is_flag=True,
    help="Subscribe someone again who unsubscribed or bounced and asked to return; needs --why.",
)
@click.option("--why", default="", metavar="TEXT", help="How and when they asked to return; stored with their consent.")
@with_app
def add(
    app: App,
    address: str,
    name: str,
    newsletters: tuple[str, ...],
    topics: tuple[str, ...],
    language: str,
    all_topics: bool,
    again: bool,
    why: str,
    tags: tuple[str, ...],
    fields: tuple[str, ...],
) -> int:
    """Add ADDRESS. You confirm that this person has agreed; it is recorded as coming from the command line."""
    config = app.config()
    chosen = chosen_newsletters(config, newsletters)
    slugs = _topic_slugs(topics)
    if all_topics and slugs:
        raise PublisherError("--all-topics and --topic exclude each other")
    _require_usable(language, why, again=again)
    bare, details = normalise(address), Change(tags=tags, fields=values_in(fields))
    with open_project_store(config) as store:
        known = known_fields(store, config.fields)
        require_possible(details, known)
        see_sequences(config, store, app.now(config), chosen)
        done = subscribe(
            store,
            bare,
            newsletters=chosen,
            at=app.now(config),
            name=name,
            topics=slugs if slugs or all_topics else None,
            language=language,
            again=why,
        )
        person = require_subscriber(store, bare)
        if tags or fields:
            edit(store, person, details, at=app.now(config), source=COMMAND_LINE, known=known)
        chosen_now = [each for each in chosen if each not in done.refused]
        detail = f"{', '.join(chosen_now)}: {done.result.value}{f'; {why}' if why else ''}"
        log_action(app, store, ActionKind.ADD, detail=detail, subscriber=person)
    for line in unknown_topics(config, app.now(config), slugs):
        warn(line)
    _say_added(app, bare, chosen, done)
    return 1 if done.refusals else 0


def _say_added(app: App, address: str, chosen: list[str], done: AddResult) -> None:
    if app.json:
        app.print_json(
            {"address": address, "newsletters": chosen, "result": done.result.value, "refused": list(done.refusals)}
        )
    app.say(f"{address}: {done.result.value} ({', '.join(name for name in chosen if name not in done.refused)})")
    for reason in done.refusals:
        warn(f"{address} {reason} and is not subscribed to it again (if they ask to return: --again --why)")


def _require_usable(language: str, why: str, *, again: bool) -> None:
    if language and not clean_language(language):
        raise PublisherError(f"{shortened(language)!r} isn't a language tag", hint="use one such as de or pt-BR")
    if again is not bool(clean_line(why, 1)):
        raise PublisherError(
            "--again and --why belong together", hint="say how they asked to return: --again --why 'by phone on 3 May'"
        )


@click.command(epilog="Example: publisher subscribers show ada@example.org")
@click.argument("address")
@with_app
def show(app: App, address: str) -> None:
    """Show everything stored about ADDRESS: subscriptions, consent history, emails sent."""
    config = app.config()
    bare = normalise(address)
    with existing_store(config) as store:
        person = store.subscribers.get(bare)
        data = export_data(store, person.uid) if person else None
        listed = store.suppressions.reason(bare)
        if not listed:
            require_subscriber(store, bare)
    if data is None:
        status = "has moved to a different address" if listed == "moved" else "is suppressed"
        raise PublisherError(f"{bare} {status}; nothing else is stored about it")
    if app.json:
        app.print_json(data)
        return
    for line in _described(data):
        app.say(line)


@click.command(epilog="Example: publisher subscribers unsubscribe ada@example.org --newsletter weekly")
@click.argument("address", required=False)
@click.option(
    "-n",
    "--newsletter",
    metavar="NAME",
    shell_complete=newsletter_names,
    help="Unsubscribe from this newsletter only (default: all).",
)
@segment_option
@dry_run_option
@yes_option
@with_app
def unsubscribe(app: App, address: str | None, newsletter: str | None, segment: str, dry_run: bool, yes: bool) -> None:
    """Unsubscribe ADDRESS, or everyone in a segment.

    The entry is kept, so that no import subscribes the person again. For a segment, the command shows the people and
    asks first.
    """
    config = app.config()
    if segment or not address or dry_run:
        _require_segment(address, segment)
        require_known(config, [newsletter] if newsletter else [])
        deed = BulkDeed(
            lambda store, query, options: unsubscribe_people(store, query, newsletter, options),
            *(ActionKind.UNSUBSCRIBE, "unsubscribed", "Unsubscribe all of them?", newsletter or "from everything"),
        )
        do_to_segment(app, segment, deed, yes=yes, dry_run=dry_run)
        return
    with existing_store(config) as store:
        if newsletter and not any(store.subscribers.list(newsletter)):
            require_known(config, [newsletter])
        changed = unsubscribe_address(store, address, newsletter, at=app.now(config))
        if changed:
            person = store.subscribers.get(normalise(address))
            log_action(app, store, ActionKind.UNSUBSCRIBE, detail=newsletter or "from everything", subscriber=person)
    if app.json:
        app.print_json({"address": address, "changed": changed})
    app.say(
        f"{address}: {'unsubscribed' if changed else 'was not subscribed'}"
        + (f" {'from' if changed else 'to'} {newsletter}" if newsletter else "")
    )


@click.command(epilog="Example: publisher subscribers erase ada@example.org")
@click.argument("address", required=False)
@segment_option
@dry_run_option
@yes_option
@with_app
def erase(app: App, address: str | None, segment: str, dry_run: bool, yes: bool) -> int:
    """Delete all data about ADDRESS, or everyone in a segment. Shows what it is, and asks first.

    Traces in the database file are deleted too. Only a keyed hash remains, so that no import or form can add the
    address again. Messages in the outbox, logs and backups are not touched; delete them yourself. Exits with 1 if
    another process was using the database, or the disk is full: then run it again.
    """
    config = app.config()
    if segment or not address or dry_run:
        _require_segment(address, segment)
        return _erase_all(app, segment, yes=yes, dry_run=dry_run)
    with existing_store(config) as store:
        _confirm_erasure(store, address, app.now(config), yes)
        done = erase_address(store, address, now=app.now(config), source=COMMAND_LINE)
        log_action(app, store, ActionKind.ERASE, detail=plural(done.rows, "row"), dry_run=not done.rows)
    if app.json:
        app.print_json({"address": address, "rows": done.rows, "scrubbed": done.scrubbed})
    what = f"deleted ({done.rows:,} rows)" if done.rows else "no such subscriber"
    app.say(f"{address}: {what}; the address is on the suppression list")
    return _say_scrubbed(done.scrubbed)


def _erase_all(app: App, segment: str, *, yes: bool, dry_run: bool) -> int:
    """Delete all data about everyone in a segment; return the exit code."""
    deed = BulkDeed(erase_people, ActionKind.ERASE, "deleted", "Permanently delete everything about all of them?")
    done = do_to_segment(app, segment, deed, yes=yes, dry_run=dry_run)
    if dry_run or not done.changed:
        return 0
    with existing_store(app.config()) as store:
        return _say_scrubbed(store.subscribers.scrub())


def _say_scrubbed(scrubbed: bool) -> int:
    if not scrubbed:
        why = "another process was using the database, or the disk is full"
        click.echo(f"{why}, so traces may remain in its file; run this again", err=True)
    return 0 if scrubbed else 1


def _require_segment(address: str | None, segment: str) -> None:
    if bool(address) == bool(segment):
        raise click.UsageError("name an ADDRESS, or a --segment")
    if address:
        raise click.UsageError("--dry-run is for a --segment")


@click.command(epilog="Example: publisher subscribers suppress ada@example.org")
@click.argument("address", required=False)
@click.option("--lift", is_flag=True, help="Lift the suppression. This alone does not subscribe anyone.")
@segment_option
@dry_run_option
@yes_option
@with_app
def suppress(app: App, address: str | None, lift: bool, segment: str, dry_run: bool, yes: bool) -> None:
    """Never send to ADDRESS again, whether it is a subscriber or not, and refuse it in imports and forms.

    Asks first, and names the subscriber whose address is most similar if ADDRESS is not known.
    """
    config = app.config()
    if segment or not address or dry_run:
        _require_segment(address, segment)
        if lift:
            raise click.UsageError("--lift is for an ADDRESS")
        deed = BulkDeed(suppress_people, ActionKind.SUPPRESS, "suppressed", "Never send to any of them again?")
        do_to_segment(app, segment, deed, yes=yes, dry_run=dry_run)
        return
    change = lift_suppression if lift else suppress_address
    with open_project_store(config) as store:
        if not lift:
            _confirm_suppression(store, address, yes)
        changed = change(store, address, now=app.now(config), source=COMMAND_LINE)
        if changed:
            what = ActionKind.LIFT if lift else ActionKind.SUPPRESS
            log_action(app, store, what, subscriber=store.subscribers.get(normalise(address)))
    if app.json:
        app.print_json({"address": address, "changed": changed})
    words = ("is no longer suppressed", "was not suppressed") if lift else ("is suppressed", "was already suppressed")
    app.say(f"{address} {words[0] if changed else words[1]}")


def _confirm_erasure(store: Store, address: str, now: datetime, yes: bool) -> None:
    """Show what would be deleted, and ask; raise PublisherError for an address about which nothing is stored."""
    bare = normalise(address)
    rows = rows_about(store, bare, now)
    if not rows:
        if store.suppressions.reason(bare) is None:
            require_subscriber(store, bare)
        return  # it was erased before, and only traces in the database file can be left
    if yes:
        return
    person = store.subscribers.get(bare)
    about = f"{bare}: {plural(rows, 'row')}"
    if person:
        data = export_data(store, person.uid) or {}
        chosen = ", ".join(each["newsletter"] for each in data["subscriptions"]) or "no newsletter"
        counts = (
            f"{plural(len(data['consent']), 'consent event')}, {plural(len(data['deliveries']), 'email')} sent or due"
        )
        about = f"{' '.join((person.address, person.name)).rstrip()}, {person.status}, {chosen}; {counts}"
    confirm(f"{about}\nPermanently delete all of it?", yes=yes, unasked=f"everything about {bare} would be deleted")


def _confirm_suppression(store: Store, address: str, yes: bool) -> None:
    """Ask before an address is suppressed, and name the most similar subscriber if it is not known."""
    bare = normalise(address)
    if store.suppressions.reason(bare) is not None:
        return
    person = store.subscribers.get(bare)
    near = "" if person else similar_address(store, bare)
    unknown = "" if person else f"{bare} is not a subscriber" + (f" (did you mean {near}?)" if near else "")
    if unknown and yes and near:
        warn(unknown)
    question = f"{unknown or bare + ' is a subscriber'}. Never send to {bare} again?"
    confirm(question, yes=yes, unasked=unknown or f"no email would ever be sent to {bare} again")


def chosen_newsletters(config: Config, names: Sequence[str]) -> list[str]:
    """Return the given names of newsletters, or all if none are given; raise PublisherError for an unknown name."""
    known = [newsletter.name for newsletter in config.newsletters]
    if not known:
        raise PublisherError(
            "the project has no newsletter to subscribe to",
            hint="add a [[newsletters]] table to publisher.toml",
        )
    require_known(config, names)
    return list(dict.fromkeys(names)) or known


def unknown_topics(config: Config, now: datetime, slugs: Sequence[str]) -> Iterator[str]:
    """Yield a warning for each topic that is not a tag of any post, with the most similar tag as a suggestion."""
    if not slugs:
        return
    posts = open_archive(config, now, keep=False).posts
    tags = {tag.slug: tag.name for post in posts for tag in post.tags}
    for slug in dict.fromkeys(slugs):
        if slug not in tags:
            near = difflib.get_close_matches(slug, tags, n=1)
            yield f"no post has the topic {slug!r}" + (f" (did you mean {tags[near[0]]!r}?)" if near else " yet")


def _topic_slugs(topics: Iterable[str]) -> list[str]:
    """Return the slugs of topics; raise PublisherError for a topic without any character that a tag can have."""
    named = list(topics)
    if not all(map(normal_form, named)):
        raise PublisherError("--topic is empty", hint="name a tag, or omit --topic for all posts")
    return [topic_slug(topic) for topic in named]


def existing_store(config: Config) -> Store:
    """Open the project's database; raise PublisherError if there is none yet."""
    if not has_store(config):
        raise PublisherError(NO_SUBSCRIBERS)
    return open_project_store(config)


def _described(data: dict[str, Any]) -> Iterator[str]:
    yield f"{data['email']}  {data['name']}".rstrip()
    yield f"  status      {data['status']}, since {data['created_at'][:10]}"
    for label, key in (("language", "language"), ("paused to", "paused_until"), ("bounces", "bounces")):
        if data[key]:
            yield f"  {label:<11} {data[key]}"
    yield from _described_details(data)
    for subscription in data["subscriptions"]:
        topics = f" ({', '.join(subscription['topics'])})" if subscription["topics"] else ""
        often = f", {subscription['frequency']}" if "frequency" in subscription else ""
        yield f"  newsletter  {subscription['newsletter']}{often}{topics}"
    for record in data["ended"]:
        since = f" since {record['since'][:10]}" if record["since"] else ""
        yield f"  {record['status']:<11} {record['newsletter']}{since}"
    for event in data["consent"]:
        yield f"  {event['at'][:16]}  {event['what']}  {event['detail']}  [{event['source']}]"
    for row in data["deliveries"]:
        yield f"  {(row['sent_at'] or '')[:16]:<16}  {row['status']}  {row['newsletter']} {row['slot']}"


def _described_details(data: dict[str, Any]) -> Iterator[str]:
    if data["tags"]:
        yield f"  tags        {', '.join(data['tags'])}"
    for name, value in data["fields"].items():
        yield f"  field       {name}: {shown_value(value)}"
    for line in data["note"].splitlines():
        yield f"  note        {line}".rstrip()
