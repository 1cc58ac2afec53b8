"""Delivery status notifications (RFC 3464): a group of fields for each recipient that the server tells of."""

from __future__ import annotations

from dataclasses import dataclass
from email.message import Message

from publisher.bounces.parts import groups, header, of_type
from publisher.bounces.status import judge, status_in
from publisher.core.bounce_report import Verdict


@dataclass(frozen=True, slots=True)
class Failure:
    """What a report says of one letter, whoever it was for."""

    verdict: Verdict
    status: str = ""
    words: str = ""


def read_dsn(message: Message) -> Failure | None:
    """Return what a DSN says; None for a message that is none.

    A letter that went on to somebody beside those it failed for (an alias, a forward to two) was not lost:
    that counts as temporary. `delayed`, `delivered`, `relayed` and `expanded` are nothing.
    """
    part = of_type(message, "message/delivery-status", "message/global-delivery-status")
    if part is None:
        return None
    told = [(header(group, "Action").partition(" ")[0].lower(), group) for group in groups(part)]
    failed = [_failure(group) for action, group in told if action == "failed"]
    if not failed:
        return Failure(Verdict.NOTHING)
    mildest = next((each for each in failed if each.verdict is not Verdict.PERMANENT), failed[0])
    if mildest.verdict is Verdict.PERMANENT and any(_arrived(action) for action, _ in told):
        return Failure(Verdict.TEMPORARY, mildest.status, mildest.words)
    return mildest


def _arrived(action: str) -> bool:
    return action in ("delivered", "relayed", "expanded", "delayed")


def _failure(group: Message) -> Failure:
    words = header(group, "Diagnostic-Code").partition(";")[2].strip() or header(group, "Diagnostic-Code")
    code = status_in(header(group, "Status"))
    shown = code if code and not code.endswith(".0.0") else status_in(words) or code
    if code.startswith("2"):  # failed, and yet a success: nobody knows
        return Failure(Verdict.TEMPORARY, shown, words)
    return Failure(judge(code, words), shown, words)
