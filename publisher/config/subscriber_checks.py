"""Checks of the values that decide who gets what: frequencies, segments, own fields, and parameters of links."""

from __future__ import annotations

import re
import string
from collections.abc import Sequence
from urllib.parse import parse_qsl

from publisher.config.schedule import ScheduleKind, parse_schedule

# The kinds of schedules that subscribers can choose from, and their names for subscribers.
FREQUENCIES = {
    ScheduleKind.DAILY: "daily",
    ScheduleKind.WEEKDAYS: "daily",
    ScheduleKind.WEEKLY: "weekly",
    ScheduleKind.MONTHLY: "monthly",
}

_NAMES_IN_PARAMETERS = ("newsletter", "slot")


def frequencies(values: Sequence[str]) -> None:
    """Accept schedules of different frequencies: daily, weekly and monthly ones."""
    seen: dict[str, str] = {}
    for value in values:
        kind = FREQUENCIES.get(parse_schedule(value).kind)
        if kind is None:
            raise ValueError(f"{value!r} is not daily, weekly or monthly")
        if kind in seen:
            raise ValueError(f"{value!r} and {seen[kind]!r} are both {kind}")
        seen[kind] = value


def segment(value: str) -> None:
    """Accept a possible name of a segment, or a condition; "" for everyone."""
    if not value:
        return
    from publisher.core.errors import SegmentError
    from publisher.core.segment_language import is_segment_name, parse  # not at the top: few projects have one

    if not is_segment_name(value):
        try:
            parse(value)
        except SegmentError as error:
            raise ValueError(str(error)) from error


def field_name(value: str) -> None:
    """Accept a name that can be written in emails, conditions and column headings."""
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,59}", value):
        raise ValueError(f"{value!r} isn't a valid name; write it like city or plan_2")
    from publisher.core.subscriber_fields import RESERVED  # a project without fields of its own saves 2 ms

    if value in RESERVED:
        raise ValueError(f"{value!r} means something else in emails and conditions; choose a different name")


def link_parameters(value: str) -> None:
    """Accept the query of a URL, without its question mark; the names in braces are filled in for each email."""
    try:
        names = [name for _, name, _, _ in string.Formatter().parse(value) if name is not None]
    except ValueError as error:
        raise ValueError(f"{value!r}: {error}") from error
    for name in names:
        if name not in _NAMES_IN_PARAMETERS:
            raise ValueError(f"{{{name}}} isn't known; use {{{'} or {'.join(_NAMES_IN_PARAMETERS)}}}")
    pairs = parse_qsl(value, keep_blank_values=True, max_num_fields=20)
    if value and (re.search(r"[\s?#<>\"']", value) or "" in (name for name, _ in pairs) or not pairs):
        raise ValueError(f"{value!r} isn't a list of parameters; write it like utm_source=newsletter&utm_medium=email")
