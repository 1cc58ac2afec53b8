"""Being asked to stop: SIGTERM ends a command as Control-C does, in order."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def stopped_by_sigterm() -> Iterator[None]:
    """Let SIGTERM raise SystemExit(143) inside the block, so that what is under way is put in order first."""
    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread may be told
        return
    before = signal.signal(signal.SIGTERM, _stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _stop(number: int, frame: Any) -> None:
    raise SystemExit(128 + number)
