"""From an address typed into a form to a person who may be mailed: the mailbox itself has to say yes.

What was asked for waits with the token that is mailed, and comes true when the token is used. Until then
nothing that somebody typed changes anything for the person whose address it is.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from publisher.core.errors import SubscriberError
from publisher.core.newsletter_models import Subscriber, SubscriberStatus, Subscription
from publisher.core.subscriber_status import SubscriberEvent
from publisher.subscribers.address import clean_language, clean_line, clean_name, normalise
from publisher.subscribers.terms import Notice, NoticeKind, Terms
from publisher.subscribers.tokens import Purpose

if TYPE_CHECKING:
    from publisher.store import Store
    from publisher.store.consent import Evidence
    from publisher.store.subscriber_transaction import Change
    from publisher.store.tokens import IssuedToken, Wish

MOST_TOPICS = 200


@dataclass(frozen=True, slots=True)
class Agreed:
    """What a person agreed to on the page behind the mailed link, where they could change what was asked for.

    name  as it is to be; "" is none
    """

    subscriptions: tuple[Subscription, ...]
    name: str


@dataclass(frozen=True, slots=True)
class Confirmed:
    """Who confirmed, as they now stand, and whether they are new.

    gained  newsletters that the person did not have before
    """

    person: Subscriber
    gained: tuple[str, ...]
    first: bool


def request_subscription(
    store: Store,
    terms: Terms,
    address: str,
    subscriptions: Iterable[Subscription],
    *,
    known: Collection[str],
    now: datetime,
    evidence: Evidence,
    name: str = "",
    language: str = "",
) -> Notice | None:
    """Take what somebody typed into a form; return the mail that is to be sent, None where none is.

    What is shown to whoever asked must be the same in either case, and must not wait for the mail: they may not
    learn who is subscribed. An address gets at most one such mail in `terms.ask_every`, however many ask at
    once; what is asked for meanwhile is offered beside what that mail names. Nobody who is suppressed or complained is
    mailed. known: the newsletters there are.
    Raises SubscriberError for an unusable address, or for no newsletter or an unknown one.
    """
    from publisher.store.tokens import Wish

    bare = normalise(address)
    wish = Wish(checked(subscriptions, known), clean_name(name), clean_language(language))
    if not wish.subscriptions:
        raise SubscriberError("no newsletter was chosen")
    if _is_mailed(store, terms, bare, wish, now):
        return None
    kept = terms.kept(evidence)
    with store.subscribers.change(now) as change:
        if change.suppressed([bare]):
            return None
        person = change.arrive(bare, SubscriberEvent.REQUESTED)
        if change.happened(person, SubscriberEvent.REQUESTED) is None:
            return None
        if not change.may_ask(person, terms.ask_every):
            _add_to_mailed(change, person, wish, kept)
            return None
        if person.status is SubscriberStatus.ACTIVE and set(wish.subscriptions) <= set(person.subscriptions):
            return _notice(NoticeKind.ALREADY, person, wish, "")
        token = _issue(change, terms, person, wish)
        change.record(person, "requested", kept, described(wish.subscriptions))
        return _notice(NoticeKind.CONFIRM, person, wish, token)


def look_at_request(store: Store, terms: Terms, token: str, *, now: datetime) -> tuple[Subscriber, Wish] | None:
    """Return who a token to confirm was mailed to, and what they asked for; None for one that is not good.

    Changes nothing: it is for the page with the button.
    """
    issued = _issued(store, terms, token, now)
    person = store.subscribers.by_id(issued.subscriber_id) if issued else None
    return (person, issued.wish) if issued and person else None


def confirm(
    store: Store, terms: Terms, token: str, *, now: datetime, evidence: Evidence, agreed: Agreed | None = None
) -> Confirmed | None:
    """Let come true what a token was mailed for; None for a token that is forged, too old, used or another's.

    agreed: instead of what the mail names. What was asked for after the mail comes true only if it is among that.
    Of many at once with one token, one succeeds.
    """
    issued = _issued(store, terms, token, now)
    if issued is None:
        return None
    with store.subscribers.change(now) as change:
        person = change.find_id(issued.subscriber_id)
        good = change.token(issued.token_hash, Purpose.CONFIRM) if person else None
        if person is None or good is None or change.suppressed([person.address]):
            return None
        if not change.use(good) or change.happened(person, SubscriberEvent.CONFIRMED) is None:
            return None
        kept = terms.kept(evidence)
        change.lift_move(person.address)
        change.record(person, "confirmed", kept)
        if agreed is None:
            agreed = Agreed(good.wish.named, person.name or good.wish.name)
        gained = subscribe_to(change, person, agreed.subscriptions, kept)
        name = clean_name(agreed.name)
        change.describe(person, name=name, language=person.language or good.wish.language)
        after = change.find_id(person.id) or person
        return Confirmed(after, gained, first=person.confirmed_at is None)


def subscribe_to(
    change: Change, person: Subscriber, wishes: Iterable[Subscription], evidence: Evidence
) -> tuple[str, ...]:
    """Subscribe a person inside a transaction, record what is new, and return the newsletters gained."""
    had = {wish.newsletter for wish in person.subscriptions}
    gained = []
    for wish in wishes:
        if change.choose(person, wish):
            change.record(person, "subscribed", evidence, described([wish]))
            gained += [wish.newsletter] if wish.newsletter not in had else []
    return tuple(gained)


def checked(subscriptions: Iterable[Subscription], known: Collection[str]) -> tuple[Subscription, ...]:
    """Return wishes for newsletters that exist, one for each, their topics clean.

    Raises SubscriberError for a newsletter there is not, and for more topics than anybody chooses.
    """
    chosen: dict[str, Subscription] = {}
    for wish in subscriptions:
        if wish.newsletter not in known:
            raise SubscriberError(f"there is no newsletter {clean_line(wish.newsletter, 60)!r}")
        if len(wish.topics) > MOST_TOPICS:
            raise SubscriberError(f"more than {MOST_TOPICS} topics")
        topics = {clean_line(topic, 100) for topic in wish.topics} - {""}
        chosen[wish.newsletter] = Subscription(wish.newsletter, tuple(sorted(topics)))
    return tuple(chosen.values())


def described(wishes: Iterable[Subscription]) -> str:
    """Return wishes as the history of consent keeps them."""
    from publisher.store.topics import encode_topics

    return "; ".join(w.newsletter + (f" {encode_topics(w.topics)}" if w.topics else "") for w in wishes)


def _is_mailed(store: Store, terms: Terms, bare: str, wish: Wish, now: datetime) -> bool:
    """Return whether a mail that just went says all of it: a flood of requests then only reads."""
    mailed = store.subscribers.mailed_wish(bare, Purpose.CONFIRM, since=now - terms.ask_every, now=now)
    return mailed is not None and mailed.joined(wish) == mailed


def _add_to_mailed(change: Change, person: Subscriber, wish: Wish, evidence: Evidence) -> None:
    mailed = change.newest_token(person, Purpose.CONFIRM)
    if mailed is not None and change.add_to(mailed, wish):
        change.record(person, "requested", evidence, described(wish.subscriptions))


def _issue(change: Change, terms: Terms, person: Subscriber, wish: Wish) -> str:
    expires = change.now + terms.confirm_within
    token, token_hash = terms.tokens.make(Purpose.CONFIRM, expires)
    mailed = replace(wish, mailed=tuple(each.newsletter for each in wish.subscriptions))
    change.issue(person, Purpose.CONFIRM, token_hash, expires, mailed)
    return token


def _issued(store: Store, terms: Terms, token: str, now: datetime) -> IssuedToken | None:
    token_hash = terms.tokens.read(Purpose.CONFIRM, token, now)
    return store.subscribers.token(token_hash, Purpose.CONFIRM, now) if token_hash else None


def _notice(kind: NoticeKind, person: Subscriber, wish: Wish, token: str) -> Notice:
    return Notice(
        kind=kind,
        uid=person.uid,
        address=person.address,
        # what a stranger typed must not reach a mailbox as our own words
        name=person.name if person.confirmed_at else "",
        language=person.language or wish.language,
        token=token,
        newsletters=tuple(each.newsletter for each in wish.subscriptions),
    )
