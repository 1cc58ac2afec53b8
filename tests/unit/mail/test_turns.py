"""Fair turns: deficit round robin between newsletters, and between the editions of one newsletter."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import pytest

from publisher.mail.turns import FairTurns

Group = tuple[str, int]


def order(groups: Mapping[Group, str], work: Mapping[str, int], most: int = 100) -> str:
    """Return the items in the order of their turns. Each character is an item; each group has a quantum."""
    turns, left = FairTurns[str](), Counter(work)
    for (name, quantum), items in groups.items():
        for item in items:
            turns.add(item, name, quantum)
    sent = ""
    while len(sent) < most and (item := turns.take(lambda item: left[item])):
        left[item] -= 1
        sent += item
    return sent


@pytest.mark.parametrize(
    ("groups", "work", "sent"),
    [
        ({}, {}, ""),
        ({("a", 1): "A"}, {"A": 4}, "AAAA"),
        ({("a", 1): "A", ("b", 1): "B"}, {"A": 5, "B": 1}, "ABAAAA"),
        ({("a", 1): "A", ("b", 1): "B"}, {"A": 1, "B": 5}, "ABBBBB"),
        ({("a", 1): "A", ("b", 3): "B"}, {"A": 4, "B": 6}, "ABBBABBBAA"),
        ({("a", 2): "A", ("b", 1): "B", ("c", 1): "C"}, {"A": 4, "B": 3, "C": 1}, "AABCAABB"),
        ({("a", 1): "AB", ("c", 1): "C"}, {"A": 3, "B": 3, "C": 6}, "ACBCACBCACBC"),
        ({("a", 1): "AB", ("c", 1): "C"}, {"A": 0, "B": 2, "C": 2}, "BCBC"),
        ({("a", 10): "A", ("b", 1): "B"}, {"A": 0, "B": 0}, ""),
    ],
)
def test_newsletters_take_turns_by_their_quantum(groups: dict[Group, str], work: dict[str, int], sent: str) -> None:
    assert order(groups, work) == sent


def test_unused_turns_are_not_saved_up() -> None:
    turns, left = FairTurns[str](), {"A": 1, "B": 99}
    turns.add("A", "a", 5)
    turns.add("B", "b", 1)

    def sent(count: int) -> str:
        taken = ""
        for _ in range(count):
            item = turns.take(lambda item: left[item])
            assert item
            left[item] -= 1
            taken += item
        return taken

    assert sent(20) == "A" + 19 * "B"
    left["A"] = 99
    assert sent(13) in ("AAAAABAAAAABA", "BAAAAABAAAAAB")


def test_an_item_can_join_and_leave() -> None:
    turns = FairTurns[str]()
    turns.add("A", "a", 1)
    turns.add("B", "a", 1)
    turns.remove("A")
    assert [turns.take(len) for _ in range(2)] == ["B", "B"]
    turns.add("C", "c", 1)
    assert sorted(str(turns.take(len)) for _ in range(2)) == ["B", "C"]
    turns.remove("B")
    turns.remove("C")
    assert turns.take(len) is None
