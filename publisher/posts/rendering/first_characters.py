"""The characters with which a match of a regular expression can begin, read from the parser of Python's `re`."""

from __future__ import annotations

import re
from collections.abc import Iterable
from re import _constants as ops  # type: ignore[attr-defined]
from re import _parser  # type: ignore[attr-defined]
from typing import Any

ASCII = frozenset(map(chr, range(128)))

_CATEGORIES = {
    ops.CATEGORY_DIGIT: r"\d",
    ops.CATEGORY_NOT_DIGIT: r"\D",
    ops.CATEGORY_SPACE: r"\s",
    ops.CATEGORY_NOT_SPACE: r"\S",
    ops.CATEGORY_WORD: r"\w",
    ops.CATEGORY_NOT_WORD: r"\W",
}
# With the flag for ASCII, four control characters are not spaces.
_IN_CATEGORY = {
    name: frozenset(char for char in ASCII if re.match(text, char) or re.match(text, char, re.ASCII))
    for name, text in _CATEGORIES.items()
}
_REPEATS = (ops.MAX_REPEAT, ops.MIN_REPEAT, ops.POSSESSIVE_REPEAT)
_LOOKS = (ops.AT, ops.ASSERT, ops.ASSERT_NOT)  # they match no character


def first_characters(pattern: re.Pattern[str]) -> frozenset[str] | None:
    """Return the ASCII characters with which a match can begin; None if it can be empty.

    It may return too many characters: a part of a pattern that it does not know counts as beginning with any.
    """
    parsed = _parser.parse(pattern.pattern, pattern.flags & ~re.UNICODE)
    found, may_be_empty = _of_all(parsed, pattern.flags | parsed.state.flags)
    return None if may_be_empty else found


def _of_all(parts: Iterable[tuple[Any, Any]], flags: int) -> tuple[frozenset[str], bool]:
    """Return the characters with which these parts can begin, and whether all of them can be empty."""
    found: frozenset[str] = frozenset()
    for kind, value in parts:
        more, may_be_empty = _of_one(kind, value, flags)
        found |= more
        if not may_be_empty:
            return found, False
    return found, True


def _of_one(kind: Any, value: Any, flags: int) -> tuple[frozenset[str], bool]:
    if kind is ops.LITERAL:
        return _of_set([(kind, value)], flags), False
    if kind is ops.NOT_LITERAL:
        return _of_set([(ops.NEGATE, None), (ops.LITERAL, value)], flags), False
    if kind is ops.IN:
        return _of_set(value, flags), False
    if kind in _LOOKS:
        return frozenset(), True
    if kind is ops.SUBPATTERN:
        _, added, removed, parts = value
        return _of_all(parts, (flags | added) & ~removed)
    if kind is ops.BRANCH:
        branches = [_of_all(parts, flags) for parts in value[1]]
        return frozenset().union(*(found for found, _ in branches)), any(empty for _, empty in branches)
    if kind in _REPEATS:
        least, _, parts = value
        found, may_be_empty = _of_all(parts, flags)
        return found, may_be_empty or least == 0
    return ASCII, kind is not ops.ANY


def _of_set(members: Iterable[tuple[Any, Any]], flags: int) -> frozenset[str]:
    """Return the characters of a set such as [a-z_].

    If case does not matter, the Kelvin sign is a "k", so a set with characters outside ASCII may match any.
    """
    found: set[str] = set()
    is_negated, last = False, 0
    for kind, value in members:
        if kind is ops.NEGATE:
            is_negated = True
        elif kind is ops.CATEGORY and value in _IN_CATEGORY:
            found |= _IN_CATEGORY[value]
        elif kind in (ops.LITERAL, ops.RANGE):
            first, last_of = (value, value) if kind is ops.LITERAL else value
            found.update(map(chr, range(first, min(last_of, 127) + 1)))
            last = max(last, last_of)
        else:
            return ASCII
    if flags & re.IGNORECASE:
        if is_negated or last > 127:
            return ASCII
        found |= {char.swapcase() for char in found}
    return ASCII - found if is_negated else frozenset(found)
