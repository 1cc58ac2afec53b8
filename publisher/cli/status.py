"""The command `publisher status`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from publisher.cli.app import App, plural, with_app
from publisher.cli.hosts import host_rows, last_seen
from publisher.cli.schedule import emails_json, steps_json
from publisher.config import Config, NewsletterConfig, parse_schedule
from publisher.core.errors import SegmentError
from publisher.core.file_names import out_of_folder
from publisher.core.hold_reasons import HeldBy
from publisher.core.models import Problem, RenderedPost, Severity
from publisher.core.newsletter_models import DeliveryCounts, Edition, EditionKind, SubscriberStatus, how_far, slot_name
from publisher.daemon.lock import running
from publisher.mail.daily_limit import limit_reached_until
from publisher.newsletters.slots import upcoming
from publisher.posts.archive import open_archive
from publisher.posts.last_versions import LastVersions
from publisher.publishing.edition_plan import Plan, make_plan
from publisher.publishing.email_views import coming_emails
from publisher.publishing.forecast import describe_schedule
from publisher.publishing.recipients import segment_of
from publisher.publishing.sent_files import held_posts
from publisher.publishing.sequences import step_views
from publisher.publishing.source_views import SourceHealth, source_views
from publisher.publishing.uncertain import how_to_see, undelivered
from publisher.publishing.wiring import (
    build_failure,
    open_existing_store,
    shown_with_errors,
    site_problems,
    transport_name,
    way_to_send,
    why_unconfirmed,
)
from publisher.site.feeds.feed_list import feeds_of
from publisher.site.feeds.items import PostSource
from publisher.site.web_versions import WebVersion
from publisher.subscribers.manage import orphaned

if TYPE_CHECKING:
    from publisher.store import Store


@click.command(
    short_help="Show what there is, what was sent and what's next.",
    epilog="Example: publisher status --json | jq .newsletters",
)
@with_app
def status(app: App) -> None:
    """Show what there is, what was sent and what's next: posts, feeds, sources, newsletters,
    subscribers, outbox."""
    config = app.config()
    now = app.now(config)
    with open_existing_store(config) as store:
        archive = open_archive(config, now, keep=False, whole=True)
        plan = make_plan(config, store, (), now, archive, held=held_posts(config, store, archive))
        facts = _facts(config, store, plan, now)
    if app.json:
        app.print_json(facts)
    else:
        _show(app, config, facts)


def _facts(config: Config, store: Store | None, plan: Plan, now: datetime) -> dict[str, Any]:
    lost = orphaned(store, [each.name for each in config.newsletters]) if store else []
    newest = plan.archive.posts[0] if plan.archive.posts else None
    # Bodies are not read here: the last build has stored what is wrong with them.
    found = dict.fromkeys([*plan.archive.problems, *plan.left_out, *site_problems(config)[1]])
    errors = [problem for problem in found if problem.severity is Severity.ERROR]
    with_errors, flawed_files = shown_with_errors(config)
    return {
        "site": {"title": config.site.title, "url": config.site.url, "not_built": _not_built(config)},
        "posts": {
            "published": len(plan.archive.posts),
            "future": len(plan.archive.waiting),
            "left_out": max(0, len({p.path for p in errors if not p.shows_last_version}) - flawed_files),
            "with_errors": with_errors,
            "last_versions": _last_versions(config, errors),
            "newest": {"title": newest.title, "published": newest.published.isoformat()} if newest else None,
        },
        "feeds": _feeds(config, store, plan, now) * len(config.feeds.formats),
        "sources": [view.as_json(config.zone) for view in source_views(config, store)],
        "newsletters": [_newsletter(config, store, plan, newsletter, now) for newsletter in config.newsletters],
        "subscribers": {
            s.value: count for s in SubscriberStatus if store and (count := store.subscribers.count(status=s))
        },
        "running": running(config.state_dir),
        "orphaned": [
            {"newsletter": each.newsletter, "readers": each.readers, "message": each.message, "mend": each.hint}
            for each in lost
        ],
        "hosts": host_rows(config, store, now) if store else [],
        "waits": why_unconfirmed(config, store) if store else "",
        "transport": transport_name(config),
        "outbox": _outbox(config),
        "limit_reached_until": _limit_reached(config, store, now),
        "undelivered": [asdict(each) for each in undelivered(store, now)] if store else [],
        "unfinished": [_unfinished(config, edition, counts, now) for edition, counts in plan.unfinished],
    }


def _last_versions(config: Config, errors: Sequence[Problem]) -> list[dict[str, Any]]:
    """Return the posts that the site shows in their last readable version: the reason and, if known, since when."""
    since = LastVersions(config).unreadable_since()
    found = [(problem, since.get(out_of_folder(config.posts.folder, problem.path))) for problem in errors]
    return [
        {
            "where": problem.where,
            "message": problem.message,
            "mend": problem.hint,
            "since": moment.astimezone(config.zone).isoformat(timespec="seconds") if moment else None,
        }
        for problem, moment in found
        if problem.shows_last_version
    ]


def _not_built(config: Config) -> dict[str, Any] | None:
    """Return why the last build of the site failed, and since when builds fail; None if it succeeded."""
    found = build_failure(config)
    if found is None:
        return None
    problem, since = found
    when = since.astimezone(config.zone).isoformat(timespec="seconds")
    return {"where": problem.where, "message": problem.message, "mend": problem.hint, "since": when}


def _unfinished(config: Config, edition: Edition, counts: DeliveryCounts, now: datetime) -> dict[str, Any]:
    newsletter = config.newsletter(edition.newsletter)
    zone = config.newsletter_zone(newsletter) if newsletter else config.zone
    goes_at = edition.goes_at
    return {
        "id": edition.id,
        "newsletter": edition.newsletter,
        "slot": edition.slot,
        "open": counts.open,
        "complete": not counts.missing,
        "written": counts.total,
        "missing_about": counts.missing,
        "held": edition.held,
        "held_by": edition.held_by,
        "goes_at": goes_at.astimezone(zone).isoformat(timespec="seconds") if goes_at else None,
        "is_ahead": goes_at is not None and goes_at > now,
    }


def _feeds(config: Config, store: Store | None, plan: Plan, now: datetime) -> int:
    """Return the number of feeds, counting all formats of a feed as one."""

    def never(post: object) -> RenderedPost:
        """Raise AssertionError: no post has to be rendered to count feeds."""
        raise AssertionError("counting renders nothing")

    editions = store.editions.public(now) if store else ()
    copies = [WebVersion(edition, "") for edition in editions]
    return len(list(feeds_of(config, plan.archive, PostSource(config, plan.archive, never), copies)))


def _newsletter(
    config: Config, store: Store | None, plan: Plan, newsletter: NewsletterConfig, now: datetime
) -> dict[str, Any]:
    zone, schedule = config.newsletter_zone(newsletter), parse_schedule(newsletter.schedule)
    made = store.editions.slots(newsletter.name) if store else frozenset()
    due = next((slot for slot in upcoming(schedule, now, zone) if slot.label not in made), None)
    last = next(iter(store.editions.list(newsletter.name, 1, kind=EditionKind.POSTS)), None) if store else None
    planned = [p for p in plan.editions if p.newsletter.name == newsletter.name]
    reached = {choice for p in planned for variant in p.variants if variant.posts for choice in variant.choices}
    try:
        segment = segment_of(config, store, newsletter)
        idle = next((i.advice for i in plan.idle if i.newsletter.name == newsletter.name), "")
    except SegmentError as error:
        segment, idle = newsletter.segment, error.message
    return {
        "name": newsletter.name,
        "title": config.newsletter_title(newsletter),
        "schedule": newsletter.schedule,
        "subscribers": store.subscribers.count(newsletter.name, SubscriberStatus.ACTIVE) if store else 0,
        "next": {"slot": due.label, "at": due.at.astimezone(zone).isoformat()} if due else None,
        "when": "" if due else describe_schedule(schedule, newsletter.settle_minutes),
        "would_hold": sum(len(p.posts) for p in planned),
        "would_reach": sum(choice.subscribers for choice in reached),
        "segment": segment,
        "outside": max((p.outside for p in planned), default=0),
        "idle": idle,
        "last": {
            "id": last.id,
            "slot": last.slot,
            "subject": last.subject,
            "made_at": last.made_at.isoformat(timespec="seconds"),
        }
        if last
        else None,
        **emails_json(config, coming_emails(config, store, newsletter, now)),
        **steps_json(step_views(config, store, newsletter, now)),
    }


def _limit_reached(config: Config, store: Store | None, now: datetime) -> str | None:
    until = limit_reached_until(config.mail, config.state_dir, store, now) if store else None
    return until.isoformat(timespec="seconds") if until else None


def _outbox(config: Config) -> int | None:
    """Return the number of messages in the outbox, or None if email goes to a server."""
    if config.mail.transport != "outbox":
        return None
    folder = config.root / config.outbox
    return sum(1 for part in ("new", "cur") for _ in (folder / part).glob("*.eml*"))


def _show(app: App, config: Config, facts: dict[str, Any]) -> None:
    _show_site(app, facts)
    _show_sources(app, facts["sources"])
    app.say(f"feeds        {facts['feeds']}")
    people = ", ".join(f"{count:,} {name}" for name, count in facts["subscribers"].items()) or "none yet"
    app.say(f"subscribers  {people}")
    for lost in facts["orphaned"]:
        app.say(f"             {lost['message']}")
        app.say(f"             ({lost['mend']})")
    where = facts["transport"]
    app.say(
        f"mail         {where}"
        + (f" contains {plural(facts['outbox'], 'message')}" if facts["outbox"] is not None else "")
    )
    runs = facts["running"]
    scheduler = f"running (pid {runs})" if runs else "not running (start it with `publisher run`)"
    app.say(f"scheduler    {scheduler}")
    _show_hosts(app, facts["hosts"])
    if facts["waits"]:
        app.say(f"waits        nothing is sent from this host: {facts['waits']}")
        app.say(f"             ({way_to_send(facts['waits'])})")
    for edition in facts["unfinished"]:
        _show_unfinished(app, edition, facts["limit_reached_until"], waits=bool(facts["waits"]), is_running=bool(runs))
    for edition in facts["undelivered"]:
        _show_undelivered(app, edition)
    for newsletter in facts["newsletters"]:
        _show_newsletter(app, newsletter)


def _show_site(app: App, facts: dict[str, Any]) -> None:
    posts, failure = facts["posts"], facts["site"]["not_built"]
    app.say(f"{facts['site']['title']}  {facts['site']['url']}")
    if failure:
        app.say(f"not built    since {failure['since'][:16].replace('T', ' ')}; the site stays as it was")
        place = f"{failure['where']}: " if failure["where"] else ""
        app.say(f"             {place}{failure['message']}")
    line = plural(posts["published"], "post")
    if posts["future"]:
        line += f", {posts['future']} scheduled for later"
    if posts["left_out"]:
        line += f", {plural(posts['left_out'], 'file')} skipped (run `publisher check`)"
    if posts["with_errors"]:
        line += f", {posts['with_errors']} with an error in the text"
    app.say(f"posts        {line}")
    for kept in posts["last_versions"]:
        since = f" since {kept['since'][:16].replace('T', ' ')}" if kept["since"] else ""
        app.say(f"             {kept['where']} shows its last readable version{since}: {kept['message']}")
    if posts["newest"]:
        app.say(f"             newest: {posts['newest']['title']} ({posts['newest']['published'][:10]})")


def _show_sources(app: App, sources: Sequence[dict[str, Any]]) -> None:
    """Show how many sources there are, and a line for each that has a problem; nothing if there are none."""
    if not sources:
        return
    counts = Counter(each["state"] for each in sources)
    states = ", ".join(f"{count} {state}" for state, count in counts.items())
    app.say(f"sources      {states}" + (" (run `publisher sources fetch`)" if counts[SourceHealth.NEW] else ""))
    for each in sources:
        if each["why"]:
            since = f" since {each['since'][:16].replace('T', ' ')}" if each["since"] else ""
            app.say(f"             {each['name']} {each['trouble']}{since}: {each['why']}")


def _show_hosts(app: App, hosts: Sequence[dict[str, Any]]) -> None:
    """Show a line for each host that may send; nothing if there is only one."""
    shown = [host for host in hosts if host["confirmed_at"]]
    for host in shown if len(shown) > 1 else ():
        does = f"is sending, with {plural(host['in_hand'], 'message')} in hand" if host["workers"] else "is not sending"
        app.say(f"host         {host['name']} {does}; last seen: {last_seen(host)}")


def _show_unfinished(app: App, edition: dict[str, Any], limited: str | None, *, waits: bool, is_running: bool) -> None:
    far = how_far(edition["written"], edition["missing_about"])
    name = f"{edition['newsletter']} {slot_name(edition['slot'])}: {far or plural(edition['open'], 'message')}"
    if edition["held"]:
        resume, skip = (f"`publisher deliveries {verb} {edition['id']}`" for verb in ("resume", "skip"))
        is_asked = edition["held_by"] in (HeldBy.APPROVAL, HeldBy.SCHEDULER)
        hint = f"approve or skip it at /admin, or run {resume} or {skip}" if is_asked else f"run {resume}"
        app.say(f"on hold      {name} ({hint})")
        app.say(f"             {edition['held']}")
    elif edition["is_ahead"]:
        app.say(f"approved     {name}, due {edition['goes_at'][:16].replace('T', ' at ')}")
    elif waits:
        app.say(f"unfinished   {name}{'' if far else ' still to send'}")
    elif far:
        app.say(f"unfinished   {name}; {'`publisher run`' if is_running else '`publisher publish`'} completes it")
    elif limited:
        app.say(f"unfinished   {name} still to send; every mail server has reached its daily limit of recipients")
        by = "`publisher run` resumes" if is_running else "`publisher publish` resumes"
        app.say(f"             {by} at {limited[:16].replace('T', ' ')} UTC{'' if is_running else ' or later'}")
    else:
        by = "`publisher run` sends them" if is_running else "`publisher publish` resumes"
        app.say(f"unfinished   {name} still to send; {by}")


def _show_undelivered(app: App, edition: dict[str, Any]) -> None:
    name = f"{edition['newsletter']} {slot_name(edition['slot'])}"
    if count := edition["uncertain"]:
        waits = f"{plural(count, 'message')} {'waits' if count == 1 else 'wait'} for your decision"
        app.say(f"uncertain    {name}: {waits}")
        app.say(f"             ({how_to_see(edition['id'], 'uncertain')})")
    if edition["failed"]:
        app.say(f"failed       {name}: {plural(edition['failed'], 'message')}")
        app.say(f"             ({how_to_see(edition['id'], 'failed')})")


def _show_newsletter(app: App, facts: dict[str, Any]) -> None:
    app.say(f"\n{facts['name']}: {facts['title']}, {facts['schedule']}, {plural(facts['subscribers'], 'subscriber')}")
    due, last = facts["next"], facts["last"]
    next_line = f"{due['slot']} on {due['at'][:16].replace('T', ' at ')}" if due else facts["when"]
    contents = plural(facts["would_hold"], "post") if facts["would_hold"] else facts["idle"]
    if facts["would_hold"] and facts["would_reach"] < facts["subscribers"]:
        contents += f" to {plural(facts['would_reach'], 'subscriber')}"
        if facts["outside"]:
            others = f"{facts['outside']:,} others are" if facts["outside"] > 1 else "1 other is"
            contents += f"; {others} not in its segment"
        if facts["would_reach"] + facts["outside"] < facts["subscribers"]:
            contents += "; no post matches the topics of the others"
    app.say(f"  next  {next_line}; today: {contents}")
    for email in facts["emails"]:
        at = f"on {email['at'][:16].replace('T', ' at ')}" if email["at"] else "with the next run"
        app.say(f"  next  {email['name']} {at}: {email['problem'] or email['subject']}")
    if last:
        app.say(f"  last  {slot_name(last['slot'])}: {last['subject']} (edition {last['id']}, {last['made_at'][:10]})")
    for step in facts["welcome"]:
        said = step["problem"] or f"{step['sent']:,} sent, {step['open'] + step['to_come']:,} to come"
        app.say(f"  {step['name']}  {said}")
