"""The mails that these pages cause: notices, and the newest edition for who just came."""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import TYPE_CHECKING

from publisher.core.newsletter_models import Edition, Subscriber, SubscriberStatus, Subscription
from publisher.mail.addresses import split_mailbox
from publisher.mail.message import MessageTemplate, Recipient, message_id, transactional_message
from publisher.mail.transport import Accepted, Rejected, Transport
from publisher.newsletters.variants import topic_set, variant_key
from publisher.publishing.wiring import headers_of, return_path
from publisher.subscribers.policy import SubscriptionEmail, SubscriptionEmailKind
from publisher.web.mail_worker import LaterError, NeverError

if TYPE_CHECKING:
    from publisher.web.context import Office

CONFIRM, ADDRESS = "confirm", "address"  # paths under the public URL


def mail_notice(office: Office, notice: SubscriptionEmail) -> None:
    """Let a notice go out after the answer."""
    made_at = office.now()
    office.mailroom.put(f"notice {notice.kind}", lambda transport: send_notice(office, transport, notice, made_at))


def send_notice(office: Office, transport: Transport, notice: SubscriptionEmail, made_at: datetime) -> None:
    """Make one notice and hand it over, unless the address was erased or suppressed while it waited.

    Raises PublisherError where it may be tried again.
    """
    from publisher.newsletters.letter.subscription_notice import NoticeFacts, notice_letter

    if office.store.suppressions.is_listed(notice.address):
        return  # erased, or suppressed
    expires = made_at + office.terms.confirm_within if notice.token else None
    link = _link(office, notice)
    facts = NoticeFacts(
        kind=notice.kind.value,
        newsletters=notice.newsletters,
        name=notice.name,
        address=notice.address,
        link=link,
        language=notice.language,
        made_at=made_at,
        expires=expires,
    )
    letter = notice_letter(office.config, facts, office.templates)
    headers = headers_of(office.config, _sender(office, notice.newsletters))
    identity = hashlib.sha256(f"{notice.kind}\0{notice.uid}\0{link}\0{made_at.isoformat()}".encode()).hexdigest()
    message = transactional_message(
        letter, headers, to=notice.address, name=notice.name, identity=identity, made_at=made_at
    )
    back = _return_address(office, notice, made_at) or headers.sender
    hand_over(transport, back, notice.address, message, f"notice-{notice.kind}/{identity[:20]}")


def _return_address(office: Office, notice: SubscriptionEmail, made_at: datetime) -> str:
    """Return where a failure to ask for a confirmation comes back; "" of other notices, and without mail.bounces.

    The others go to readers whose letters tell of dead mailboxes, or to an address that is nobody's yet.
    """
    path = return_path(office.config) if notice.kind is SubscriptionEmailKind.CONFIRM else None
    person = office.store.subscribers.by_uid(notice.uid) if path else None
    return path.of_notice(person.id, made_at) if path and person else ""


def mail_welcome(office: Office, person: Subscriber, gained: tuple[str, ...]) -> None:
    """Let the newest edition go to who just confirmed, of each newsletter that wants that."""
    for held in person.subscriptions:
        newsletter = office.config.newsletter(held.newsletter)
        if newsletter is None or not newsletter.welcome or held.newsletter not in gained:
            continue
        edition = next(iter(office.store.editions.public(office.now(), newsletter.name, limit=1)), None)
        if edition is not None:
            _mail_edition(office, person, held, edition)


def _mail_edition(office: Office, person: Subscriber, held: Subscription, edition: Edition) -> None:
    office.mailroom.put("welcome", lambda transport: _send_edition(office, transport, person, held, edition))


def _send_edition(
    office: Office, transport: Transport, person: Subscriber, held: Subscription, edition: Edition
) -> None:
    now = office.store.subscribers.by_uid(person.uid)
    if now is None or now.status is not SubscriberStatus.ACTIVE:
        return  # they left while it waited
    letter = office.store.editions.letter(edition.id, variant_key(topic_set(held.topics)))
    if letter is None:
        return  # no post of it is about what they chose, or nobody chose the same before
    headers = headers_of(office.config, edition.newsletter)
    recipient = Recipient(
        address=person.address,
        name=person.name,
        message_id=message_id(edition, person.uid, headers.sender),
        unsubscribe_url=office.links.unsubscribe(person.uid, edition.newsletter),
        preferences_url=office.links.preferences(person.uid),
    )
    message = MessageTemplate.of(letter, headers, edition.dated).join(recipient)
    hand_over(transport, headers.sender, person.address, message, f"welcome-{edition.newsletter}/{person.uid}")


def hand_over(transport: Transport, sender: str, address: str, message: bytes, key: str) -> None:
    """Hand one message over. Raises NeverError where it is never taken, LaterError where it may be another time."""
    outcome = transport.send(split_mailbox(sender)[1], address, message, key)
    if isinstance(outcome, Rejected):
        raise NeverError(outcome.reason)
    if not isinstance(outcome, Accepted):  # what was not answered has the same Message-ID the next time
        raise LaterError(outcome.reason)


def _link(office: Office, notice: SubscriptionEmail) -> str:
    if notice.kind is SubscriptionEmailKind.ALREADY:
        return office.links.preferences(notice.uid)
    if notice.kind is SubscriptionEmailKind.MOVED:
        return ""  # whoever reads that mailbox now has no need of one
    path = ADDRESS if notice.kind is SubscriptionEmailKind.ADDRESS else CONFIRM
    return f"{office.links.public_url}/{path}/{notice.token}"


def _sender(office: Office, names: tuple[str, ...]) -> str:
    """The newsletter in whose name a notice goes: the first that it is about, or else the project's first."""
    known = [name for name in names if office.config.newsletter(name)] or office.known
    return known[0] if known else "newsletter"
