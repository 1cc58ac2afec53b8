"""A copy of a letter for someone who wants to see it first."""

from __future__ import annotations

import hashlib
from dataclasses import replace

from publisher.core.errors import SubscriberError
from publisher.core.newsletter_models import Edition, Letter
from publisher.mail.links import Links
from publisher.mail.message import MessageTemplate, NewsletterHeaders, Recipient, message_id
from publisher.mail.transport import Outcome, Transport

# No subscriber has this uid, so the links of a copy open nobody's page.
NOBODY = "copy"


def send_copy(
    transport: Transport,
    edition: Edition,
    letter: Letter,
    headers: NewsletterHeaders,
    links: Links,
    *,
    to: str,
) -> Outcome:
    """Send one marked copy of a letter to an address, subscriber or not, and touch no ledger.

    edition: made, or only drafted (any id); a copy with the same slot is the same message again.
    Raises SubscriberError for an address that cannot be mailed, TransportError like any sending.
    """
    identity = f"{NOBODY}-{hashlib.sha256(to.encode()).hexdigest()[:12]}"
    marked = replace(letter, subject=f"[Copy] {letter.subject}")
    recipient = Recipient(
        address=to,
        name="",
        message_id=message_id(edition, identity, headers.sender),
        unsubscribe_url=links.unsubscribe(NOBODY, edition.newsletter),
        preferences_url=links.preferences(NOBODY),
    )
    try:
        message = MessageTemplate.of(marked, headers, edition.made_at).join(recipient)
    except ValueError as error:
        raise SubscriberError(str(error), hint="check the address and mail.sender") from error
    return transport.send(headers.sender_address, to, message, f"{edition.newsletter}-{edition.slot}/{identity}")
