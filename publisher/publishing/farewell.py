"""The email to people who have unsubscribed: the usual one, or the owner's own in letters/NEWSLETTER/farewell.md.

The ledger ensures that everyone gets the owner's own farewell only once, in whatever version of the text. People who
unsubscribe a second time get the usual one, if `subscribers.farewell` is set. Both have a link to subscribe again.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from publisher.config import Config, NewsletterConfig
from publisher.core.errors import PublisherError
from publisher.core.frozen import dataclass
from publisher.core.models import Problem, problem_at
from publisher.core.newsletter_models import (
    Delivery,
    DeliveryCounts,
    DeliveryStatus,
    Edition,
    EditionDraft,
    EditionKind,
    Letter,
    Mark,
)
from publisher.core.templates import Templates
from publisher.mail.lifecycle import DeliveryEvent, update_after
from publisher.mail.transport import Accepted, Outcome, Rejected
from publisher.newsletters.letter.own_text import OwnText, read_text
from publisher.newsletters.letter.subscription_notice import NoticeFacts, notice_letter
from publisher.publishing.own_emails import listed_subject
from publisher.publishing.sequences import FAREWELL, FOLDER, StepView, render_welcome, require_no_date, step_views
from publisher.subscribers.policy import SubscriptionEmail, SubscriptionPolicy
from publisher.subscribers.self_service import farewell

if TYPE_CHECKING:
    from publisher.store import Store

_LEASE = timedelta(minutes=30)


@dataclass(frozen=True, slots=True)
class OwnFarewell:
    """A farewell in the owner's words to one subscriber, which the ledger has recorded as being sent.

    newsletter  the newsletter that it is about
    """

    newsletter: str
    text: OwnText
    edition: Edition
    delivery_id: int


def farewell_email(
    config: Config,
    store: Store,
    policy: SubscriptionPolicy,
    uid: str,
    newsletters: Collection[str] | None,
    now: datetime,
) -> SubscriptionEmail | None:
    """Return the email to a subscriber who has just unsubscribed, or None if none should be sent.

    newsletters: the newsletters from which they unsubscribed; None for all.
    """
    if not sends_farewells(config):
        return None
    email = farewell(store, replace(policy, farewell=True), uid, newsletters, now=now)
    if email is None or config.subscribers.farewell or _with_text(config, email.newsletters):
        return email
    return None


def sends_farewells(config: Config) -> bool:
    """Return whether people who unsubscribe from any newsletter of the project get an email."""
    return config.subscribers.farewell or bool(_with_text(config, [each.name for each in config.newsletters]))


def farewell_problems(config: Config) -> Iterator[Problem]:
    """Yield the problems that keep farewells in the owner's words from being sent."""
    for name in _with_text(config, [each.name for each in config.newsletters]):
        try:
            text = _read(config, name)
            if text is not None:
                _sample(config, name, text, Templates(config.root / "templates"), datetime(2026, 1, 1, tzinfo=UTC))
        except PublisherError as error:
            yield problem_at(error)


def farewell_view(config: Config, store: Store | None, newsletter: NewsletterConfig, now: datetime) -> StepView | None:
    """Return a newsletter's farewell as people see it, not rendered; None if it has none, or only a draft."""
    name = newsletter.name
    if not _with_text(config, [name]):
        return None
    editions = store.editions.list(name, kind=EditionKind.FAREWELL) if store else ()
    counts = store.statistics.deliveries([each.id for each in editions]) if store and editions else {}
    total = sum((Counter(each.by_status) for each in counts.values()), Counter[DeliveryStatus]())
    newest = editions[0] if editions else None
    known = StepView(name, FAREWELL, when="when they unsubscribe", counts=DeliveryCounts(dict(total)), edition=newest)
    try:
        text = _read(config, name)
    except PublisherError as error:
        return replace(known, problem=problem_at(error))
    return replace(known, subject=listed_subject(config, newsletter, text, now)) if text else None


def all_steps(config: Config, store: Store | None, newsletter: NewsletterConfig, now: datetime) -> list[StepView]:
    """Return a newsletter's welcome emails as people see them, in order, and then its farewell. Renders nothing."""
    last = farewell_view(config, store, newsletter, now)
    return [*step_views(config, store, newsletter, now), *([last] if last else [])]


def render_any_step(config: Config, newsletter: NewsletterConfig, name: str, now: datetime) -> Letter | None:
    """Render a welcome email or the farewell of a newsletter by its name; return None if it has none of this name.

    Raises PublisherError if its file is not valid, or it cannot be rendered.
    """
    if name != FAREWELL:
        return render_welcome(config, newsletter, name, now)
    text = _read(config, newsletter.name) if _with_text(config, [newsletter.name]) else None
    return _sample(config, newsletter.name, text, Templates(config.root / "templates"), now) if text else None


def claim_farewell(
    config: Config, store: Store, templates: Templates, email: SubscriptionEmail, now: datetime
) -> OwnFarewell | None:
    """Record in the ledger that a subscriber gets a farewell in the owner's words, and return it.

    Return None if there is none, if it has a mistake, or if the subscriber has already received it: then only the usual
    one can be sent.
    """
    subscriber = store.subscribers.by_uid(email.uid)
    for name in _with_text(config, email.newsletters) if subscriber else ():
        try:
            text = _read(config, name)
            edition = None if text is None else _edition(config, store, name, text, templates, now)
        except PublisherError:
            continue  # `check` reports it
        if text is None or edition is None or subscriber is None:
            continue
        claimed = store.latecomers.claim_farewell(edition, subscriber.id, now, now + _LEASE)
        if claimed is not None:
            return OwnFarewell(name, text, edition, claimed)
    return None


def settle_farewell(
    store: Store, own: OwnFarewell, email: SubscriptionEmail, outcome: Outcome | None, now: datetime
) -> None:
    """Record what became of a claimed farewell. If it was not sent, but may be later, it can be claimed again.

    outcome: the mail server's answer; None if there was none.
    """
    if not isinstance(outcome, Accepted | Rejected):
        store.latecomers.release_farewell(own.delivery_id)
        return
    delivery = Delivery(own.delivery_id, own.edition.id, email.uid, email.address, email.name, "", 0)
    update = update_after(own.edition, delivery, outcome, DeliveryEvent.UNANSWERED_RESEND, now)
    store.deliveries.acknowledge(FAREWELL, [update.settled])


def _with_text(config: Config, names: Collection[str]) -> list[str]:
    """Return the newsletters that have a farewell in the owner's words."""
    return [name for name in names if (config.root / FOLDER / name / f"{FAREWELL}.md").is_file()]


def _read(config: Config, newsletter: str) -> OwnText | None:
    """Return the text of a newsletter's farewell; None if it is a draft. Raise PublisherError if it is not valid."""
    text = read_text(config, f"{FOLDER}/{newsletter}/{FAREWELL}.md", ("send",))
    if text is None:
        return None
    require_no_date(text)
    send = text.file.text("send").strip()
    if send not in ("", "draft"):
        what = f"send: {send} is not possible here: this email goes to everyone who unsubscribes"
        raise PublisherError(what, where=text.file.where("send"), hint="remove the line, or write `send: draft`")
    return None if send else text


def _edition(
    config: Config, store: Store, newsletter: str, text: OwnText, templates: Templates, now: datetime
) -> Edition | None:
    """Return the edition of a farewell's present version, which is made if there is none yet."""
    letter = _sample(config, newsletter, text, templates, now)
    parts = (newsletter, letter.subject, letter.preheader, letter.html, letter.text)
    slot = f"{FAREWELL}:{hashlib.sha256(chr(0).join(parts).encode('utf-8', 'replace')).hexdigest()[:8]}"
    found = store.editions.find(newsletter, slot)
    if found is not None:
        return found
    draft = EditionDraft(
        newsletter=newsletter,
        slot=slot,
        number=0,
        subject=letter.plain_subject,
        made_at=now,
        posts=(),
        letters=(letter,),
        kind=EditionKind.FAREWELL,
    )
    return store.editions.create(draft) or store.editions.find(newsletter, slot)


def _sample(config: Config, newsletter: str, text: OwnText, templates: Templates, now: datetime) -> Letter:
    """Return the letter for the ledger: with placeholders for the address and the link, and without a date."""
    facts = NoticeFacts("farewell", (newsletter,), "", Mark.ADDRESS, Mark.PREFERENCES, "", now, own=text, fields=None)
    return notice_letter(config, facts, templates)
