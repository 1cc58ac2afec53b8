"""Ports of this computer on which nothing listens, and which no other program gets by chance."""

from __future__ import annotations

import os
import socket
from collections import deque
from collections.abc import Sequence
from itertools import count
from pathlib import Path

_LOWEST = 10_000
# A server is started, or the test is over, before its process asks for this many more ports.
_claimed: deque[socket.socket] = deque()
_KEPT = 64
_steps = count()


def free_port() -> int:
    """Return a port on which nothing listens, for a server that starts later, or for a test that needs an unused port.

    If `bind` had chosen the port, the system could assign it to another program or to the client's end of a connection
    before the server starts. So the port is not one that the system assigns automatically. Other processes that call
    this function do not get it, either, as long as this process runs and has not asked for many more ports.
    """
    ports = _ports()
    while True:
        port = ports[(os.getpid() * 101 + next(_steps)) % len(ports)]
        claim = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        try:
            claim.bind(f"\0publisher-port-{port}")  # it ends with the process
            with socket.socket() as probe:
                probe.bind(("", port))
        except OSError:
            claim.close()
            continue
        _claimed.append(claim)
        if len(_claimed) > _KEPT:
            _claimed.popleft().close()
        return port


def _ports() -> Sequence[int]:
    """Return the ports that the system does not assign automatically."""
    given = Path("/proc/sys/net/ipv4/ip_local_port_range").read_text(encoding="ascii")
    first, last = map(int, given.split())
    return [*range(_LOWEST, first), *range(last + 1, 65_536)] or range(_LOWEST, 65_536)
