"""A quick search for characters that few texts have, such as the characters of other tools' syntax."""

from __future__ import annotations

from functools import lru_cache
from itertools import groupby
from operator import itemgetter
from string import ascii_letters, digits

# The characters that words are written with, as bytes of UTF-8.
_WORDS = f"{ascii_letters}{digits} ,.'".encode() + bytes(range(0x80, 0x100))
# From this many characters on, what a text contains besides words is remembered, since several searches follow.
_LONG = 500
# The rarest characters of bodies first.
_RARE = '@%$^|{}\\~<>&[]?!#*=":/'
_FIRST_LETTERS = 3


class Signs:
    """Texts such as "<!--" that most bodies do not contain.

    Words make up nineteen twentieths of a body. So a sign is first looked for, without its letters, in what is left of
    the body without its words: if it is not found there, it is not in the body either. The signs are grouped by their
    rarest character. Signs of letters only are grouped by their first letters, which are looked for in the whole body.
    """

    __slots__ = ("_groups", "_words")

    def __init__(self, *signs: str) -> None:
        rests = {sign: _besides_words(sign) for sign in signs}
        pairs = sorted((_rarest(rest), rest, sign) for sign, rest in rests.items() if rest)
        words = sorted(sign for sign, rest in rests.items() if not rest)
        self._groups = tuple((rare, tuple(each[1:] for each in group)) for rare, group in groupby(pairs, itemgetter(0)))
        self._words = tuple((first, tuple(group)) for first, group in groupby(words, _first_letters))

    def are_in(self, text: str) -> bool:
        """Return whether any of the signs is in a text."""
        besides = _remembered(text) if len(text) > _LONG else _besides_words(text)
        for rare, pairs in self._groups:
            if rare in besides:
                for rest, sign in pairs:
                    if rest in besides and sign in text:
                        return True
        return bool(self._words) and any(
            sign in text for first, signs in self._words if first in text for sign in signs
        )


def _besides_words(text: str) -> str:
    """Return the ASCII characters of a text that are not part of words, in order."""
    return text.encode("utf-8", "surrogatepass").translate(None, _WORDS).decode("ascii")


_remembered = lru_cache(maxsize=2)(_besides_words)


def _first_letters(sign: str) -> str:
    return sign[:_FIRST_LETTERS]


def _rarest(rest: str) -> str:
    """Return the rarest of a sign's characters that are not letters; all of these characters if none is rare."""
    return min((char for char in rest if char in _RARE), key=_RARE.index, default=rest)
