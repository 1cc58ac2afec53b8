"""A quick search for signs that few texts have."""

from __future__ import annotations

from itertools import groupby
from os.path import commonprefix

# The rarest characters of bodies first. A text of letters has none of them.
_RARE = "@%$^|{}\\~<>&[]?!#*=\"':/"
_FIRST_LETTERS = 3


class Signs:
    """Texts such as "<!--" of which a body has none in most cases.

    One character is found in a fraction of the time that a text of several takes. So signs are grouped by their rarest
    character, or by their first letters, and are looked for only in a text that has what a group has in common.
    """

    __slots__ = ("_groups",)

    def __init__(self, *signs: str) -> None:
        groups = groupby(sorted(signs, key=_group_of), _group_of)
        self._groups = tuple(_with_common(key, tuple(group)) for key, group in groups)

    def are_in(self, text: str) -> bool:
        """Return whether any of the signs is in a text."""
        for common, signs in self._groups:
            if common in text:
                for sign in signs:
                    if sign in text:
                        return True
        return False


def _with_common(key: str, signs: tuple[str, ...]) -> tuple[str, tuple[str, ...]]:
    """Return what a group of signs has in common, and the signs."""
    return key if key in _RARE else commonprefix(signs), signs  # noqa: RUF071 - not of paths


def _group_of(sign: str) -> str:
    """Return the rarest character of a sign; its first letters if it is of letters only."""
    return min((char for char in sign if char in _RARE), key=_RARE.index, default=sign[:_FIRST_LETTERS])
