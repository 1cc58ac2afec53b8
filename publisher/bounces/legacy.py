"""Reads failures in plain words or HTML, as qmail and older versions of Exim, sendmail and Exchange write them.

flufl.bounce, which only this module uses, recognises the programs and the recipients. The failures are judged here,
because flufl.bounce treats a full mailbox or a rejected message as a mailbox that doesn't exist. A report from a mail
server that flufl.bounce doesn't know counts if a code or the words in it are conclusive.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from copy import copy
from email.message import Message
from email.utils import parseaddr
from itertools import takewhile

from flufl.bounce import all_failures

from publisher.bounces.dsn import Failure
from publisher.bounces.parts import header, outer_parts, source_of, text_of, type_of
from publisher.bounces.phrases import Meaning, meanings_of
from publisher.bounces.verdict import judge, judgement, status_in
from publisher.core.bounce_report import Verdict

_MAILERS = re.compile(
    r"(?:mailer[-_.]?daemon|mail[-_.]?daemon|postmaster|maildelivery|mmdf|microsoftexchange[0-9a-f]{32})\b",
    re.IGNORECASE,
)

# The content types of a report's text, best first.
_TEXTS = ("text/plain", "text/html")

# A server that replies on behalf of a full mailbox writes hardly anything else. People write more.
_SHORT_ANSWER = 300

_LONGEST_FROM = 1_000  # characters

# How much text is searched for recipients. Servers name them on short lines above the copy of the message.
_LONGEST_LINE = 500
_MOST_LINES = 1_000
_MOST_PARTS = 20

# Such a line begins the copy of the failed message, which may contain any text.
_COPY = re.compile(
    r"[ \t>]{0,10}(?:--.{0,60}?(?:copy of|original|below this line|unsent|message header)"
    r"|original message (?:headers?|details)\b|message (?:headers|hops)\b|(?:received|return-path|dkim-signature):)",
    re.IGNORECASE,
)
_WARNING = re.compile(
    r"\bwarning\b[^\n]{0,80}\b(?:delayed|could not send|not (?:been )?delivered)|will (?:be|keep) (?:retry|try)"
    r"|do(?:es)? not need to (?:resend|do anything)|delivery attempts will continue",
    re.IGNORECASE,
)


def is_from_server(message: Message) -> bool:
    """Return whether a message says that a mail server sent it, rather than a person."""
    return _MAILERS.match(parseaddr(header(message, "From")[:_LONGEST_FROM])[1]) is not None


def read_legacy(message: Message) -> Failure | None:
    """Return the failure that a mail server reports in plain words; None for any other message."""
    if not is_from_server(message):
        return None
    words = _words_above_the_copy(message)
    temporary, permanent = _recipients(message)
    if _WARNING.search(words) or (temporary and not permanent):
        return Failure(Verdict.NOTHING)
    if permanent:
        answer = _answer(words, permanent)
        return Failure(judge("", answer), status_in(answer), answer)
    return _unknown_report(words)


def read_full_mailbox(message: Message) -> Failure | None:
    """Return the failure if an automatic reply says little except that the mailbox is full; otherwise None."""
    words = " ".join(_words_above_the_copy(message).split())
    for text in (header(message, "Subject"), words):
        short = len(text) <= _SHORT_ANSWER or is_from_server(message)
        if short and Meaning.FULL in meanings_of(text):
            return Failure(Verdict.TEMPORARY, status_in(text), text)
    return None


def _unknown_report(words: str) -> Failure | None:
    """Return the failure in a server's report of unknown form; None if nothing in it is conclusive."""
    text = " ".join(words.split())
    judged = judgement("", text)
    return Failure(judged.verdict, status_in(text), text) if judged.firm else None


def _words_above_the_copy(message: Message) -> str:
    """Return the text of a report up to the copy of the failed message."""
    texts = {kind: text_of(part) for part in reversed([*outer_parts(message)]) if (kind := type_of(part)) in _TEXTS}
    lines = next((texts[kind] for kind in _TEXTS if kind in texts), "").splitlines(keepends=True)
    return "".join(takewhile(lambda line: not _COPY.match(line), lines))


def _recipients(message: Message) -> tuple[frozenset[bytes], frozenset[bytes]]:
    logging.getLogger("flufl.bounce").setLevel(logging.CRITICAL)  # it logs every detector that fails
    return all_failures(_without_attached(message, iter(range(_MOST_PARTS))))


def _without_attached(part: Message, places: Iterator[int]) -> Message:
    """Return a message without attached messages, because flufl.bounce would also read an attached report.

    Long parts are cut to the beginnings of their first lines, because flufl.bounce takes quadratic time for some texts.
    At most as many parts are kept as `places` has items left.
    """
    inner = part.get_payload()
    if not isinstance(inner, list):
        if not isinstance(inner, str) or len(inner) <= _LONGEST_LINE:
            return part
        short = copy(part)
        del short["Content-Transfer-Encoding"]
        short.set_payload(
            "\n".join(line[:_LONGEST_LINE] for line in source_of(part).split("\n", _MOST_LINES)[:_MOST_LINES])
        )
        return short
    parts = inner if part.get_content_maintype() == "multipart" else []
    bare = copy(part)
    kept = [each for each in parts if isinstance(each, Message) and not type_of(each).startswith("message/")]
    bare.set_payload([_without_attached(each, places) for each, _ in zip(kept, places, strict=False)])
    return bare


def _answer(words: str, recipients: frozenset[bytes]) -> str:
    """Return the text from the first recipient's address up to an empty line; without an address, from the start."""
    lowered = words.lower()
    places = [lowered.find(address.decode("ascii", "replace").lower()) for address in recipients]
    found = [place for place in places if place >= 0]
    below = words[min(found) :] if found else words
    return " ".join(below.split("\n\n", 1)[0].split())
