"""The rows of a file in groups. Each group is one transaction, and the next one can be read while it is written."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field

from publisher.core.errors import SubscriberError
from publisher.store.subscriber_records import AddResult, NewSubscriber, SuppressedHash
from publisher.subscribers.csv_file import CsvRow
from publisher.subscribers.csv_own import is_left_behind, suppressed_hash
from publisher.subscribers.csv_rows import RowReader

Results = Sequence[AddResult]


@dataclass(slots=True)
class RowGroup:
    """A group of rows.

    size     how many rows there are
    people   the rows of each person (several in our own export), with the person whom they describe
    hashes   entries of a suppression list
    listed   the lines of these entries
    refused  rows that cannot be used, with the reason
    left_behind  the number of entries of a suppression list that the operator leaves behind
    share    how much of the file has been read so far, from 0 to 1
    """

    size: int = 0
    people: list[tuple[list[CsvRow], NewSubscriber]] = field(default_factory=list)
    hashes: list[SuppressedHash] = field(default_factory=list)
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
                group.hashes.append(entry)
                group.listed.append(rows[0].line)
            elif columns.own and is_left_behind(columns, rows[0]):
                group.left_behind += 1
            else:
                group.people.append((rows, reader.subscriber(rows)))
        except SubscriberError as error:
            group.refused.append((rows, error.message))
    return group


def written(
    groups: Iterator[RowGroup], write: Callable[[RowGroup], Results], *, waits: bool
) -> Iterator[tuple[RowGroup, Results]]:
    """Yield each group with what `write` returns for it, in the original order.

    waits: whether `write` waits for a server. Then it runs in a thread, and the next group is read in the meantime
    """
    if not waits:
        yield from ((each, write(each)) for each in groups)
        return
    before: tuple[RowGroup, Future[Results]] | None = None
    with ThreadPoolExecutor(1, "import") as thread:
        while True:
            try:
                group: RowGroup | None = next(groups, None)
            except OSError:
                if before is not None:  # report what was written before any error that followed it
                    yield before[0], before[1].result()
                raise
            done = (before[0], before[1].result()) if before is not None else None
            before = (group, thread.submit(write, group)) if group is not None else None
            if done is not None:
                yield done
            if before is None:
                return
