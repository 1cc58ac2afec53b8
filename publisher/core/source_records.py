"""The data types for what the database knows about a source: its state, its items, and how a new document changes them.

The fetcher and the database share them. source_models has what a document says, before it is known what is new.
"""

from __future__ import annotations

from dataclasses import field
from datetime import datetime, timedelta
from typing import NamedTuple

from publisher.core.frozen import dataclass
from publisher.core.models import require_aware
from publisher.core.source_models import FeedItem, FeedPace

# A host that has claimed a source for this long was killed, and the source is due again.
LONGEST_CLAIM = timedelta(minutes=10)
# How often a redirect to another host must be seen before it is believed: an address that was taken over for an hour
# must not take the source with it.
FETCHES_OF_A_MOVE = 3
# The clocks of two hosts differ by less. A time further in the future comes from a wrong clock.
MOST_SKEW = timedelta(hours=1)


class SourceBeginning(NamedTuple):
    """When a newsletter began to use a source.

    at    when it was first seen with the source
    seen  when the newest item of that time was first seen. Items seen later are new, even if a clock that was behind
          dates them before `at`
    """

    at: datetime
    seen: datetime


class ItemKeys(NamedTuple):
    """The hashes that recognise an item in a later document of its source; see posts.sources.identity.

    guid   the hash of its guid, or of a substitute; unique in a source
    link   the hash of its canonical link; "" if it has none
    title  the hash of its title, or of its first words; "" if it has neither
    """

    guid: str
    link: str = ""
    title: str = ""


@dataclass(frozen=True, slots=True)
class SourceState:
    """The state of a source itself.

    url            the configured address, to which everything else here applies
    address        where it is now, after permanent redirects; "" if it is at `url`
    next_at        when it is fetched next
    asked_at       when a host last claimed it in order to fetch it; None if no host ever has
    claim          the claim of the host that is fetching it; "" if none is. A host that was killed leaves its claim
    closed_until   the time before which it must not be fetched, as its server asked (Retry-After); None if there is
                   none
    etag, last_modified  the headers of its last document, verbatim, for a conditional request
    title, link, language  what the last document says about itself
    hub, topic     the WebSub hub that it names, and the address by which the hub knows it
    pace, max_age  how often it may be fetched, and for how many seconds its last answer was fresh
    fetched_at     when the last new document came; answers that say "unchanged" are not recorded
    first_fetched_at  when its first document came; None if there was none yet
    failing_since, failures, error  since when it has been failing, how often in a row, and why it failed last
    ended_at       when its server said that it is gone for good (410)
    moved_to, moved_seen  another host to which the last answers were redirected for good, and how many in a row
    held_at        when more than half of its items last suddenly appeared as new
    listed         the numbers of the items of the last document, newest first
    problems       what was wrong with the last document although it could be read
    renamed        how many of its items had a different guid in the document before
    revision       the number of the last change of its items
    """

    name: str
    url: str
    next_at: datetime
    address: str = ""
    asked_at: datetime | None = None
    claim: str = ""
    closed_until: datetime | None = None
    etag: str = ""
    last_modified: str = ""
    title: str = ""
    link: str = ""
    language: str = ""
    hub: str = ""
    topic: str = ""
    pace: FeedPace = field(default_factory=FeedPace)
    max_age: int = 0
    fetched_at: datetime | None = None
    first_fetched_at: datetime | None = None
    failing_since: datetime | None = None
    failures: int = 0
    error: str = ""
    ended_at: datetime | None = None
    moved_to: str = ""
    moved_seen: int = 0
    held_at: datetime | None = None
    listed: tuple[int, ...] = ()
    problems: tuple[str, ...] = ()
    renamed: int = 0
    revision: int = 0

    def __post_init__(self) -> None:
        require_aware("next_at", self.next_at)

    def is_being_fetched(self, now: datetime) -> bool:
        """Return whether a host is fetching it, judging by the age of the claim.

        No fetch takes longer than LONGEST_CLAIM.
        """
        return bool(self.claim) and self.asked_at is not None and self.asked_at > now - LONGEST_CLAIM

    def may_be_claimed(self, now: datetime, since: datetime | None = None, *, force: bool = False) -> bool:
        """Return whether a host may claim it in order to fetch it; see Sources.claim, which decides."""
        if self.asked_at is None:
            return True
        if self.asked_at > now + MOST_SKEW:
            return True
        is_wanted = since is not None and self.asked_at < since
        is_left = bool(self.claim) and not self.is_being_fetched(now)
        is_closed = self.closed_until is not None and self.closed_until > now
        if force:
            return not self.is_being_fetched(now) and not is_closed
        return (self.next_at <= now or is_wanted or is_left) and not is_closed

    @property
    def has_failed(self) -> bool:
        """Whether the last fetch failed."""
        return self.failing_since is not None


@dataclass(frozen=True, slots=True)
class HubLease:
    """A lease with a source's hub, which reports new items (WebSub), or the request for it.

    hub, topic   the hub, and the address of the feed that it was asked to report on
    token        the part of the callback's address that no one can guess
    secret       the key with which the hub signs what it sends
    asked_at     when the hub was last asked; None if it was not
    lease_until  until when the hub reports new items; None if it has not agreed
    """

    hub: str
    topic: str
    token: str
    secret: str
    asked_at: datetime | None = None
    lease_until: datetime | None = None

    def __post_init__(self) -> None:
        require_aware("asked_at", self.asked_at)
        require_aware("lease_until", self.lease_until)


@dataclass(frozen=True, slots=True)
class KnownItem:
    """The data needed to recognise a stored item in a new document.

    digest   the hash of everything that readers see
    is_gone  whether it has vanished from the feed
    """

    number: int
    post_id: str
    keys: ItemKeys
    digest: str
    published: datetime | None
    first_seen_at: datetime
    is_gone: bool = False


@dataclass(frozen=True, slots=True)
class NewItem:
    """An item that is not known yet.

    post_id     the permanent id of its post
    is_backlog  whether it was there when the source was first fetched, or is older than the items that were there then
    is_suspect  whether it came when more than half of the items suddenly appeared as new, so that a person decides
    is_old      whether it came after the first fetch, and is older than all items that the feed had before
    """

    item: FeedItem
    post_id: str
    keys: ItemKeys
    digest: str
    is_backlog: bool = False
    is_suspect: bool = False
    is_old: bool = False


@dataclass(frozen=True, slots=True)
class ChangedItem:
    """A known item that is different in the new document.

    number    the number of the stored item
    is_edited whether readers see a difference; otherwise only its guid, or its dates, have changed
    """

    number: int
    item: FeedItem
    keys: ItemKeys
    digest: str
    is_edited: bool = True


@dataclass(frozen=True, slots=True)
class ItemChanges:
    """How a document changes the items of a source.

    new      oldest first, as far as the document's order says
    back     numbers of items that had vanished and are there again
    gone     numbers of items that have vanished, although the document would have room for them
    listed   the items of the document, newest first: the number of a known one, or -1 for the first of `new`, -2 for
             the second and so on
    is_held  whether more than half of the items suddenly appeared as new
    """

    new: tuple[NewItem, ...] = ()
    changed: tuple[ChangedItem, ...] = ()
    back: tuple[int, ...] = ()
    gone: tuple[int, ...] = ()
    listed: tuple[int, ...] = ()
    is_held: bool = False

    def __bool__(self) -> bool:
        return bool(self.new or self.changed or self.back or self.gone)


@dataclass(frozen=True, slots=True)
class StoredItem:
    """An item of a source as the database has it.

    number      identifies it for ever
    post_id     the permanent id of its post
    item        what the feed says; its `html` is left out (see Sources.html)
    size        the length of its HTML in characters
    first_seen_at, changed_at  when it was first seen, and when readers would last have seen a difference
    gone_at     when it vanished from the feed; None if it is there, or has only made room for newer ones
    skipped_at  when a person decided that no newsletter takes it
    is_backlog, is_suspect, is_old  see NewItem
    revision    the revision of its source with which it last changed
    """

    number: int
    source: str
    post_id: str
    item: FeedItem
    digest: str
    size: int
    first_seen_at: datetime
    changed_at: datetime
    gone_at: datetime | None = None
    skipped_at: datetime | None = None
    is_backlog: bool = False
    is_suspect: bool = False
    revision: int = 0
    is_old: bool = False


class ItemLink(NamedTuple):
    """An item of a source by its link. key: ItemKeys.link"""

    source: str
    key: str
    post_id: str


class ItemKey(NamedTuple):
    """The version of an item, to see quickly whether it has changed."""

    source: str
    number: int
    revision: int
    size: int
