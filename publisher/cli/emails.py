"""The command `publisher emails`: emails without posts."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from publisher.cli.app import App, plural, require_known, with_app
from publisher.cli.completion import newsletter_names
from publisher.cli.editions import with_stand_ins
from publisher.cli.terminal import print_table
from publisher.config import Config, NewsletterConfig
from publisher.core.errors import PublisherError
from publisher.publishing.email_views import EmailView, email_views, find_email, recipients_of, render_email
from publisher.publishing.farewell import all_steps, render_any_step
from publisher.publishing.new_project import create_email
from publisher.publishing.publish import send_letter
from publisher.publishing.sequences import StepView
from publisher.publishing.wiring import open_existing_store, transport_name
from publisher.subscribers.address import normalise

if TYPE_CHECKING:
    from publisher.core.newsletter_models import Letter, Subscriber
    from publisher.publishing.edition_plan import PlannedEdition

NO_EMAILS = "no emails without posts yet (`publisher emails new NEWSLETTER NAME` creates one)"

_NEWSLETTER = click.argument("newsletter", metavar="NEWSLETTER", shell_complete=newsletter_names)
_NAME = click.argument("name", metavar="NAME")


@click.group(
    invoke_without_command=True,
    short_help="Write, test and list emails without posts.",
    epilog="Examples: publisher emails; publisher emails new weekly we-have-moved; "
    "publisher emails test weekly we-have-moved me@example.org",
)
@with_app
def emails(app: App) -> None:
    """Write, test and list emails without posts, such as an announcement. Without a subcommand it lists them.

    `publisher publish` and `publisher run` send them when the line `send` in their files says so.
    """
    ctx = click.get_current_context()
    if ctx.invoked_subcommand is None:
        ctx.invoke(list_emails)


@emails.command("list", epilog="Example: publisher emails list --newsletter weekly")
@click.option("--newsletter", metavar="NAME", shell_complete=newsletter_names, help="Only this newsletter's.")
@with_app
def list_emails(app: App, newsletter: str | None = None) -> None:
    """List emails without posts: those that are still to be sent first, welcome emails and farewells last."""
    config = app.config()
    require_known(config, [newsletter] if newsletter else [])
    chosen, now = [each for each in config.newsletters if newsletter in (None, each.name)], app.now(config)
    with open_existing_store(config) as store:
        views = email_views(config, store, now, newsletter or "")
        steps = [step for each in chosen for step in all_steps(config, store, each, now)]
    if app.json:
        app.print_json([*(_as_json(config, view) for view in views), *map(_step_json, steps)])
    elif views or steps:
        head = ("Newsletter", "Name", "State", "At", "Subject", "Details")
        print_table(head, [*(_cells(config, view) for view in views), *map(_step_cells, steps)])
    else:
        app.say(NO_EMAILS)


@emails.command("new", epilog='Example: publisher emails new weekly we-have-moved --subject "We have moved"')
@_NEWSLETTER
@_NAME
@click.option("--subject", metavar="TEXT", default="", help="Its subject. Default: made from NAME.")
@click.option("--to", metavar="SEGMENT", default="", help="Only to a segment: its name, or a condition.")
@with_app
def new(app: App, newsletter: str, name: str, subject: str, to: str) -> None:
    """Create the file of an email and print its path.

    It is a draft: change `send: draft` to `send: now`, or to a time, when you have finished writing it.
    """
    config = app.config()
    path = create_email(config, _newsletter(config, newsletter), name, subject, to)
    if app.json:
        app.print_json({"path": str(path)})
    else:
        app.say(str(path.relative_to(config.root) if config.root == Path.cwd() else path))


@emails.command("show", epilog="Example: publisher emails show weekly we-have-moved --text")
@_NEWSLETTER
@_NAME
@click.option("--html", "part", flag_value="html", help="Print the HTML part.")
@click.option("--text", "part", flag_value="text", help="Print the plain-text part.")
@with_app
def show(app: App, newsletter: str, name: str, part: str | None) -> None:
    """Show an email as it would be sent now: its facts and its recipients, or a part of it."""
    config, now = app.config(), app.now(app.config())
    if (step := _step(app, config, newsletter, name)) is not None:
        _show_step(app, *step, part)
        return
    email = find_email(config, _newsletter(config, newsletter), name)
    with open_existing_store(config) as store:
        whole = render_email(config, store, email, now)
        some = recipients_of(config, store, whole.planned, now) if store else ()
        view = next(each for each in email_views(config, store, now, newsletter) if each.name == name)
    letter = whole.letter
    if part:
        click.echo(_texts(letter)[part], nl=False)
    elif app.json:
        app.print_json(_as_json(config, view) | {"recipients": whole.planned.recipients} | _texts(letter))
    else:
        _show(app, config, view, whole.planned, some)


@emails.command("test", epilog="Example: publisher emails test weekly we-have-moved me@example.org")
@_NEWSLETTER
@_NAME
@click.argument("address", metavar="ADDRESS")
@with_app
def test(app: App, newsletter: str, name: str, address: str) -> None:
    """Send an email to ADDRESS as a test. Nothing is recorded, and its personal links do nothing."""
    config, to = app.config(), normalise(address)
    now, step = app.now(config), _step(app, config, newsletter, name)
    if step is not None:
        letter, slot = step[1], name
    else:
        email = find_email(config, _newsletter(config, newsletter), name)
        with open_existing_store(config) as store:
            letter, slot = render_email(config, store, email, now).letter, email.slot
    send_letter(config, newsletter, slot, 0, letter, to, now)
    if app.json:
        app.print_json({"subject": letter.plain_subject, "to": to})
    else:
        app.say(f"{newsletter}: test email {letter.plain_subject!r} sent to {to} ({transport_name(config)})")


def _newsletter(config: Config, name: str) -> NewsletterConfig:
    require_known(config, [name])
    found = config.newsletter(name)
    if found is None:
        raise PublisherError(f"there is no newsletter {name!r}")
    return found


def _step(app: App, config: Config, newsletter: str, name: str) -> tuple[StepView, Letter] | None:
    """Return a welcome email of a newsletter, or its farewell, rendered; None if it has none with this name."""
    found, now = _newsletter(config, newsletter), app.now(config)
    letter = render_any_step(config, found, name, now)
    if letter is None:
        return None
    with open_existing_store(config) as store:
        return next(each for each in all_steps(config, store, found, now) if each.name == name), letter


def _show_step(app: App, step: StepView, letter: Letter, part: str | None) -> None:
    if part:
        click.echo(_texts(letter)[part], nl=False)
    elif app.json:
        app.print_json(_step_json(step) | {"subject": letter.plain_subject} | _texts(letter))
    else:
        app.say(letter.plain_subject)
        app.say(": ".join((f"{step.newsletter} {step.name}", "; ".join(_step_cells(step)[i] for i in (2, 3, 5)))))


def _texts(letter: Letter) -> dict[str, str]:
    """Return the parts of a letter with a placeholder for each value that differs from subscriber to subscriber."""
    html = with_stand_ins(letter.html, is_html=True)
    return {"preheader": with_stand_ins(letter.preheader), "html": html, "text": with_stand_ins(letter.text)}


def _step_json(step: StepView) -> dict[str, Any]:
    return {
        "newsletter": step.newsletter,
        "name": step.name,
        "path": step.path,
        "subject": step.subject,
        "state": _step_cells(step)[2],
        "when": step.when,
        "edition": step.edition.id if step.edition else None,
        "deliveries": {status.value: count for status, count in step.counts.by_status.items() if count},
        "to_come": step.coming,
        "problem": str(step.problem) if step.problem else None,
    }


def _step_cells(step: StepView) -> tuple[str, ...]:
    if step.problem:
        state, said = "has an error", step.problem.message
    elif step.is_farewell:
        state, said = "to people who unsubscribe", f"{step.sent:,} sent"
    else:
        state, said = "to each new subscriber", f"{step.sent:,} sent, {step.coming:,} to come"
    return step.newsletter, step.name, state, step.when, step.subject, said


def _as_json(config: Config, view: EmailView) -> dict[str, Any]:
    return view.as_json(config.newsletter_zone(_newsletter(config, view.newsletter)))


def _cells(config: Config, view: EmailView) -> tuple[str, ...]:
    at = (_as_json(config, view)["at"] or "")[:16].replace("T", " ")
    return view.newsletter, view.name, view.state, at, view.subject, view.summary


def _show(app: App, config: Config, view: EmailView, planned: PlannedEdition, some: Sequence[Subscriber]) -> None:
    at = (_as_json(config, view)["at"] or "")[:16].replace("T", " ")
    app.say(view.subject)
    app.say(f"{view.newsletter} {view.name}: {view.state}{f', {at}' if at else ''}")
    if view.summary:
        app.say(view.summary)
    if view.edition is None:
        app.say(f"to {plural(planned.recipients, 'subscriber')}{f' in {view.to}' if view.to else ''}")
        for each in some:
            app.say(f"  {each.address}{f' ({each.name})' if each.name else ''}")
        if some and planned.recipients > len(some):
            app.say(f"  and {planned.recipients - len(some):,} more")
