"""Groups of rows are written in the order of the file, while the next group is being read."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from threading import Event

import pytest

from publisher.core.errors import SubscriberError
from publisher.store.subscriber_records import AddResult
from publisher.subscribers.csv_groups import RowGroup, written


def groups(*sizes: int, broken: bool = False) -> Iterator[RowGroup]:
    yield from (RowGroup(size) for size in sizes)
    if broken:
        raise OSError("the disk is gone")


class Writer:
    def __init__(self, refuses: int = 0) -> None:
        self.refuses = refuses
        self.sizes: list[int] = []

    def __call__(self, group: RowGroup) -> Sequence[AddResult]:
        if group.size == self.refuses:
            raise SubscriberError("no")
        self.sizes.append(group.size)
        return []


@pytest.mark.parametrize("sizes", [(), (1,), (1, 2, 3, 4)])
def test_each_group_is_written_once_and_in_order(sizes: tuple[int, ...]) -> None:
    write = Writer()
    told = [group.size for group, _ in written(groups(*sizes), write, busy=Event())]
    assert (told, write.sizes) == ([*sizes], [*sizes])


def test_written_groups_are_reported_before_a_broken_file() -> None:
    write, told = Writer(), []
    with pytest.raises(OSError, match="gone"):
        for group, _ in written(groups(1, 2, broken=True), write, busy=Event()):
            told.append(group.size)
    assert (told, write.sizes) == ([1, 2], [1, 2])


def test_nothing_is_written_after_a_group_that_fails() -> None:
    write, told = Writer(refuses=2), []
    with pytest.raises(SubscriberError):
        for group, _ in written(groups(1, 2, 3), write, busy=Event()):
            told.append(group.size)
    assert (told, write.sizes) == ([1], [1])


def test_the_next_group_is_read_when_the_database_works_on_the_last_one() -> None:
    busy, log = Event(), list[str]()

    def logged() -> Iterator[RowGroup]:
        for group in groups(1, 2):
            log.append(f"read {group.size}")
            yield group

    def write(group: RowGroup) -> Sequence[AddResult]:
        time.sleep(0.01)  # the other thread could run
        log.append(f"computed {group.size}")
        busy.set()
        return []

    list(written(logged(), write, busy=busy))
    assert log == ["read 1", "computed 1", "read 2", "computed 2"]
