"""The plain values that the store takes and returns for subscribers, and their encoding as text in a column.

Nothing here loads SQLAlchemy, so the packages above can import this module at no cost.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import field, replace
from datetime import datetime
from enum import StrEnum
from functools import lru_cache

from publisher.core.frozen import dataclass
from publisher.core.newsletter_models import Subscriber, SubscriberStatus, Subscription, SuppressionReason
from publisher.core.subscriber_fields import FieldKind, FieldValue
from publisher.core.subscriber_status import REFUSALS, SubscriberEvent
from publisher.core.subscription_status import SubscriptionRecord

# The kind of the consent event that records the renaming of a newsletter. Its detail is "OLD NEW".
RENAMED = "renamed"

_FEW_TOPICS = 10  # selections with up to this many topics are encoded once for all subscribers who have them


@dataclass(frozen=True, slots=True)
class Restored:
    """Everything that our own export says about a person. It is restored if the person is not in the database.

    suppressed: the entry of the address on the suppression list, without its hash; None if it has none
    """

    uid: str
    status: SubscriberStatus
    created_at: datetime | None = None
    confirmed_at: datetime | None = None
    paused_until: datetime | None = None
    suppressed: SuppressedHash | None = None
    records: tuple[SubscriptionRecord, ...] = ()
    consent: tuple[ConsentEvent, ...] = ()


@dataclass(frozen=True, slots=True)
class NewSubscriber:
    """A subscriber to add.

    address        the address, already normalised (see subscribers/address.py)
    subscriptions  the newsletters and topics; may be empty
    consent        a note about how they gave their consent, which is stored if the address is new, or if they return
    joined_at      when they agreed, if a file says so
    ended          subscriptions that have ended according to a file: status UNSUBSCRIBED or REMOVED, and since when
    says           what a file says about a person who must not get email: LEFT, REMOVED, BOUNCED, COMPLAINED,
                   SUPPRESSED, or REQUESTED for someone who never confirmed. LEFT and REMOVED are about `subscriptions`
                   or, if there are none, about everything
    said_at        when that happened, if the file says it
    restored       everything that our own export says; None for other files
    tags           the owner's words for them, already cleaned
    fields         values of the owner's own fields, by name
    note           the owner's note about them
    """

    address: str
    name: str = ""
    language: str = ""
    subscriptions: tuple[Subscription, ...] = ()
    consent: str = ""
    joined_at: datetime | None = None
    ended: tuple[SubscriptionRecord, ...] = ()
    says: SubscriberEvent | None = None
    said_at: datetime | None = None
    restored: Restored | None = None
    tags: tuple[str, ...] = ()
    fields: Mapping[str, FieldValue] = field(default_factory=dict)
    note: str = ""


@dataclass(frozen=True, slots=True)
class AddOptions:
    """Options for adding a batch of subscribers.

    at      the time that is recorded
    source  where the subscribers come from, for the history of consent
    event   ADDED, READDED or IMPORTED, depending on what the operator vouches for
    number  the number of the import; None if it is not a file that is imported
    since   when the import first ran. Anything that people have chosen since then stays; None if it is not an import
    kinds   the kinds of the fields that the subscribers have
    """

    at: datetime
    source: str
    event: SubscriberEvent = SubscriberEvent.ADDED
    number: int | None = None
    since: datetime | None = None
    kinds: Mapping[str, FieldKind] = field(default_factory=dict)

    @property
    def again_since(self) -> datetime | None:
        """When the import first ran, if it ran before; otherwise None."""
        return self.since if self.since is not None and self.since < self.at else None


class Added(StrEnum):
    """The result of adding a subscriber. A refusal usually has the name of the status that caused it."""

    ADDED = "added"
    SUBSCRIBED = "subscribed"  # an active subscriber gained a newsletter
    UPDATED = "updated"  # an active subscriber has different topics now
    UNCHANGED = "unchanged"
    RETURNED = "returned"  # had unsubscribed or bounced, and the operator vouches that they asked to come back
    RECORDED = "recorded"  # a file says that they must not get email, and now the database says so too
    NEWER = "newer"  # a file says that they left, but they have agreed here since then
    PENDING = "pending"
    UNSUBSCRIBED = "unsubscribed"
    BOUNCED = "bounced"
    COMPLAINED = "complained"
    SUPPRESSED = "suppressed"
    MOVED = "moved"  # the subscriber with this address now uses a different one

    @property
    def refused(self) -> bool:
        """Whether it is a refusal."""
        return self in _REFUSED

    @property
    def reason(self) -> str:
        """The reason for the refusal, as a phrase that follows the address."""
        return "moved to another address" if self is Added.MOVED else REFUSALS[SubscriberStatus(self.value)]


_REFUSED = frozenset(
    (Added.PENDING, Added.UNSUBSCRIBED, Added.BOUNCED, Added.COMPLAINED, Added.SUPPRESSED, Added.MOVED)
)


@dataclass(frozen=True, slots=True)
class AddResult:
    """The result of adding a subscriber, with the reason for each refusal.

    refusals  phrases that follow the address, such as "unsubscribed from weekly on 28 November 2026". If the result is
              not a refusal, they are about the newsletters in `refused`; the other subscriptions were saved
    refused   the newsletters that were refused because the subscription to them has ended
    still     after a row that says that somebody must not get email: the newsletters that they still get
    described whether a known person has a new tag, a new value of a field, or a note
    """

    result: Added
    refusals: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()
    still: tuple[str, ...] = ()
    described: bool = False

    @property
    def reason(self) -> str:
        """The reason for the refusal, as a phrase that follows the address; "" if nothing was refused."""
        return " and ".join(self.refusals) or (self.result.reason if self.result.refused else "")


class EmailTrigger(StrEnum):
    """What triggers an email that its recipient may not have asked for. Each is counted separately."""

    FORM = "form"  # an address that someone typed into a form
    ACCOUNT = "account"  # the preferences link: it asks for a link to the subscriber's data
    FAREWELL = "farewell"  # an unsubscribe link was used


@dataclass(frozen=True, slots=True)
class Evidence:
    """The origin of a consent or of its withdrawal.

    source        the form, link, file or command
    text_version  the version of the wording that the form showed; "" if there was no form
    ip            the IP address; "" if the project does not store it
    user_agent    the browser's user agent; "" if the project does not store it
    """

    source: str
    text_version: str = ""
    ip: str = ""
    user_agent: str = ""


@dataclass(frozen=True, slots=True)
class ConsentEvent:
    """An event in a subscriber's history of consent."""

    at: datetime
    what: str
    source: str
    detail: str
    text_version: str = ""
    ip: str = ""
    user_agent: str = ""


@dataclass(frozen=True, slots=True)
class FullRecord:
    """Everything that is stored about a subscriber while they are on the list, for an export.

    suppressed: the entry of the address on the suppression list; None if it has none
    """

    subscriber: Subscriber
    consent: Sequence[ConsentEvent]
    suppressed: SuppressedHash | None


@dataclass(frozen=True, slots=True)
class SuppressedHash:
    """An entry of the suppression list. key_id identifies the secret with which the address was hashed."""

    address_hash: str
    reason: SuppressionReason
    at: datetime
    source: str
    key_id: str


@dataclass(frozen=True, slots=True)
class PendingChange:
    """The change that is made when the subscriber uses a token.

    subscriptions  the newsletters to subscribe to, with their topics
    address        the new address, if the token confirms one
    mailed         the newsletters that the email names. All others were requested later, perhaps by a different person
    """

    subscriptions: tuple[Subscription, ...] = ()
    name: str = ""
    language: str = ""
    address: str = ""
    mailed: tuple[str, ...] = ()

    @property
    def named(self) -> tuple[Subscription, ...]:
        """The subscriptions to the newsletters that the email names."""
        return tuple(wish for wish in self.subscriptions if wish.newsletter in self.mailed)

    def joined(self, later: PendingChange) -> PendingChange:
        """Return this change with the additional newsletters from a later request.

        The later request may come from a different person, so it changes nothing about newsletters that are already
        part of this change.
        """
        names = {wish.newsletter for wish in self.subscriptions}
        more = tuple(wish for wish in later.subscriptions if wish.newsletter not in names)
        return replace(self, subscriptions=self.subscriptions + more)


@dataclass(frozen=True, slots=True)
class SignUp:
    """A request of the sign-up form that has been accepted and not carried out yet."""

    id: int
    address: str
    change: PendingChange
    evidence: Evidence
    at: datetime


@dataclass(frozen=True, slots=True)
class IssuedToken:
    """A token that was sent. The database stores only its hash, never the token itself."""

    token_hash: str
    purpose: str
    subscriber_id: int
    made_at: datetime
    expires_at: datetime
    used_at: datetime | None
    change: PendingChange


def source_of(file: str) -> str:
    """Return the name of a file's import in the history of consent."""
    return f"import {file}"


def address_key(address: str) -> str:
    """Return the key of an address, which is the same for all spellings that differ only in case or Unicode form.

    NFKC makes characters equal that differ only in appearance, such as fullwidth and normal letters. The key is only
    for comparing addresses. Email is sent to the address as it was written.
    """
    if address.isascii():
        return address.lower()
    composed = unicodedata.normalize("NFKC", address)
    return unicodedata.normalize("NFKC", composed.casefold())


def encode_topics(topics: Iterable[str]) -> str:
    """Return a selection of topics as a sorted JSON array without duplicates, so that equal selections have equal text.

    The empty array [] means all topics.
    """
    chosen = tuple(topics)
    if not chosen:
        return "[]"
    return _encoded(chosen) if len(chosen) <= _FEW_TOPICS else _encoded.__wrapped__(chosen)


@lru_cache(maxsize=1_000)
def _encoded(topics: tuple[str, ...]) -> str:
    return json.dumps(sorted(set(topics)), ensure_ascii=False, separators=(",", ":"))


def decode_topics(text: str) -> tuple[str, ...]:
    """Return the topics that `encode_topics` wrote."""
    return tuple(json.loads(text))


def encode_subscription(subscription: Subscription) -> str:
    """Return a subscription as the detail of a consent event: its newsletter, and its topics if there are any."""
    topics = f" {encode_topics(subscription.topics)}" if subscription.topics else ""
    return f"{subscription.newsletter}{topics}"


def encode_change(change: PendingChange) -> str:
    """Return a pending change as JSON."""
    chosen = [[each.newsletter, list(each.topics)] for each in change.subscriptions]
    value = {"subscriptions": chosen, "name": change.name, "language": change.language, "address": change.address}
    value["mailed"] = list(change.mailed)
    return json.dumps({key: part for key, part in value.items() if part}, ensure_ascii=False)


def decode_change(text: str) -> PendingChange:
    """Return the pending change that `encode_change` wrote."""
    value = json.loads(text)
    chosen = tuple(Subscription(newsletter, tuple(topics)) for newsletter, topics in value.pop("subscriptions", ()))
    # The first versions did not store which newsletters the email names, because it always named all of them.
    mailed = tuple(value.pop("mailed", [wish.newsletter for wish in chosen]))
    return PendingChange(chosen, **value, mailed=mailed)


def current_name(newsletter: str, history: Sequence[ConsentEvent]) -> str:
    """Return the current name of a newsletter, after the renamings in a subscriber's history."""
    for event in history:
        before, _, after = event.detail.partition(" ")
        if event.what == RENAMED and newsletter == before:
            newsletter = after
    return newsletter
