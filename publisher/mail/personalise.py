"""A delivery's own message: the letter of its variant joined with its reader's values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from publisher.core.newsletter_models import Delivery, Edition, slot_path
from publisher.mail.addresses import needs_smtputf8, wire_address
from publisher.mail.links import Links
from publisher.mail.message import MessageTemplate, NewsletterHeaders, Recipient, message_id
from publisher.mail.smtp.messages import Message
from publisher.mail.verp import ReturnPath


@dataclass(frozen=True, slots=True)
class Composer:
    """What the messages of one edition are made from.

    templates    by variant
    return_path  where failures come back to; None for the sender's own address
    """

    edition: Edition
    headers: NewsletterHeaders
    links: Links
    templates: Mapping[str, MessageTemplate]
    return_path: ReturnPath | None = None

    def message(self, delivery: Delivery) -> bytes:
        """Return the message's bytes, the same for ever. Raises ValueError like `pieces`."""
        return b"".join(self.pieces(delivery))

    def pieces(self, delivery: Delivery) -> list[bytes]:
        """Return the message as pieces, most of which it shares with all others.

        Raises ValueError for an address that cannot stand in a header.
        """
        uid = delivery.subscriber_uid
        recipient = Recipient(
            address=delivery.address,
            name=delivery.name,
            message_id=message_id(self.edition, uid, self.headers.sender),
            unsubscribe_url=self.links.unsubscribe(uid, self.edition.newsletter),
            preferences_url=self.links.preferences(uid),
        )
        return self.templates[delivery.variant].pieces(recipient)

    def envelope_from(self, delivery: Delivery) -> str:
        """Return the bare address to which a failure of this delivery comes back."""
        return self.return_path.of(delivery.id) if self.return_path else self.headers.sender_address

    def on_the_wire(self, delivery: Delivery) -> Message:
        """Return the message with its envelope; raises ValueError like `message`."""
        sender, recipient = wire_address(self.envelope_from(delivery)), wire_address(delivery.address)
        utf8 = needs_smtputf8(sender) or needs_smtputf8(recipient)
        # No line that quoted_printable makes starts with a dot, and no header does: nothing to double.
        return Message(sender, recipient, self.pieces(delivery), utf8=utf8)

    def key(self, delivery: Delivery) -> str:
        """Return the permanent name of a delivery: a readable label, a slash, and who it is for."""
        return f"{self.edition.newsletter}-{slot_path(self.edition.slot)}/{delivery.subscriber_uid}"
