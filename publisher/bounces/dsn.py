"""Reads delivery status notifications (RFC 3464), which contain a group of fields for each recipient."""

from __future__ import annotations

from dataclasses import dataclass
from email.message import Message

from publisher.bounces.parts import groups, header, of_type
from publisher.bounces.verdict import judge, status_in
from publisher.core.bounce_report import Verdict


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
    actions = [(header(group, "Action").partition(" ")[0].lower(), group) for group in groups(part)]
    failed = [_failure(group) for action, group in actions if action == "failed"]
    if not failed:
        return Failure(Verdict.NOTHING)
    mildest = next((each for each in failed if each.verdict is not Verdict.PERMANENT), failed[0])
    if mildest.verdict is Verdict.PERMANENT and any(_arrived(action) for action, _ in actions):
        return Failure(Verdict.TEMPORARY, mildest.status, mildest.words)
    return mildest


def _arrived(action: str) -> bool:
    return action in ("delivered", "relayed", "expanded", "delayed")


def _failure(group: Message) -> Failure:
    words = header(group, "Diagnostic-Code").partition(";")[2].strip() or header(group, "Diagnostic-Code")
    code = status_in(header(group, "Status"))
    shown = code if code and not code.endswith(".0.0") else status_in(words) or code
    if code.startswith("2"):  # a failed action with a status of success contradicts itself
        return Failure(Verdict.TEMPORARY, shown, words)
    return Failure(judge(code, words), shown, words)
