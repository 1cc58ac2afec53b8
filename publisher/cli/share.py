"""The command `publisher share`."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import click

from publisher.cli.app import App, warn, with_app
from publisher.core.errors import PublisherError
from publisher.posts.archive import open_archive
from publisher.publishing.mail_wiring import project_links
from publisher.publishing.shared_drafts import DAYS, MOST_DAYS, DraftKind, draft_link, draft_site, draft_source

EXAMPLES = """\
\b
Examples:
  publisher share posts/boats.md               the post as it will look
  publisher share weekly --days 3              the next email of the newsletter weekly
"""


@click.command(short_help="Print a link to a draft or the next email, for a colleague.", epilog=EXAMPLES)
@click.argument("what", metavar="POST|NEWSLETTER")
@click.option(
    "--days",
    type=click.IntRange(1, MOST_DAYS),
    metavar="N",
    default=DAYS,
    show_default=True,
    help=f"How long the link works: 1 to {MOST_DAYS} days.",
)
@with_app
def share(app: App, what: str, days: int) -> None:
    """Print a link with which anyone can read a post, or the next email of a newsletter, before it is published.

    The link needs no password, and works until it expires. It shows the text as it is at that moment, so
    later changes need no new link. Once a post is published, the link leads to its page. The pages are served by
    `publisher run`, at web.public_url, which must have the posts.
    """
    config = app.config()
    now = app.now(config)
    if config.newsletter(what):
        kind, name = DraftKind.EMAIL, what
    else:
        try:
            kind, name = DraftKind.POST, draft_source(config, Path(what), Path.cwd())
        except PublisherError as error:
            names = ", ".join(each.name for each in config.newsletters)
            hint = f"name the file of a post or a draft{f', or a newsletter: {names}' if names else ''}"
            raise PublisherError("is neither a post nor a newsletter of this project", where=what, hint=hint) from error
        draft_site(config, name, open_archive(config, now))  # a person with the link would only learn that it fails
    until = now + timedelta(days=days)
    url = draft_link(project_links(config), kind, name, until)
    if app.json:
        app.print_json({"url": url, "kind": kind.value, "name": name, "until": _shown(until)})
    app.say(url)
    if not config.web.public_url:
        warn("web.public_url is not set, so the link leads to site.url: set it to the address of `publisher run`")


def _shown(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds")
