"""Talks to systemd: sends the states of the service to the socket in NOTIFY_SOCKET, and notes early signals.

The protocol is simple and guaranteed to be stable: https://www.freedesktop.org/software/systemd/man/sd_notify.html
"""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress


def notify(state: str, environ: Mapping[str, str] | None = None) -> None:
    """Send a state such as "READY=1" to the service manager. Do nothing if there is none, or if it isn't listening."""
    address = (os.environ if environ is None else environ).get("NOTIFY_SOCKET", "")
    if not address.startswith(("/", "@")):
        return
    if address.startswith("@"):
        address = "\0" + address[1:]  # a name in Linux's abstract socket namespace
    with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as wire:
        wire.connect(address)
        wire.sendall(state.encode())


@contextmanager
def noted_reloads() -> Iterator[Callable[[], bool]]:
    """Note each SIGHUP that arrives before the process handles signals itself, instead of ending the process.

    Yields a function that returns whether one has arrived. Must be used in the main thread.
    """
    came: list[int] = []  # appending is safe in a signal handler, whatever code the signal interrupts
    before = signal.signal(signal.SIGHUP, lambda number, frame: came.append(number))
    try:
        yield lambda: bool(came)
    finally:
        signal.signal(signal.SIGHUP, before)


def watchdog_seconds(environ: Mapping[str, str] | None = None) -> float | None:
    """Return the number of seconds within which systemd expects the next "WATCHDOG=1"; None if it has no watchdog."""
    known = os.environ if environ is None else environ
    text = known.get("WATCHDOG_USEC", "")
    if not text.isdigit() or known.get("WATCHDOG_PID", str(os.getpid())) != str(os.getpid()):
        return None
    return int(text) / 1_000_000 or None
