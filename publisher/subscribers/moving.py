"""A person's new address: asked for with their own link, confirmed at the new address."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING

from publisher.core.newsletter_models import Subscriber, SubscriberStatus
from publisher.core.subscriber_status import SubscriberEvent, next_status
from publisher.subscribers.address import normalise
from publisher.subscribers.terms import Notice, NoticeKind, Terms
from publisher.subscribers.tokens import Purpose

if TYPE_CHECKING:
    from publisher.store import Store
    from publisher.store.consent import Evidence
    from publisher.store.subscriber_transaction import Change

MOST_REQUESTS = 3  # of one person, to whatever addresses, in `terms.ask_every`


@dataclass(frozen=True, slots=True)
class MoveRequest:
    """What became of a wish for a new address.

    notice   the mail that is to be sent there; None where none is
    limited  no mail goes because enough went: one to this address, or several for this person
    """

    notice: Notice | None = None
    limited: bool = False


class Moved(StrEnum):
    """What became of a confirmation at a new address."""

    MOVED = "moved"
    TAKEN = "taken"  # the new address has a subscription of its own
    REFUSED = "refused"  # the token is not good, or the address is never mailed


def request_address_change(
    store: Store, terms: Terms, uid: str, address: str, *, now: datetime, evidence: Evidence
) -> MoveRequest:
    """Take a person's new address, and let no link work that was mailed for an earlier one.

    An address gets one such mail in `terms.ask_every`, whoever asks, and a person causes MOST_REQUESTS; they may be
    told when that keeps a mail from going. Whether the new address is known or suppressed is not told, so all else
    must look the same. Asking again for the same address leaves its link as it is, and asking for the address that
    the person has takes the wish back.
    Raises SubscriberError for an unusable address.
    """
    from publisher.store.addresses import address_key

    bare = normalise(address)
    with store.subscribers.change(now, alone=True) as change:
        person = change.find_uid(uid)
        if person is None or next_status(person.status, SubscriberEvent.MOVED) is None:
            return MoveRequest()
        before = [token for token in change.issued_to(bare, now - terms.ask_every) if token.expires_at > now]
        if any(token.subscriber_id == person.id and token.used_at is None for token in before):
            return MoveRequest()  # its mail is on its way
        change.void(person, Purpose.ADDRESS)
        if address_key(bare) == address_key(person.address) or change.suppressed([person.address]):
            return MoveRequest()
        if before or _asked(change, person, now - terms.ask_every) >= MOST_REQUESTS:
            return MoveRequest(limited=True)
        # A suppressed address is counted as any other, or a second request would tell it apart.
        mailed = not change.suppressed([bare])
        expires = now + terms.confirm_within
        token, token_hash = terms.tokens.make(Purpose.ADDRESS, expires)
        change.issue_to(person, bare, token_hash, expires, kept=mailed)
        change.record(person, "address requested", terms.kept(evidence))
        return MoveRequest(_notice(NoticeKind.ADDRESS, person, bare, token) if mailed else None)


def look_at_address_change(store: Store, terms: Terms, token: str, *, now: datetime) -> tuple[Subscriber, str] | None:
    """Return whose new address a token confirms, and that address; None for one that is not good.

    Changes nothing: it is for the page with the button.
    """
    token_hash = terms.tokens.read(Purpose.ADDRESS, token, now)
    issued = store.subscribers.token(token_hash, Purpose.ADDRESS, now) if token_hash else None
    person = store.subscribers.by_id(issued.subscriber_id) if issued else None
    return (person, issued.wish.address) if issued and person else None


def confirm_address_change(store: Store, terms: Terms, token: str, *, now: datetime, evidence: Evidence) -> Moved:
    """Give a person the address that a token was mailed to. Links in letters already sent go on working.

    Somebody who was asked there and has not confirmed gives way: the mailbox itself has spoken. A refusal leaves the
    token good. No import brings the old address back, also when the person is erased.
    """
    token_hash = terms.tokens.read(Purpose.ADDRESS, token, now)
    if token_hash is None:
        return Moved.REFUSED
    with store.subscribers.change(now, alone=True) as change:
        issued = change.token(token_hash, Purpose.ADDRESS)
        person = change.find_id(issued.subscriber_id) if issued else None
        if issued is None or person is None or not _may_move(change, person, issued.wish.address):
            return Moved.REFUSED
        holder = change.find(issued.wish.address)
        if holder is not None and holder.id != person.id and holder.status is not SubscriberStatus.PENDING:
            return Moved.TAKEN
        if not change.use(issued):
            return Moved.REFUSED
        if holder is not None and holder.id != person.id:
            change.erase(holder, holder.address)
        change.move(person, issued.wish.address)
        change.happened(person, SubscriberEvent.MOVED)
        change.record(person, "moved", terms.kept(evidence))
        return Moved.MOVED


def moved_notice(before: Subscriber) -> Notice:
    """Return the mail that tells a person's old address of a move. before: the person as they were then."""
    return _notice(NoticeKind.MOVED, before, before.address, "")


def _may_move(change: Change, person: Subscriber, address: str) -> bool:
    if not address or change.suppressed([address, person.address]):
        return False
    return next_status(person.status, SubscriberEvent.MOVED) is not None


def _asked(change: Change, person: Subscriber, since: datetime) -> int:
    return sum(token.purpose == Purpose.ADDRESS and token.made_at > since for token in change.issued(person))


def _notice(kind: NoticeKind, person: Subscriber, address: str, token: str) -> Notice:
    """Neither mailbox is greeted by name: the one is not proven, and the other may be somebody else's by now."""
    return Notice(kind, person.uid, address, "", person.language, token)
