"""Groups of rows are written in the order of the file, even while the next one is being read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest

from publisher.core.errors import SubscriberError
from publisher.store.subscriber_records import AddResult
from publisher.subscribers.csv_groups import RowGroup, written

WAITS = pytest.mark.parametrize("waits", [False, True])


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


@WAITS
@pytest.mark.parametrize("sizes", [(), (1,), (1, 2, 3, 4)])
def test_each_group_is_written_once_and_in_order(waits: bool, sizes: tuple[int, ...]) -> None:
    write = Writer()
    told = [group.size for group, _ in written(groups(*sizes), write, waits=waits)]
    assert (told, write.sizes) == ([*sizes], [*sizes])


@WAITS
def test_written_groups_are_reported_before_a_broken_file(waits: bool) -> None:
    write, told = Writer(), []
    with pytest.raises(OSError, match="gone"):
        for group, _ in written(groups(1, 2, broken=True), write, waits=waits):
            told.append(group.size)
    assert (told, write.sizes) == ([1, 2], [1, 2])


@WAITS
def test_nothing_is_written_after_a_group_that_fails(waits: bool) -> None:
    write, told = Writer(refuses=2), []
    with pytest.raises(SubscriberError):
        for group, _ in written(groups(1, 2, 3), write, waits=waits):
            told.append(group.size)
    assert (told, write.sizes) == ([1], [1])
