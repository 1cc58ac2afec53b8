"""Adding any number of subscribers in one transaction. The same rules apply to one subscriber and to a million.

A file may also say that somebody must not get email. That is recorded, unless they have agreed here since then.
"""

from __future__ import annotations

import secrets
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from publisher.core.newsletter_models import SubscriberStatus, SuppressionReason
from publisher.core.subscriber_fields import encode_fields
from publisher.core.subscriber_status import SUBSCRIBES, TABLE, SubscriberEvent, next_status
from publisher.core.subscription_status import (
    SubscriptionEvent,
    SubscriptionRecord,
    SubscriptionStatus,
    on_date,
)
from publisher.store.batch_details import BatchDetails
from publisher.store.batch_rows import BatchRows, KnownSubscriber, NewRows
from publisher.store.consent import is_from_file, moved_on, only_from_files
from publisher.store.database import Database
from publisher.store.departures import Departures, rows_to_insert, said
from publisher.store.edition_filling import decide
from publisher.store.people_query import search_key
from publisher.store.row_inserts import RowBinder, insert_numbered, is_one_of
from publisher.store.subscriber_records import (
    Added,
    AddOptions,
    AddResult,
    NewSubscriber,
    Restored,
    address_key,
    encode_topics,
)
from publisher.store.subscriptions import changed, records_of
from publisher.store.suppressions import Suppressions
from publisher.store.tables import subscribers

# The reason why an address is on the suppression list -> the result for its person.
_LISTED = {SuppressionReason.MOVED: Added.MOVED, SuppressionReason.COMPLAINED: Added.COMPLAINED}


# Bytes of a uid. People who are added together share the first ones, so that their uids are next to each other in the
# index: a thousand random places of a large index are a thousand pages to write.
_SHARED_BYTES, _OWN_BYTES = 3, 9
# The columns of the row of a new subscriber; the values of some come from `Batch._values`.
_VALUES = ("address", "name", "name_key", "language", "created_at", "confirmed_at", "paused_until", "fields", "note")
_SUBSCRIBER = ("uid", "address_key", *_VALUES, "status", "import_id")


class Batch:
    """A batch of subscribers to add in one transaction, with a few statements however many they are.

    The result is the same as if each were added in a transaction of its own, also if several rows are about one person.
    """

    def __init__(
        self, connection: Connection, database: Database, suppressed: Suppressions, options: AddOptions
    ) -> None:
        self._connection = connection
        self._database = database
        self._suppressions = suppressed
        self._options = options
        self._rows = BatchRows(options, connection.dialect)
        self._details = BatchDetails(options)
        self._departures = Departures(connection, suppressed, self._rows)
        self._deciding: set[tuple[int, int]] = set()
        self._newcomers: dict[Hashable, tuple[AddResult, dict[str, SubscriptionRecord], NewRows]] = {}
        self._moved_on: set[int] = set()

    def add(self, new: Sequence[NewSubscriber]) -> list[AddResult]:
        """Add subscribers and return the result for each, in order. The caller must hold Database.guard."""
        keys = [address_key(subscriber.address) for subscriber in new]
        listed = self._departures.listed = self._listed(set(keys))
        pairs = [(key, subscriber) for key, subscriber in zip(keys, new, strict=True) if key not in listed]
        known = self._insert_unknown(rows_to_insert(pairs))
        fresh = set(known)
        known |= self._known({key for key, _ in pairs} - fresh)
        decide(self._connection, self._database, [each.id for each in known.values()])
        self._deciding = _deciding(zip(keys, new, strict=True))
        results, heard = list[AddResult](), set[int]()
        for place, (key, subscriber) in enumerate(zip(keys, new, strict=True)):
            reason = listed.get(key)  # an earlier row may have put the address on the list
            person, is_new = known.get(key) if reason is None else None, key in fresh
            done = self._result(key, subscriber, reason, person, is_new)
            results.append(done)
            if person is not None and not done.result.refused:
                self._details.add(place, person, subscriber, fresh=is_new)
                heard.add(person.id)
            fresh.discard(key)  # a repeated address is no longer new
        self._rows.write(self._connection)
        described = self._details.write(self._connection, self._database)
        # A person whom the owner tried to add, and who was refused, still belongs to their import.
        is_import = self._options.number is not None
        self._rows.note(
            self._connection, self._database, [each for each in known.values() if is_import or each.id in heard]
        )
        for place in described:
            results[place] = replace(results[place], described=True)
        return results

    def _result(
        self, key: str, row: NewSubscriber, listed: SuppressionReason | None, known: KnownSubscriber | None, fresh: bool
    ) -> AddResult:
        """Apply one row, and return its result.

        listed  the reason why the address is on the suppression list; None if it is not
        known   None for an address that is on the list, and for a person whom the row only puts on it
        fresh   whether this row has added the subscriber
        """
        says = said(row)
        if known is not None:
            known.named |= says is not SubscriberEvent.REQUESTED
        if listed is not None:
            self._departures.suppress(key, row, says)  # it may be on the list for a weaker reason
            return AddResult(Added.UNCHANGED if says else _LISTED.get(listed, Added.SUPPRESSED))
        if fresh and known is not None and row.restored is not None:
            return AddResult(self._restore(key, known, row.restored))
        if says is not None:
            done = self._departures.record(key, known, row, says, fresh=fresh)
            return AddResult(done, still=known.mailed if known else ())
        assert known is not None  # noqa: S101 - everybody else who was unknown has been inserted
        return self._newcomer(known, row) if fresh and not row.ended else self._settle(known, row, fresh)

    def _restore(self, key: str, known: KnownSubscriber, back: Restored) -> Added:
        """Give a new subscriber everything that our own export says about them."""
        self._rows.restore(known, back)
        # What the history means for later rows of this person.
        known.only_filed = all(map(is_from_file, back.consent))
        since, source = self._options.again_since, self._options.source
        if since is not None and any(each.at > since and each.source != source for each in back.consent):
            self._moved_on.add(known.id)
        if (entry := back.suppressed) is not None:
            self._departures.put_on_list(key, entry.reason, entry.at, entry.source)
        return Added.ADDED if known.status is SubscriberStatus.ACTIVE else Added.RECORDED

    def _listed(self, keys: set[str]) -> dict[str, SuppressionReason]:
        """Return the reason for each key that is on the suppression list.

        If the operator vouches that subscribers asked to come back (READDED), keys that were suppressed by a change of
        address are removed from the list first: the operator also vouches that the address is theirs again.
        """
        listed = self._suppressions.among(self._connection, keys)
        moved = [key for key, reason in listed.items() if reason is SuppressionReason.MOVED]
        if self._options.event is SubscriberEvent.READDED:
            for key in moved:
                self._suppressions.drop(self._connection, key)
                del listed[key]
        return listed

    def _insert_unknown(self, unknown: dict[str, NewSubscriber]) -> dict[str, KnownSubscriber]:
        """Insert the subscribers who are not in the database yet, in their order, and return them.

        unknown: key -> the subscriber
        """
        uids, options = self._free_uids(unknown), self._options
        bind = RowBinder(subscribers, _SUBSCRIBER, self._connection.dialect)
        rows, statuses = list[tuple[Any, ...]](), dict[str, SubscriberStatus]()
        for key, each in unknown.items():
            says = said(each)
            statuses[key] = TABLE[None, says or options.event] if each.restored is None else each.restored.status
            rows.append(bind((uids[key], key, *self._values(each, says), statuses[key], options.number)))
        added = insert_numbered(self._connection, subscribers, _SUBSCRIBER, rows, key=_SUBSCRIBER.index("address_key"))
        return {key: _new_subscriber(each, statuses[key], options.number) for key, each in added.items()}

    def _values(self, subscriber: NewSubscriber, says: SubscriberEvent | None) -> tuple[Any, ...]:
        """Return the values of a new subscriber, for the columns in _VALUES."""
        back, created_at, paused_until = subscriber.restored, self._options.at, None
        confirmed_at = subscriber.joined_at or (None if says else created_at)
        if says is SubscriberEvent.REQUESTED:  # the file may know when they signed up; they have not agreed
            confirmed_at = None
        if back is not None:
            created_at = back.created_at or created_at
            confirmed_at, paused_until = back.confirmed_at, back.paused_until
        name, fields = subscriber.name, encode_fields(subscriber.fields)
        who = subscriber.address, name, search_key(name), subscriber.language
        return *who, created_at, confirmed_at, paused_until, fields, subscriber.note

    def _free_uids(self, unknown: dict[str, NewSubscriber]) -> dict[str, str]:
        """Return a uid for each key: the uid in our own export if it is free, so that links in emails keep working."""
        wanted = {key: each.restored.uid for key, each in unknown.items() if each.restored and each.restored.uid}
        taken: set[str] = set()
        if wanted:
            query = sa.select(subscribers.c.uid).where(subscribers.c.uid.in_(wanted.values()))
            taken = {row.uid for row in self._connection.execute(query)}
        uids = dict(zip(unknown, _new_uids(len(unknown)), strict=True))
        for key, uid in wanted.items():
            if uid not in taken:
                uids[key] = uid
                taken.add(uid)
        return uids

    def _known(self, keys: set[str]) -> dict[str, KnownSubscriber]:
        """Return the subscribers with these keys, who were in the database before this batch."""
        if not keys:
            return {}
        query = sa.select(*(subscribers.c[name] for name in ("id", "address_key", "status", "import_id")))
        here = is_one_of(subscribers.c.address_key, keys, self._connection.dialect)
        rows = self._connection.execute(query.where(here)).all()
        ids = [row.id for row in rows]
        found = records_of(self._connection, ids) if ids else {}
        filed = only_from_files(self._connection, [row.id for row in rows if row.status is SubscriberStatus.PENDING])
        known = {}
        for number, key, status, import_id in rows:
            records = {each.newsletter: each for each in found.get(number, ())}
            was = status, dict(records)
            known[key] = KnownSubscriber(number, status, records, import_id, was, only_filed=number in filed)
        if (since := self._options.again_since) is not None:
            self._moved_on = moved_on(self._connection, ids, self._options.source, since)
        return known

    def _newcomer(self, known: KnownSubscriber, row: NewSubscriber) -> AddResult:
        """Apply a row that subscribes somebody who has just been inserted.

        Nothing is known about them, so the result of the rules depends on a few values, which many rows share. Equal
        subscriptions are usually the same object, and comparing their topics would take longer.
        """
        same = id(row.subscriptions), row.joined_at, row.consent
        done = self._newcomers.get(same)
        if done is None:
            begun = self._rows.begun()
            result = self._settle(known, row, True)
            self._newcomers[same] = result, dict(known.records), self._rows.since(begun)
            return result
        result, records, written = done
        known.records = dict(records)
        self._rows.repeat(known, written)
        return result

    def _settle(self, known: KnownSubscriber, subscriber: NewSubscriber, fresh: bool) -> AddResult:
        """Apply a row that subscribes somebody, if the rules allow it."""
        is_stranger = known.is_stranger
        after = next_status(None if is_stranger else known.status, self._options.event)
        if after is None:
            return AddResult(Added(known.status.value), self._reasons(known, subscriber))
        event = SUBSCRIBES[self._options.event]
        since = subscriber.joined_at if event is SubscriptionEvent.IMPORTED else self._options.at
        wanted, ended = self._wanted(known, subscriber, event, since)
        if not wanted and (ended or is_stranger):
            return self._added(Added.UNSUBSCRIBED, ended)
        gained = [each for each in wanted if not known.is_subscribed_to(each.newsletter)]
        again = any(each.newsletter in known.records for each in gained)
        is_new = fresh or (is_stranger and not again)
        returned = not is_new and (again or after is not known.status)
        if returned:
            self._bring_back(known, after, subscriber.consent)
        if is_stranger and is_new:
            self._welcome(known, after, subscriber)
        if is_new:
            self._rows.record(known, "added", subscriber.consent)
        self._departures.end(known, subscriber, SubscriptionEvent.FILE_LEFT_ONE)
        changes = [each for each in wanted if self._subscribe(known, each)]
        if is_new or returned:
            return self._added(Added.ADDED if is_new else Added.RETURNED, ended)
        if gained:
            return self._added(Added.SUBSCRIBED, ended)
        return self._added(Added.UPDATED if changes else Added.UNCHANGED, ended)

    def _added(self, result: Added, ended: Sequence[SubscriptionRecord]) -> AddResult:
        refusals = tuple(record.ending(self._options.at) for record in ended)
        return AddResult(result, refusals, tuple(record.newsletter for record in ended))

    def _wanted(
        self, known: KnownSubscriber, subscriber: NewSubscriber, event: SubscriptionEvent, since: datetime | None
    ) -> tuple[list[SubscriptionRecord], list[SubscriptionRecord]]:
        """Return the subscriptions as they will be afterwards, and the ended subscriptions that are refused."""
        wanted, ended = [], []
        for wish in {wish.newsletter: wish for wish in reversed(subscriber.subscriptions)}.values():
            # A row without topics leaves the topics that they chose unchanged, and so does a row that repeats an
            # earlier one.
            decides = (id(subscriber), id(wish)) in self._deciding and known.id not in self._moved_on
            record = changed(
                list(known.records.values()),
                wish.newsletter,
                event,
                since=since,
                source=self._options.source,
                topics=wish.topics if decides else None,
            )
            if record is None:
                ended.append(known.records[wish.newsletter])
            else:
                wanted.append(record)
        return wanted, ended

    def _reasons(self, known: KnownSubscriber, subscriber: NewSubscriber) -> tuple[str, ...]:
        """Return the reasons why somebody who unsubscribed is refused; empty if the status says enough."""
        ended = [each for _, each in sorted(known.records.items()) if not each.is_subscribed]
        if known.status is not SubscriberStatus.UNSUBSCRIBED or not ended:
            return ()
        names = [wish.newsletter for wish in subscriber.subscriptions]
        if asked := [each.ending(self._options.at) for each in ended if each.newsletter in names]:
            return tuple(asked)
        newest = max((each.since for each in ended if each.since), default=None)
        removed = all(each.status is SubscriptionStatus.REMOVED for each in ended)
        return (f"{'was unsubscribed' if removed else 'unsubscribed'}{on_date(newest, self._options.at)}",)

    def _bring_back(self, known: KnownSubscriber, status: SubscriberStatus, detail: str) -> None:
        change = sa.update(subscribers).where(subscribers.c.id == known.id, subscribers.c.status == known.status)
        confirmed = sa.func.coalesce(
            subscribers.c.confirmed_at, sa.literal(self._options.at, subscribers.c.created_at.type)
        )
        self._connection.execute(change.values(status=status, bounces=0, confirmed_at=confirmed))
        known.status = status
        self._rows.record(known, "returned", detail)

    def _welcome(self, known: KnownSubscriber, status: SubscriberStatus, subscriber: NewSubscriber) -> None:
        """Subscribe somebody about whom files have said nothing so far, or only that they left single newsletters."""
        at = sa.literal(subscriber.joined_at or self._options.at, subscribers.c.created_at.type)
        # A date stored for somebody who never confirmed is not a date of consent.
        is_first = known.status is SubscriberStatus.PENDING
        confirmed = at if is_first else sa.func.coalesce(subscribers.c.confirmed_at, at)
        values: dict[str, Any] = {"status": status, "confirmed_at": confirmed}
        for column, value in ((subscribers.c.name, subscriber.name), (subscribers.c.language, subscriber.language)):
            if value:
                values[column.name] = sa.func.coalesce(sa.func.nullif(column, ""), value)
        if subscriber.name:
            key = search_key(subscriber.name)
            values["name_key"] = sa.func.coalesce(sa.func.nullif(subscribers.c.name_key, ""), key)
        this = sa.update(subscribers).where(subscribers.c.id == known.id, subscribers.c.status == known.status)
        self._connection.execute(this.values(values))
        known.status = status

    def _subscribe(self, known: KnownSubscriber, record: SubscriptionRecord) -> bool:
        """Save a subscription; return whether it began or has different topics."""
        before = known.records.get(record.newsletter)
        if record == before:
            return False
        self._rows.save(known, record)
        if before is not None and (before.status, before.topics) == (record.status, record.topics):
            return False  # only its date is new
        topics = encode_topics(record.topics)
        self._rows.record(known, "subscribed", record.newsletter + (f" {topics}" if record.topics else ""))
        return True


def _new_subscriber(number: int, status: SubscriberStatus, import_id: int | None) -> KnownSubscriber:
    """Return the state of a subscriber who has just been inserted."""
    return KnownSubscriber(number, status, import_id=import_id, only_filed=status is SubscriberStatus.PENDING)


def _new_uids(number: int) -> list[str]:
    """Return random uids of 24 characters for people who are added together."""
    shared, chance, size = secrets.token_hex(_SHARED_BYTES), secrets.token_hex(_OWN_BYTES * number), 2 * _OWN_BYTES
    return [shared + chance[size * place : size * (place + 1)] for place in range(number)]


def _deciding(pairs: Iterable[tuple[str, NewSubscriber]]) -> set[tuple[int, int]]:
    """Return the wishes that decide the topics: for each person and newsletter, the first wish that names topics.

    Each is identified by the id() of its subscriber and the id() of the wish, because several people may share a wish.
    """
    first: dict[tuple[str, str], tuple[int, int]] = {}
    for key, subscriber in pairs:
        for wish in subscriber.subscriptions:
            if wish.topics:
                first.setdefault((key, wish.newsletter), (id(subscriber), id(wish)))
    return set(first.values())
