"""The subject and the preheader of a letter. Pure."""

from __future__ import annotations

import re

from publisher.core.i18n import Counted
from publisher.newsletters.letter.sanitise import one_line

SUBJECT_LENGTH = 60  # what inboxes on a wide screen show; a phone shows about 40
PREHEADER_LENGTH = 140


def shorten(text: str, length: int) -> str:
    """Return text of at most `length` characters, cut between words where there are any, with an ellipsis."""
    if len(text) <= length:
        return text
    cut = text[: length - 1]
    head, space, _ = cut.rpartition(" ")
    if space and len(head) > length // 2:
        cut = head
    return cut.rstrip(" ,;:.-–—") + "…"


def default_subject(first: str, count: int, and_more: Counted) -> str:
    """Return the lead's title, and how many posts follow it, within SUBJECT_LENGTH.

    and_more  the words for the others, such as " and 3 more"
    """
    suffix = and_more.format(count=count - 1) if count > 1 else ""
    return shorten(one_line(first), SUBJECT_LENGTH - len(suffix)) + suffix


def fill_subject(pattern: str, values: dict[str, str]) -> str:
    """Fill {title}, {number}, {date}, {first} and {count} into a writer's pattern; other braces stay."""
    return one_line(re.sub(r"\{(\w+)\}", lambda match: values.get(match[1], match[0]), pattern))


def preheader_of(text: str) -> str:
    """Return the few words that an inbox shows after the subject."""
    return shorten(one_line(text), PREHEADER_LENGTH)
