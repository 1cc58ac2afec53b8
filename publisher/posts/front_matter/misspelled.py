"""Keys of front matter that are probably misspelled, or that hide a post in another tool.

Publisher ignores the keys of other tools. A misspelled key of its own would have no effect either, so it is reported.
If the key was meant to hide something, that is an error, because an email cannot be recalled.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

from publisher.core import patterns
from publisher.posts.front_matter.switches import (
    FALSE,
    SWITCHES,
    TRUE,
    hiding_words,
    is_date,
    is_near,
    is_switched,
    word_of,
    words_of,
)
from publisher.posts.post_file import Tree

DATES = ("published", "updated", "expires")

# Keys that other tools and themes use, although they resemble one of ours.
_NOT_MISSPELLED = frozenset(
    (
        *("byte", "chapter", "like", "line", "lines", "links", "mine", "reason", "site", "sites", "types"),
        *("age", "pages", "paged", "pager"),
        *("data", "guide", "headers", "here", "ids", "land", "languages", "lng", "local", "locales", "locals", "mp4"),
        *(
            "ogdescription",
            "patch",
            "paths",
            "podcasts",
            "episodes",
            "poster",
            "tab",
            "topic",
            "uri",
            "extras",
            "param",
        ),
    )
)

# No key of ours is longer.
_LONGEST_KEY = 40


class Misspelled(NamedTuple):
    """A key that is probably misspelled.

    key    the key as it is written, prefixed with the key of its table
    known  the key that was probably intended
    field  our name for the field of the intended key
    value  the value
    """

    key: str
    known: str
    field: str
    value: Tree

    @property
    def hides(self) -> bool:
        """Whether the intended field would hide the post, keep it out of something or let it expire."""
        if self.field == "expires":
            return True
        return self.field in SWITCHES and _is_near_word(word_of(self.value), hiding_words(self.field))


def near_keys(folded: str, spellings: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return the (field, spelling) pairs of which an unknown key may be a misspelling."""
    if folded in _NOT_MISSPELLED:
        return []
    near = (pair for pair in spellings if len(pair[1]) > 2 and is_near(folded, pair[1]))
    return list(near) if len(folded) <= _LONGEST_KEY else []


def meant(near: Iterable[tuple[str, str]], key: str, value: Tree) -> Misspelled | None:
    """Return which of the fields in `near` an unknown key means, judging by its value; None if it means none.

    A key `mail` is near `email`, but it means that field only if its value is a possible value of a switch.
    """
    return next((Misspelled(key, known, field, value) for field, known in near if _fits(field, value)), None)


def _fits(field: str, value: Tree) -> bool:
    word = word_of(value)
    if field in SWITCHES:
        return _is_near_word(word, words_of(field))
    if field in DATES:
        return word[:2].isdigit() and is_date(word)
    if field in ("image", "audio"):
        return bool(value) and (not isinstance(value, str) or re.search(r"\w[./]\w", value) is not None)
    if isinstance(value, str):
        return bool(word) and not is_switched(value)
    return bool(value) and field in ("tags", "authors")


def _is_near_word(word: str, words: frozenset[str]) -> bool:
    return word in words or any(len(word) > 2 and is_near(word, one) for one in words)


_HIDES = patterns.compile(
    r"(?:is)?(?:hide|hidden|exclude|excluded|omit|skip|remove)(?:this)?(?:post|page)?"
    r"(?:(?:from|in|on)(?:the)?(?:home|homepage|homelist|index|lists?|listings?|feeds?|rss|atom|blog|archives?"
    r"|collections?|newsletters?|emails?|posts?|recent|recentposts|everywhere|all))?"
    r"|(?:is)?(?:secret|confidential|embargoed|unpublished|notlisted|protected)"
    r"|(?:is)?(?:(?:members?|subscribers?|paid|premium)only|paywall(?:ed)?|paid|premium|gated)"
    r"|no(?:list|feeds?|rss|newsletters?|email)"
)
_SHOWS = patterns.compile(
    r"(?:is)?(?:public|visible|live|listed|released)|show(?:in|on)(?:home|homepage|lists?|feeds?|rss|blog|index)"
)


def may_hide_elsewhere(folded: str) -> bool:
    """Return whether an unknown key may hide a post in some other tool, whatever its value is."""
    return _HIDES.fullmatch(folded) is not None or _SHOWS.fullmatch(folded) is not None


def hides_elsewhere(folded: str, value: Tree) -> bool:
    """Return whether an unknown key plainly hides a post in some other tool, such as hidden_from_home or secret."""
    word = word_of(value)
    return (word in TRUE and _HIDES.fullmatch(folded) is not None) or (
        word in FALSE and _SHOWS.fullmatch(folded) is not None
    )
