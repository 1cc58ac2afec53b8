"""From a provider's event to a report: whose letter, and what it says of the mailbox."""

from __future__ import annotations

import re
from collections.abc import Iterable

from publisher.bounces.providers.requests import Call
from publisher.bounces.status import judge, short_words, status_in
from publisher.core.bounce_report import KEPT, Report, Verdict, Whose
from publisher.mail.links import LinkPurpose

_TOKEN = re.compile(r"/unsubscribe/([A-Za-z0-9_.-]{1,500})")


def report(verdict: Verdict, whose: Whose, key: str, *, status: str = "", words: str = "", more: str = "") -> Report:
    """Return the report of one event.

    A delivery that is known has its own key, so that a DSN and a call about one letter count once.
    key   of the event
    more  a second key that must be new, "" for none
    """
    keys = [more] if more else []
    if verdict in KEPT:
        keys.append(f"delivery {whose.delivery_id} {verdict}" if whose.delivery_id else key)
    return Report(verdict, whose, status_in(status), short_words(words), tuple(keys))


def whose(call: Call, address: str, *, sender: str = "", unsubscribe: Iterable[str] = ()) -> Whose:
    """Return whose letter it was: by our return path, else by the letter's own link, else by the address that the
    provider, who is known by then, names."""
    path = call.marks.return_path
    delivery = path.read(sender) if path is not None else None
    if delivery is not None:
        return Whose(delivery_id=delivery)
    tokens = [token for value in unsubscribe for token in _TOKEN.findall(value)]
    uids = {found[0] for token in tokens if (found := call.marks.links.read(LinkPurpose.UNSUBSCRIBE, token))}
    if len(uids) == 1:
        return Whose(uid=uids.pop())
    return Whose(address=bare(address))


def bare(address: str) -> str:
    """Return the normalised address, "" for what is none."""
    found = re.search(r"[^\s<>\"]+@[^\s<>\"]+", address[:1_000])
    return found[0] if found else ""


def milder(said: Verdict, status: str, words: str) -> Verdict:
    """Return what a provider's own word and the server's status agree on: of two, the milder."""
    if said is not Verdict.PERMANENT or not (status or words):
        return said
    judged = judge(status, words)
    # Without a code only words against the letter weigh more than the provider's own judgement.
    return judged if status_in(status) or status_in(words) or judged is Verdict.REFUSED else said


def settled(status: str, words: str) -> Verdict:
    """Return what a final failure means that the provider does not judge: what the same answer means in a DSN.

    Without an answer that proves a dead mailbox it counts, and no more.
    """
    return judge(status, words) if status or words else Verdict.TEMPORARY
