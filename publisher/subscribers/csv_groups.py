"""The rows of a file in groups. Each group is one transaction, and the next one can be read while it is written."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import groupby
from operator import itemgetter
from threading import Event
from typing import TYPE_CHECKING

from publisher.core.errors import SubscriberError
from publisher.store.subscriber_records import AddOptions, AddResult, NewSubscriber, SuppressedHash
from publisher.subscribers.csv_file import CsvRow
from publisher.subscribers.csv_own import is_left_behind, suppressed_hash
from publisher.subscribers.csv_rows import RowReader

if TYPE_CHECKING:
    from publisher.store import Store

Results = Sequence[AddResult]


@dataclass(slots=True)
class RowGroup:
    """A group of rows.

    size     how many rows there are
    people   the rows of each person (several in our own export), with the person whom they describe
    hashes   entries of a suppression list, each with the number of people before it
    listed   the lines of these entries
    refused  rows that cannot be used, with the reason
    left_behind  the number of entries of a suppression list that the operator leaves behind
    share    how much of the file has been read so far, from 0 to 1
    """

    size: int = 0
    people: list[tuple[list[CsvRow], NewSubscriber]] = field(default_factory=list)
    hashes: list[tuple[int, SuppressedHash]] = field(default_factory=list)
    listed: list[int] = field(default_factory=list)
    refused: list[tuple[list[CsvRow], str]] = field(default_factory=list)
    left_behind: int = 0
    share: float = 1.0


def read_group(reader: RowReader, some: Sequence[list[CsvRow]], share: float) -> RowGroup:
    """Return a group with the people in rows. share: how much of the file has been read so far, from 0 to 1."""
    group, columns = RowGroup(share=share), reader.columns
    for rows in some:
        group.size += len(rows)
        try:
            if columns.own and (entry := suppressed_hash(columns, rows[0])):
                group.hashes.append((len(group.people), entry))
                group.listed.append(rows[0].line)
            elif columns.own and is_left_behind(columns, rows[0]):
                group.left_behind += 1
            else:
                group.people.append((rows, reader.subscriber(rows)))
        except SubscriberError as error:
            group.refused.append((rows, error.message))
    return group


def add_group(store: Store, group: RowGroup, options: AddOptions, *, dry_run: bool) -> list[AddResult]:
    """Add the people in a group, and its entries of a suppression list; return the result for each person.

    It is one transaction if there are no such entries. They refuse the people after them in the file, and not those
    before them.
    """
    since = options.again_since
    new = [person if since is None else _as_of_then(person, since) for _, person in group.people]
    added = list[AddResult]()

    def add_until(place: int) -> None:
        """Add the people before a place who are not added yet."""
        if people := new[len(added) : place]:
            added.extend(store.subscribers.add_all(people, options, dry_run=dry_run))

    for place, entries in groupby(group.hashes, itemgetter(0)):
        add_until(place)
        store.suppressions.restore([entry for _, entry in entries], options.number, dry_run=dry_run)
    add_until(len(new))
    return added


def _as_of_then(person: NewSubscriber, since: datetime) -> NewSubscriber:
    """Return a person in a file that is read again: an opt-out without a date is dated to the first import.

    So a choice that the person has made since the first import is newer.
    """
    return person if person.says is None or person.said_at is not None else replace(person, said_at=since)


def written(
    groups: Iterator[RowGroup], write: Callable[[RowGroup], Results], *, busy: Event
) -> Iterator[tuple[RowGroup, Results]]:
    """Yield each group with what `write` returns for it, in the original order.

    `write` runs in a thread. The next group is read while the database works on the last one. It is not read while
    `write` itself computes: both would only take turns, and nothing would be left to read while the database works.

    busy: the event of Database.for_many_rows; it is cleared here
    """
    before: tuple[RowGroup, Future[Results]] | None = None
    with ThreadPoolExecutor(1, "import") as thread:
        while True:
            if before is not None:
                busy.wait()
            try:
                group: RowGroup | None = next(groups, None)
            except OSError:
                if before is not None:  # report what was written before any error that followed it
                    yield before[0], before[1].result()
                raise
            done = (before[0], before[1].result()) if before is not None else None
            before = None
            if group is not None:
                busy.clear()
                before = group, thread.submit(write, group)
                before[1].add_done_callback(lambda _: busy.set())  # it may have had nothing to write
            if done is not None:
                yield done
            if before is None:
                return
