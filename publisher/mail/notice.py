"""The bytes of one notice: a message to one person, made once, with no list behind it."""

from __future__ import annotations

import hashlib
from datetime import datetime
from email.utils import format_datetime

from publisher.core.models import require_aware
from publisher.core.newsletter_models import Letter
from publisher.mail.addresses import split_mailbox, wire_address
from publisher.mail.headers import mailbox_header, plain_header, text_header
from publisher.mail.message import NewsletterHeaders, quoted_printable


def notice_message(
    letter: Letter, headers: NewsletterHeaders, *, to: str, name: str, identity: str, made_at: datetime
) -> bytes:
    """Return the whole message: RFC 5322, CRLF line ends, dots not stuffed.

    identity  the notice's permanent name: with the same one, the same Message-ID
    Raises ValueError for an address that cannot stand in a header.
    """
    require_aware("made_at", made_at)
    sender_name, sender = split_mailbox(headers.sender)
    reply_name, reply_to = split_mailbox(headers.reply_to)
    digest = hashlib.sha256(identity.encode()).hexdigest()
    boundary = f"=_{digest[:32]}"  # cannot occur in quoted-printable (RFC 2045, 6.7)
    lines = [
        plain_header("Date", format_datetime(made_at)),
        mailbox_header("From", sender_name, sender),
        mailbox_header("To", name, to),
        text_header("Subject", letter.subject),
        plain_header("Message-ID", f"<{digest[:40]}@{wire_address(sender).rpartition('@')[2]}>"),
        # RFC 3834, 5: keeps vacation notices away
        b"Auto-Submitted: auto-generated\r\n",
        b"MIME-Version: 1.0\r\n",
        mailbox_header("Reply-To", reply_name, reply_to) if reply_to else b"",
        f'Content-Type: multipart/alternative;\r\n boundary="{boundary}"\r\n\r\n'.encode(),
        _part(boundary, "plain", letter.text),
        _part(boundary, "html", letter.html),
        f"--{boundary}--\r\n".encode(),
    ]
    return b"".join(lines)


def _part(boundary: str, kind: str, text: str) -> bytes:
    head = (
        f'--{boundary}\r\nContent-Type: text/{kind}; charset="utf-8"\r\n'
        "Content-Transfer-Encoding: quoted-printable\r\n\r\n"
    )
    return head.encode() + quoted_printable(text) + b"\r\n"
