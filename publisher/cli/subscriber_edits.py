"""The commands `publisher subscribers edit`, `tag` and `confirm-again`, for one person or for a segment."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC
from typing import Any

import click

from publisher.cli.app import App, log_action, with_app
from publisher.cli.subscriber import chosen_newsletters, existing_store, newsletter_options
from publisher.cli.subscriber_bulk import BulkDeed, do_to_segment, dry_run_option, segment_option
from publisher.config import Config
from publisher.core.action_kinds import ActionKind
from publisher.core.errors import PublisherError
from publisher.core.newsletter_models import SubscriberStatus
from publisher.core.templates import Templates
from publisher.mail.transport import Accepted
from publisher.publishing.mail_wiring import open_transport, project_links, subscription_policy
from publisher.publishing.subscription_emails import send_subscription_email
from publisher.publishing.wiring import transport_name
from publisher.subscribers.bulk import tag_people
from publisher.subscribers.double_opt_in import ask_again
from publisher.subscribers.edit import Change, Edited, is_offered, known_fields, require_offered, values_in
from publisher.subscribers.edit import edit as edit_person
from publisher.subscribers.export import as_json
from publisher.subscribers.manage import COMMAND_LINE, require_subscriber

tag_option: Callable[[Any], Any] = click.option(
    "--tag", "tags", multiple=True, metavar="TAG", help="A tag to give; can be repeated."
)
untag_option: Callable[[Any], Any] = click.option(
    "--untag", "untags", multiple=True, metavar="TAG", help="A tag to remove; can be repeated."
)
field_option: Callable[[Any], Any] = click.option(
    "--field", "fields", multiple=True, metavar="NAME=VALUE", help="A field of your own; NAME= empties it."
)


@click.command(epilog="Example: publisher subscribers edit ada@example.org --field city=Oslo --tag vip")
@click.argument("address")
@click.option("--address", "new_address", metavar="NEW", help="The right address; subscriptions and history are kept.")
@click.option("--name", help="The person's name.")
@click.option("--language", help="The person's language, such as de; '' deletes it.")
@tag_option
@untag_option
@field_option
@click.option("--note", help="Your note about them; '' deletes it.")
@click.option(
    "--frequency", metavar="HOW_OFTEN", help="daily, weekly or monthly, as the newsletter offers it; or default."
)
@newsletter_options
@dry_run_option
@with_app
def edit(
    app: App,
    address: str,
    new_address: str | None,
    fields: tuple[str, ...],
    frequency: str | None,
    newsletters: tuple[str, ...],
    dry_run: bool,
    **given: Any,
) -> None:
    """Change what is known about ADDRESS: a mistyped address, the name, tags, fields, and your note.

    A corrected address keeps the person's subscriptions, history and links, and the history says that you corrected it.
    Someone who has not confirmed yet must still do so: `publisher subscribers confirm-again` sends them a new link.
    """
    often = _frequencies(app.config(), frequency, newsletters)
    change = Change(address=new_address, fields=values_in(fields), frequencies=often, **given)
    if change == Change():
        options = "--address, --name, --language, --tag, --untag, --field, --note or --frequency"
        raise click.UsageError(f"name what to change: {options}")
    _edit(app, [address], change, dry_run)


@click.command(epilog="Example: publisher subscribers tag --segment 'joined < 2026-01-01' --tag early --dry-run")
@click.argument("addresses", nargs=-1, metavar="[ADDRESS]...")
@segment_option
@tag_option
@untag_option
@dry_run_option
@with_app
def tag(
    app: App, addresses: tuple[str, ...], segment: str, tags: tuple[str, ...], untags: tuple[str, ...], dry_run: bool
) -> None:
    """Add tags to people or remove them: for each ADDRESS, or for everyone in a segment."""
    if bool(addresses) == bool(segment) or not (tags or untags):
        raise click.UsageError("name each ADDRESS, or a --segment; and what to do: --tag or --untag")
    if not segment:
        _edit(app, addresses, Change(tags=tags, untags=untags), dry_run)
        return
    deed = BulkDeed(
        lambda store, query, options: tag_people(store, query, tags, untags, options),
        *(ActionKind.TAG, "tagged"),
        detail=" ".join([*(f"+{each}" for each in tags), *(f"-{each}" for each in untags)]),
    )
    do_to_segment(app, segment, deed, yes=True, dry_run=dry_run)


@click.command("confirm-again", epilog="Example: publisher subscribers confirm-again ada@example.org")
@click.argument("address")
@newsletter_options
@with_app
def confirm_again(app: App, address: str, newsletters: tuple[str, ...]) -> None:
    """Send ADDRESS, who has not confirmed yet, the confirmation email again, with a new link.

    It is about the newsletters that they asked for; --newsletter is for people who are only known from a file. It can
    be sent once an hour.
    """
    config = app.config()
    names = chosen_newsletters(config, newsletters)
    now = app.now(config)
    with existing_store(config) as store:
        person = require_subscriber(store, address)
        policy = subscription_policy(config)
        email = ask_again(store, policy, person, newsletters=names, now=now, source=COMMAND_LINE)
        log_action(app, store, ActionKind.ASK_AGAIN, detail=", ".join(email.newsletters), subscriber=person)
        templates, transport = Templates(config.root / "templates"), open_transport(config)
        outcome = send_subscription_email(config, store, project_links(config), templates, transport, email, now)
    if not isinstance(outcome, Accepted):
        reason = outcome.reason if outcome else "it is on the suppression list"
        raise PublisherError(f"the email to {person.address} was not sent: {reason}", where=transport_name(config))
    if app.json:
        app.print_json({"address": person.address, "newsletters": email.newsletters, "expires_at": email.expires_at})
    until = f"{email.expires_at.astimezone(UTC):%Y-%m-%d %H:%M} UTC" if email.expires_at else ""
    app.say(f"{person.address}: emailed a link to confirm {', '.join(email.newsletters)}, valid until {until}")


def _frequencies(config: Config, frequency: str | None, names: Sequence[str]) -> dict[str, str]:
    """Return the frequency for each of the newsletters, by default for those that offer it.

    Raises SubscriberError if one of `names`, or every newsletter, does not offer it.
    """
    if frequency is None:
        if names:
            raise click.UsageError("--newsletter says what --frequency is about; add --frequency")
        return {}
    wanted = "" if frequency == "default" else frequency
    chosen = chosen_newsletters(config, names)
    asked = [newsletter for newsletter in config.newsletters if newsletter.name in chosen]
    fit = [newsletter for newsletter in asked if is_offered(newsletter, wanted)]
    for newsletter in asked if names or not fit else []:
        require_offered(newsletter, wanted)
    return dict.fromkeys((newsletter.name for newsletter in fit), wanted)


def _edit(app: App, addresses: Sequence[str], change: Change, dry_run: bool) -> None:
    """Change what is known about some people, and print and log it. If an address is unknown, no one is changed."""
    config = app.config()
    now = app.now(config)
    with existing_store(config) as store:
        people = [require_subscriber(store, address) for address in addresses]
        known = known_fields(store, config.fields)
        done = [
            edit_person(store, each, change, at=now, source=COMMAND_LINE, known=known, dry_run=dry_run)
            for each in people
        ]
        for each in done:
            quiet = dry_run or not each.changed
            log_action(app, store, ActionKind.EDIT, detail=" ".join(each.changed), subscriber=each.after, dry_run=quiet)
    if app.json:
        app.print_json({"people": [_as_json(each) for each in done], "dry_run": dry_run})
    for each in done:
        for line in _described(each, dry_run):
            app.say(line)


def _as_json(done: Edited) -> dict[str, Any]:
    return {"address": done.before.address, "changed": list(done.changed), "subscriber": as_json(done.after)}


def _described(done: Edited, dry_run: bool) -> Iterator[str]:
    changed = ", ".join(done.changed)
    would = "would change" if dry_run else "changed"
    yield f"{done.before.address}: {would} {changed}" if changed else f"{done.before.address}: nothing to change"
    if "address" not in done.changed:
        return
    yield f"  the address {'would be' if dry_run else 'is now'} {done.after.address}; no file can add the old one again"
    if done.after.status is SubscriberStatus.PENDING:
        yield f"  not confirmed yet: `publisher subscribers confirm-again {done.after.address}` sends a new link"
