"""Building the bytes of messages: the messages of an edition, and transactional ones.

Encoding a letter (the content of an email) takes milliseconds. Everything except its marks, which are placeholders for
the recipient's values, is the same for everybody. So the letter's parts are encoded once and cut at their marks, and
each recipient's message is made by joining byte strings (see encoded_part).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import field, replace
from datetime import UTC, datetime
from email.utils import format_datetime
from html import escape
from urllib.parse import quote

from publisher.core.frozen import dataclass
from publisher.core.models import require_aware
from publisher.core.newsletter_models import Delivery, Edition, Letter, Mark, slot_path
from publisher.core.personal_marks import MarkedText, Person, cut, field_mark, field_marks, is_personal, test_of
from publisher.core.subscriber_fields import FieldValue, decode_fields
from publisher.mail.addresses import split_mailbox, wire_address, wire_domain, wire_url
from publisher.mail.dkim import Header, Signer, hash_body, signed_headers
from publisher.mail.encoded_part import BranchingPart, EncodedPart, quoted_printable, soft_broken
from publisher.mail.header_lines import mailbox_header, named_header, one_line, plain_header, text_header
from publisher.mail.link_parameters import NO_PARAMETERS, LinkParameters
from publisher.mail.links import Links
from publisher.mail.verp import ReturnPath

# How many combinations of a letter's condition outcomes are kept ready.
_MOST_VERSIONS = 256


@dataclass(frozen=True, slots=True)
class NewsletterHeaders:
    """The headers that all messages of a newsletter share.

    title     the newsletter's title
    sender    "Name <address>"; the address is also the envelope sender
    reply_to  the mailbox for answers; "" for the sender
    list_id   the permanent name of the list, such as "weekly.example.org" (RFC 2919)
    archive   the URL of the web versions; "" for none (RFC 2369)
    signers   the keys that sign each message (DKIM)
    links     the parameters added to links to the site
    """

    title: str
    sender: str
    list_id: str
    reply_to: str = ""
    archive: str = ""
    signers: tuple[Signer, ...] = ()
    links: LinkParameters = NO_PARAMETERS

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
    unsubscribe_address: str = ""  # the address at which a message unsubscribes; "" for none
    fields: Mapping[str, FieldValue] = field(default_factory=dict)  # the subscriber's own fields

    @property
    def person(self) -> Person:
        """The data about the recipient, for the marks of a personal letter."""
        return {**self.fields, "name": self.name, "address": self.address}

    def values(self) -> dict[str, str]:
        """Return the values of the marks that every letter may have, by mark."""
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
    return_path  makes the address for bounces; None for the sender's own address
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
        uid, template = delivery.subscriber_uid, self.templates[delivery.variant]
        recipient = Recipient(
            address=delivery.address,
            name=delivery.name,
            message_id=message_id(self.edition, uid, self.headers.sender),
            unsubscribe_url=self.links.unsubscribe(uid, self.edition.newsletter),
            preferences_url=self.links.preferences(uid),
            unsubscribe_address=self._unsubscribe_address(uid),
            fields=decode_fields(delivery.fields) if template.personal else {},
        )
        return template.pieces(recipient)

    def _unsubscribe_address(self, uid: str) -> str:
        return self.return_path.of_unsubscribing(uid, self.edition.newsletter) if self.return_path else ""

    def envelope_from(self, delivery: Delivery) -> str:
        """Return the bare address to which a bounce of this delivery goes."""
        return self.return_path.of(delivery.id) if self.return_path else self.headers.sender_address

    def key(self, delivery: Delivery) -> str:
        """Return the permanent name of a delivery: a readable label, a slash, and the subscriber's uid."""
        return f"{self.edition.newsletter}-{slot_path(self.edition.slot)}/{delivery.subscriber_uid}"


@dataclass(frozen=True, slots=True)
class MessageTemplate:
    """A letter that is encoded as MIME and ready to be joined with the values of a recipient.

    personal  the parts that depend on the recipient's own fields; None if there are none
    """

    headers: bytes
    boundary: bytes
    text: EncodedPart
    html: EncodedPart
    made_at: datetime
    signers: tuple[Signer, ...] = ()
    signed: tuple[Header, ...] = ()  # the signed headers that all messages share
    personal: _PersonalParts | None = None

    @classmethod
    def of(cls, letter: Letter, headers: NewsletterHeaders, made_at: datetime) -> MessageTemplate:
        """Encode a letter once for all recipients.

        made_at: the Date of every message, so that a message that is sent again has exactly the same bytes. Raises
        ValueError if the sender or the reply address cannot be used in a header.
        """
        require_aware("made_at", made_at)
        html, text = headers.links.in_letter(letter)
        letter = replace(letter, html=html, text=text)
        digest = hashlib.sha256(f"{letter.html}\0{letter.text}".encode("utf-8", "replace")).hexdigest()
        personal = _PersonalParts.of(letter)
        common = _common_headers(letter, headers, made_at, with_subject=not (personal and personal.subject))
        return cls(
            headers=common,
            # "=_" cannot occur in a quoted-printable body, so the boundary needs no search (RFC 2045, 6.7)
            boundary=f"=_{digest[:32]}".encode("ascii"),
            text=EncodedPart.of(letter.text),
            html=EncodedPart.of(letter.html),
            made_at=made_at,
            signers=headers.signers,
            signed=tuple(signed_headers(common)),
            personal=personal,
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
        own = [
            mailbox_header("To", recipient.name, recipient.address),
            plain_header("Message-ID", recipient.message_id),
            plain_header("List-Unsubscribe", _ways_to_unsubscribe(recipient)),
            _one_click(recipient.unsubscribe_url),
            b'Content-Type: multipart/alternative; boundary="%s"\r\n' % self.boundary,
        ]
        values, text, html = recipient.values(), self.text, self.html
        if self.personal:
            person = recipient.person
            text, html = self.personal.parts(person)
            values |= {mark: _value(mark, person) for mark in self.personal.marks}
            if self.personal.subject:
                subject = self.personal.subject.filled(person, lambda mark: _value(mark, person))
                own.insert(0, text_header("Subject", subject))
        in_text = {mark: soft_broken(values[mark]) for mark in text.marks}
        in_html = {mark: _soft_broken_in_html(values[mark], in_text.get(mark)) for mark in html.marks}
        parts = ((b"plain", text, in_text), (b"html", html, in_html))
        block = b"".join(own)
        return [*self._signatures(block, parts), self.headers, block, b"\r\n", *self._body(parts)]

    def _signatures(self, own: bytes, parts: _Parts) -> list[bytes]:
        if not self.signers:
            return []
        hashed = hash_body(self._body(parts, as_hashed=True))
        headers = [*self.signed, *signed_headers(own)]
        return [signer.header(headers, hashed, self.made_at) for signer in self.signers]

    def _body(self, parts: _Parts, *, as_hashed: bool = False) -> list[bytes]:
        body: list[bytes] = []
        for kind, part, values in parts:
            body += (self._part_head(kind), *part.join(values, as_hashed=as_hashed), b"\r\n")
        return [*body, b"--%s--\r\n" % self.boundary]

    def _part_head(self, kind: bytes) -> bytes:
        return (
            b'--%s\r\nContent-Type: text/%s; charset="utf-8"\r\n'
            b"Content-Transfer-Encoding: quoted-printable\r\n\r\n" % (self.boundary, kind)
        )


_Parts = Iterable[tuple[bytes, EncodedPart, Mapping[str, bytes]]]


@dataclass(frozen=True, slots=True)
class _PersonalParts:
    """The parts of a letter that depend on the recipient's own fields.

    subject   the subject, if it depends on them
    tests     the tests of all conditions in the two parts, by their marks
    marks     the marks of fields in the two parts
    versions  the parts for those outcomes of the rules that were needed so far
    """

    subject: MarkedText | None
    text: BranchingPart
    html: BranchingPart
    tests: Mapping[str, Callable[[Person], bool]]
    marks: frozenset[str]
    versions: dict[tuple[bool, ...], tuple[EncodedPart, EncodedPart]] = field(default_factory=dict, compare=False)

    @classmethod
    def of(cls, letter: Letter) -> _PersonalParts | None:
        """Return the personal parts of a letter, or None if it has none."""
        has_subject = is_personal(letter.subject)
        if not (has_subject or is_personal(letter.html) or is_personal(letter.text)):
            return None
        text, html = BranchingPart.of(letter.text), BranchingPart.of(letter.html)
        tests = {mark: test_of(rule) for mark, rule in (*text.rules(), *html.rules())}
        marks = frozenset(mark for part in (letter.text, letter.html) for mark in field_marks(part))
        return cls(cut(letter.subject) if has_subject else None, text, html, tests, marks)

    def parts(self, person: Person) -> tuple[EncodedPart, EncodedPart]:
        """Return the text and the HTML for a recipient, in which only values remain to be filled in."""
        outcomes = tuple(test(person) for test in self.tests.values())
        found = self.versions.get(outcomes)
        if found is None:
            if len(self.versions) >= _MOST_VERSIONS:
                self.versions.clear()
            by_mark = dict(zip(self.tests, outcomes, strict=True))
            found = self.text.without_branches(by_mark), self.html.without_branches(by_mark)
            self.versions[outcomes] = found
        return found


def _value(mark: str, person: Person) -> str:
    found = field_mark(mark)
    return found.text(person) if found else ""


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
    boundary = f"=_{digest[:32]}"  # this cannot occur in quoted-printable (RFC 2045, 6.7)
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


def _common_headers(letter: Letter, headers: NewsletterHeaders, made_at: datetime, *, with_subject: bool) -> bytes:
    name, address = split_mailbox(headers.sender)
    reply_name, reply_address = split_mailbox(headers.reply_to)
    lines = [
        plain_header("Date", format_datetime(made_at)),
        mailbox_header("From", name, address),
        text_header("Subject", letter.subject) if with_subject else b"",
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
    """Return the URLs by which a subscriber can unsubscribe, the preferred one first (RFC 2369, 3.2)."""
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


def _soft_broken_in_html(value: str, in_text: bytes | None) -> bytes:
    """Return an encoded value for the HTML part. Usually it is the same as in the text part, and is reused.

    in_text: the encoded value in the text part; None if the mark does not occur there.
    """
    escaped = escape(value)
    return in_text if in_text is not None and escaped == value else soft_broken(escaped)
