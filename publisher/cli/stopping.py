"""Being asked to stop: SIGTERM, and a terminal that goes away, end a command as Control-C does, in order."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def stopped_by_signals() -> Iterator[None]:
    """Let SIGTERM and SIGHUP raise SystemExit(128 + number) inside the block: what is under way is put in order first.

    A signal that whoever started us ignores, as nohup does SIGHUP, is ignored.
    """
    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread may be told
        return
    found = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGHUP)}
    before = {number: handler for number, handler in found.items() if handler is not signal.SIG_IGN}
    for number in before:
        signal.signal(number, _stop)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _stop(number: int, frame: Any) -> None:
    raise SystemExit(128 + number)
