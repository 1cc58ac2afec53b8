"""Show the results of delivering editions, at the end of `publish` and in `deliveries`."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from publisher.cli.app import App, plural, warn
from publisher.core.bounce_report import Verdict
from publisher.core.errors import DailyLimitError, PublisherError, TransportError
from publisher.core.newsletter_models import DeliveryCounts, Edition, EditionKind
from publisher.core.newsletter_models import DeliveryStatus as Status
from publisher.publishing.deliver import DeliveryProgress, DeliveryResult, results_so_far
from publisher.publishing.operations import waits

if TYPE_CHECKING:
    from publisher.store import Store


_STOPPED = {
    Verdict.PERMANENT: "the mail server says the mailbox doesn't exist",
    Verdict.TEMPORARY: "the mailbox has refused email too often in a row",
}
_DOUBTED = {Verdict.PERMANENT: "don't exist", Verdict.TEMPORARY: "take no email"}


def show_result(app: App, result: DeliveryResult) -> None:
    """Print the result of delivering one edition."""
    edition = result.edition
    posts = [plural(len(edition.posts), "post")] if edition.kind is EditionKind.POSTS else []
    parts = [f"{plural(result.sent, 'message')} sent", *_not_sent(result.after, bool(edition.held))]
    if result.unmatched:
        parts.append(f"skipped {plural(result.unmatched, 'subscriber')}: no post matches their topics")
    app.say(f"{edition.name}: {edition.subject!r}\n  {'; '.join([*posts, ', '.join(parts)])}")
    _show_stopped_subscribers(app, result)
    if edition.held:
        app.say(f"  on hold: {edition.held}\n  {_what_to_do(edition)}")
    elif not result.all_sent:
        say_next_try(app, edition.id, result.next_try)
        app.say(f"  to see why: publisher deliveries list {edition.id}")


def _show_stopped_subscribers(app: App, result: DeliveryResult) -> None:
    for verdict, why in _STOPPED.items():
        if count := result.stopped.get(verdict, 0):
            app.say(f"  {plural(count, 'subscriber')} no longer sent to: {why}")
    for verdict, what in _DOUBTED.items():
        if count := result.doubted.get(verdict, 0):
            app.say(
                f"  the mail server says {plural(count, 'mailbox', 'mailboxes')} {what}. "
                "That is implausibly many, so these subscribers were kept"
            )


def show_held(app: App, edition: Edition, counts: DeliveryCounts) -> None:
    """Print that an edition is on hold, the reason, and how to resume it."""
    what = counts.unwritten or plural(counts.open, "message")
    app.say(f"{edition.name}: {what} on hold: {edition.held}\n  {_what_to_do(edition)}")


def show_stopped(
    app: App, store: Store, names: Sequence[str], progress: Sequence[DeliveryProgress], stop: BaseException
) -> None:
    """Print what a run did before it was stopped, what remains, and how to continue.

    If an error stopped the run before its first message, only print what remains.
    """
    results = results_so_far(store, progress)
    asked = isinstance(stop, KeyboardInterrupt | SystemExit)
    is_limit = isinstance(stop, DailyLimitError)
    if not (asked or is_limit or any(each.done for each in progress)):
        say_unsent(store, names)
        return
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
            app.say(f"{edition.name}: {counts.unwritten or plural(counts.open, 'message') + ' not started'}")
    if asked:
        click.echo("run `publisher publish` to send the rest", err=True)


def say_unsent(store: Store, names: Sequence[str]) -> None:
    """Print on stderr which editions of the newsletters `names` (all, if empty) wait for the next run after a failure.

    Prints nothing if the database doesn't answer, which may be the failure itself.
    """
    with suppress(PublisherError):
        editions = [
            e for e in store.editions.unfinished() if not (e.held or e.goes_at) and (not names or e.newsletter in names)
        ]
        found = {edition.id: store.deliveries.counts(edition.id) for edition in editions}
        counts = {number: each.open + each.missing for number, each in found.items()}
        waiting = [str(number) for number, count in counts.items() if count]
        if waiting:
            count = sum(counts.values())
            which = f"edition {waiting[0]} was" if len(waiting) == 1 else f"editions {', '.join(waiting)} were"
            messages = f"{plural(count, 'message')} {'waits' if count == 1 else 'wait'}"
            send = f"run `publisher publish` again to send {'it' if count == 1 else 'them'}"
            click.echo(f"{which} created; {messages}; {send}, and no one gets anything twice", err=True)


def say_next_try(app: App, edition_id: int, due: datetime | None) -> None:
    """Print when the first waiting message is due and how to retry it immediately, unless it is due now."""
    if due is None:
        return
    config = app.config()
    if due > app.now(config):
        when = due.astimezone(config.zone).strftime("%Y-%m-%d %H:%M")
        app.say(f"  next try at {when}; to retry now: publisher deliveries retry {edition_id}")


def show_troubles(troubles: Sequence[TransportError]) -> None:
    """Print a warning for each mail server that failed and whose work other servers have taken over."""
    for trouble in troubles:
        warn(str(trouble))


def trouble_json(trouble: TransportError) -> dict[str, str]:
    """Return the error of a mail server as JSON values."""
    return {"relay": trouble.where, "reason": trouble.message, "mend": trouble.hint}


def result_json(result: DeliveryResult) -> dict[str, Any]:
    """Return the result of delivering one edition as JSON values."""
    edition = result.edition
    return {
        "id": edition.id,
        "newsletter": edition.newsletter,
        "slot": edition.slot,
        "kind": edition.kind.value,
        "number": edition.number or None,
        "subject": edition.subject,
        "posts": [post.id for post in edition.posts],
        "sent": result.sent,
        "deliveries": {status.value: count for status, count in result.after.by_status.items()},
        "unmatched": result.unmatched,
        "held": edition.held,
        "held_by": edition.held_by,
        "gone": result.stopped.get(Verdict.PERMANENT, 0),
        "over_limit": result.stopped.get(Verdict.TEMPORARY, 0),
        "next_try_at": result.next_try.isoformat(timespec="seconds") if result.next_try else None,
    }


def _not_sent(after: DeliveryCounts, held: bool) -> list[str]:
    """Return a phrase such as "3 deferred" for each status of messages other than sent."""
    words = (
        (Status.QUEUED, "on hold" if held else "waiting"),
        (Status.SENDING, "being sent by another run"),
        (Status.DEFERRED, "deferred"),
        (Status.FAILED, "rejected"),
        (Status.UNCERTAIN, "uncertain"),
        (Status.SKIPPED, "unsubscribed in the meantime, or cancelled"),
    )
    return [f"{after[status]:,} {word}" for status, word in words if after[status]]


def _what_to_do(edition: Edition) -> str:
    return f"to see the messages: publisher deliveries list {edition.id}; {how_to_end_hold(edition)}"


def how_to_end_hold(edition: Edition) -> str:
    """Return the commands that release an edition on hold or, if it waits for the owner, skip it."""
    resume = f"publisher deliveries resume {edition.id}"
    if waits(edition):
        return f"to approve it: {resume}; to skip it: publisher deliveries skip {edition.id}"
    return f"to resume: {resume}"
