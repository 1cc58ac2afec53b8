"""A build in a process of its own."""

from __future__ import annotations

from multiprocessing.connection import Connection
from typing import Any


def run_builds(connection: Connection[Any, Any]) -> int:
    """Run one build."""
    return 0
