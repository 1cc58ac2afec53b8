"""One call of a provider: what was sent, and reading it without trust."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from publisher.bounces.reading import Marks

MOST_BYTES = 1_000_000
MOST_EVENTS = 2_000


class CallError(Exception):
    """A call that is not taken. status: what is answered, 403 for a false signature, 400 for nonsense."""

    def __init__(self, status: int) -> None:
        super().__init__(f"call refused with {status}")
        self.status = status


@dataclass(frozen=True, slots=True)
class Call:
    """headers: by lower-case names."""

    headers: Mapping[str, str]
    body: bytes
    now: datetime
    marks: Marks


def parsed(body: bytes | str) -> Any:
    """Return the JSON of a body; raises CallError(400) for anything else."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        raise CallError(400) from error


def table(value: Any) -> dict[str, Any]:
    """Return a JSON object; an empty one for anything else."""
    return value if isinstance(value, dict) else {}


def event_in(value: Any, *kinds: str) -> dict[str, Any]:
    """Return an event, a JSON object that tells its kind under one of the names; raises CallError(400) for others."""
    if not any(text(table(value).get(kind)) for kind in kinds):
        raise CallError(400)
    return table(value)


def rows(value: Any) -> list[dict[str, Any]]:
    """Return the objects of a JSON array; none for anything else."""
    return [each for each in value[:MOST_EVENTS] if isinstance(each, dict)] if isinstance(value, list) else []


def text(value: Any) -> str:
    """Return a JSON string or number as text; "" for anything else."""
    return str(value)[:10_000] if isinstance(value, str | int) and not isinstance(value, bool) else ""


def same(one: str, other: str) -> bool:
    """Compare without telling by the time it takes how much is equal."""
    return hmac.compare_digest(one.encode("utf-8", "surrogatepass"), other.encode("utf-8", "surrogatepass"))


def event_key(provider: str, *parts: str) -> str:
    """Return what makes an event the same when it is told again."""
    joined = "\0".join(parts).encode("utf-8", "surrogatepass")
    return f"{provider} {hashlib.sha256(joined).hexdigest()}"
