"""An email as a subscriber would receive it, for the admin pages and the preview.

The email is parsed from the bytes that would be sent, so the pages show exactly what would arrive. Its personal links
do not belong to a real subscriber.
"""

from __future__ import annotations

import email.policy
import hashlib
import re
from collections.abc import Sequence
from datetime import datetime
from email.message import EmailMessage
from email.parser import BytesParser
from typing import TYPE_CHECKING
from urllib.parse import quote

from publisher.config import Config, NewsletterConfig, parse_schedule
from publisher.core.errors import SubscriberError
from publisher.core.frozen import dataclass
from publisher.core.newsletter_models import Edition, Letter
from publisher.core.personal_marks import Person, filled
from publisher.newsletters.slots import next_due
from publisher.posts.archive import open_archive
from publisher.publishing.edition_plan import lead_of
from publisher.publishing.letter_check import sample_message
from publisher.publishing.render import EditionRenderer
from publisher.publishing.sample_editions import next_edition

if TYPE_CHECKING:
    from publisher.store import Store

# The fictional subscriber to whom every sample email is addressed.
SAMPLE_NAME, SAMPLE_ADDRESS = "Ada Lovelace", "ada@example.org"

# Gmail shows about this many bytes of HTML, followed by a link to the rest.
GMAIL_BYTES = 100_000

_TAG = re.compile(r"<[a-zA-Z][^<>]*>")
_HEAD = re.compile(r"<head\b[^<>]*>", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class SampleEmail:
    """The email of an edition to the sample subscriber.

    html, text  the two bodies, as an email client reads them from `message`
    preheader   what an inbox shows next to the subject
    headers     the decoded headers as (name, value) pairs, in the order of the message
    key         a hash that changes with the content, but not with the time of composition
    variants    the keys of the edition's versions, one for each selection of topics
    """

    edition: Edition
    letter: Letter
    html: str
    text: str
    preheader: str
    headers: tuple[tuple[str, str], ...]
    message: bytes
    key: str
    variants: tuple[str, ...]

    @property
    def subject(self) -> str:
        """The subject, with the sample subscriber's own values."""
        return self.header("Subject")

    @property
    def html_bytes(self) -> int:
        """The size of the HTML in bytes. If it is too large, Gmail clips the email."""
        return len(self.html.encode())

    @property
    def raw_headers(self) -> str:
        """The encoded headers, as they are sent."""
        return self.message.partition(b"\r\n\r\n")[0].decode("utf-8", "replace").replace("\r\n", "\n")

    @property
    def file_name(self) -> str:
        """The file name for downloading the message. It is safe in an HTTP header and on every file system."""
        return quote(f"{self.edition.newsletter}-{self.edition.slot}".replace(":", "-").replace("/", "-")) + ".eml"

    def header(self, name: str) -> str:
        """Return the value of a header; "" if the message does not have it."""
        return next((value for known, value in self.headers if known == name), "")


def make_sample_email(
    config: Config, edition: Edition, letter: Letter, variants: Sequence[str], person: Person | None = None
) -> SampleEmail:
    """Return the email that the sample subscriber would receive.

    edition   an edition from the database, or a planned edition (id 0)
    variants  the keys of the edition's versions, one for each selection of topics
    person    the name, the address and the fields of another subscriber who is to receive it; None for the sample

    Raises SubscriberError if the configured sender is not valid in a header.
    """
    person = person or {"name": SAMPLE_NAME, "address": SAMPLE_ADDRESS}
    try:
        data = sample_message(config, edition, letter, person)
    except ValueError as error:
        raise SubscriberError(str(error), hint="check mail.sender") from error
    message = BytesParser(policy=email.policy.default).parsebytes(data)
    assert isinstance(message, EmailMessage)  # noqa: S101 - this policy makes no other type
    html, text, preheader = _part(message, "html"), _part(message, "plain"), filled(letter.preheader, person)
    content = "\0".join((filled(letter.subject, person), preheader, html, text))
    return SampleEmail(
        edition=edition,
        letter=letter,
        html=html,
        text=text,
        preheader=preheader,
        headers=tuple((name, str(value)) for name, value in message.items()),
        message=data,
        key=hashlib.blake2b(content.encode("utf-8", "replace"), digest_size=8).hexdigest(),
        variants=tuple(variants),
    )


@dataclass(frozen=True, slots=True)
class NextEmail:
    """A newsletter's next email.

    slot       the label of the slot of its edition
    number     the number of its edition
    posts      how many posts it contains
    is_sample  whether nothing is new, so that it only shows how the newest posts would look
    """

    slot: str
    number: int
    subject: str
    letter: Letter
    html: str
    posts: int
    is_sample: bool


def next_email(config: Config, store: Store, newsletter: NewsletterConfig, now: datetime) -> NextEmail | None:
    """Compose a newsletter's next email as of the time when its edition will be made.

    Return None if there are no posts to show. Raises PublisherError if a post, note or template is broken.
    """
    slot = next_due(parse_schedule(newsletter.schedule), now, config.newsletter_zone(newsletter))
    moment = max(now, slot.at - lead_of(newsletter)) if slot else now
    archive = open_archive(config, moment)
    planned = next_edition(config, store, newsletter, archive, moment)
    if not planned.posts:
        return None
    letter = EditionRenderer(config, archive).letter(planned, moment)
    edition = Edition(0, newsletter.name, planned.slot, planned.number, letter.plain_subject, moment)
    html = make_sample_email(config, edition, letter, ()).html
    return NextEmail(
        planned.slot, planned.number, letter.plain_subject, letter, html, len(planned.posts), planned.is_sample
    )


def open_links_in_tabs(html: str) -> str:
    """Return an email's HTML with links that open in a new tab instead of the frame."""
    return _HEAD.sub(lambda head: f'{head[0]}<base target="_blank">', html, count=1)


def link_to_preview(html: str, site_url: str) -> str:
    """Return an email's HTML with URLs of the site replaced by URLs of the site's preview.

    This way, pictures that are not published yet are shown. Otherwise the email looks the same.
    """
    urls = re.compile(rf"""(=["']|, |url\(['"]?){re.escape(site_url)}/""")
    return _TAG.sub(lambda tag: urls.sub(r"\1/site/", tag[0]), html)


def _part(message: EmailMessage, kind: str) -> str:
    part = message.get_body(preferencelist=(kind,))
    return str(part.get_content()).replace("\r\n", "\n") if part is not None else ""
