"""A choice of topics as the record keeps it: one text for one choice, whatever the order it was made in."""

from __future__ import annotations

import json
from collections.abc import Iterable


def encode_topics(topics: Iterable[str]) -> str:
    """Return the choice as a JSON array, sorted and without repeats; no topics (all of them) is []."""
    return json.dumps(sorted(set(topics)), ensure_ascii=False, separators=(",", ":"))


def decode_topics(text: str) -> tuple[str, ...]:
    """Return the topics of an encoded choice."""
    return tuple(json.loads(text))
