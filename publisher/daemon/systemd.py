"""Notifying systemd about a service (sd_notify): a datagram to the socket that it names.

The protocol is a few lines, and promised to be stable: https://www.freedesktop.org/software/systemd/man/sd_notify.html
"""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from contextlib import suppress


def notify(state: str, environ: Mapping[str, str] | None = None) -> None:
    """Send a state such as "READY=1". Do nothing if there is no service manager, or it doesn't listen."""
    address = (os.environ if environ is None else environ).get("NOTIFY_SOCKET", "")
    if not address.startswith(("/", "@")):
        return
    if address.startswith("@"):
        address = "\0" + address[1:]  # Linux's abstract names
    with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as wire:
        wire.connect(address)
        wire.sendall(state.encode())


def watchdog_seconds(environ: Mapping[str, str] | None = None) -> float | None:
    """Return within how many seconds systemd expects the next "WATCHDOG=1"; None if it expects none."""
    known = os.environ if environ is None else environ
    text = known.get("WATCHDOG_USEC", "")
    if not text.isdigit() or known.get("WATCHDOG_PID", str(os.getpid())) != str(os.getpid()):
        return None
    return int(text) / 1_000_000 or None
