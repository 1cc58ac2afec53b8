"""The fields of one's own that subscribers have: what they are called, and which values they can have."""

from __future__ import annotations

import json
from collections.abc import Mapping
from enum import StrEnum

# A date is text in the form 2026-11-29, so that the values can be stored as JSON.
FieldValue = str | int | float | bool


class FieldKind(StrEnum):
    """The kind of a field's values."""

    TEXT = "text"
    NUMBER = "number"
    DATE = "date"
    YES_NO = "yes-no"


def encode_fields(fields: Mapping[str, FieldValue]) -> str:
    """Return fields as text for a column: a JSON object, sorted by name, without line breaks."""
    return json.dumps(dict(sorted(fields.items())), ensure_ascii=False, separators=(",", ":"))


def decode_fields(text: str) -> dict[str, FieldValue]:
    """Return the fields in a column, or none if its text is not a JSON object, as after an edit by hand."""
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    return {str(name): value for name, value in found.items()} if isinstance(found, dict) else {}
