"""A letter as one reader would get it: read back from the very bytes that would go out."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from email.message import EmailMessage
from typing import TYPE_CHECKING
from urllib.parse import quote

from publisher.config import Config
from publisher.core.errors import SubscriberError
from publisher.core.newsletter_models import Edition, Letter
from publisher.publishing.next_letter import sample_message

if TYPE_CHECKING:
    from collections.abc import Sequence

# The reader that every letter is shown for.
READER_NAME, READER_ADDRESS = "Ada Lovelace", "ada@example.org"

# Gmail shows about so many bytes of HTML, and a link to the rest.
GMAIL_BYTES = 100_000

_TAG = re.compile(r"<[a-zA-Z][^<>]*>")
_HEAD = re.compile(r"<head\b[^>]*>", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Sample:
    """One letter of an edition, filled in for the sample reader.

    html, text, headers  as a mail program reads them from `message`; headers decoded, in their order
    key                  changes whenever the letter does, whatever the moment at which it was made
    variants             every choice of topics that the edition has a letter for
    """

    edition: Edition
    letter: Letter
    html: str
    text: str
    headers: tuple[tuple[str, str], ...]
    message: bytes
    key: str
    variants: tuple[str, ...]

    @property
    def html_bytes(self) -> int:
        """The size that counts for Gmail's clipping, in bytes."""
        return len(self.html.encode())

    @property
    def raw_headers(self) -> str:
        """The head of the message as it goes."""
        return self.message.partition(b"\r\n\r\n")[0].decode("utf-8", "replace").replace("\r\n", "\n")

    def header(self, name: str) -> str:
        """Return the value of one header, "" if there is none."""
        return next((value for known, value in self.headers if known == name), "")


def make_sample(config: Config, edition: Edition, letter: Letter, variants: Sequence[str]) -> Sample:
    """Return the letter as the sample reader would get it.

    edition   made, or only drafted (id 0)
    variants  every choice of topics that the edition has a letter for

    Raises SubscriberError for a sender that cannot stand in a header.
    """
    try:
        data = sample_message(config, edition, letter, name=READER_NAME, address=READER_ADDRESS)
    except ValueError as error:
        raise SubscriberError(str(error), hint="check mail.sender") from error
    message = _parsed(data)
    html, text = _part(message, "html"), _part(message, "plain")
    known = "\0".join((letter.subject, letter.preheader, html, text))
    return Sample(
        edition=edition,
        letter=letter,
        html=html,
        text=text,
        headers=tuple((name, str(value)) for name, value in message.items()),
        message=data,
        key=hashlib.blake2b(known.encode("utf-8", "replace"), digest_size=8).hexdigest(),
        variants=tuple(variants),
    )


def for_frame(html: str, site_url: str) -> str:
    """Return a letter's HTML for a frame of the preview: addresses of the site lead to the site as it is now.

    So pictures that are not published yet show, and links open in a tab of their own. What the letter looks
    like does not depend on either.
    """
    addresses = re.compile(rf"""(=["']|, |url\(['"]?){re.escape(site_url)}/""")
    local = _TAG.sub(lambda tag: addresses.sub(r"\1/site/", tag[0]), html)
    return _HEAD.sub(lambda head: f'{head[0]}<base target="_blank">', local, count=1)


def file_name(sample: Sample) -> str:
    """Return a name for the message as a file, safe in a header and on every file system."""
    return quote(f"{sample.edition.newsletter}-{sample.edition.slot}".replace(":", "-").replace("/", "-")) + ".eml"


def _parsed(data: bytes) -> EmailMessage:
    import email.policy
    from email.parser import BytesParser

    message = BytesParser(policy=email.policy.default).parsebytes(data)
    assert isinstance(message, EmailMessage)  # noqa: S101 - what this policy makes
    return message


def _part(message: EmailMessage, kind: str) -> str:
    part = message.get_body(preferencelist=(kind,))
    return str(part.get_content()).replace("\r\n", "\n") if part is not None else ""
