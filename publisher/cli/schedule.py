"""The command `publisher schedule`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from publisher.cli.app import App, plural, require_known, with_app
from publisher.cli.completion import newsletter_names
from publisher.config import Config, parse_schedule
from publisher.core.newsletter_models import EditionKind, ledger_name
from publisher.publishing.email_views import EmailView, coming_emails
from publisher.publishing.forecast import Contents, Forecast, ForecastSlot, describe_schedule, forecasts
from publisher.publishing.sequences import StepView, step_views
from publisher.publishing.wiring import open_existing_store

if TYPE_CHECKING:
    from publisher.store import Store


@click.command(
    short_help="Show when the next editions are due and what they will contain.",
    epilog="Examples: publisher schedule; publisher schedule weekly --count 52",
)
@click.argument("newsletters", nargs=-1, metavar="[NEWSLETTER]...", shell_complete=newsletter_names)
@click.option("--count", type=click.IntRange(1, 1_000), default=10, show_default=True, help="How many slots of each.")
@with_app
def schedule(app: App, newsletters: tuple[str, ...], count: int) -> None:
    """Show each newsletter's next slots (scheduled times) in its time zone, and what each will contain if nothing
    more is written by then."""
    config = app.config()
    require_known(config, newsletters)
    now = app.now(config)
    with open_existing_store(config) as store:
        found = forecasts(config, store, newsletters, now, count)
        chosen = {each.newsletter.name: each.newsletter for each in found if not each.frequency}
        emails = {name: coming_emails(config, store, each, now) for name, each in chosen.items()}
        steps = {name: step_views(config, store, each, now) for name, each in chosen.items()}
    if app.json:
        more = {name: steps_json(steps[name]) | emails_json(config, emails[name]) for name in chosen}
        none = steps_json(()) | emails_json(config, ())
        app.print_json([_as_json(each) | (none if each.frequency else more[each.newsletter.name]) for each in found])
        return
    if not found:
        app.say("the project has no newsletter")
    for forecast in found:
        _show(app, forecast)
        if not forecast.frequency:
            show_emails(app, config, emails[forecast.newsletter.name])
            show_steps(app, steps[forecast.newsletter.name])


def show_emails(app: App, config: Config, emails: Sequence[EmailView]) -> None:
    """Print a line for each email without posts that is still to be sent."""
    for email, facts in zip(emails, emails_json(config, emails)["emails"], strict=True):
        at = facts["at"][:16].replace("T", " ") if facts["at"] else "with the next run"
        app.say(f"  {email.name:<16}  {f'not sent: {email.problem}' if email.problem else f'{at}, {email.subject!r}'}")


def emails_json(config: Config, emails: Sequence[EmailView]) -> dict[str, Any]:
    """Return emails without posts as a part of a JSON object."""
    zones = {each.name: config.newsletter_zone(each) for each in config.newsletters}
    return {"emails": [email.as_json(zones[email.newsletter]) for email in emails]}


def show_steps(app: App, steps: Sequence[StepView]) -> None:
    """Print a line for each email that welcomes new subscribers."""
    for step in steps:
        if step.problem:
            app.say(f"  {step.name:<16}  not sent: {step.problem}")
            continue
        others = step.counts.total - step.sent - step.counts.open
        more = [
            f"{count:,} {what}" for count, what in ((step.counts.open, "being sent"), (others, "not sent")) if count
        ]
        more += [f"{step.coming:,} to come"] if step.coming else []
        app.say(f"  {step.name:<16}  {step.when}, {step.subject!r}: {', '.join([f'{step.sent:,} sent', *more])}")


def due_steps(config: Config, store: Store | None, names: Sequence[str], now: datetime) -> list[StepView]:
    """Return the welcome emails that `publish` would send now, and the welcome emails that have a problem."""
    chosen = [each for each in config.newsletters if not names or each.name in names]
    steps = [step for each in chosen for step in step_views(config, store, each, now)]
    return [step for step in steps if step.due or step.problem]


def show_due_steps(app: App, steps: Sequence[StepView]) -> None:
    """Print how many new subscribers `publish` would welcome, and the problems of welcome emails."""
    for step in steps:
        if step.problem:
            app.report([step.problem])
        else:
            app.say(f"{step.newsletter} {step.name}: {step.subject!r} to {plural(step.due, 'subscriber')}")


def due_steps_json(steps: Sequence[StepView]) -> list[dict[str, Any]]:
    """Return the welcome emails that would be sent now as JSON values, like those of planned editions."""
    return [
        {
            "newsletter": step.newsletter,
            "slot": step.name,
            "kind": EditionKind.WELCOME.value,
            "subject": step.subject,
            "recipients": step.due,
            "problem": str(step.problem) if step.problem else "",
        }
        for step in steps
    ]


def steps_json(steps: Sequence[StepView]) -> dict[str, Any]:
    """Return the emails that welcome new subscribers as a part of a JSON object."""
    found = [
        {
            "name": step.name,
            "subject": step.subject,
            "when": step.when,
            "sent": step.sent,
            "open": step.counts.open,
            "to_come": step.coming,
            "edition": step.edition.id if step.edition else None,
            "problem": str(step.problem) if step.problem else "",
        }
        for step in steps
    ]
    return {"welcome": found}


def _show(app: App, forecast: Forecast) -> None:
    zone = f" ({forecast.slots[0].at.tzinfo})" if forecast.slots else ""
    app.say(f"{ledger_name(forecast.newsletter.name, forecast.frequency)}: {forecast.newsletter.schedule}{zone}")
    shown = ""  # the last reason shown, which is not repeated for each further slot
    for slot in forecast.slots:
        app.say(f"  {slot.label:<16}  {slot.at:%a %Y-%m-%d %H:%M %z}  {_remarks(slot, shown)}".rstrip())
        shown = slot.contents.advice or shown
        _show_titles(app, slot.contents)
    if not forecast.slots:
        when = describe_schedule(parse_schedule(forecast.newsletter.schedule), forecast.newsletter.settle_minutes)
        app.say(f"  {when}; today: {_in_words(forecast.next)}")
        _show_titles(app, forecast.next)


def _remarks(slot: ForecastSlot, shown: str) -> str:
    contents = "has an edition" if slot.made else _in_words(slot.contents)
    contents = "" if contents == shown else contents
    return "; ".join(filter(None, (slot.remark, contents)))


def _in_words(contents: Contents) -> str:
    if not contents.posts:
        return contents.advice
    return f"{plural(len(contents.posts), 'post')} to {plural(contents.readers, 'subscriber')}"


def _show_titles(app: App, contents: Contents) -> None:
    for title in contents.posts:
        app.say(f"    {title}")


def _as_json(forecast: Forecast) -> dict[str, Any]:
    return {
        "newsletter": forecast.newsletter.name,
        "frequency": forecast.frequency,
        "schedule": forecast.newsletter.schedule,
        "slots": [
            {"slot": slot.label, "at": slot.at.isoformat(), "remark": slot.remark, "made": slot.made}
            | _contents(slot.contents)
            for slot in forecast.slots
        ],
        **_contents(forecast.next),
    }


def _contents(contents: Contents) -> dict[str, Any]:
    return {"would_hold": list(contents.posts), "would_reach": contents.readers, "idle": contents.advice}
