"""The table of subscription events and statuses; only this module decides the next status of a subscription.

A subscription connects one subscriber with one newsletter. It has a status of its own, apart from the subscriber's.

    event         never         subscribed    unsubscribed  removed
    ──────────────────────────────────────────────────────────────────
    confirmed     subscribed    subscribed    subscribed    subscribed
    chosen        subscribed    subscribed    subscribed    subscribed
    undone        ·             subscribed    subscribed    ·
    added         subscribed    subscribed    ·             ·
    readded       subscribed    subscribed    subscribed    subscribed
    imported      subscribed    subscribed    ·             ·
    left          ·             unsubscribed  unsubscribed  removed
    left_all      ·             unsubscribed  unsubscribed  removed
    complained    ·             unsubscribed  unsubscribed  removed
    removed       ·             removed       removed       removed
    suppressed    ·             removed       removed       removed
    file_left     unsubscribed  unsubscribed  unsubscribed  removed
    file_left_one unsubscribed  unsubscribed  unsubscribed  removed
    file_removed  removed       removed       removed       removed

A dot means that the event is refused. "Never" means that the subscriber was never asked, so there is no record. Only
the subscriber's own act (`confirmed`, `chosen`, `undone`), or an owner who says why (`readded`), re-subscribes a person
who unsubscribed or was removed. No file does, and neither does a plain `added`. A link in an old email must not undo
what the owner did, so `undone` is only for people who unsubscribed themselves.

Someone may be sent a newsletter if their status is active (core/subscriber_status.py) and this status is subscribed. A
subscriber without any subscription left is unsubscribed, and so has opted out of everything. The exception is someone
whom files have opted out of single newsletters (`file_left_one`): that applies only to those newsletters, whichever
file comes first, as `only_about_single_newsletters` says. Renaming a newsletter is not an event: if a subscriber has a
record for both names, the record for the new name counts.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType

from publisher.core.frozen import dataclass


class SubscriptionStatus(StrEnum):
    """The status of one subscriber's subscription to one newsletter. Without a record they were never asked."""

    SUBSCRIBED = "subscribed"
    UNSUBSCRIBED = "unsubscribed"  # by the subscriber
    REMOVED = "removed"  # by the owner


class SubscriptionEvent(StrEnum):
    """The events that can happen to a subscription."""

    CONFIRMED = "confirmed"  # the subscriber signed up and confirmed
    CHOSEN = "chosen"  # the subscriber chose it on the preferences page
    UNDONE = "undone"  # the subscriber undid the unsubscription on the page right after it
    ADDED = "added"  # the owner confirms that the person agreed
    READDED = "readded"  # the owner confirms that the person asked to return, and says why
    IMPORTED = "imported"  # it is in a file that was imported
    LEFT = "left"  # the subscriber unsubscribed from this newsletter
    LEFT_ALL = "left_all"  # the subscriber unsubscribed from everything
    COMPLAINED = "complained"  # the subscriber reported an email as spam
    REMOVED = "removed"  # the owner unsubscribed them
    SUPPRESSED = "suppressed"  # the owner put the address on the suppression list
    FILE_LEFT = "file_left"  # an imported file says that the subscriber unsubscribed from everything
    FILE_LEFT_ONE = "file_left_one"  # an imported file says that the subscriber unsubscribed from this newsletter
    FILE_REMOVED = "file_removed"  # an imported file says that the owner unsubscribed them


_S = SubscriptionStatus
_E = SubscriptionEvent

# event -> the status after it, for a subscription that is (never asked for, subscribed, unsubscribed, removed).
# None: the event is refused.
_ROWS: Mapping[SubscriptionEvent, tuple[SubscriptionStatus | None, ...]] = MappingProxyType(
    {
        _E.CONFIRMED: (_S.SUBSCRIBED, _S.SUBSCRIBED, _S.SUBSCRIBED, _S.SUBSCRIBED),
        _E.CHOSEN: (_S.SUBSCRIBED, _S.SUBSCRIBED, _S.SUBSCRIBED, _S.SUBSCRIBED),
        _E.UNDONE: (None, _S.SUBSCRIBED, _S.SUBSCRIBED, None),
        _E.ADDED: (_S.SUBSCRIBED, _S.SUBSCRIBED, None, None),
        _E.READDED: (_S.SUBSCRIBED, _S.SUBSCRIBED, _S.SUBSCRIBED, _S.SUBSCRIBED),
        _E.IMPORTED: (_S.SUBSCRIBED, _S.SUBSCRIBED, None, None),
        _E.LEFT: (None, _S.UNSUBSCRIBED, _S.UNSUBSCRIBED, _S.REMOVED),
        _E.LEFT_ALL: (None, _S.UNSUBSCRIBED, _S.UNSUBSCRIBED, _S.REMOVED),
        _E.COMPLAINED: (None, _S.UNSUBSCRIBED, _S.UNSUBSCRIBED, _S.REMOVED),
        _E.REMOVED: (None, _S.REMOVED, _S.REMOVED, _S.REMOVED),
        _E.SUPPRESSED: (None, _S.REMOVED, _S.REMOVED, _S.REMOVED),
        _E.FILE_LEFT: (_S.UNSUBSCRIBED, _S.UNSUBSCRIBED, _S.UNSUBSCRIBED, _S.REMOVED),
        _E.FILE_LEFT_ONE: (_S.UNSUBSCRIBED, _S.UNSUBSCRIBED, _S.UNSUBSCRIBED, _S.REMOVED),
        _E.FILE_REMOVED: (_S.REMOVED, _S.REMOVED, _S.REMOVED, _S.REMOVED),
    }
)
_COLUMNS = (None, *SubscriptionStatus)

# The same table by (status, event), without the refused ones. The status is None without a record.
TABLE: Mapping[tuple[SubscriptionStatus | None, SubscriptionEvent], SubscriptionStatus] = MappingProxyType(
    {
        (before, event): after
        for event, row in _ROWS.items()
        for before, after in zip(_COLUMNS, row, strict=True)
        if after is not None
    }
)


@dataclass(frozen=True, slots=True)
class SubscriptionRecord:
    """Everything that is known about one subscriber's subscription to one newsletter.

    topics  the chosen topics; no topics means all. If the subscription has ended, the topics chosen last
    since   when the person or the owner decided that; None if it comes from a file without a date
    cause   the event that led to the status
    source  the form, link, file or command that it came from
    frequency  how often they want it, such as "weekly"; "" for the newsletter's own schedule
    """

    newsletter: str
    topics: tuple[str, ...] = ()
    status: SubscriptionStatus = SubscriptionStatus.SUBSCRIBED
    since: datetime | None = None
    cause: SubscriptionEvent = SubscriptionEvent.IMPORTED
    source: str = ""
    frequency: str = ""

    @property
    def is_subscribed(self) -> bool:
        """Whether the newsletter goes to the subscriber."""
        return self.status is SubscriptionStatus.SUBSCRIBED

    def ending(self, zone: datetime) -> str:
        """Return how the subscription ended, as a phrase that follows the address.

        zone: a time in whose time zone the date is written.
        """
        verb = "was unsubscribed" if self.status is SubscriptionStatus.REMOVED else "unsubscribed"
        return f"{verb} from {self.newsletter}{on_date(self.since, zone)}"


def next_subscription_status(status: SubscriptionStatus | None, event: SubscriptionEvent) -> SubscriptionStatus | None:
    """Return the status of a subscription after an event; None if the event is refused. See TABLE."""
    return TABLE.get((status, event))


def no_counts(yes: datetime | None, no: datetime | None) -> bool:
    """Return whether an opt-out in a file overrides a subscription that is known here: the later of the two counts.

    yes, no: when the person opted in and out; None if unknown. Unless both dates are known, the opt-out counts.
    """
    return yes is None or no is None or no >= yes


def only_about_single_newsletters(records: Iterable[SubscriptionRecord]) -> bool:
    """Return whether files have opted a subscriber out of single newsletters, and nothing else is known about them.

    If so, the subscriber is treated like a stranger by all other newsletters.
    """
    causes = {record.cause for record in records}
    return causes == {SubscriptionEvent.FILE_LEFT_ONE}


def is_wider(event: SubscriptionEvent, before: SubscriptionRecord) -> bool:
    """Return whether an event says more than that a file opted the person out of this newsletter only."""
    narrow = SubscriptionEvent.FILE_LEFT_ONE
    return before.cause is narrow and event is not narrow


def on_date(moment: datetime | None, zone: datetime) -> str:
    """Return " on 28 November 2026" for messages, in the time zone of `zone`; "" if there is no moment."""
    if moment is None:
        return ""
    local = moment.astimezone(zone.tzinfo)
    return f" on {local.day} {local:%B} {local.year}"
