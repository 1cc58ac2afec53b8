"""Ports of this computer on which nothing listens, and on which nothing begins to listen by chance."""

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
    """Return a port on which nothing listens, for a server that starts later, or for none.

    The system would give a port that `bind` had chosen, and that is closed again, to the next program that asks for any
    port, and to the client's end of a connection. So this is none of the ports that the system gives away. Other
    processes that ask here do not get it, either, as long as this one runs and has not asked for many more.
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
