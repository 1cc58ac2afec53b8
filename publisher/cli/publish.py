"""The command `publisher publish`."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from publisher.cli.app import App, log_action, plural, require_known, warn, with_app
from publisher.cli.build import as_json as build_as_json
from publisher.cli.build import show_build
from publisher.cli.completion import newsletter_names
from publisher.cli.hosts import allowing_hint, require_confirmed, why_this_host_waits
from publisher.cli.planned_output import planned_json, say_not_sent, show_left_out, show_planned
from publisher.cli.results import (
    result_json,
    say_unsent,
    show_held,
    show_result,
    show_stopped,
    show_troubles,
    trouble_json,
)
from publisher.cli.schedule import due_steps, due_steps_json, show_due_steps
from publisher.cli.terminal import bar, delivery_bars, stopped_by_signals
from publisher.config import Config
from publisher.core.action_kinds import ActionKind
from publisher.core.errors import PublisherError, StoreError, TemplateError, TransportError
from publisher.core.frozen import dataclass
from publisher.core.newsletter_models import Edition, EditionDraft, Subscriber, slot_name
from publisher.posts.archive import Archive, open_archive
from publisher.publishing.deliver import DeliveryProgress, DeliveryResult, deliver_open
from publisher.publishing.due_editions import frequencies_due, pass_slots
from publisher.publishing.edition_plan import DueEdition, Plan, PlannedEdition, make_plan
from publisher.publishing.idle_reasons import rendering_problem
from publisher.publishing.operations import edition_label
from publisher.publishing.publish import (
    compose_plan,
    create_editions,
    hold_on_errors,
    send_test,
    shortened,
)
from publisher.publishing.recipients import require_segment, some_of, testers
from publisher.publishing.sent_files import remember_files, sent_again
from publisher.publishing.sequences import add_due_emails
from publisher.publishing.source_slots import begin_with_sources
from publisher.publishing.source_views import SourceHealth, SourceSummary, source_views
from publisher.publishing.wiring import Project, open_existing_store, open_project_store, run_build, transport_name
from publisher.site.build import BuildReport, BuildStart
from publisher.site.build.ids import KnownIds
from publisher.subscribers.address import normalise

if TYPE_CHECKING:
    from publisher.store import Store

NO_NEWSLETTER = "the project has no newsletter"


@click.command(
    short_help="Build the site and send each newsletter's new posts.",
    epilog="Examples: publisher publish --dry-run; publisher publish weekly --to me@example.org; "
    "publisher publish --yes",
)
@click.argument("newsletters", nargs=-1, metavar="[NEWSLETTER]...", shell_complete=newsletter_names)
@click.option("--dry-run", is_flag=True, help="Show what would be sent, and to how many people; change nothing.")
@click.option("--to", "address", metavar="ADDRESS", help="Send a test email to this address and do nothing else.")
@click.option(
    "--topic",
    "topics",
    multiple=True,
    metavar="TAG",
    help="With --to: the version for subscribers with this topic; can be repeated.",
)
@click.option(
    "--segment",
    metavar="SEGMENT",
    default="",
    help="Send only to these of its subscribers: the name of a segment, or a condition.",
)
@click.option(
    "--test-segment",
    metavar="SEGMENT",
    default="",
    help="Send a test email to everyone in a segment, at most 50 people, and do nothing else.",
)
@click.option("--extra", is_flag=True, help="Create another edition for a slot that already has one.")
@click.option("-y", "--yes", is_flag=True, help="Send real email without asking.")
@click.option("--accept-new-ids", is_flag=True, help="Continue even though readers will see, and be sent, posts again.")
@click.option("--no-fetch", is_flag=True, help="Don't fetch the sources that are due.")
@click.option("--keep-going", is_flag=True, help="Send emails with errors, and exit with 0 even if posts have errors.")
@with_app
def publish(
    app: App,
    newsletters: tuple[str, ...],
    dry_run: bool,
    address: str | None,
    topics: tuple[str, ...],
    segment: str,
    test_segment: str,
    extra: bool,
    yes: bool,
    accept_new_ids: bool,
    no_fetch: bool,
    keep_going: bool,
) -> int:
    """Build the site, and send each newsletter's unsent posts as its next edition.

    Name newsletters to publish only those. An edition fills the current slot of its newsletter's schedule. Run it as
    often as you like: a post is sent once, a subscriber gets an edition once, and an interrupted run is finished by the
    next. A post with an error waits until it is corrected, and an edition whose email has an error is put on hold; the
    exit code is then 1, unless --keep-going is given. Any host other than the first, such as a copy, must be confirmed
    first: `publisher hosts confirm`. Sources that are due are fetched first; one that can't be fetched is reported, and
    its items go with a later edition.

    With --segment, the other subscribers of the newsletter never get these posts, because each post is sent once, and
    emails without posts wait for the next run.
    """
    _require_meant(topics, segment, is_test=bool(address or test_segment))
    gc.set_threshold(1_000_000, 20, 20)  # with 10,000 posts, searching for cycles takes a twentieth of the run
    config = app.config()
    require_known(config, newsletters)
    now = app.now(config)
    if address or test_segment:
        return _send_tests(app, config, newsletters, address or "", test_segment, now, topics)
    if segment or dry_run:
        with open_existing_store(config) as store:
            segment = require_segment(config, store, segment, "--segment")
            if dry_run:
                options = PublishOptions(accept_new_ids, keep_going, DueEdition(beside=extra, segment=segment))
                return _show_plan(app, config, store, newsletters, now, options)
    _require_confirmed_host(config, now)
    if config.sources and not no_fetch:
        from publisher.cli.sources import fetch_due_sources  # not at the top: it loads the HTTP client

        fetch_due_sources(app, config, now)
    options = PublishOptions(accept_new_ids, keep_going, DueEdition(beside=extra, segment=segment))
    with stopped_by_signals(), _hub_notified_last(app, config), _begun(config, options) as start:
        return _publish(app, config, newsletters, now, yes, options, start)


def _require_meant(topics: tuple[str, ...], segment: str, *, is_test: bool) -> None:
    if topics and not is_test:
        raise click.UsageError("--topic selects what --to sends; add --to ADDRESS")
    if segment and is_test:
        raise click.UsageError("--segment is for the real edition; a test goes to --to ADDRESS or to --test-segment")


@dataclass(frozen=True, slots=True)
class PublishOptions:
    """The options of `publisher publish`. usual: the edition to plan for a newsletter; see `make_plan`."""

    accept_new_ids: bool
    keep_going: bool
    usual: DueEdition


def _require_confirmed_host(config: Config, now: datetime) -> None:
    """Raise PublisherError if this host may not send, before anything is built or a hub is notified.

    A project without a database is on its first host, which may send.
    """
    if config.newsletters:
        with open_existing_store(config) as store:
            if store:
                require_confirmed(config, store, now)


def _publish(
    app: App,
    config: Config,
    names: Sequence[str],
    now: datetime,
    yes: bool,
    options: PublishOptions,
    start: BuildStart | None,
) -> int:
    if start and _are_sent_again(app, config, start, names, now):
        return 1
    with bar(app, "Building") as progress:
        report = run_build(config, now, progress=progress, accept_new_ids=options.accept_new_ids, start=start)
    if not config.newsletters:
        return _finish(app, report, None, [], options.keep_going)
    with open_project_store(config) as store:
        require_confirmed(config, store, now)
        project = Project(config, store, _clock(app, now))
        begin_with_sources(config, store, now)
        welcome = add_due_emails(project, now, names)
        due = frequencies_due(config, store, names, now)
        # With sources they are read again: an item that has just been stored must not seem to be left out.
        known = start.archive if start and not (report.changed or config.sources) else None
        plan, drafts = _planned(config, store, names, now, known, due.editions, options)
        plan = replace(plan, broken=(*plan.broken, *welcome.problems))
        for line in shortened(drafts):
            app.say(line)
        _confirm_sending(config, plan, drafts, yes)
        try:
            created = create_editions(project, plan, drafts, now)
            for _, edition in created:
                log_action(app, project.store, ActionKind.PUBLISH, edition_label(edition))
            remember_files(config, store, plan.archive)
            pass_slots(project, plan, due, now)
            if created:
                # The web versions are online before the first email links to them.
                report = _joined(report, run_build(config, now))
        except (KeyboardInterrupt, SystemExit, PublisherError, OSError):
            say_unsent(store, names)
            raise
        results = _deliver(app, project, names, created, report)
    return _finish(app, report, plan, results, options.keep_going)


def _planned(
    config: Config,
    store: Store | None,
    names: Sequence[str],
    now: datetime,
    archive: Archive | None,
    due: Mapping[str, DueEdition],
    options: PublishOptions,
) -> tuple[Plan, list[EditionDraft]]:
    """Return the plan and its rendered editions, on hold if they have errors and --keep-going is not given."""
    plan, drafts = compose_plan(config, store, names, now, archive, due=due, usual=options.usual)
    return hold_on_errors(config, plan, drafts) if drafts and not options.keep_going else (plan, drafts)


def _begun(config: Config, options: PublishOptions) -> AbstractContextManager[BuildStart | None]:
    """Return the start of a build whose posts are needed before and after it, or None if they are not needed before."""
    return closing(BuildStart(config)) if config.newsletters and not options.accept_new_ids else nullcontext()


def _are_sent_again(app: App, config: Config, start: BuildStart, names: Sequence[str], now: datetime) -> bool:
    """Return whether posts would be sent again because their ids changed, which is reported before anything is built.

    Raises ProjectError if settings changed the ids of all posts.
    """
    with open_existing_store(config) as store:
        archive = start.read(now)
        KnownIds(config, accept_new=False).require_same(archive)
        return _report_sent_again(app, config, store, archive, names)


def _report_sent_again(app: App, config: Config, store: Store | None, archive: Archive, names: Sequence[str]) -> bool:
    found = sent_again(config, store, archive, names)
    app.report(each.problem(config) for each in found)
    return bool(found)


def _deliver(
    app: App,
    project: Project,
    names: Sequence[str],
    created: Sequence[tuple[PlannedEdition, Edition]],
    report: BuildReport,
) -> list[DeliveryResult]:
    """Deliver all open editions. If an exception stops that, show the build and the results so far, and re-raise it."""
    begun: dict[int, DeliveryProgress] = {}
    try:
        with delivery_bars(app) as draw:

            def watch(progress: DeliveryProgress) -> None:
                """Remember an edition that has begun, and draw its progress."""
                begun[progress.edition.id] = progress
                draw(progress)

            return deliver_open(project, names, watch, created)
    except StoreError:
        raise  # its hint says how to continue
    except (KeyboardInterrupt, SystemExit, PublisherError, OSError) as stop:
        show_build(app, report)
        show_stopped(app, project.store, names, list(begun.values()), stop)
        raise


def _finish(
    app: App, report: BuildReport, plan: Plan | None, results: Sequence[DeliveryResult], keep_going: bool
) -> int:
    show_build(app, report)
    app.report(problem for problem in (plan.left_out if plan else ()) if problem not in report.problems)
    app.report(plan.broken if plan else ())
    troubles = results[-1].troubles if results else ()
    if app.json:
        relays = [trouble_json(trouble) for trouble in troubles]
        editions = [result_json(result) for result in results]
        app.print_json({"build": build_as_json(report), "editions": editions, "relays": relays})
    if plan:
        say_not_sent(app, plan)
    for result in results:
        show_result(app, result)
    show_left_out(app, plan.editions if plan else ())
    for edition, counts in plan.unfinished if plan else ():
        if edition.held:
            show_held(app, edition, counts)
    show_troubles(troubles)
    failed = bool(plan and plan.broken) or not all(result.all_sent for result in results)
    has_errors = bool(report.errors or (plan and plan.left_out)) or _is_held(plan)
    return 1 if failed or (has_errors and not keep_going) else 0


def _is_held(plan: Plan | None) -> bool:
    """Return whether an edition of this run is on hold because its email has an error."""
    return any(planned.hold for planned in plan.editions) if plan else False


def _confirm_sending(config: Config, plan: Plan, drafts: Sequence[EditionDraft], yes: bool) -> None:
    """Ask the user to confirm before real email is sent. The outbox needs no confirmation."""
    open_now = sum(counts.open + counts.missing for edition, counts in plan.unfinished if not edition.held)
    count = sum(planned.recipients for planned in plan.editions if not planned.hold) + open_now
    if yes or not count or config.mail.transport == "outbox":
        return
    if not sys.stdin.isatty():
        raise PublisherError(
            f"{plural(count, 'message')} would be sent through {transport_name(config)}",
            hint="use --yes to skip this prompt, or --dry-run to see what would be sent",
        )
    for planned, draft in zip(plan.editions, drafts, strict=True):
        if planned.hold:
            continue
        what = repr(draft.subject) if planned.text else plural(len(planned.posts), "post")
        click.echo(
            f"{planned.newsletter.name} {slot_name(planned.slot)}: {what} to {plural(planned.recipients, 'subscriber')}"
            f"{f' in {planned.segment}' if planned.segment else ''}",
            err=True,
        )
    click.confirm(f"Send {plural(count, 'message')} through {transport_name(config)}?", abort=True, err=True)


def _joined(first: BuildReport, second: BuildReport) -> BuildReport:
    return replace(second, written=first.written + second.written, removed=first.removed + second.removed)


def _clock(app: App, now: datetime) -> Any:
    """Return the clock for the leases and dates of deliveries. With --now, it always returns that time."""
    return (lambda: now) if app.now_text else (lambda: datetime.now(UTC))


@contextmanager
def _hub_notified_last(app: App, config: Config) -> Iterator[None]:
    """Notify the WebSub hub at the end, because it can be slow, even if the body of the `with` statement failed."""

    def notify() -> None:
        """Notify the hub, if the project has one, and report its problems."""
        if config.feeds.hub:
            from publisher.site.websub import notify_hub  # not at the top: few projects have a hub

            app.report(notify_hub(config))

    try:
        yield
    except (PublisherError, click.Abort):
        notify()
        raise
    notify()


def _show_plan(
    app: App,
    config: Config,
    store: Store | None,
    names: Sequence[str],
    now: datetime,
    options: PublishOptions,
) -> int:
    """Show what would be sent, and to how many people; write nothing."""
    due = frequencies_due(config, store, names, now, writes=False).editions if store else {}
    archive = open_archive(config, now, keep=False, whole=True)
    plan, drafts = _planned(config, store, names, now, archive, due, options)
    KnownIds(config, accept_new=options.accept_new_ids).require_same(plan.archive)
    if not options.accept_new_ids and _report_sent_again(app, config, store, plan.archive, names):
        return 1
    code = _report_errors(app, plan, keep_going=options.keep_going)
    if waits := why_this_host_waits(config):
        warn(f"{waits}: nothing would be created or sent ({allowing_hint(waits)})")
    planned_drafts, steps = list(zip(plan.editions, drafts, strict=True)), due_steps(config, store, names, now)
    if app.json:
        found = [planned_json(each, draft, _some(config, store, each, now)) for each, draft in planned_drafts]
        app.print_json([*found, *due_steps_json(steps)])
        return code
    posts = len(plan.archive.posts) - len(plan.left_out)
    app.say(f"Dry run: nothing is written. {plural(posts, 'post')} would be built.")
    for planned, draft in planned_drafts:
        show_planned(app, config, planned, draft, _some(config, store, planned, now))
    for line in shortened(drafts):
        app.say(line)
    say_not_sent(app, plan)
    show_due_steps(app, steps)
    _show_unfinished(app, plan, source_views(config, store))
    return code


def _some(config: Config, store: Store | None, planned: PlannedEdition, now: datetime) -> Sequence[Subscriber]:
    """Return the first people who would get an edition that goes to a segment."""
    return some_of(config, store, planned.newsletter, planned.segment, now) if store and planned.segment else ()


def _show_unfinished(app: App, plan: Plan, sources: Sequence[SourceSummary]) -> None:
    for view in sources:
        if view.health is SourceHealth.NEW:
            app.say(f"source {view.name}: not fetched yet (run `publisher sources fetch`)")
    for edition, counts in plan.unfinished:
        why = f"on hold: {edition.held}" if edition.held else "left over from an earlier run"
        what = counts.unwritten or plural(counts.open, "message")
        app.say(f"{edition.newsletter} {slot_name(edition.slot)}: {what} {why}")


def _report_errors(app: App, plan: Plan, *, keep_going: bool) -> int:
    """Report the errors of posts and newsletters, and return the exit code."""
    errors = [p for p in dict.fromkeys((*plan.archive.problems, *plan.left_out)) if p.severity == "error"]
    app.report(errors)
    app.report(plan.broken)
    return 1 if plan.broken or ((errors or _is_held(plan)) and not keep_going) else 0


def _send_tests(
    app: App, config: Config, names: Sequence[str], address: str, segment: str, now: datetime, topics: Sequence[str]
) -> int:
    """Send a test email of each newsletter's next edition to an address, or to the people in a segment."""
    if not config.newsletters:
        raise PublisherError(NO_NEWSLETTER, hint="add a [[newsletters]] table to publisher.toml")
    with open_existing_store(config) as store:
        to = [normalise(address)] if address else testers(config, store, segment, now)
        plan = make_plan(config, store, names, now, open_archive(config, now, keep=False, whole=True))
    broken = []
    for name in names or [newsletter.name for newsletter in config.newsletters]:
        try:
            for each in to:
                subject = send_test(config, plan, each, name, now, topics)
                app.say(f"{name}: test email {subject!r} sent to {each} ({transport_name(config)})")
        except PublisherError as error:
            if isinstance(error, TransportError) or not (error.where or isinstance(error, TemplateError)):
                raise  # the fault is not in this edition
            broken.append(rendering_problem(config, name, error))
    app.report(broken)
    return 1 if broken else 0
