"""publisher publish"""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from publisher.cli.app import App, plural, require_known, with_app
from publisher.cli.build import as_json as build_as_json
from publisher.cli.build import show_build
from publisher.cli.terminal import bar, delivery_bars
from publisher.core.errors import PublisherError, TemplateError, TransportError

if TYPE_CHECKING:
    from publisher.config import Config
    from publisher.core.newsletter_models import EditionDraft
    from publisher.publishing.deliver import Delivered, Made, Tally
    from publisher.publishing.plan import Plan
    from publisher.publishing.render import Planned
    from publisher.site.build import BuildReport
    from publisher.store import Store


def show_plan(
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
        _show_planned(app, config, planned, draft)
    for line in steps.shortened(drafts):
        app.say(line)
    for idle in plan.idle:
        app.say(f"{idle.newsletter.name}: {idle.advice}")
    for edition, counts in plan.unfinished:
        why = f"held: {edition.held}" if edition.held else "left of an earlier run"
        app.say(f"{edition.newsletter} {edition.slot}: {plural(counts.open, 'message')} {why}")
    return 1 if plan.broken else 0


def _show_planned(app: App, config: Config, planned: Planned, draft: EditionDraft) -> None:
    from publisher.publishing.wiring import transport_name

    app.say(
        f"{planned.newsletter.name} {planned.slot}, no. {planned.number}: {draft.subject!r} "
        f"to {plural(planned.recipients, 'subscriber')} by {transport_name(config)}"
    )
    for post in planned.posts:
        app.say(f"  {post.published:%Y-%m-%d}  {post.title}")
    if len(planned.variants) > 1:
        from publisher.cli.terminal import print_table

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


def send_tests(
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


@contextmanager
def stopped_by_signals() -> Iterator[None]:
    """Let SIGTERM and SIGHUP raise SystemExit(128 + number) inside the block: what is under way is put in order first.

    A signal that whoever started us ignores, as nohup does SIGHUP, is ignored.
    """
    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread may be told
        return
    found = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGHUP)}
    before = {number: handler for number, handler in found.items() if handler is not signal.SIG_IGN}
    for number in before:
        signal.signal(number, _stop)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _stop(number: int, frame: Any) -> None:
    raise SystemExit(128 + number)


@click.command(
    short_help="Build, make the next editions and deliver them.",
    epilog="Examples: publisher publish --dry-run; publisher publish weekly --to me@example.org; "
    "publisher publish --yes",
)
@click.argument("newsletters", nargs=-1, metavar="[NEWSLETTER]...")
@click.option("--dry-run", is_flag=True, help="Say what would be made and to how many; write nothing.")
@click.option("--to", "address", metavar="ADDRESS", help="Send a marked test copy here; nothing else happens.")
@click.option(
    "--topic",
    "topics",
    multiple=True,
    metavar="TAG",
    help="With --to: the letter of those who chose this topic; again for more.",
)
@click.option("--extra", is_flag=True, help="Make an edition beside the one that the slot has already.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask before real mail is sent.")
@click.option("--accept-new-ids", is_flag=True, help="Go on although readers will see, and get, posts again.")
@with_app
def publish(
    app: App,
    newsletters: tuple[str, ...],
    dry_run: bool,
    address: str | None,
    topics: tuple[str, ...],
    extra: bool,
    yes: bool,
    accept_new_ids: bool,
) -> int:
    """Build, make each newsletter's next edition from what it has not sent yet, and deliver it.

    Names of newsletters limit it to these. An edition takes the slot that its newsletter's schedule has now. Run
    it as often as you like: a post goes out once, a subscriber gets an edition once, and a run that was stopped
    half-way is finished by the next. Another machine than the first, such as a copy, must be confirmed before:
    `publisher hosts confirm`.
    """
    from publisher.publishing.wiring import has_store, open_project_store

    if topics and not address:
        raise click.UsageError("--topic shows what --to sends; give --to ADDRESS too")
    config = app.config()
    require_known(config, newsletters)
    now = app.now(config)
    if address:
        return send_tests(app, config, newsletters, address, now, topics)
    if dry_run:
        with open_project_store(config) if has_store(config) else nullcontext() as store:
            return show_plan(app, config, store, newsletters, now, accept_new_ids, extra=extra)
    _require_home(config, now)
    with stopped_by_signals(), _hub_told_last(app, config):
        return _publish(app, config, newsletters, now, yes, accept_new_ids, extra)


def _require_home(config: Config, now: datetime) -> None:
    """Refuse before anything is built, or told to a hub; a project without a record is on its first host."""
    from publisher.cli.hosts import require_confirmed
    from publisher.publishing.wiring import has_store, open_project_store

    if config.newsletters and has_store(config):
        with open_project_store(config) as store:
            require_confirmed(config, store, now)


def _publish(
    app: App, config: Config, names: Sequence[str], now: datetime, yes: bool, accept_new_ids: bool, extra: bool
) -> int:
    from publisher.cli.hosts import require_confirmed
    from publisher.publishing import publish as steps
    from publisher.publishing.plan import calls_by_hand
    from publisher.publishing.wiring import open_project_store, run_build

    with bar(app, "Building") as progress:
        report = run_build(config, now, progress=progress, accept_new_ids=accept_new_ids)
    if not config.newsletters:
        return _finish(app, report, None, [])
    with open_project_store(config) as store:
        require_confirmed(config, store, now)
        plan, drafts = steps.compose_plan(config, store, names, now, calls=calls_by_hand(config, extra=extra))
        for line in steps.shortened(drafts):
            app.say(line)
        _may_send(app, config, plan, yes)
        made = steps.make_editions(config, store, plan, drafts, now)
        if made:
            # The web copies are up before the first letter points to them.
            report = _joined(report, run_build(config, now))
        results = _deliver(app, config, store, names, now, made)
    return _finish(app, report, plan, results)


def _deliver(
    app: App, config: Config, store: Store, names: Sequence[str], now: datetime, made: Sequence[Made]
) -> list[Delivered]:
    """Deliver what is open; whatever stops it, say first what was done and what remains."""
    from publisher.cli.results import show_stopped
    from publisher.publishing.deliver import deliver_open

    begun: dict[int, Tally] = {}
    try:
        with delivery_bars(app) as draw:

            def watch(tally: Tally) -> None:
                begun[tally.edition.id] = tally
                draw(tally)

            return deliver_open(config, store, names, _clock(app, now), watch, made)
    except (KeyboardInterrupt, SystemExit, TransportError) as stop:
        show_stopped(app, store, names, list(begun.values()), stop)
        raise


@contextmanager
def _hub_told_last(app: App, config: Config) -> Iterator[None]:
    """Tell the hub when the letters are out, since it may be slow; what failed on the way keeps no news back."""

    def tell() -> None:
        if config.feeds.hub:
            from publisher.site.websub import notify_hub

            app.tell(notify_hub(config))

    try:
        yield
    except (PublisherError, click.Abort):
        tell()
        raise
    tell()


def _joined(first: BuildReport, second: BuildReport) -> BuildReport:
    from dataclasses import replace

    return replace(
        second,
        written=first.written + second.written,
        removed=first.removed + second.removed,
    )


def _clock(app: App, now: datetime) -> Any:
    """The present for leases and dates of deliveries; with --now it stands still."""
    return (lambda: now) if app.now_text else (lambda: datetime.now(UTC))


def _may_send(app: App, config: Config, plan: Plan, yes: bool) -> None:
    """Ask before real mail leaves; the outbox needs no question."""
    from publisher.publishing.wiring import transport_name

    open_now = sum(counts.open for edition, counts in plan.unfinished if not edition.held)
    count = sum(planned.recipients for planned in plan.editions) + open_now
    if yes or not count or config.mail.transport == "outbox":
        return
    if not sys.stdin.isatty():
        raise PublisherError(
            f"{plural(count, 'message')} would be sent by {transport_name(config)}",
            hint="say --yes to send them without a question, or --dry-run to see them",
        )
    for planned in plan.editions:
        click.echo(
            f"{planned.newsletter.name} {planned.slot}: {plural(len(planned.posts), 'post')} "
            f"to {plural(planned.recipients, 'subscriber')}",
            err=True,
        )
    click.confirm(f"Send {plural(count, 'message')} by {transport_name(config)}?", abort=True, err=True)


def _finish(app: App, report: BuildReport, plan: Plan | None, results: Sequence[Delivered]) -> int:
    from publisher.cli.results import result_json, show_held, show_result, show_troubles, trouble_json

    show_build(app, report)
    app.tell(problem for problem in (plan.left_out if plan else ()) if problem not in report.problems)
    app.tell(plan.broken if plan else ())
    troubles = results[-1].troubles if results else ()
    if app.json:
        relays = [trouble_json(trouble) for trouble in troubles]
        editions = [result_json(result) for result in results]
        app.print_json({"build": build_as_json(report), "editions": editions, "relays": relays})
    for idle in plan.idle if plan else ():
        app.say(f"{idle.newsletter.name}: {idle.advice}")
    for result in results:
        show_result(app, result)
    for edition, counts in plan.unfinished if plan else ():
        if edition.held:
            show_held(app, edition, counts)
    show_troubles(troubles)
    trouble = bool(plan and plan.broken) or not all(result.all_sent for result in results)
    return 1 if trouble else 0
