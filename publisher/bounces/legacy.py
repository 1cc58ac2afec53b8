"""Reads failures in plain words, as qmail and older versions of Exim, sendmail and Exchange write them.

flufl.bounce, which only this module uses, recognises the programs and the recipients. The failures are judged here,
because flufl.bounce treats a full mailbox or a rejected message as a mailbox that doesn't exist.
"""

from __future__ import annotations

import logging
import re
from copy import copy
from email.message import Message
from email.utils import parseaddr
from itertools import takewhile

from flufl.bounce import all_failures

from publisher.bounces.dsn import Failure
from publisher.bounces.parts import header, outer_parts, text_of
from publisher.bounces.verdict import judge, status_in
from publisher.core.bounce_report import Verdict

_MAILERS = re.compile(r"(?:mailer[-_.]?daemon|mail[-_.]?daemon|postmaster|maildelivery|mmdf)\b", re.IGNORECASE)

# Such a line begins the copy of the failed message, which may contain any text.
_COPY = re.compile(
    r"[ \t>]{0,10}(?:--.{0,60}?(?:copy of|original|below this line|unsent|message header)"
    r"|(?:received|return-path|dkim-signature):)",
    re.IGNORECASE,
)
_WARNING = re.compile(
    r"\bwarning\b[^\n]{0,80}\b(?:delayed|could not send|not (?:been )?delivered)|will (?:be|keep) (?:retry|try)"
    r"|do(?:es)? not need to (?:resend|do anything)|delivery attempts will continue",
    re.IGNORECASE,
)


def read_legacy(message: Message) -> Failure | None:
    """Return the failure that a mail server reports in plain words; None for any other message."""
    if not _MAILERS.match(parseaddr(header(message, "From"))[1]):
        return None
    temporary, permanent = _recipients(message)
    if not (temporary or permanent):
        return None
    words = _words_above_the_copy(message)
    if not permanent or _WARNING.search(words):
        return Failure(Verdict.NOTHING)
    answer = _answer(words, permanent)
    return Failure(judge("", answer), status_in(answer), answer)


def _words_above_the_copy(message: Message) -> str:
    """Return the text of a report up to the copy of the failed message."""
    texts = [text_of(part) for part in outer_parts(message) if part.get_content_type() == "text/plain"]
    lines = texts[0].splitlines(keepends=True) if texts else []
    return "".join(takewhile(lambda line: not _COPY.match(line), lines))


def _recipients(message: Message) -> tuple[frozenset[bytes], frozenset[bytes]]:
    logging.getLogger("flufl.bounce").setLevel(logging.CRITICAL)  # it logs every detector that fails
    return all_failures(_without_attached(message))


def _without_attached(part: Message) -> Message:
    """Return a message without attached messages, because flufl.bounce would also read an attached report."""
    inner = part.get_payload()
    if not isinstance(inner, list):
        return part
    parts = inner if part.get_content_maintype() == "multipart" else []
    bare = copy(part)
    kept = [each for each in parts if isinstance(each, Message) and each.get_content_maintype() != "message"]
    bare.set_payload([_without_attached(each) for each in kept])
    return bare


def _answer(words: str, recipients: frozenset[bytes]) -> str:
    """Return the text from the first recipient's address up to an empty line; without an address, from the start."""
    lowered = words.lower()
    places = [lowered.find(address.decode("ascii", "replace").lower()) for address in recipients]
    found = [place for place in places if place >= 0]
    below = words[min(found) :] if found else words
    return " ".join(below.split("\n\n", 1)[0].split())
