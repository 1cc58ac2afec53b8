"""Reads delivery status notifications (RFC 3464, RFC 6533), which contain a group of fields for each recipient."""

from __future__ import annotations

import re
from email.message import Message

from publisher.bounces.parts import groups, header, of_type, outer_parts, text_of, type_of
from publisher.bounces.verdict import judge, status_in
from publisher.core.bounce_report import Verdict
from publisher.core.frozen import dataclass

# The type in front of an answer, as in "smtp; 550 no such user".
_TYPE = re.compile(r"^\s{0,10}[A-Za-z][\w.-]{0,60}\s{0,10};")

# IBM Domino and older versions of Exchange write the answer into these fields.
_MORE_WORDS = ("X-Supplementary-Info", "X-Diagnostic-Code", "X-SMTP-Diagnostic")

_MOST_PLAIN_WORDS = 2_000


@dataclass(frozen=True, slots=True)
class Failure:
    """The failure of one message, as a report describes it, without its recipient.

    status  the enhanced status code, or ""
    words   the server's answer, or ""
    """

    verdict: Verdict
    status: str = ""
    words: str = ""


def read_dsn(message: Message) -> Failure | None:
    """Return the failure that a DSN reports; None for a message that isn't a DSN.

    A message may fail for one recipient but reach another, if an alias forwards to both. This is a temporary failure.
    A DSN with only `delayed`, `delivered`, `relayed` or `expanded` has the verdict NOTHING.
    """
    part = of_type(message, "message/delivery-status", "message/global-delivery-status")
    if part is None:
        return None
    actions = [(_action(group), group) for group in groups(part)]
    failed = [_failure(group, message) for action, group in actions if action == "failed"]
    if not failed:
        return Failure(Verdict.NOTHING)
    mildest = next((each for each in failed if each.verdict is not Verdict.PERMANENT), failed[0])
    if mildest.verdict is Verdict.PERMANENT and any(_arrived(action) for action, _ in actions):
        return Failure(Verdict.TEMPORARY, mildest.status, mildest.words)
    return mildest


def _action(group: Message) -> str:
    """Return the action of a group in lower case, or `failed` if it has no action but a status of class 5."""
    action = header(group, "Action").partition(" ")[0].lower()
    return action or ("failed" if status_in(header(group, "Status")).startswith("5") else "")


def _arrived(action: str) -> bool:
    return action in ("delivered", "relayed", "expanded", "delayed")


def _failure(group: Message, message: Message) -> Failure:
    diagnostic = header(group, "Diagnostic-Code")
    words = _TYPE.sub("", diagnostic, count=1).strip() or diagnostic
    words = " ".join([words, *(header(group, name) for name in _MORE_WORDS)]).strip()
    code = status_in(header(group, "Status"))
    if code.startswith("2"):  # a failed action with a status of success contradicts itself
        return Failure(Verdict.TEMPORARY, code, words)
    return Failure(judge(code, words or _plain_words(message)), status_in(code, words), words)


def _plain_words(message: Message) -> str:
    """Return the beginning of the human-readable text, which has the answer if the fields don't."""
    part = next((part for part in outer_parts(message) if type_of(part) == "text/plain"), None)
    return text_of(part)[:_MOST_PLAIN_WORDS] if part is not None else ""
