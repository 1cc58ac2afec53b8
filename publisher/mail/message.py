"""Builds the bytes of messages: those of an edition, and transactional ones.

Encoding a letter (the content of an email) takes milliseconds. Everything except its marks, which are placeholders for
the recipient's values, is the same for everybody. So the letter's parts are encoded once and cut at their marks, and
each recipient's message is made by joining byte strings. Every piece between two marks is encoded by itself, with a
soft line break on either side of the mark (RFC 2045, 6.7). So no value, however long, can make a line too long or end
up in the middle of an escape sequence.
"""

from __future__ import annotations

import binascii
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from html import escape
from urllib.parse import quote

from publisher.core.models import require_aware
from publisher.core.newsletter_models import Delivery, Edition, Letter, Mark, slot_path
from publisher.mail.addresses import split_mailbox, wire_address, wire_domain, wire_url
from publisher.mail.dkim import Header, Signer, canonical, hash_body, signed_headers
from publisher.mail.headers import mailbox_header, named_header, one_line, plain_header, text_header
from publisher.mail.links import Links
from publisher.mail.verp import ReturnPath

SOFT_BREAK = b"=\r\n"

# binascii escapes a space before a line end only after it has measured the line, which then has up to 78 characters.
_OVERLONG = re.compile(rb"(?m)^(.{74,75})(=20|=09)$")

# The length that RFC 2045 allows for a line, without the "=" of a soft break.
QP_LINE = 75

# A message's separator in mbox files. What writes such a file changes these lines to ">From", which breaks signatures.
_LEADING_FROM = re.compile(rb"(?m)^From (.*)$")

_LEADING_DOT = re.compile(rb"(?m)^(\.+)(.*)$")

_MARKS = re.compile("(" + "|".join(re.escape(mark) for mark in Mark.ALL) + ")")


@dataclass(frozen=True, slots=True)
class NewsletterHeaders:
    """The headers that all messages of a newsletter share.

    title     the newsletter's title
    sender    "Name <address>"; the address is also the envelope sender
    reply_to  the mailbox that answers go to; "" for the sender
    list_id   the permanent name of the list, such as "weekly.example.org" (RFC 2919)
    archive   the URL of the web versions; "" for none (RFC 2369)
    signers   the keys that sign each message (DKIM)
    """

    title: str
    sender: str
    list_id: str
    reply_to: str = ""
    archive: str = ""
    signers: tuple[Signer, ...] = ()

    @property
    def sender_address(self) -> str:
        """Return the sender's address without the display name."""
        return split_mailbox(self.sender)[1]


@dataclass(frozen=True, slots=True)
class Recipient:
    """The recipient of one message, with the values for the marks of its letter."""

    address: str
    name: str
    message_id: str
    unsubscribe_url: str
    preferences_url: str
    unsubscribe_address: str = ""  # the address that a message unsubscribes at; "" for none

    def values(self) -> dict[str, str]:
        """Return the values, by mark."""
        return {
            Mark.UNSUBSCRIBE: self.unsubscribe_url,
            Mark.PREFERENCES: self.preferences_url,
            Mark.NAME: one_line(self.name),
            Mark.ADDRESS: one_line(self.address),
        }


@dataclass(frozen=True, slots=True)
class MailMerge:
    """The messages of one edition. Each is made by joining a delivery with the letter of its variant.

    templates    the encoded letters, by variant
    return_path  makes the address that bounces go to; None for the sender's own address
    """

    edition: Edition
    headers: NewsletterHeaders
    links: Links
    templates: Mapping[str, MessageTemplate]
    return_path: ReturnPath | None = None

    def message(self, delivery: Delivery) -> bytes:
        """Return a delivery's message, which is always the same bytes. Raises ValueError if `pieces` does."""
        return b"".join(self.pieces(delivery))

    def pieces(self, delivery: Delivery) -> list[bytes]:
        """Return a delivery's message as pieces, most of which are shared by all messages.

        Raises ValueError if the address cannot be used in a header.
        """
        uid = delivery.subscriber_uid
        recipient = Recipient(
            address=delivery.address,
            name=delivery.name,
            message_id=message_id(self.edition, uid, self.headers.sender),
            unsubscribe_url=self.links.unsubscribe(uid, self.edition.newsletter),
            preferences_url=self.links.preferences(uid),
            unsubscribe_address=self._unsubscribe_address(uid),
        )
        return self.templates[delivery.variant].pieces(recipient)

    def _unsubscribe_address(self, uid: str) -> str:
        return self.return_path.of_unsubscribing(uid, self.edition.newsletter) if self.return_path else ""

    def envelope_from(self, delivery: Delivery) -> str:
        """Return the bare address that a bounce of this delivery goes to."""
        return self.return_path.of(delivery.id) if self.return_path else self.headers.sender_address

    def key(self, delivery: Delivery) -> str:
        """Return the permanent name of a delivery: a readable label, a slash, and the subscriber's uid."""
        return f"{self.edition.newsletter}-{slot_path(self.edition.slot)}/{delivery.subscriber_uid}"


@dataclass(frozen=True, slots=True)
class MessageTemplate:
    """A letter that is encoded as MIME and ready to be joined with the values of a recipient."""

    headers: bytes
    boundary: bytes
    text: EncodedPart
    html: EncodedPart
    made_at: datetime
    signers: tuple[Signer, ...] = ()
    signed: tuple[Header, ...] = ()  # the common headers that are signed

    @classmethod
    def of(cls, letter: Letter, headers: NewsletterHeaders, made_at: datetime) -> MessageTemplate:
        """Encode a letter once for all recipients.

        made_at: the Date of every message, so that a message that is sent again has exactly the same bytes. Raises
        ValueError if the sender or the reply address cannot be used in a header.
        """
        require_aware("made_at", made_at)
        digest = hashlib.sha256(f"{letter.html}\0{letter.text}".encode("utf-8", "replace")).hexdigest()
        common = _common_headers(letter, headers, made_at)
        return cls(
            headers=common,
            # "=_" cannot occur in a quoted-printable body, so the boundary needs no search (RFC 2045, 6.7)
            boundary=f"=_{digest[:32]}".encode("ascii"),
            text=EncodedPart.of(letter.text),
            html=EncodedPart.of(letter.html),
            made_at=made_at,
            signers=headers.signers,
            signed=tuple(signed_headers(common)),
        )

    def join(self, recipient: Recipient) -> bytes:
        """Return the whole RFC 5322 message for one recipient, with CRLF line ends.

        Raises ValueError if `pieces` does.
        """
        return b"".join(self.pieces(recipient))

    def pieces(self, recipient: Recipient) -> list[bytes]:
        """Return the message as pieces of whole lines, most of which are shared by all messages.

        No line starts with a dot. Values are escaped in the HTML part. Raises ValueError if the address cannot be used
        in a header.
        """
        values = recipient.values()
        own = b"".join(
            [
                mailbox_header("To", recipient.name, recipient.address),
                plain_header("Message-ID", recipient.message_id),
                plain_header("List-Unsubscribe", _ways_to_unsubscribe(recipient)),
                _one_click(recipient.unsubscribe_url),
                b'Content-Type: multipart/alternative; boundary="%s"\r\n' % self.boundary,
            ]
        )
        text = {mark: soft_broken(values[mark]) for mark in self.text.marks}
        html = {mark: _soft_broken_in_html(values[mark], text.get(mark)) for mark in self.html.marks}
        return [*self._signatures(own, text, html), self.headers, own, b"\r\n", *self._body(text, html)]

    def _signatures(self, own: bytes, text: Mapping[str, bytes], html: Mapping[str, bytes]) -> list[bytes]:
        if not self.signers:
            return []
        hashed = hash_body(self._body(text, html, as_hashed=True))
        headers = [*self.signed, *signed_headers(own)]
        return [signer.header(headers, hashed, self.made_at) for signer in self.signers]

    def _body(self, text: Mapping[str, bytes], html: Mapping[str, bytes], *, as_hashed: bool = False) -> list[bytes]:
        return [
            *(self._part_head(b"plain"), *self.text.join(text, as_hashed=as_hashed), b"\r\n"),
            *(self._part_head(b"html"), *self.html.join(html, as_hashed=as_hashed), b"\r\n"),
            b"--%s--\r\n" % self.boundary,
        ]

    def _part_head(self, kind: bytes) -> bytes:
        return (
            b'--%s\r\nContent-Type: text/%s; charset="utf-8"\r\n'
            b"Content-Transfer-Encoding: quoted-printable\r\n\r\n" % (self.boundary, kind)
        )


@dataclass(frozen=True, slots=True)
class EncodedPart:
    """An encoded MIME part, cut at its marks: pieces[0] marks[0] pieces[1] marks[1] ... pieces[-1].

    Every piece except the last ends with a soft break, and so does every value that replaces a mark.
    """

    pieces: tuple[bytes, ...]
    marks: tuple[str, ...]
    canonical: tuple[bytes, ...]  # the pieces in the form that DKIM hashes

    @classmethod
    def of(cls, text: str) -> EncodedPart:
        """Encode the text between the marks as quoted-printable with CRLF line ends."""
        cut = _MARKS.split(text)
        *before_marks, last = cut[::2]
        pieces = (*map(soft_broken, before_marks), quoted_printable(last))
        return cls(pieces, tuple(cut[1::2]), tuple(map(canonical, pieces)))

    def join(self, values: Mapping[str, bytes], *, as_hashed: bool = False) -> list[bytes]:
        """Return the part's bytes for one recipient, as pieces.

        values: the encoded values, by mark. as_hashed: whether to return the pieces in the form that DKIM hashes.
        """
        pieces = self.canonical if as_hashed else self.pieces
        joined = [pieces[0]]
        for mark, piece in zip(self.marks, pieces[1:], strict=True):
            joined += (canonical(values[mark]) if as_hashed else values[mark], piece)
        return joined


def message_id(edition: Edition, subscriber_uid: str, sender: str) -> str:
    """Return the Message-ID of a delivery. It is always the same, so mailbox servers can drop a second copy."""
    identity = "\0".join((edition.newsletter, edition.slot, subscriber_uid))
    domain = wire_address(split_mailbox(sender)[1]).rpartition("@")[2]
    return f"<{hashlib.sha256(identity.encode()).hexdigest()[:40]}@{domain}>"


def transactional_message(
    letter: Letter, headers: NewsletterHeaders, *, to: str, name: str, identity: str, made_at: datetime
) -> bytes:
    """Return a message to one person that does not belong to a mailing list.

    The message is in the form of RFC 5322, with CRLF line ends and without dot-stuffing. identity: the permanent name
    of the message, from which its Message-ID is made. Raises ValueError if an address cannot be used in a header.
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
        # RFC 3834, 5: keeps automatic replies away
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


def _common_headers(letter: Letter, headers: NewsletterHeaders, made_at: datetime) -> bytes:
    name, address = split_mailbox(headers.sender)
    reply_name, reply_address = split_mailbox(headers.reply_to)
    lines = [
        plain_header("Date", format_datetime(made_at)),
        mailbox_header("From", name, address),
        text_header("Subject", letter.subject),
        named_header("List-Id", headers.title, wire_domain(headers.list_id)),
        plain_header("List-Owner", f"<mailto:{quote(wire_address(reply_address or address), safe='@+')}>"),
        # RFC 3834, 5: keeps automatic replies away
        b"Auto-Submitted: auto-generated\r\n",
        # edition, newsletter, kind, sender: Gmail's Postmaster Tools count complaints by these
        plain_header("Feedback-ID", _feedback_id(headers, made_at)),
        b"MIME-Version: 1.0\r\n",
    ]
    if reply_address:
        lines.append(mailbox_header("Reply-To", reply_name, reply_address))
    if headers.archive:
        lines.append(plain_header("List-Archive", f"<{wire_url(headers.archive)}>"))
    return b"".join(lines)


def _ways_to_unsubscribe(recipient: Recipient) -> str:
    """Return the URLs with which a subscriber unsubscribes, the preferred one first (RFC 2369, 3.2)."""
    ways = f"<{recipient.unsubscribe_url}>"
    if recipient.unsubscribe_address:
        address = quote(wire_address(recipient.unsubscribe_address), safe="@+")
        ways += f", <mailto:{address}?subject=unsubscribe>"
    return ways


def _one_click(url: str) -> bytes:
    """Return the header that promises one-click unsubscribing, or nothing if the URL is not https (RFC 8058)."""
    return b"List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n" if url.startswith("https://") else b""


def _feedback_id(headers: NewsletterHeaders, made_at: datetime) -> str:
    newsletter, domain = headers.list_id.partition(".")[0], wire_address(headers.sender_address).rpartition("@")[2]
    return f"{made_at.astimezone(UTC):%Y%m%dT%H%M%S}:{newsletter}:newsletter:{domain}"


def quoted_printable(text: str) -> bytes:
    """Return text as quoted-printable UTF-8 (RFC 2045, 6.7), in lines of at most 76 characters that end with CRLF.

    Every kind of line end in the text becomes CRLF. White space at the end of a line or of the text is escaped. No line
    starts with a dot or with "From " (RFC 2049, 3), so messages do not need dot-stuffing for SMTP.
    """
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    encoded = binascii.b2a_qp(lines.encode("utf-8", "replace"), quotetabs=False, istext=True)
    encoded = _OVERLONG.sub(rb"\1=\n\2", encoded)
    encoded = _LEADING_FROM.sub(_without_from, encoded)
    return _LEADING_DOT.sub(_without_dot, encoded).replace(b"\n", b"\r\n")


def _without_from(line: re.Match[bytes]) -> bytes:
    """Return a line with its "F" escaped. A soft break divides the line if it would become too long."""
    break_in = b"=\n" if len(b"=46rom ") + len(line[1]) > QP_LINE + 1 else b""
    return b"=46%srom %s" % (break_in, line[1])


def _without_dot(line: re.Match[bytes]) -> bytes:
    """Return a line with its leading dots escaped. Soft breaks divide the line if it would become too long."""
    dots, rest = line[1], line[2]
    if len(rest) + 3 * len(dots) <= QP_LINE:
        return b"=2E" * len(dots) + rest
    full, left = divmod(len(dots), QP_LINE // 3)
    return (b"=2E" * (QP_LINE // 3) + b"=\n") * full + b"=2E" * left + (b"=\n" if left else b"") + rest


def soft_broken(text: str) -> bytes:
    """Return text as quoted-printable that ends with a soft break, so that the next piece continues its last line."""
    # The "x" represents the next piece, and keeps one column free for the "=" of the soft break.
    return quoted_printable(f"{text}x")[:-1] + SOFT_BREAK if text else b""


def _soft_broken_in_html(value: str, in_text: bytes | None) -> bytes:
    """Return an encoded value for the HTML part. Usually it is the same as in the text part, and is reused.

    in_text: the encoded value in the text part; None if the mark does not occur there.
    """
    escaped = escape(value)
    return in_text if in_text is not None and escaped == value else soft_broken(escaped)
