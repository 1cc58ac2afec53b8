"""The data types for newsletters: letters, editions, subscribers and deliveries."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from datetime import datetime
from enum import StrEnum

from publisher.core.frozen import dataclass
from publisher.core.hold_reasons import Hold
from publisher.core.models import require_aware
from publisher.core.personal_marks import for_everyone
from publisher.core.subscriber_fields import FieldValue
from publisher.core.subscription_status import SubscriptionRecord


class Mark:
    """The placeholders in a letter for values of the recipient, which are filled in for each message.

    A mark may be in an href or in text. It survives premailer. It never comes from a post, because composing a letter
    alters any text of a post that looks like a mark. These are the marks of every letter; personal_marks has the marks
    of the recipient's own fields.
    """

    UNSUBSCRIBE = "@@publisher-unsubscribe@@"
    PREFERENCES = "@@publisher-preferences@@"
    NAME = "@@publisher-name@@"
    ADDRESS = "@@publisher-address@@"

    ALL = (UNSUBSCRIBE, PREFERENCES, NAME, ADDRESS)


@dataclass(frozen=True, slots=True)
class Fallback:
    """A note that a letter contains less of its posts than configured, because email clients would clip a longer one.

    wanted        what is configured: "full" or "excerpt"
    carried       what the letter contains: "excerpt" or "titles"
    bytes_before  size that the HTML would have had as configured
    """

    wanted: str
    carried: str
    bytes_before: int


@dataclass(frozen=True, slots=True)
class Letter:
    """An edition rendered for one variant of its audience, before any recipient is known.

    variant   name of the variant; "" for all topics
    subject   one line; may contain marks, as the preheader may
    html      a whole document with inlined CSS; contains marks (see Mark)
    text      plain text, at most 72 columns wide where possible; contains marks
    fallback  why the letter contains less than configured, else None; the ledger doesn't store it
    posts     the ids of its posts; empty if they are the same as the edition's
    """

    variant: str
    subject: str
    preheader: str
    html: str
    text: str
    fallback: Fallback | None = None
    posts: tuple[str, ...] = ()

    @property
    def plain_subject(self) -> str:
        """The subject for a reader about whom nothing is known, with the defaults of its marks."""
        return for_everyone(self.subject)


class EditionKind(StrEnum):
    """The kind of an edition: its content, and who gets it."""

    POSTS = "posts"  # the posts of a slot; it has a web version and a number
    LETTER = "letter"  # a text of its own, sent once: letters/NEWSLETTER/NAME.md
    WELCOME = "welcome"  # a text that new subscribers get, each at their own time: letters/NEWSLETTER/welcome.md
    FAREWELL = "farewell"  # a text for those who unsubscribed: letters/NEWSLETTER/farewell.md


@dataclass(frozen=True, slots=True)
class EditionPost:
    """The data that an edition stores about each of its posts. url: "" if it was sent by email only."""

    id: str
    title: str
    url: str


@dataclass(frozen=True, slots=True)
class CatchUp:
    """The difference between the posts that a subscriber has received and the posts of their new frequency.

    had   ids of posts that they got at another frequency, and that later editions of theirs may contain
    owed  ids of posts that editions of their frequency contained before they changed to it, and that they lack
    """

    had: frozenset[str] = frozenset()
    owed: frozenset[str] = frozenset()


IN_STEP = CatchUp()


@dataclass(frozen=True, slots=True)
class Choice:
    """A selection of topics, and the number of active subscribers of a newsletter who made it.

    topics    the topics as spelt in the database; empty means all
    catch_up  the posts that they have received in advance, or lack, because they changed how often they get the
              newsletter
    sent      ids of posts of the edition that other newsletters have sent to them
    """

    topics: tuple[str, ...]
    subscribers: int
    catch_up: CatchUp = IN_STEP
    sent: frozenset[str] = frozenset()

    @property
    def audience(self) -> Audience:
        """These subscribers as an audience."""
        return Audience(self.topics, self.catch_up, self.sent)


@dataclass(frozen=True, slots=True)
class Audience:
    """The subscribers of a newsletter who get the same posts of an edition; see Choice."""

    topics: tuple[str, ...]
    catch_up: CatchUp = IN_STEP
    sent: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class EditionDraft:
    """An edition that has been composed but is not yet in the ledger.

    slot         label of the slot: the name of a scheduled time such as 2026-W47, or "post:" and a post's id
    letters      the letter for all topics (variant ""), and a letter for each other variant
    passed_over  ids of posts that this newsletter will never send: the archive before its first edition
    other_ids    pairs: the id of a post in this or an earlier edition, and an id that the same post has in another
                 source
    variants     the variant for each selection of topics, spelt as in the database; None if nothing is sent to those
                 subscribers. An empty selection gets "", whether or not it is listed
    hold         why the edition is not sent until it is released; None if it is not on hold
    goes_at      when the edition is sent, if it is made in advance; None if it is sent when it is made
    kind         what it is made of
    segment      the condition on its subscribers, in the language of segments; "" for all of the newsletter
    frequency    the frequency that its subscribers have chosen; "" for the newsletter's own schedule
    others       the variant for each audience that differs by more than its topics; None as in `variants`
    once         ids of its posts, if it leaves out posts that a subscriber has already received from another newsletter
    earlier      ids of the posts of earlier editions that its letters contain for subscribers who lack them
    ahead        the ids in `passed_over` of posts that all its subscribers had received when it was planned; later
                 subscribers lack them
    repeats      ids of its posts that earlier editions of the frequency also contained, for subscribers who lack them
    begins       the ledger names of all frequencies, if this is the newsletter's first edition, so that all of them
                 pass over the same posts
    """

    newsletter: str
    slot: str
    number: int
    subject: str
    made_at: datetime
    posts: tuple[EditionPost, ...]
    letters: tuple[Letter, ...]
    passed_over: tuple[str, ...] = ()
    other_ids: tuple[tuple[str, str], ...] = ()
    variants: Mapping[tuple[str, ...], str | None] = field(default_factory=dict)
    hold: Hold | None = None
    goes_at: datetime | None = None
    kind: EditionKind = EditionKind.POSTS
    segment: str = ""
    frequency: str = ""
    others: Mapping[Audience, str | None] = field(default_factory=dict)
    once: tuple[str, ...] = ()
    earlier: frozenset[str] = frozenset()
    ahead: frozenset[str] = frozenset()
    repeats: frozenset[str] = frozenset()
    begins: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        require_aware("made_at", self.made_at)
        require_aware("goes_at", self.goes_at)


@dataclass(frozen=True, slots=True)
class Edition:
    """An edition of a newsletter: the issue for one slot (a scheduled time or a post).

    An edition never changes once it is made, except for its hold and goes_at.

    id       key in the store
    hold     why the edition is not sent, at the time of reading; None if it is not on hold
    goes_at  the earliest time at which it is sent; None unless it was made in advance or had to wait
    kind     what it is made of; only an edition of posts has a number and a web version
    segment  the condition on its subscribers; "" for all of the newsletter
    frequency  the frequency that its subscribers have chosen; "" for the newsletter's own schedule
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
    kind: EditionKind = EditionKind.POSTS
    segment: str = ""
    frequency: str = ""

    def __post_init__(self) -> None:
        require_aware("made_at", self.made_at)
        require_aware("goes_at", self.goes_at)

    @property
    def held(self) -> str:
        """The reason for the hold, as a text for people; "" if the edition is not on hold."""
        return self.hold.why if self.hold else ""

    @property
    def held_by(self) -> str | None:
        """The holder of the edition (see HeldBy); None if it is not on hold."""
        return self.hold.by.value if self.hold else None

    @property
    def dated(self) -> datetime:
        """The date of its messages and its web version: `goes_at`, or else `made_at`."""
        return self.goes_at or self.made_at

    @property
    def name(self) -> str:
        """The newsletter, the slot, and the number of an edition of posts, such as "weekly 2026-W47, no. 3"."""
        return name_of_edition(self.newsletter, self.slot, self.number)

    @property
    def path(self) -> str:
        """The site-relative path of the edition's web version."""
        return f"/editions/{self.newsletter}/{slot_path(self.slot)}/"


def name_of_edition(newsletter: str, slot: str, number: int) -> str:
    """Return the name of an edition for people; number: 0 for an email without posts, which has none."""
    name = f"{newsletter} {slot_name(slot)}"
    return f"{name}, no. {number}" if number else name


def slot_name(slot: str) -> str:
    """Return a slot's name for people: for a post the end of its ID, for a welcome email the name of its file."""
    kind, _, rest = slot.partition(":")
    if kind == "post":
        return f"post {rest.replace('/', ':').rstrip(':').rpartition(':')[2]}"
    return kind if kind.startswith("welcome") else slot


def slot_path(slot: str) -> str:
    """Return a slot's label as one safe path segment, because a label may contain slashes: "post:tag:a,2024:x"."""
    return "".join(c if c.isalnum() or c in "-_+." else "-" for c in slot)


def ledger_name(newsletter: str, frequency: str) -> str:
    """Return the name under which the posts and slots of one frequency of a newsletter are recorded.

    frequency: as in SubscriptionRecord; "" for the newsletter's own schedule.
    """
    return f"{newsletter}/{frequency}" if frequency else newsletter


class SubscriberStatus(StrEnum):
    """The status of a subscriber. Only active subscribers get email; subscriber_status.py lists every transition."""

    PENDING = "pending"
    ACTIVE = "active"
    UNSUBSCRIBED = "unsubscribed"
    BOUNCED = "bounced"
    COMPLAINED = "complained"
    SUPPRESSED = "suppressed"


class SuppressionReason(StrEnum):
    """The reason why an address is on the suppression list."""

    BOUNCED = "bounced"
    COMPLAINED = "complained"
    DECLINED = "declined"  # the mailbox's owner asked never to be written to again
    ERASED = "erased"
    SUPPRESSED = "suppressed"  # the owner put the address on the list
    MOVED = "moved"  # the subscriber has a new address; no import adds this one again, but its mailbox may confirm it


@dataclass(frozen=True, slots=True)
class Subscription:
    """A subscriber's subscription to one newsletter; no topics means all."""

    newsletter: str
    topics: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Subscriber:
    """A person on the list. id is the store's key; uid is random, public and permanent.

    records       the newsletters that they were ever subscribed to, with the status of each subscription
    paused_until  no email is sent before this moment
    confirmed_at  when the person first agreed, or the owner first confirmed it for them
    bounces       number of bounces since the last message that arrived
    tags          the owner's words for groups of people, sorted
    fields        values of the owner's own fields, by name
    note          the owner's private note about them
    """

    id: int
    uid: str
    address: str
    name: str
    language: str
    status: SubscriberStatus
    created_at: datetime
    records: tuple[SubscriptionRecord, ...] = ()
    paused_until: datetime | None = None
    confirmed_at: datetime | None = None
    bounces: int = 0
    tags: tuple[str, ...] = ()
    fields: Mapping[str, FieldValue] = field(default_factory=dict)
    note: str = ""

    @property
    def joined_at(self) -> datetime:
        """When they joined: when they first agreed, also with another tool, or were first entered here."""
        return self.confirmed_at or self.created_at

    @property
    def subscriptions(self) -> tuple[Subscription, ...]:
        """The newsletters that they are subscribed to now."""
        return tuple(Subscription(each.newsletter, each.topics) for each in self.records if each.is_subscribed)

    @property
    def ended(self) -> tuple[SubscriptionRecord, ...]:
        """The subscriptions that have ended."""
        return tuple(each for each in self.records if not each.is_subscribed)

    def record(self, newsletter: str) -> SubscriptionRecord | None:
        """Return the record of their subscription to a newsletter; None if they were never asked."""
        return next((each for each in self.records if each.newsletter == newsletter), None)

    def status_in(self, newsletter: str) -> SubscriberStatus | None:
        """Return their status as a subscriber of one newsletter; None if they were never asked."""
        record = self.record(newsletter)
        if record is None:
            return None
        is_active = self.status is SubscriberStatus.ACTIVE
        return SubscriberStatus.UNSUBSCRIBED if is_active and not record.is_subscribed else self.status


class DeliveryStatus(StrEnum):
    """The status of a delivery; mail/lifecycle.py lists every transition."""

    QUEUED = "queued"
    SENDING = "sending"
    SENT = "sent"
    DEFERRED = "deferred"
    FAILED = "failed"
    UNCERTAIN = "uncertain"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Delivery:
    """A delivery that a worker has claimed from the ledger, with everything its message needs.

    fields  the subscriber's own fields, as JSON; few letters need them, so they are not decoded here
    """

    id: int
    edition_id: int
    subscriber_uid: str
    address: str
    name: str
    variant: str
    attempts: int
    fields: str = "{}"


def how_far(written: int, missing: int) -> str:
    """Return how complete an edition is, in words; "" if it is complete. missing: about how many messages it lacks."""
    return f"not complete yet: {written:,} of about {written + missing:,} messages" if missing else ""


@dataclass(frozen=True, slots=True)
class DeliveryCounts:
    """The number of deliveries of an edition with each status.

    missing: about how many deliveries are not written yet, at least 1 if the edition is not complete; 0 if it is
    """

    by_status: dict[DeliveryStatus, int] = field(default_factory=dict)
    missing: int = 0

    def __getitem__(self, status: DeliveryStatus) -> int:
        return self.by_status.get(status, 0)

    @property
    def total(self) -> int:
        """The number of deliveries of any status."""
        return sum(self.by_status.values())

    @property
    def open(self) -> int:
        """The number of deliveries that have not been completed yet."""
        return self[DeliveryStatus.QUEUED] + self[DeliveryStatus.SENDING] + self[DeliveryStatus.DEFERRED]

    @property
    def unwritten(self) -> str:
        """How complete the edition is, in words; "" if it is complete."""
        return how_far(self.total, self.missing)

    @property
    def is_over(self) -> bool:
        """Whether every delivery was sent or skipped, which is final."""
        return not self.missing and self.total == self[DeliveryStatus.SENT] + self[DeliveryStatus.SKIPPED]
