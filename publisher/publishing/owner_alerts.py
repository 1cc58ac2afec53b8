"""Mails to the owner: an edition that waits, with its letter, and what is wrong, once and not each tick."""

from __future__ import annotations

import hashlib
import html
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from publisher.config import Config
from publisher.core.errors import PublisherError
from publisher.core.models import Problem
from publisher.core.newsletter_models import Edition, Letter
from publisher.newsletters.slots import is_post_slot
from publisher.publishing.approval import waits
from publisher.publishing.wiring import headers_of, open_transport, project_links

if TYPE_CHECKING:
    from publisher.store import Store

HELD = "held"
# After so long what is still wrong is told again.
AGAIN = timedelta(days=1)


def tell_held(config: Config, store: Store, now: datetime) -> tuple[list[str], list[Problem]]:
    """Mail the owner each edition that the clock holds, with its letter and a link; return what is news, and trouble.

    Each is told once, whoever made it: what could not be mailed is told by the next tick. Without `mail.owner` nobody
    is mailed, and it is news all the same.
    """
    told, trouble = [], []
    for edition in store.editions.unfinished():
        key = f"{edition.id} {edition.held}"
        if not waits(edition) or not store.owner.claim_alert(HELD, key, now):
            continue
        try:
            if config.mail.owner:
                _mail_edition(config, store, edition, now)
        except PublisherError as error:
            store.owner.withdraw_alert(HELD, key)
            trouble.append(_problem(error))
        else:
            told.append(f"{name_of(edition)} {edition.held}")
    return told, trouble


def name_of(edition: Edition) -> str:
    """Return what an edition is called to its owner: by its slot, or by its post where the slot is named by an id."""
    posts = ", ".join(post.title for post in edition.posts) or edition.subject
    return f"{edition.newsletter} {posts if is_post_slot(edition.slot) else edition.slot}"


def tell_problems(
    config: Config,
    store: Store,
    kind: str,
    problems: Sequence[Problem],
    now: datetime,
    still: Sequence[Problem] | None = None,
) -> tuple[list[str], list[Problem]]:
    """Mail the owner in one message what is wrong and was not told yet; return what is news, and trouble.

    Each is told once of the same content of its file, and again a day later. still: everything of the kind that is
    wrong now: what is not among it is mended, and news when it comes back; None where that is not known.
    """
    if still is not None:
        store.owner.keep_alerts(kind, [_key(config, problem) for problem in still])
    store.owner.expire_alerts(kind, now - AGAIN)
    keys = {str(problem): _key(config, problem) for problem in problems}
    news = [line for line, key in keys.items() if store.owner.claim_alert(kind, key, now)]
    try:
        if news and config.mail.owner:
            count = "a problem" if len(news) == 1 else f"{len(news)} problems"
            _mail(config, f"{config.site.title}: {count}", news, "Publisher goes on without it, and looks again.", now)
    except PublisherError as error:
        for line in news:
            store.owner.withdraw_alert(kind, keys[line])
        return [], [_problem(error)]
    return news, []


def _key(config: Config, problem: Problem) -> str:
    """Return what a problem is known by: its words, and the content of its file where it has one."""
    file = config.root / problem.path
    try:
        content = hashlib.sha256(file.read_bytes()).hexdigest() if problem.path and file.is_file() else ""
    except (OSError, ValueError):
        content = ""
    return f"{problem}\n{content}"


def _mail_edition(config: Config, store: Store, edition: Edition, now: datetime) -> None:
    from publisher.publishing.publish import send_letter

    letter = store.editions.letter(edition.id)
    if letter is None:
        return
    link = project_links(config).approval(edition)
    name = name_of(edition)
    lines = [f"{name} {edition.held}.", f"Approve or skip it: {link}"]
    if edition.goes_at:
        lines.append("Without your word it is not sent. Posts that come from now on are not in it.")
    shown = Letter(
        letter.variant,
        f"{name} waits: {letter.subject}",
        letter.preheader,
        _with_banner(letter.html, lines, link),
        "\n".join([*lines, "-" * 72, "", letter.text]),
    )
    send_letter(config, edition.newsletter, edition.number, shown, _address(config), now)


def _with_banner(document: str, lines: Sequence[str], link: str) -> str:
    """Put the words and the link above everything in a letter's body."""
    said = "<br>".join(
        f'<a href="{html.escape(link)}">Approve or skip it</a>' if link in line else html.escape(line) for line in lines
    )
    style = "margin:0;padding:16px;background:#fff8dc;color:#222222;font:16px/1.5 sans-serif"
    start = document.lower().find("<body")
    end = document.find(">", start) + 1 if start >= 0 else 0
    return f'{document[:end]}<p style="{style}">{said}</p>{document[end:]}'


def _mail(config: Config, subject: str, lines: Sequence[str], below: str, now: datetime) -> None:
    from publisher.mail.message import transactional_message
    from publisher.mail.transport import Accepted

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
        raise PublisherError(f"the owner could not be told: {outcome.reason}", where=to)


def _address(config: Config) -> str:
    from publisher.mail.addresses import split_mailbox

    return split_mailbox(config.mail.owner)[1]


def _problem(error: PublisherError) -> Problem:
    return Problem(error.where, 0, error.message, error.hint)
