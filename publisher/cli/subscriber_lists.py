"""The commands `publisher subscribers stats`, `tidy` and `rename-newsletter`, for all subscribers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import timedelta
from typing import TYPE_CHECKING

import click

from publisher.cli.app import App, log_action, plural, require_known, with_app
from publisher.cli.terminal import print_table
from publisher.core.action_kinds import ActionKind
from publisher.core.errors import PublisherError
from publisher.publishing.mail_wiring import subscription_policy
from publisher.publishing.wiring import open_existing_store
from publisher.subscribers.privacy import Forgotten, forget_unconfirmed

if TYPE_CHECKING:
    from publisher.store.statistics import GivenReason

LATELY = 30  # days
MOST_REASONS = 1_000  # answers that are read
RENAMED_BY = "publisher subscribers rename-newsletter"  # as the source of the change, in consent histories


@click.command(epilog="Example: publisher subscribers stats")
@click.option("--reasons", is_flag=True, help="Show the reasons that people gave when they unsubscribed.")
@with_app
def stats(app: App, reasons: bool) -> None:
    """Show subscriber counts by status, newsletter and source, and who joined and left in the last 30 days."""
    config = app.config()
    now = app.now(config)
    lately = now - timedelta(days=LATELY)
    with open_existing_store(config) as store:
        if reasons:
            _show_reasons(app, store.statistics.reasons(MOST_REASONS) if store else ())
            return
        people, numbers = (store.subscribers, store.statistics) if store else (None, None)
        counted = {
            "status": {status.value: total for status, total in people.counts().items()} if people else {},
            "newsletters": {
                newsletter.name: people.count(newsletter.name, mailable_at=now) if people else 0
                for newsletter in config.newsletters
            },
            "last_30_days": numbers.since(lately) if numbers else {},
            "sources": {each.source: each.active for each in numbers.by_source(lately)} if numbers else {},
            "suppressed": {reason.value: n for reason, n in store.suppressions.counts().items()} if store else {},
        }
    if app.json:
        app.print_json(counted)
        return
    labels = {
        "status": "Status",
        "newsletters": "Subscribed to",
        "last_30_days": "Last 30 days",
        "sources": "Active, came from",
        "suppressed": "Suppressed",
    }
    rows = [
        (labels[kind], what, f"{total:,}") for kind, totals in counted.items() for what, total in sorted(totals.items())
    ]
    print_table(("Subscribers", "Which", "Number"), rows)


def _show_reasons(app: App, reasons: Sequence[GivenReason]) -> None:
    if app.json:
        rows = [{**asdict(each), "newest": each.newest.isoformat(timespec="seconds")} for each in reasons]
        app.print_json(rows)
        return
    if not reasons:
        app.say("no one has given a reason yet")
        return
    print_table(
        ("Reason", "Times", "Newest", "Newsletters"),
        [
            (each.reason, f"{each.times:,}", f"{each.newest:%Y-%m-%d}", ", ".join(each.newsletters) or "everything")
            for each in reasons
        ],
    )


@click.command(epilog="Example: publisher subscribers tidy --dry-run")
@click.option("--dry-run", is_flag=True, help="Show how many; delete no one.")
@with_app
def tidy(app: App, dry_run: bool) -> None:
    """Delete people who never confirmed, subscribers.forget_days after they signed up, and expired links.

    They are not suppressed and can sign up again.
    """
    config = app.config()
    done = Forgotten(0, 0)
    with open_existing_store(config) as store:
        if store:
            done = forget_unconfirmed(store, subscription_policy(config), app.now(config), dry_run=dry_run)
            log_action(app, store, ActionKind.TIDY, detail=f"{done.people:,}", dry_run=dry_run or not done.people)
    if app.json:
        app.print_json({"people": done.people, "tokens": done.tokens, "dry_run": dry_run})
    people = plural(done.people, "person", "people")
    if dry_run:
        app.say(f"{people} who never confirmed would be deleted")
    else:
        app.say(f"deleted {people} who never confirmed, and {plural(done.tokens, 'expired link')}")


@click.command("rename-newsletter", epilog="Example: publisher subscribers rename-newsletter weekly news --dry-run")
@click.argument("old")
@click.argument("new")
@click.option("--dry-run", is_flag=True, help="Show what would be moved; change nothing.")
@with_app
def rename_newsletter(app: App, old: str, new: str, dry_run: bool) -> None:
    """Move a newsletter's subscribers and editions to its new name, after you changed OLD to NEW in publisher.toml.

    Everything in the database moves: subscriptions with their topics, editions with their numbers, and which posts
    were sent, so that none is sent again. It is recorded in each subscriber's history. Unsubscribe links in earlier
    emails keep working. If someone has or had both, what they chose for the new name counts: those who unsubscribed
    from it stay unsubscribed.
    """
    config = app.config()
    require_known(config, [new])
    if config.newsletter(old):
        raise PublisherError(f"{old} is still a newsletter in publisher.toml", hint="change its name there first")
    with open_existing_store(config) as store:
        if store is None:
            raise PublisherError("there are no subscribers yet")
        done = store.newsletters.rename(old, new, app.now(config), RENAMED_BY, dry_run=dry_run)
        log_action(app, store, ActionKind.RENAME, f"{old} to {new}", dry_run=dry_run)
    if not (done.readers or done.editions or done.clashes or done.left or done.ended):
        raise PublisherError(
            f"{old} has no subscribers and no editions", hint="`publisher status` lists the newsletters that have any"
        )
    if app.json:
        moved = {"readers": done.readers, "both": done.both, "editions": done.editions, "clashes": done.clashes}
        moved |= {"left": done.left, "ended": done.ended}
        app.print_json({"old": old, "new": new, "dry_run": dry_run, **moved})
        return
    words = "would be moved" if dry_run else "moved"
    app.say(f"{plural(done.readers, 'subscriber')} and {plural(done.editions, 'edition')} {words} from {old} to {new}")
    if done.both:
        app.say(f"{done.both:,} of them had both: their settings for {new} are kept")
    if done.left:
        app.say(f"{plural(done.left, 'subscriber')} of {old} had unsubscribed from {new}: not subscribed again")
    if done.clashes:
        app.say(f"{plural(done.clashes, 'edition')} of {old} not moved: {new} has its own for these slots")
