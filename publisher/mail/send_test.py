"""Test emails: an edition before it is sent, and a message for checking the mail setup."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import datetime

from publisher.core.errors import SubscriberError
from publisher.core.newsletter_models import Edition, Letter, Mark
from publisher.core.personal_marks import Person
from publisher.mail.links import Links
from publisher.mail.message import MessageTemplate, NewsletterHeaders, Recipient, message_id
from publisher.mail.transport import Outcome, Transport

# No subscriber has this uid, so the links in a test email lead to nobody's page.
NOBODY = "copy"


def send_test_email(
    transport: Transport,
    edition: Edition,
    letter: Letter,
    headers: NewsletterHeaders,
    links: Links,
    *,
    to: str,
    person: Person | None = None,
) -> Outcome:
    """Send an edition's letter as a test email to any address, without leaving a trace in the ledger.

    edition: an edition, or a draft of one with any id. Test emails to the same address for the same slot (scheduled
    time) have the same Message-ID. person: the name and fields of the subscriber with this address, for letters that
    show them. Raises SubscriberError if the address cannot be used, and TransportError if Transport.send does.
    """
    person = person or {}
    identity = f"{NOBODY}-{hashlib.sha256(to.encode()).hexdigest()[:12]}"
    marked = replace(letter, subject=f"[Test] {letter.subject}")
    recipient = Recipient(
        address=to,
        name=str(person.get("name", "")),
        message_id=message_id(edition, identity, headers.sender),
        unsubscribe_url=links.unsubscribe(NOBODY, edition.newsletter),
        preferences_url=links.preferences(NOBODY),
        fields=person,
    )
    try:
        message = MessageTemplate.of(marked, headers, edition.made_at).join(recipient)
    except ValueError as error:
        raise SubscriberError(str(error), hint="check the address and mail.sender") from error
    return transport.send(headers.sender_address, to, message, f"{edition.newsletter}-{edition.slot}/{identity}")


_TEXT = f"""\
Your newsletters arrive like this email: through the same mail server, with the same headers and signatures.

1. Open this email in your inbox and view its source. In Gmail: the three dots, "Show original", "Download \
original". In most other email clients: "View source", "Save as".
2. Save the source as a file and run: publisher mail doctor --read FILE
3. The report says whether SPF, DKIM and DMARC passed where the email arrived.

Unsubscribe: {Mark.UNSUBSCRIBE}
"""


def doctor_message(headers: NewsletterHeaders, links: Links, newsletter: str, to: str, at: datetime) -> bytes:
    """Return a message with a newsletter's headers. Its text explains how to check it with `publisher mail doctor`.

    to: the recipient's address. at: the message's Date. Raises SubscriberError if the address cannot be used.
    """
    paragraphs = "".join(f"<p>{line}</p>" for line in _TEXT.splitlines() if line and "Unsubscribe:" not in line)
    html = (
        '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>A test of your email</title></head>'
        f'<body>{paragraphs}<p><a href="{Mark.UNSUBSCRIBE}">Unsubscribe</a></p></body></html>\n'
    )
    letter = Letter("", "A test of your email", "", html, _TEXT)
    try:
        # Each message has its own Message-ID, because mailbox servers drop a second message with the same id.
        identity = message_id(_edition(newsletter, at), f"{NOBODY}-{to}", headers.sender)
        recipient = Recipient(
            *(to, "", identity),
            unsubscribe_url=links.unsubscribe(NOBODY, newsletter),
            preferences_url=links.preferences(NOBODY),
        )
        return MessageTemplate.of(letter, headers, at).join(recipient)
    except ValueError as error:
        raise SubscriberError(str(error), hint="check the address and mail.sender") from error


def _edition(newsletter: str, at: datetime) -> Edition:
    return Edition(0, newsletter, f"trial:{at.isoformat()}", 0, "", at)
