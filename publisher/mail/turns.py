"""Fair turns: several newsletters share the connections, and no newsletter has to wait until another has finished.

This is deficit round robin (Shreedhar and Varghese, 1995). A message costs one, because the rates of mail servers
count messages.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

Item = TypeVar("Item", bound=Hashable)


@dataclass(slots=True, eq=False)
class _Group(Generic[Item]):
    """The items of one newsletter.

    quantum  how many messages it may send in a turn
    left     how many of these are left in this turn
    items    the items, the next one first
    """

    quantum: int
    left: int
    items: deque[Item] = field(default_factory=deque)

    def take(self, has_work: Callable[[Item], int]) -> Item | None:
        """Return the next item that has work, and move it behind the others; return None if there is none."""
        items = self.items
        if len(items) == 1:
            return items[0] if has_work(items[0]) else None
        for _ in range(len(items)):
            item = items[0]
            items.rotate(-1)
            if has_work(item):
                return item
        return None


class FairTurns(Generic[Item]):
    """Items in groups. The groups take turns in proportion to their quantum; the items of a group take equal turns."""

    def __init__(self) -> None:
        self._groups: dict[str, _Group[Item]] = {}
        self._order: deque[_Group[Item]] = deque()  # the group whose turn it is comes first

    def add(self, item: Item, group: str, quantum: int) -> None:
        """Add an item. quantum: how many messages its group may send in a turn; the latest number counts."""
        if group not in self._groups:
            self._groups[group] = _Group(quantum, quantum)
            self._order.append(self._groups[group])
        self._groups[group].quantum = quantum
        self._groups[group].items.append(item)

    def remove(self, item: Item) -> None:
        """Remove an item that was added."""
        name, group = next((name, group) for name, group in self._groups.items() if item in group.items)
        group.items.remove(item)
        if not group.items:
            del self._groups[name]
            self._order.remove(group)

    def take(self, has_work: Callable[[Item], int]) -> Item | None:
        """Return the item that may send one message now, or None if no item has work.

        A group without work loses the rest of its turn: it cannot save up turns and then make the others wait.
        """
        if len(self._order) <= 1:  # the usual case, without counting
            return self._order[0].take(has_work) if self._order else None
        for _ in range(len(self._order) + 1):
            group = self._order[0]
            if group.left and (item := group.take(has_work)) is not None:
                group.left -= 1
                return item
            group.left = group.quantum
            self._order.rotate(-1)
        return None
