"""Letters that mail programs show whole: how much of each post a letter can afford to carry."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from publisher.core.newsletter_models import Fallback, Letter
from publisher.newsletters.letter.views import Content, PostView

CLIPPED = 100_000  # bytes of HTML: near 102 KB Gmail cuts a letter off, with the link for leaving at its end
LEVELS: tuple[Content, ...] = ("full", "excerpt", "titles")


def fitting(make: Callable[[Content], Letter], wanted: Content) -> Letter:
    """Return the letter at the fullest level, from `wanted` down, whose HTML stays within CLIPPED bytes.

    make  composes the letter at a level
    Where not even titles fit, they are returned all the same: less there is not to say. A letter that carries
    less than was wanted says so in Letter.fallback. Pure if `make` is.
    """
    letter = make(wanted)
    before = html_bytes(letter)
    for content in LEVELS[LEVELS.index(wanted) + 1 :]:
        if html_bytes(letter) <= CLIPPED:
            break
        letter = replace(make(content), fallback=Fallback(wanted, content, before))
    return letter


def html_bytes(letter: Letter) -> int:
    """Return how long the letter's HTML is, in bytes of UTF-8."""
    return len(letter.html.encode("utf-8", "replace"))


def at_level(view: PostView, content: Content) -> PostView:
    """Return what a letter of titles shows of a post: no words, no picture; other levels change nothing."""
    return replace(view, excerpt="", image=None, listen="") if content == "titles" else view


def fallback_line(letter: Letter) -> str:
    """Return one sentence that says what a letter carries instead of what was wanted, or ""."""
    if letter.fallback is None:
        return ""
    wanted, carried = (_NAMES[level] for level in (letter.fallback.wanted, letter.fallback.carried))
    return (
        f"with {wanted} the HTML has {letter.fallback.bytes_before:,} bytes, and Gmail cuts letters off near "
        f"{CLIPPED:,}: it carries {carried} instead, {html_bytes(letter):,} bytes"
    )


_NAMES: dict[str, str] = {"full": "whole posts", "excerpt": "excerpts", "titles": "titles"}
