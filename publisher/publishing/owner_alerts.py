"""Emails to the owner about editions on hold and about problems. Each is sent once, not at every tick."""

from __future__ import annotations

import hashlib
import html
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from publisher.config import Config
from publisher.core.errors import PublisherError
from publisher.core.models import Problem, Severity, problem_at
from publisher.core.newsletter_models import Edition, Letter
from publisher.core.source_records import SourceState
from publisher.mail.addresses import split_mailbox
from publisher.mail.message import transactional_message
from publisher.mail.transport import Accepted
from publisher.newsletters.slots import is_post_slot
from publisher.posts.scan import MOST_BYTES
from publisher.publishing.mail_wiring import headers_of, open_transport, project_links
from publisher.publishing.operations import waits
from publisher.publishing.publish import send_letter
from publisher.publishing.wiring import Project

HELD = "held"
# A problem that is still there after this long is reported again.
AGAIN = timedelta(days=1)
# A source that no one looks after is not reported every day.
_ONCE = timedelta(days=10_000)


def alert_held(project: Project, now: datetime) -> tuple[list[str], list[Problem]]:
    """Email the owner about each edition that waits for approval, with its letter and a link to approve it.

    Returns a line for each edition reported, and the problems that prevented emails. Each edition is reported once,
    whichever process created it. If its email fails, the next tick tries again. If `mail.owner` is not set, nothing
    is emailed, but the lines are still returned.
    """
    config, owner = project.config, project.store.owner
    alerts, unsent = [], []
    for edition in project.store.editions.unfinished():
        key = f"{edition.id} {edition.held}"
        if not waits(edition) or not owner.claim_alert(HELD, key, now):
            continue
        try:
            if config.mail.owner:
                _email_edition(project, edition, now)
        except PublisherError as error:
            owner.withdraw_alert(HELD, key)
            unsent.append(problem_at(error))
        else:
            alerts.append(f"{edition_name(edition)} {edition.held}")
    return alerts, unsent


def edition_name(edition: Edition) -> str:
    """Return a name for an edition: its newsletter and slot, or its newsletter and post if it has no scheduled slot."""
    posts = ", ".join(post.title for post in edition.posts) or edition.subject
    return f"{edition.newsletter} {posts if is_post_slot(edition.slot) else edition.slot}"


def alert_problems(
    project: Project,
    kind: str,
    problems: Sequence[Problem],
    now: datetime,
    still: Sequence[Problem] | None = None,
    *,
    again: timedelta = AGAIN,
    below: str = "Publisher carries on without it and will check again.",
) -> tuple[list[str], list[Problem]]:
    """Email the owner, in one message, about the problems that have not been reported yet.

    Returns a line for each problem reported, and the problem that prevented the email, if any. A problem is reported
    again if the content of its file has changed, and after a while.

    kind   name under which the reported problems are remembered
    still  every problem of this kind that exists now, or None if they are not all known; a problem that is missing
           from it has been fixed, and is reported again if it returns
    again  the time after which a remaining problem is reported again
    below  the last sentence of the email
    """
    config, owner = project.config, project.store.owner
    if still is None:
        owner.expire_alerts(kind, now - again)
    else:
        owner.keep_alerts(kind, [_key(config, problem) for problem in still], now - again)
    keys = {str(problem): _key(config, problem) for problem in problems}
    news = [line for line, key in keys.items() if owner.claim_alert(kind, key, now)]
    try:
        if news and config.mail.owner:
            count = "a problem" if len(news) == 1 else f"{len(news)} problems"
            email_owner(config, f"{config.site.title}: {count}", news, below, now)
    except PublisherError as error:
        for line in news:
            owner.withdraw_alert(kind, keys[line])
        return [], [problem_at(error)]
    return news, []


def alert_sources(project: Project, now: datetime) -> tuple[list[str], list[Problem]]:
    """Email the owner about sources that have ended, have failed for a day, or have suddenly shown most items as new.

    Returns a line for each of them, and the problem that prevented the email, if any. Each problem is reported once,
    and again if it returns after it was over.
    """
    names = {source.name for source in project.config.sources}
    if not names:
        return [], []
    states = [state for state in project.store.sources.states() if state.name in names]
    problems = [problem for state in states if (problem := _source_problem(state, now))]
    below = "Meanwhile, editions are sent without their new items."
    return alert_problems(project, "source", problems, now, still=problems, again=_ONCE, below=below)


def _source_problem(state: SourceState, now: datetime) -> Problem | None:
    where = f"source {state.name}"
    if state.ended_at is not None:
        message = "its server says that the feed is gone for good (410)"
        return Problem(where, 0, message, "remove it from publisher.toml, or give its new url", Severity.WARNING)
    if state.failing_since is not None and now - state.failing_since >= timedelta(days=1):
        since = f"{state.failing_since.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
        message = f"it has been failing since {since}, and is tried again at least every 6 hours"
        return Problem(where, 0, message, f"`publisher sources show {state.name}` says why", Severity.WARNING)
    if state.held_at is not None:
        message = "more than half of its items suddenly appeared as new, so the edition with them waits for you"
        return Problem(where, 0, message, "skip it if they are old items with new ids", Severity.WARNING)
    return None


def _key(config: Config, problem: Problem) -> str:
    """Return a key that identifies a problem: its text, and a hash of the content of its file if it has one.

    For a file that is too large for a post, only size and time are compared.
    """
    file = config.root / problem.path
    try:
        status = file.stat()
        if not problem.path or not file.is_file():
            content = ""
        elif status.st_size > MOST_BYTES:
            content = f"{status.st_size} {status.st_mtime_ns}"
        else:
            content = hashlib.sha256(file.read_bytes()).hexdigest()
    except (OSError, ValueError):
        content = ""
    return f"{problem}\n{content}"


def _email_edition(project: Project, edition: Edition, now: datetime) -> None:
    config = project.config
    letter = project.store.editions.letter(edition.id)
    if letter is None:
        return
    link = project_links(config).approval(edition)
    name = edition_name(edition)
    lines = [f"{name} {edition.held}.", f"Approve or skip it: {link}"]
    if edition.goes_at:
        lines.append("It won't be sent until you approve it. Posts published from now on are not included.")
    shown = Letter(
        letter.variant,
        f"{name} waits: {letter.subject}",
        letter.preheader,
        _with_banner(letter.html, lines, link),
        "\n".join([*lines, "-" * 72, "", letter.text]),
    )
    send_letter(config, edition.newsletter, edition.slot, edition.number, shown, _address(config), now)


def _with_banner(document: str, lines: Sequence[str], link: str) -> str:
    """Return a letter's HTML with these lines, including the link, at the top of its body."""
    banner = "<br>".join(
        f'<a href="{html.escape(link)}">Approve or skip it</a>' if link in line else html.escape(line) for line in lines
    )
    style = "margin:0;padding:16px;background:#fff8dc;color:#222222;font:16px/1.5 sans-serif"
    start = document.lower().find("<body")
    end = document.find(">", start) + 1 if start >= 0 else 0
    return f'{document[:end]}<p style="{style}">{banner}</p>{document[end:]}'


def email_owner(config: Config, subject: str, lines: Sequence[str], below: str, now: datetime) -> None:
    """Email the owner a list of lines, and a sentence below it; raise PublisherError if that fails."""
    name = config.newsletters[0].name if config.newsletters else "newsletter"
    headers, to = headers_of(config, name), _address(config)
    items = "".join(f"<li>{html.escape(line)}</li>" for line in lines)
    page = f'<!DOCTYPE html><html lang="en"><body><ul>{items}</ul><p>{html.escape(below)}</p></body></html>'
    text = "\n".join([*(f"- {line}" for line in lines), "", below, ""])
    identity = "\0".join([now.isoformat(), subject, *lines])
    message = transactional_message(
        Letter("", subject, "", page, text), headers, to=to, name="", identity=identity, made_at=now
    )
    with open_transport(config) as transport:
        outcome = transport.send(headers.sender_address, to, message, f"owner/{now:%Y%m%dT%H%M%S%f}")
    if not isinstance(outcome, Accepted):
        raise PublisherError(f"the owner could not be notified: {outcome.reason}", where=to)


def _address(config: Config) -> str:
    return split_mailbox(config.mail.owner)[1]
