"""The nouns of newsletters: letters, editions, subscribers and deliveries."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from publisher.core.hold_reasons import Hold
from publisher.core.models import require_aware


class Mark:
    """Stands in a letter for a value of the recipient, which is filled in for each message.

    A mark may be in an href or in text. It survives premailer and never occurs in a post, because composing a letter
    alters any text that looks like one.
    """

    UNSUBSCRIBE = "@@publisher-unsubscribe@@"
    PREFERENCES = "@@publisher-preferences@@"
    NAME = "@@publisher-name@@"
    ADDRESS = "@@publisher-address@@"

    ALL = (UNSUBSCRIBE, PREFERENCES, NAME, ADDRESS)


@dataclass(frozen=True, slots=True)
class Fallback:
    """Says that a letter contains less of its posts than configured, because email clients would clip it.

    wanted, carried  "full", "excerpt" or "titles"
    bytes_before     size of the HTML as configured
    """

    wanted: str
    carried: str
    bytes_before: int


@dataclass(frozen=True, slots=True)
class Letter:
    """An edition rendered for one variant of its audience, before any recipient is known.

    variant   "" for all topics
    html      a whole document with inlined CSS; contains marks (see Mark)
    text      plain text, at most 72 columns where possible; contains marks
    fallback  why it contains less than configured; None for a letter from the ledger, which doesn't store it
    """

    variant: str
    subject: str
    preheader: str
    html: str
    text: str
    fallback: Fallback | None = None


@dataclass(frozen=True, slots=True)
class EditionPost:
    """What an edition stores about each of its posts."""

    id: str
    title: str
    url: str


@dataclass(frozen=True, slots=True)
class Choice:
    """A selection of topics, and how many active subscribers of a newsletter have it.

    topics  as the database spells them; empty means all
    """

    topics: tuple[str, ...]
    subscribers: int


@dataclass(frozen=True, slots=True)
class EditionDraft:
    """An edition that is composed and not yet in the ledger.

    letters      the one for all topics (variant ""), and one for each other variant
    passed_over  ids of posts that this newsletter will never send: the archive before its first edition
    variants     the variant for each selection of topics, as the database spells it; None if nothing is sent to those
                 subscribers. An empty selection gets "", whether or not it is listed
    hold         why nothing of it is sent until it is released; None if it is sent at once
    goes_at      when it is sent, if it is made ahead; None if it is sent when it is made
    """

    newsletter: str
    slot: str
    number: int
    subject: str
    made_at: datetime
    posts: tuple[EditionPost, ...]
    letters: tuple[Letter, ...]
    passed_over: tuple[str, ...] = ()
    variants: Mapping[tuple[str, ...], str | None] = field(default_factory=dict)
    hold: Hold | None = None
    goes_at: datetime | None = None

    def __post_init__(self) -> None:
        require_aware("made_at", self.made_at)
        require_aware("goes_at", self.goes_at)


@dataclass(frozen=True, slots=True)
class Edition:
    """What a newsletter sends for one slot. Immutable once made, except for its hold; id is its key in the store.

    hold     why nothing of it is sent, as of when it was read; None if it is sent
    goes_at  nothing of it is sent before; None unless it was made ahead or had to wait
    """

    id: int
    newsletter: str
    slot: str
    number: int
    subject: str
    made_at: datetime
    posts: tuple[EditionPost, ...] = ()
    hold: Hold | None = None
    goes_at: datetime | None = None

    def __post_init__(self) -> None:
        require_aware("made_at", self.made_at)
        require_aware("goes_at", self.goes_at)

    @property
    def held(self) -> str:
        """Why nothing of it is sent, for people; "" if it is sent."""
        return self.hold.why if self.hold else ""

    @property
    def held_by(self) -> str | None:
        """Who holds it (see HeldBy); None if it is sent."""
        return self.hold.by.value if self.hold else None

    @property
    def dated(self) -> datetime:
        """The date of its messages and its web version: when it is sent, or was made."""
        return self.goes_at or self.made_at

    @property
    def path(self) -> str:
        """Site-relative path of the edition's web version."""
        return f"/editions/{self.newsletter}/{slot_path(self.slot)}/"


def slot_path(slot: str) -> str:
    """Return a slot's label as one safe path segment; "post:tag:a,2024:x" has colons and may have slashes."""
    return "".join(c if c.isalnum() or c in "-_+." else "-" for c in slot)


class SubscriberStatus(StrEnum):
    """Whether a subscriber gets email: only an active one does. subscriber_status.py has every change."""

    PENDING = "pending"
    ACTIVE = "active"
    UNSUBSCRIBED = "unsubscribed"
    BOUNCED = "bounced"
    COMPLAINED = "complained"
    SUPPRESSED = "suppressed"


class SuppressionReason(StrEnum):
    """Why an address is on the suppression list."""

    BOUNCED = "bounced"
    COMPLAINED = "complained"
    ERASED = "erased"
    SUPPRESSED = "suppressed"  # the owner put it there
    MOVED = "moved"  # its subscriber has a new address; no import adds it again, but its own mailbox may confirm


@dataclass(frozen=True, slots=True)
class Subscription:
    """A subscriber's subscription to one newsletter; no topics means all."""

    newsletter: str
    topics: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Subscriber:
    """A person on the list. id is the store's key; uid is random, public and permanent.

    paused_until  nothing is sent before that moment
    confirmed_at  when the person, or whoever confirmed it for them, first agreed
    bounces       in a row, since the last message that arrived
    """

    id: int
    uid: str
    address: str
    name: str
    language: str
    status: SubscriberStatus
    created_at: datetime
    subscriptions: tuple[Subscription, ...] = ()
    paused_until: datetime | None = None
    confirmed_at: datetime | None = None
    bounces: int = 0


class DeliveryStatus(StrEnum):
    """How far a delivery is; mail/lifecycle.py has every change."""

    QUEUED = "queued"
    SENDING = "sending"
    SENT = "sent"
    DEFERRED = "deferred"
    FAILED = "failed"
    UNCERTAIN = "uncertain"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Delivery:
    """A claimed row of the ledger, with what its message needs."""

    id: int
    edition_id: int
    subscriber_uid: str
    address: str
    name: str
    variant: str
    attempts: int


@dataclass(frozen=True, slots=True)
class DeliveryCounts:
    """How many deliveries of an edition have each status."""

    by_status: dict[DeliveryStatus, int] = field(default_factory=dict)

    def __getitem__(self, status: DeliveryStatus) -> int:
        return self.by_status.get(status, 0)

    @property
    def total(self) -> int:
        return sum(self.by_status.values())

    @property
    def open(self) -> int:
        """How many have not been sent yet."""
        return self[DeliveryStatus.QUEUED] + self[DeliveryStatus.SENDING] + self[DeliveryStatus.DEFERRED]
