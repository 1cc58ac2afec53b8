"""publisher subscribers rename-newsletter"""

from __future__ import annotations

import click

from publisher.cli.app import App, plural, require_known, with_app
from publisher.core.errors import PublisherError

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
        done = store.newsletters.rename(old, new, app.now(config), SOURCE, rehearse=dry_run)
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
