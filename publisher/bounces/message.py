from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Found:
    """One message. done: marks it, so that it is not read again."""

    data: bytes
    done: Callable[[], None]
