"""publisher subscribers list | stats | tidy: all people"""

from __future__ import annotations

from contextlib import nullcontext
from datetime import timedelta

import click

from publisher.cli.app import App, plural, require_known, with_app
from publisher.core.errors import PublisherError

LATELY = 30  # days


@click.command("list", epilog="Example: publisher subscribers list --newsletter weekly --status active")
@click.option("-n", "--newsletter", metavar="NAME", help="Only this newsletter's.")
@click.option(
    "--status",
    metavar="STATUS",
    type=click.Choice(["pending", "active", "unsubscribed", "bounced", "complained", "suppressed"]),
)
@with_app
def list_subscribers(app: App, newsletter: str | None, status: str | None) -> None:
    """List subscribers in the order they came."""
    from publisher.cli.terminal import print_table
    from publisher.core.newsletter_models import SubscriberStatus
    from publisher.publishing.wiring import has_store, open_project_store
    from publisher.subscribers.export import as_json

    config = app.config()
    with open_project_store(config) if has_store(config) else nullcontext() as store:
        people = list(store.subscribers.list(newsletter, SubscriberStatus(status) if status else None)) if store else []
    if newsletter and not people:
        require_known(config, [newsletter])
    if app.json:
        app.print_json([as_json(person) for person in people])
        return
    if not people:
        app.say("no subscribers" + ("" if newsletter or status else " yet: publisher subscribers add you@example.org"))
        return
    print_table(
        ("Address", "Name", "Status", "Newsletters", "Since"),
        [
            (
                p.address,
                p.name,
                p.status.value,
                ", ".join(w.newsletter + (f" ({', '.join(w.topics)})" if w.topics else "") for w in p.subscriptions),
                f"{p.created_at:%Y-%m-%d}",
            )
            for p in people
        ],
    )


@click.command(epilog="Example: publisher subscribers stats")
@with_app
def stats(app: App) -> None:
    """Count who stands where, who gets each newsletter, and what happened in the last 30 days."""
    from publisher.cli.terminal import print_table
    from publisher.publishing.wiring import has_store, open_project_store

    config = app.config()
    now = app.now(config)
    with open_project_store(config) if has_store(config) else nullcontext() as store:
        people = store.subscribers if store else None
        counted = {
            "status": {status.value: total for status, total in people.counts().items()} if people else {},
            "newsletters": {
                newsletter.name: people.count(newsletter.name, mailable_at=now) if people else 0
                for newsletter in config.newsletters
            },
            "last_30_days": people.since(now - timedelta(days=LATELY)) if people else {},
            "suppressed": {reason.value: n for reason, n in store.suppressions.counts().items()} if store else {},
        }
    if app.json:
        app.print_json(counted)
        return
    labels = {"status": "are", "newsletters": "get", "last_30_days": "in 30 days", "suppressed": "never mailed"}
    rows = [
        (labels[kind], what, f"{total:,}") for kind, totals in counted.items() for what, total in sorted(totals.items())
    ]
    print_table(("People", "What", "Number"), rows)


@click.command(epilog="Example: publisher subscribers tidy --dry-run")
@click.option("--dry-run", is_flag=True, help="Say how many; delete nobody.")
@with_app
def tidy(app: App, dry_run: bool) -> None:
    """Delete who never confirmed, subscribers.forget_days after they were asked, and links that expired.

    They are not suppressed: who asks again is asked again.
    """
    from publisher.cli.app import plural
    from publisher.publishing.wiring import has_store, open_project_store, subscription_policy
    from publisher.subscribers.privacy import Forgotten, forget_unconfirmed

    config = app.config()
    done = Forgotten(0, 0)
    if has_store(config):
        with open_project_store(config) as store:
            done = forget_unconfirmed(store, subscription_policy(config), app.now(config), dry_run=dry_run)
    if app.json:
        app.print_json({"people": done.people, "tokens": done.tokens, "dry_run": dry_run})
    people = plural(done.people, "person", "people")
    if dry_run:
        app.say(f"{people} who never confirmed would be deleted")
    else:
        app.say(f"{people} who never confirmed, and {plural(done.tokens, 'expired link')}, deleted")


SOURCE = "publisher subscribers rename-newsletter"


@click.command("rename-newsletter", epilog="Example: publisher subscribers rename-newsletter weekly news --dry-run")
@click.argument("old")
@click.argument("new")
@click.option("--dry-run", is_flag=True, help="Say what would be moved; change nothing.")
@with_app
def rename_newsletter(app: App, old: str, new: str, dry_run: bool) -> None:
    """Take a newsletter's readers and editions along, after its name in publisher.toml was changed from OLD to NEW.

    Everything in the record goes to the new name: subscriptions with their topics, editions and their numbers, and
    which posts were sent, so that none is sent again. Each reader's history says so. Links to leave in letters of
    the old name work on. Where somebody has both, their choice for the new name stays.
    """
    from publisher.publishing.wiring import has_store, open_project_store

    config = app.config()
    require_known(config, [new])
    if config.newsletter(old):
        raise PublisherError(f"{old} is still a newsletter of publisher.toml", hint="change its name there first")
    if not has_store(config):
        raise PublisherError("there are no subscribers yet")
    with open_project_store(config) as store:
        done = store.newsletters.rename(old, new, app.now(config), SOURCE, dry_run=dry_run)
    if not (done.readers or done.editions or done.clashes):
        raise PublisherError(f"nobody reads {old}, and it has no editions", hint="publisher status names what it finds")
    if app.json:
        moved = {"readers": done.readers, "both": done.both, "editions": done.editions, "clashes": done.clashes}
        app.print_json({"old": old, "new": new, "dry_run": dry_run, **moved})
        return
    words = "would be moved" if dry_run else "moved"
    app.say(f"{plural(done.readers, 'reader')} and {plural(done.editions, 'edition')} {words} from {old} to {new}")
    if done.both:
        app.say(f"{done.both:,} of them had both: their choice for {new} stays")
    if done.clashes:
        app.say(f"{plural(done.clashes, 'edition')} of {old} stay: {new} has its own of these slots")
