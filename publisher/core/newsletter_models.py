"""The nouns of sending: letters, editions, subscribers and deliveries."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from publisher.core.hold_reasons import Hold
from publisher.core.models import require_aware


class Mark:
    """What a letter says where a recipient's own value comes in, later and per message.

    A mark stands in hrefs and in text; it survives premailer and never occurs in a post
    (composition defuses any text that looks like one).
    """

    UNSUBSCRIBE = "@@publisher-unsubscribe@@"
    PREFERENCES = "@@publisher-preferences@@"
    NAME = "@@publisher-name@@"
    ADDRESS = "@@publisher-address@@"

    ALL = (UNSUBSCRIBE, PREFERENCES, NAME, ADDRESS)


@dataclass(frozen=True, slots=True)
class Fallback:
    """That a letter carries less of its posts than its newsletter wants, because mail programs would cut it off.

    wanted, carried  "full", "excerpt" or "titles"
    bytes_before     of the HTML as it was wanted
    """

    wanted: str
    carried: str
    bytes_before: int


@dataclass(frozen=True, slots=True)
class Letter:
    """An edition rendered for one audience variant, before any recipient is known.

    variant   "" for all topics
    html      a whole document with inlined CSS; holds marks (see Mark)
    text      plain text, at most 72 columns where it can be; holds marks
    fallback  why it carries less than its newsletter wants; None of a letter out of the ledger, which keeps it not
    """

    variant: str
    subject: str
    preheader: str
    html: str
    text: str
    fallback: Fallback | None = None


@dataclass(frozen=True, slots=True)
class EditionPost:
    """What an edition remembers of a post it carried."""

    id: str
    title: str
    url: str


@dataclass(frozen=True, slots=True)
class Choice:
    """A choice of topics, and how many active subscribers of one newsletter hold it.

    topics  as the record spells them; none is all
    """

    topics: tuple[str, ...]
    subscribers: int


@dataclass(frozen=True, slots=True)
class EditionDraft:
    """An edition that is composed and not yet in the ledger.

    letters      the one for all topics (variant ""), and one for each other variant
    passed_over  ids of posts that this newsletter will never send: the archive before its first edition
    variants     the variant that holders of each choice of topics get, by the choice as the record spells it;
                 None where nothing is sent to them. No topics get "", also where that is not said
    hold         why nothing of it is sent until it is released; None if it is sent at once
    goes_at      when it goes, of one that is made ahead; None where that is when it is made
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
    """What a newsletter sent for one slot. Immutable once made, but for its hold; id is its key in the store.

    hold     why nothing of it is sent, as of when it was read; None if it is sent
    goes_at  before when nothing of it is sent, of one that was made ahead or had to wait
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
        """The moment that its messages and its web copy are dated by: when it goes, or was made."""
        return self.goes_at or self.made_at

    @property
    def path(self) -> str:
        """Site-relative path of the edition's web copy."""
        return f"/editions/{self.newsletter}/{slot_path(self.slot)}/"


def slot_path(slot: str) -> str:
    """Return a slot's label as one safe path segment ("post:tag:a,2024:x" holds colons and slashes)."""
    return "".join(c if c.isalnum() or c in "-_+." else "-" for c in slot)


class SubscriberStatus(StrEnum):
    """Where a person stands. Only `active` is ever mailed."""

    PENDING = "pending"
    ACTIVE = "active"
    UNSUBSCRIBED = "unsubscribed"
    BOUNCED = "bounced"
    COMPLAINED = "complained"
    SUPPRESSED = "suppressed"


class SuppressionReason(StrEnum):
    """Why an address must never be mailed again."""

    BOUNCED = "bounced"
    COMPLAINED = "complained"
    ERASED = "erased"
    SUPPRESSED = "suppressed"  # the operator's word
    MOVED = "moved"  # its reader has another address now: no list brings it back, its own mailbox may


@dataclass(frozen=True, slots=True)
class Subscription:
    """A subscriber's wish for one newsletter; no topics means all."""

    newsletter: str
    topics: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Subscriber:
    """A person who may get letters. id is the store's key; uid is random, public and permanent.

    paused_until  no letters before that moment
    confirmed_at  when the person, or whoever vouched for them, first agreed
    bounces       letters that came back since the last success
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
    """Where one delivery stands; every move between these is in delivery/lifecycle.py."""

    QUEUED = "queued"
    SENDING = "sending"
    SENT = "sent"
    DEFERRED = "deferred"
    FAILED = "failed"
    UNCERTAIN = "uncertain"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Delivery:
    """One claimed row of the ledger with what its message needs."""

    id: int
    edition_id: int
    subscriber_uid: str
    address: str
    name: str
    variant: str
    attempts: int


@dataclass(frozen=True, slots=True)
class DeliveryCounts:
    """How many deliveries of an edition stand in each state."""

    by_status: dict[DeliveryStatus, int] = field(default_factory=dict)

    def __getitem__(self, status: DeliveryStatus) -> int:
        return self.by_status.get(status, 0)

    @property
    def total(self) -> int:
        return sum(self.by_status.values())

    @property
    def open(self) -> int:
        """How many still wait to be sent."""
        return self[DeliveryStatus.QUEUED] + self[DeliveryStatus.SENDING] + self[DeliveryStatus.DEFERRED]
