"""The operator's commands: add, unsubscribe and suppress an address, and find subscribers to missing newsletters.

The commands work on one address at a time. csv_import.py imports files of subscribers.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Iterable
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from publisher.core.characters import clean_line
from publisher.core.errors import SubscriberError
from publisher.core.frozen import dataclass
from publisher.core.newsletter_models import Subscriber, SubscriberStatus, Subscription, SuppressionReason
from publisher.core.subscriber_status import REFUSALS, SubscriberEvent
from publisher.core.subscription_status import SubscriptionEvent
from publisher.store.subscriber_records import Added, AddOptions, AddResult, Evidence, NewSubscriber
from publisher.subscribers.address import checked_name, mailbox_of, normalise
from publisher.subscribers.double_opt_in import subscribe_to
from publisher.subscribers.languages import clean_language

if TYPE_CHECKING:
    from publisher.store import Store
    from publisher.store.subscriber_transaction import SubscriberTransaction

COMMAND_LINE = "command line"

LONGEST_CONSENT = 300  # characters

_AGAIN = "only with the person's new consent: add them with --again and --why"
_REFUSED = {
    Added.PENDING: "has not confirmed yet",
    Added.UNSUBSCRIBED: "has unsubscribed",
    Added.BOUNCED: "has bounced, so no email is sent to it",
    Added.COMPLAINED: "has reported an email as spam",
    Added.MOVED: "moved to another address",
    Added.SUPPRESSED: "is on the suppression list, so no email is sent to it",
}
HINTS = {
    Added.UNSUBSCRIBED: _AGAIN,
    Added.BOUNCED: _AGAIN,
    Added.COMPLAINED: "they reported an email as spam; no one else can undo that",
    Added.MOVED: _AGAIN,
    Added.SUPPRESSED: "`publisher subscribers suppress --lift` undoes that, with the person's consent",
}


def subscribe(
    store: Store,
    address: str,
    *,
    newsletters: Iterable[str],
    at: datetime,
    name: str = "",
    topics: Iterable[str] | None = None,
    language: str = "",
    source: str = COMMAND_LINE,
    consent: str = "",
    again: str = "",
) -> AddResult:
    """Subscribe an address to newsletters, and record where the consent came from; return the result.

    The name, language and topics of a known subscriber are replaced if they are given. Newsletters from which the
    person unsubscribed or was removed are refused, and the result says so; the others are subscribed to.

    topics  tag slugs; empty for all topics. None means all topics for a new subscription, and leaves the topics of an
            existing one unchanged
    consent how a new person agreed, in the operator's words, which are recorded
    again   how someone who unsubscribed or bounced asked to come back, in the operator's words, which are recorded;
            "" if the operator does not vouch for that
    Raises SubscriberError if the address is unusable, if all newsletters are refused, or if the subscriber bounced,
    reported an email as spam, changed to another address, or is suppressed.
    """
    chosen = tuple(topics or ())
    new = NewSubscriber(
        address=normalise(address),
        name=checked_name(name),
        language=clean_language(language),
        subscriptions=tuple(Subscription(newsletter, chosen) for newsletter in newsletters),
        consent=clean_line(again or consent, LONGEST_CONSENT),
    )
    event = SubscriberEvent.READDED if again else SubscriberEvent.ADDED
    (added,) = store.subscribers.add_all([new], AddOptions(at, source, event))
    if added.result.refused:
        said = added.reason if added.refusals else _REFUSED[added.result]
        raise SubscriberError(f"{new.address} {said}", hint=HINTS[added.result])
    with store.subscribers.transaction(at) as transaction:
        known = transaction.find(new.address)
        if known and (new.name or new.language):
            transaction.describe(known, name=new.name or None, language=new.language or None)
        if known and topics is not None and not chosen:
            return _with_all_topics(transaction, known, new, added, source)
    return added


def _with_all_topics(
    transaction: SubscriberTransaction, known: Subscriber, new: NewSubscriber, added: AddResult, source: str
) -> AddResult:
    """Reset a known subscriber's subscriptions to all topics, and return the result including that change."""
    wanted = [each for each in new.subscriptions if each.newsletter not in added.refused]
    narrower = {each.newsletter for each in known.subscriptions if each.topics}
    subscribe_to(transaction, known, wanted, Evidence(source), SubscriptionEvent.ADDED)
    is_wider = narrower.intersection(each.newsletter for each in wanted)
    return replace(added, result=Added.UPDATED) if added.result is Added.UNCHANGED and is_wider else added


def unsubscribe(
    store: Store, address: str, newsletter: str | None = None, *, at: datetime, source: str = COMMAND_LINE
) -> bool:
    """Unsubscribe an address, and record it; return whether anything changed.

    newsletter: the newsletter to unsubscribe from; None for all newsletters.
    Raises SubscriberError if the address is unusable or is not a subscriber.
    """
    bare = require_subscriber(store, address).address
    return store.subscribers.remove(bare, newsletter, at=at, source=source)


def require_subscriber(store: Store, address: str) -> Subscriber:
    """Return the subscriber with an address; if there is none, raise SubscriberError with the most similar address.

    It also raises SubscriberError for an unusable address.
    """
    bare = normalise(address)
    if person := store.subscribers.get(bare):
        return person
    near = similar_address(store, bare)
    raise SubscriberError(f"{bare} is not a subscriber", hint=f"did you mean {near}?" if near else "")


def similar_address(store: Store, address: str) -> str:
    """Return the known address most similar to a normalised address that nobody has, or "" if none is similar."""
    near = [(_likeness(address, known), known) for known in store.subscribers.similar(address)]
    score, found = max(near, default=(0.0, ""))
    return found if score else ""


def _likeness(one: str, other: str) -> float:
    """Return how similar two addresses are, from 0 to 2; 0 if their local parts or domains differ too much."""
    halves = zip(one.casefold().rpartition("@")[::2], other.casefold().rpartition("@")[::2], strict=True)
    local, domain = (difflib.SequenceMatcher(None, *half, autojunk=False).ratio() for half in halves)
    return local + domain if local >= 0.6 and domain >= 0.7 else 0.0


def suppress(store: Store, address: str, *, now: datetime, source: str) -> bool:
    """Put an address on the suppression list, whether or not it is a subscriber; return whether the list changed.

    Raises SubscriberError for an unusable address.
    """
    bare = normalise(address)
    with store.subscribers.transaction(now, alone=True) as transaction:
        return suppress_inside(transaction, bare, transaction.find(bare), source)


def suppress_inside(
    transaction: SubscriberTransaction, address: str, subscriber: Subscriber | None, source: str
) -> bool:
    """Put a normalised address on the suppression list, and stop its subscriptions; return whether the list changed.

    The transaction must be `alone`.
    """
    if (
        subscriber is not None
        and transaction.apply(subscriber, SubscriberEvent.SUPPRESSED, source) is not subscriber.status
    ):
        transaction.record(subscriber, "suppressed", Evidence(source))
    return transaction.suppress(address, SuppressionReason.SUPPRESSED, source)


def lift_suppression(store: Store, address: str, *, now: datetime, source: str) -> bool:
    """Remove an address from the suppression list; return whether it was on it. This does not subscribe the address.

    Forms can send to its mailbox again, however often they did so before.

    Raises SubscriberError for an unusable address, or for a subscriber who reported an email as spam.
    """
    bare = normalise(address)
    with store.subscribers.transaction(now, alone=True) as transaction:
        subscriber = transaction.find(bare)
        if subscriber is not None and subscriber.status is SubscriberStatus.COMPLAINED:
            raise SubscriberError(f"{bare} {REFUSALS[subscriber.status]}")
        if subscriber is not None and transaction.apply(subscriber, SubscriberEvent.LIFTED) is not subscriber.status:
            transaction.record(subscriber, "lifted", Evidence(source))
        transaction.allow_emails(mailbox_of(bare))
        return transaction.lift(bare)


def words(text: str) -> tuple[str, ...]:
    """Return the words in a list separated by spaces, commas or semicolons, without duplicates."""
    return tuple(dict.fromkeys(word for word in re.split(r"[\s,;]+", text) if word))


@dataclass(frozen=True, slots=True)
class Orphaned:
    """A newsletter that has active subscribers but is not in the configuration, because it was renamed or deleted.

    readers  the number of its active subscribers
    near     the name that the newsletter may have now; "" if there is no candidate
    """

    newsletter: str
    readers: int
    near: str

    @property
    def message(self) -> str:
        """The problem, in one line."""
        readers = "1 subscriber" if self.readers == 1 else f"{self.readers:,} subscribers"
        return f"{readers} of {self.newsletter}, which is not a newsletter in publisher.toml"

    @property
    def hint(self) -> str:
        """A hint on how to fix the problem."""
        renamed = f"publisher subscribers rename-newsletter {self.newsletter} {self.near or 'NEW'}"
        return f"{renamed}, if that is its name now" if self.near else f"if it was renamed: {renamed}"


def orphaned(store: Store, known: Collection[str]) -> list[Orphaned]:
    """Return the newsletters that have active subscribers but are not in `known`, sorted by name."""
    counts = store.statistics.by_newsletter()
    return [Orphaned(name, counts[name], _near(name, known, counts)) for name in sorted(set(counts) - set(known))]


def _near(name: str, known: Collection[str], with_subscribers: Collection[str]) -> str:
    """Return the known newsletter that `name` most likely refers to, or "" if that is unclear.

    This is a newsletter with a similar name. If there is none, it is the only known newsletter or, if several are
    known, the only one without subscribers.
    """
    if near := difflib.get_close_matches(name, sorted(known), n=1, cutoff=0.5):
        return near[0]
    new = sorted(known) if len(known) == 1 else sorted(set(known) - set(with_subscribers))
    return new[0] if len(new) == 1 else ""
