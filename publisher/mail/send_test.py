"""A copy of a letter for someone who wants to see it first."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import datetime

from publisher.core.errors import SubscriberError
from publisher.core.newsletter_models import Edition, Letter, Mark
from publisher.mail.links import Links
from publisher.mail.message import MessageTemplate, NewsletterHeaders, Recipient, message_id
from publisher.mail.transport import Outcome, Transport

# No subscriber has this uid, so the links of a copy open nobody's page.
NOBODY = "copy"


def send_test_email(
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


_TEXT = f"""\
This is how letters from here arrive: by the same mail server, with the same headers and signatures.

1. Open this message in your mailbox and ask for its source. At Gmail: the three dots, "Show original", "Download \
original". In most programs: "View source", "Save as".
2. Give the file to the program: publisher mail doctor --read FILE
3. It says whether SPF, DKIM and DMARC passed where the message arrived.

Unsubscribe: {Mark.UNSUBSCRIBE}
"""


def doctor_message(headers: NewsletterHeaders, links: Links, newsletter: str, to: str, at: datetime) -> bytes:
    """Return a message as readers of the newsletter get it, with words about itself.

    Raises SubscriberError for an address that cannot be mailed.
    """
    paragraphs = "".join(f"<p>{line}</p>" for line in _TEXT.splitlines() if line and "Unsubscribe:" not in line)
    html = (
        '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>A test of your mail</title></head>'
        f'<body>{paragraphs}<p><a href="{Mark.UNSUBSCRIBE}">Unsubscribe</a></p></body></html>\n'
    )
    letter = Letter("", "A test of your mail", "", html, _TEXT)
    try:
        # Each test is a message of its own: mailbox servers fold two with one Message-ID.
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
