"""What became of an edition's messages, in words: the summary at the end of a run, however it ended."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from publisher.cli.app import App, plural
from publisher.core.errors import PublisherError, TransportError

if TYPE_CHECKING:
    from publisher.core.newsletter_models import DeliveryCounts, Edition
    from publisher.publishing.deliver import Delivered, Tally
    from publisher.store import Store


def show_result(app: App, result: Delivered) -> None:
    """Print what became of one edition."""
    edition = result.edition
    parts = [f"{plural(result.sent, 'message')} sent", *_elsewhere(result.after, bool(edition.held))]
    if result.unmatched:
        parts.append(unmatched(result.unmatched))
    app.say(f"{_name(edition)}: {edition.subject!r}\n  {plural(len(edition.posts), 'post')}; {', '.join(parts)}")
    if result.stopped:
        app.say(f"  {plural(result.stopped, 'reader')} no more mailed: the mail server says the mailbox is gone")
    if result.doubted:
        app.say(
            f"  the mail server calls {plural(result.doubted, 'mailbox', 'mailboxes')} gone, too many to be believed: "
            "these readers stay"
        )
    if edition.held:
        app.say(f"  held: {edition.held}\n  {_mend(edition)}")
    elif not result.all_sent:
        say_next_try(app, edition.id, result.next_try)
        app.say(f"  publisher deliveries list {edition.id} says why")


def show_held(app: App, edition: Edition, counts: DeliveryCounts) -> None:
    """Print that an edition is held, why, and how to let it go."""
    app.say(f"{_name(edition)}: {plural(counts.open, 'message')} held: {edition.held}\n  {_mend(edition)}")


def show_stopped(app: App, store: Store, names: Sequence[str], tallies: Sequence[Tally], stop: BaseException) -> None:
    """Print what a run did that was stopped, what remains and how to go on. Nothing where it did nothing."""
    from publisher.publishing.deliver import so_far

    results = so_far(store, tallies)
    asked = not isinstance(stop, PublisherError)
    if not asked and not any(tally.done for tally in tallies):
        return  # the error says it all
    begun = {result.edition.id for result in results}
    waiting = [e for e in store.editions.unfinished() if e.id not in begun and (not names or e.newsletter in names)]
    if app.json:
        app.print_json({"stopped": True, "editions": [result_json(result) for result in results]})
    for result in results:
        show_result(app, result)
    for edition in waiting:
        counts = store.deliveries.counts(edition.id)
        if edition.held:
            show_held(app, edition, counts)
        else:
            app.say(f"{_name(edition)}: {plural(counts.open, 'message')} not begun")
    if asked:
        click.echo("publisher publish goes on with the rest", err=True)


def say_next_try(app: App, edition_id: int, due: datetime | None) -> None:
    """Print when the first of what waits is due, and how to have it at once. Nothing where it is due now."""
    if due is None:
        return
    config = app.config()
    if due > app.now(config):
        when = due.astimezone(config.zone).strftime("%Y-%m-%d %H:%M")
        app.say(f"  the next try is at {when}; publisher deliveries retry {edition_id} makes it now")


def show_troubles(troubles: Sequence[TransportError]) -> None:
    """Print a warning for each mail server that is of no use while others stand in for it."""
    for trouble in troubles:
        click.echo(f"{click.style('warning', fg='yellow')}: {trouble}", err=True)


def trouble_json(trouble: TransportError) -> dict[str, str]:
    """Return what is wrong with a mail server, for a script."""
    return {"relay": trouble.where, "reason": trouble.message, "mend": trouble.hint}


def unmatched(subscribers: int) -> str:
    """Return that no post had a topic of so many subscribers, who got nothing."""
    return f"nothing for {plural(subscribers, 'subscriber')} whose topics no post has"


def result_json(result: Delivered) -> dict[str, Any]:
    """Return what became of one edition, for a script."""
    edition = result.edition
    return {
        "id": edition.id,
        "newsletter": edition.newsletter,
        "slot": edition.slot,
        "number": edition.number,
        "subject": edition.subject,
        "posts": [post.id for post in edition.posts],
        "sent": result.sent,
        "deliveries": {status.value: count for status, count in result.after.by_status.items()},
        "unmatched": result.unmatched,
        "held": edition.held,
        "held_by": edition.held_by,
        "gone": result.stopped,
        "next_try_at": result.next_try.isoformat(timespec="seconds") if result.next_try else None,
    }


def _name(edition: Edition) -> str:
    return f"{edition.newsletter} {edition.slot}, no. {edition.number}"


def _elsewhere(after: DeliveryCounts, held: bool) -> list[str]:
    """Return how many messages are not sent, by where they stand."""
    from publisher.core.newsletter_models import DeliveryStatus as Status

    words = (
        (Status.QUEUED, "held" if held else "waiting for another try"),
        (Status.SENDING, "in another run's hands"),
        (Status.DEFERRED, "to be tried again"),
        (Status.FAILED, "refused"),
        (Status.UNCERTAIN, "uncertain"),
        (Status.SKIPPED, "left meanwhile or cancelled"),
    )
    return [f"{after[status]:,} {word}" for status, word in words if after[status]]


def _mend(edition: Edition) -> str:
    return f"publisher deliveries list {edition.id} shows them; publisher deliveries resume {edition.id} lets it go on"
