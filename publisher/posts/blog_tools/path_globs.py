"""Globs of paths as other tools write them, matched in time linear in the length of both."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

_MOST_ALTERNATIVES = 100
_LONGEST_GLOB = 500
_MOST_STARS = 10


def expand_braces(glob: str) -> list[str]:
    """Return the globs to which a glob with alternatives in braces, such as {/a,/b/**}, expands; at most a hundred."""
    return list(islice(_expanded(glob[:_LONGEST_GLOB]), _MOST_ALTERNATIVES))


def _expanded(glob: str) -> Iterator[str]:
    start = glob.rfind("{")
    end = glob.find("}", start)
    if start < 0 or end < 0:
        yield glob
        return
    for part in glob[start + 1 : end].split(","):
        yield from _expanded(f"{glob[:start]}{part.strip()}{glob[end + 1 :]}")


def matches_glob(glob: str, path: str) -> bool:
    """Return whether a glob matches a whole path. * is any part of a name, ** any path, ? one character of a name.

    A glob with more than ten stars matches nothing.
    """
    signs = list(_signs(glob[:_LONGEST_GLOB]))
    if sum(sign in ("*", "**") for sign in signs) > _MOST_STARS:
        return False
    states = _with_empty({0}, signs)
    for character in path:
        after = set()
        for at in states:
            sign = signs[at] if at < len(signs) else ""
            if sign == "**" or (sign == "*" and character != "/"):
                after.add(at)
            elif sign == character or (sign == "?" and character != "/"):
                after.add(at + 1)
        states = _with_empty(after, signs)
        if not states:
            return False
    return len(signs) in states


def _signs(glob: str) -> Iterator[str]:
    """Yield the tokens of a glob. `/**/` is a single token, and also matches a single slash."""
    at = 0
    while at < len(glob):
        sign = "**" if glob.startswith("**", at) else glob[at]
        yield sign
        at += len(sign)
        if sign == "**" and glob.startswith("/", at) and (at == 2 or glob[at - 3] == "/"):
            at += 1


def _with_empty(states: set[int], signs: list[str]) -> set[int]:
    """Return the states of a match, including the states that are reached because a star may match nothing."""
    for at in sorted(states):
        while at < len(signs) and signs[at] in ("*", "**"):
            at += 1
            states.add(at)
    return states
