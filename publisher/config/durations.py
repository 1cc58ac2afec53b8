"""Spans of time as a writer puts them: "90m", "12h", "2d"."""

from __future__ import annotations

import re
from datetime import timedelta

_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def parse_duration(text: str) -> timedelta:
    """Return the span that a text names; raise ValueError with the accepted forms when it names none."""
    match = re.fullmatch(r"(\d{1,4}) ?([mhdw])", text.strip().lower(), re.ASCII)
    if match is None:
        raise ValueError(f"{text!r} is no span of time; write it like 90m, 12h or 2d")
    return timedelta(**{_UNITS[match[2]]: int(match[1])})
