"""A person's new address: asked for with their own link, confirmed at the new address."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING

from publisher.model import Subscriber
from publisher.standing import Event, next_status
from publisher.subscribers.address import normalise
from publisher.subscribers.terms import Notice, NoticeKind, Terms
from publisher.subscribers.tokens import Purpose

if TYPE_CHECKING:
    from publisher.store import Store
    from publisher.store.consent import Evidence


class Moved(StrEnum):
    """What became of a confirmation at a new address."""

    MOVED = "moved"
    TAKEN = "taken"  # the new address has a subscription of its own
    REFUSED = "refused"  # the token is not good, or the address is never mailed


def request_address_change(
    store: Store, terms: Terms, uid: str, address: str, *, now: datetime, evidence: Evidence
) -> Notice | None:
    """Take a person's new address; return the mail that is to be sent there, None where none is.

    What is shown must be the same in either case: whether the new address is known or suppressed is not told.
    A person causes at most one such mail in `terms.ask_every`, wherever it goes.
    Raises SubscriberError for an unusable address.
    """
    from publisher.store.addresses import address_key
    from publisher.store.tokens import Wish

    bare = normalise(address)
    with store.subscribers.change(now) as change:
        person = change.find_uid(uid)
        if person is None or next_status(person.status, Event.MOVED) is None:
            return None
        if address_key(bare) == address_key(person.address) or change.suppressed([bare, person.address]):
            return None
        before = change.newest_token(person, Purpose.ADDRESS)
        if before is not None and now - before.made_at < terms.ask_every:
            return None
        expires = now + terms.confirm_within
        token, token_hash = terms.tokens.make(Purpose.ADDRESS, expires)
        change.issue(person, Purpose.ADDRESS, token_hash, expires, Wish(address=bare))
        change.record(person, "address requested", terms.kept(evidence))
        return Notice(NoticeKind.ADDRESS, person.uid, bare, "", person.language, token)


def look_at_address_change(store: Store, terms: Terms, token: str, *, now: datetime) -> tuple[Subscriber, str] | None:
    """Return whose new address a token confirms, and that address; None for one that is not good.

    Changes nothing: it is for the page with the button.
    """
    token_hash = terms.tokens.read(Purpose.ADDRESS, token, now)
    issued = store.subscribers.token(token_hash, Purpose.ADDRESS, now) if token_hash else None
    person = store.subscribers.by_id(issued.subscriber_id) if issued else None
    return (person, issued.wish.address) if issued and person else None


def confirm_address_change(store: Store, terms: Terms, token: str, *, now: datetime, evidence: Evidence) -> Moved:
    """Give a person the address that a token was mailed to. Links in letters already sent go on working."""
    token_hash = terms.tokens.read(Purpose.ADDRESS, token, now)
    if token_hash is None:
        return Moved.REFUSED
    with store.subscribers.change(now) as change:
        issued = change.token(token_hash, Purpose.ADDRESS)
        person = change.find_id(issued.subscriber_id) if issued else None
        if issued is None or person is None or change.suppressed([issued.wish.address, person.address]):
            return Moved.REFUSED
        if next_status(person.status, Event.MOVED) is None or not change.use(issued):
            return Moved.REFUSED
        if not change.move(person, issued.wish.address):
            return Moved.TAKEN
        change.happened(person, Event.MOVED)
        change.record(person, "moved", terms.kept(evidence))
        return Moved.MOVED
