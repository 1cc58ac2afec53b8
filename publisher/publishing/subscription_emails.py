"""Send an email about a subscription, such as a confirmation, with its link and its return address."""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import TYPE_CHECKING

from publisher.config import Config
from publisher.core.templates import Templates
from publisher.mail.addresses import split_mailbox
from publisher.mail.links import Links
from publisher.mail.message import transactional_message
from publisher.mail.transport import Outcome, Transport
from publisher.newsletters.letter.own_text import OwnText
from publisher.newsletters.letter.subscription_notice import NoticeFacts, notice_letter
from publisher.publishing.farewell import claim_farewell, settle_farewell
from publisher.publishing.mail_wiring import headers_of, return_path
from publisher.subscribers.policy import SubscriptionEmail, SubscriptionEmailKind

if TYPE_CHECKING:
    from publisher.store import Store

# The page below the public URL on which the token of each kind of email is used.
PAGES = {
    SubscriptionEmailKind.CONFIRM: "confirm",
    SubscriptionEmailKind.FAREWELL: "confirm",
    SubscriptionEmailKind.ADDRESS: "address",
    SubscriptionEmailKind.MOVED: "address",
    SubscriptionEmailKind.ACCOUNT: "account",
}
# The emails that anyone can trigger with a form. They have a link with which the recipient stops them for good.
_FROM_A_FORM = (
    SubscriptionEmailKind.CONFIRM,
    SubscriptionEmailKind.ALREADY,
    SubscriptionEmailKind.ADDRESS,
    SubscriptionEmailKind.SUPPRESSED,
)


def send_subscription_email(
    config: Config,
    store: Store,
    links: Links,
    templates: Templates,
    transport: Transport,
    email: SubscriptionEmail,
    made_at: datetime,
) -> Outcome | None:
    """Compose and send a subscription email; return None if its address was suppressed in the meantime.

    A farewell in the owner's words is recorded in the ledger, and None is returned if the subscriber has already
    received it.

    made_at  the time at which the email was triggered
    Raises PublisherError if it cannot be composed, or if the transport or the database fails.
    """
    suppressed = store.suppressions.is_listed(email.address)
    if suppressed and email.kind is not SubscriptionEmailKind.SUPPRESSED:
        return None
    if email.kind is not SubscriptionEmailKind.FAREWELL:
        return _send(config, store, links, templates, transport, email, made_at)
    own = claim_farewell(config, store, templates, email, made_at)
    if own is None:
        usual = config.subscribers.farewell
        return _send(config, store, links, templates, transport, email, made_at) if usual else None
    outcome = None
    try:
        outcome = _send(config, store, links, templates, transport, email, made_at, own.text)
    finally:
        settle_farewell(store, own, email, outcome, made_at)
    return outcome


def _send(
    config: Config,
    store: Store,
    links: Links,
    templates: Templates,
    transport: Transport,
    email: SubscriptionEmail,
    made_at: datetime,
    own: OwnText | None = None,
) -> Outcome:
    link = _link(links, email)
    subscriber = store.subscribers.by_uid(email.uid) if own else None
    facts = NoticeFacts(
        kind=email.kind.value,
        newsletters=email.newsletters,
        name=email.name,
        address=email.address,
        link=link,
        language=email.language,
        made_at=made_at,
        expires=email.expires_at,
        never_link=links.never(email.address) if email.kind in _FROM_A_FORM else "",
        own=own,
        fields=subscriber.fields if subscriber else {},
    )
    letter = notice_letter(config, facts, templates)
    headers = headers_of(config, _sender(config, email.newsletters))
    identity = hashlib.sha256(f"{email.kind}\0{email.uid}\0{link}\0{made_at.isoformat()}".encode()).hexdigest()
    message = transactional_message(
        letter, headers, to=email.address, name=email.name, identity=identity, made_at=made_at
    )
    return_address = _return_address(config, store, email, made_at) or split_mailbox(headers.sender)[1]
    return transport.send(return_address, email.address, message, f"notice-{email.kind}/{identity[:20]}")


def _return_address(config: Config, store: Store, email: SubscriptionEmail, made_at: datetime) -> str:
    """Return the return address of a confirmation email, which receives its bounces.

    Return "" for other kinds of email, and if mail.bounces is not set. Other kinds go to subscribers, whose dead
    mailboxes are noticed when editions bounce, or to a new address that does not belong to a subscriber yet.
    """
    path = return_path(config) if email.kind is SubscriptionEmailKind.CONFIRM else None
    subscriber = store.subscribers.by_uid(email.uid) if path else None
    return path.of_notice(subscriber.id, made_at) if path and subscriber else ""


def _link(links: Links, email: SubscriptionEmail) -> str:
    if email.kind is SubscriptionEmailKind.ALREADY:
        return links.preferences(email.uid)
    return f"{links.public_url}/{PAGES[email.kind]}/{email.token}" if email.token else ""


def _sender(config: Config, names: tuple[str, ...]) -> str:
    """Return the name of the newsletter whose sender an email uses.

    It is the first newsletter that the email is about, or else the first of the project.
    """
    known = [name for name in names if config.newsletter(name)] or [each.name for each in config.newsletters]
    return known[0] if known else "newsletter"
