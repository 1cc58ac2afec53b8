"""publisher publish --dry-run and --to: what would go out, without doing it."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from publisher.cli.app import App, plural
from publisher.core.errors import PublisherError, TemplateError, TransportError

if TYPE_CHECKING:
    from publisher.config import Config
    from publisher.core.mailing import EditionDraft
    from publisher.publishing.render import Planned
    from publisher.store import Store


def dry_run(
    app: App,
    config: Config,
    store: Store | None,
    names: Sequence[str],
    now: datetime,
    accept_new_ids: bool,
    *,
    extra: bool,
) -> int:
    """Say what a publish would make and to how many it would go; write nothing."""
    from publisher.cli.hosts import MEND, why_unconfirmed
    from publisher.publishing import publish as steps
    from publisher.publishing.plan import calls_by_hand
    from publisher.site.build.ids import KnownIds

    calls = calls_by_hand(config, extra=extra)
    plan, drafts = steps.compose_plan(config, store, names, now, keep=False, calls=calls)
    KnownIds(config, accept_new=accept_new_ids).require_same(plan.archive)
    app.tell(p for p in (*plan.archive.problems, *plan.left_out) if p.severity == "error")
    app.tell(plan.broken)
    if waits := why_unconfirmed(config):
        warning = click.style("warning", fg="yellow")
        click.echo(f"{warning}: {waits}: nothing would be made or sent ({MEND})", err=True)
    made = list(zip(plan.editions, drafts, strict=True))
    if app.json:
        app.print_json([_as_json(planned, draft) for planned, draft in made])
        return 1 if plan.broken else 0
    posts = len(plan.archive.posts) - len(plan.left_out)
    app.say(f"Dry run: nothing is written. {plural(posts, 'post')} would be built.")
    for planned, draft in made:
        _show(app, config, planned, draft)
    for line in steps.shortened(drafts):
        app.say(line)
    for idle in plan.idle:
        app.say(f"{idle.newsletter.name}: {idle.reason}")
    for edition, counts in plan.unfinished:
        why = f"held: {edition.held}" if edition.held else "left of an earlier run"
        app.say(f"{edition.newsletter} {edition.slot}: {plural(counts.open, 'message')} {why}")
    return 1 if plan.broken else 0


def _show(app: App, config: Config, planned: Planned, draft: EditionDraft) -> None:
    from publisher.publishing.wiring import transport_name

    app.say(
        f"{planned.newsletter.name} {planned.slot}, no. {planned.number}: {draft.subject!r} "
        f"to {plural(planned.recipients, 'subscriber')} by {transport_name(config)}"
    )
    for post in planned.posts:
        app.say(f"  {post.published:%Y-%m-%d}  {post.title}")
    if len(planned.variants) > 1:
        from publisher.cli.tables import print_table

        print_table(("Topics", "Posts", "Subscribers", "Subject"), [_row(each) for each in _letters(planned, draft)])


def _letters(planned: Planned, draft: EditionDraft) -> list[dict[str, Any]]:
    """The letters of an edition; one of which nobody gets anything has no subject."""
    subjects = {letter.variant: letter.subject for letter in draft.letters}
    return [
        {
            "topics": list(variant.topics),
            "subject": subjects.get(variant.key),
            "posts": [post.id for post in variant.posts],
            "subscribers": variant.subscribers,
        }
        for variant in planned.variants
    ]


def _row(letter: dict[str, Any]) -> tuple[str, ...]:
    return (
        ", ".join(letter["topics"]) or "all topics",
        f"{len(letter['posts']):,}",
        f"{letter['subscribers']:,}",
        "no letter" if letter["subject"] is None else letter["subject"],
    )


def _as_json(planned: Planned, draft: EditionDraft) -> dict[str, Any]:
    return {
        "newsletter": planned.newsletter.name,
        "slot": planned.slot,
        "number": planned.number,
        "subject": draft.subject,
        "posts": [post.id for post in planned.posts],
        "recipients": planned.recipients,
        "unmatched": planned.unmatched,
        "letters": _letters(planned, draft),
    }


def test_copy(
    app: App, config: Config, names: Sequence[str], address: str, now: datetime, topics: Sequence[str]
) -> int:
    """Send a marked copy of each newsletter's next letter to an address."""
    from publisher.publishing import publish as steps
    from publisher.publishing.plan import make_plan
    from publisher.publishing.render import unmade
    from publisher.publishing.wiring import has_store, open_project_store, transport_name
    from publisher.subscribers.address import normalise

    to = normalise(address)
    if not config.newsletters:
        raise PublisherError("the project has no newsletter", hint="add a [[newsletters]] table to publisher.toml")
    with open_project_store(config) if has_store(config) else nullcontext() as store:
        plan = make_plan(config, store, names, now, keep=False)
        broken = []
        for name in names or [newsletter.name for newsletter in config.newsletters]:
            try:
                subject = steps.send_test(config, plan, to, name, now, topics)
            except PublisherError as error:
                if isinstance(error, TransportError) or not (error.where or isinstance(error, TemplateError)):
                    raise  # it is not this letter that is broken
                broken.append(unmade(name, error))
            else:
                app.say(f"{name}: copy of {subject!r} to {to} by {transport_name(config)}")
    app.tell(broken)
    return 1 if broken else 0
