"""The owner's actions on many people at once: tag, unsubscribe, suppress, delete.

The people are found first, so that a dry run names the same ones, and so that nobody is missed or handled twice while
the list changes. Then they are handled in groups, each in its own transaction.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from publisher.core.errors import SubscriberError
from publisher.core.frozen import dataclass
from publisher.core.newsletter_models import Subscriber, SuppressionReason
from publisher.core.subscriber_fields import clean_tags
from publisher.store.people_query import PeopleQuery
from publisher.store.subscriber_records import Evidence
from publisher.subscribers.manage import suppress_inside

if TYPE_CHECKING:
    from publisher.store import Store
    from publisher.store.subscriber_transaction import SubscriberTransaction

GROUP = 500  # people in one transaction

Deed = Callable[["SubscriberTransaction", Subscriber], bool]


@dataclass(frozen=True, slots=True)
class BulkResult:
    """The result of an action on many people, or of its dry run.

    people   how many people were found
    changed  how many of them are different now, or were deleted
    """

    people: int
    changed: int


@dataclass(frozen=True, slots=True)
class BulkOptions:
    """The options of an action on many people.

    at        the time that is recorded
    source    where the action comes from, for histories of consent
    expected  the FoundPeople.digest of the people whom the owner was shown; None if they were shown none. If different
              people are found, even the same number, nothing is done
    dry_run   return what would be done, but write nothing
    """

    at: datetime
    source: str
    expected: str | None = None
    dry_run: bool = False


def tag_people(
    store: Store, query: PeopleQuery, tags: Sequence[str], untags: Sequence[str], options: BulkOptions
) -> BulkResult:
    """Add tags to people and remove tags from them. Raises SubscriberError for a bad tag.

    Somebody who would have too many tags keeps those that they have.
    """
    wanted, unwanted = clean_tags(tags), clean_tags(untags)
    return _in_groups(store, query, lambda transaction, ids: transaction.retag(ids, wanted, unwanted), options)


def unsubscribe_people(store: Store, query: PeopleQuery, newsletter: str | None, options: BulkOptions) -> BulkResult:
    """Unsubscribe people from a newsletter, or from all, and record that for each of them."""
    evidence = Evidence(options.source)
    return _each(store, query, lambda transaction, person: transaction.remove(person, newsletter, evidence), options)


def suppress_people(store: Store, query: PeopleQuery, options: BulkOptions) -> BulkResult:
    """Put the addresses of people on the suppression list."""
    return _each(
        store,
        query,
        lambda transaction, person: suppress_inside(transaction, person.address, person, options.source),
        options,
    )


def erase_people(store: Store, query: PeopleQuery, options: BulkOptions) -> BulkResult:
    """Delete everything about people, and put hashes of their addresses on the suppression list.

    The caller removes the remains from the database files, with Store.subscribers.scrub.
    """
    erased: list[str] = []

    def deed(transaction: SubscriberTransaction, person: Subscriber) -> bool:
        """Suppress and erase one person."""
        transaction.suppress(person.address, SuppressionReason.ERASED, options.source)
        transaction.erase(person, person.address)
        erased.append(person.address)
        return True

    done = _each(store, query, deed, options)
    if not options.dry_run:
        for address in erased:
            store.sign_ups.forget(address)
    return done


def _each(store: Store, query: PeopleQuery, deed: Deed, options: BulkOptions) -> BulkResult:
    """Do something to each person whom a query finds. deed: does it, and returns whether anything changed.

    Raises as `_in_groups` does.
    """

    def work(transaction: SubscriberTransaction, ids: Sequence[int]) -> int:
        """Do the deed to these people in one transaction; return how many were changed."""
        found = filter(None, map(transaction.find_id, ids))
        return sum(deed(transaction, person) for person in found)

    return _in_groups(store, query, work, options)


def _in_groups(
    store: Store,
    query: PeopleQuery,
    work: Callable[[SubscriberTransaction, Sequence[int]], int],
    options: BulkOptions,
) -> BulkResult:
    """Do something to the people whom a query finds, GROUP of them per transaction.

    work: does it to a group, given by row numbers, and returns how many of them are different afterwards
    Raises SubscriberError, before anything is done, if these are not the people whom the owner was shown.
    """
    found, digest = store.people.whom(query, options.at)
    if options.expected not in (None, digest):
        raise SubscriberError("these are no longer the same people", hint="look at the list again")
    changed = 0
    for start in range(0, len(found), GROUP):
        with store.subscribers.transaction(options.at, alone=True, dry_run=options.dry_run) as transaction:
            changed += work(transaction, found[start : start + GROUP])
    return BulkResult(len(found), changed)
