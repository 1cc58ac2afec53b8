"""An HTTP client with a few connections that uses little enough CPU to leave the core to the server.

    python -m benchmarks.http_client PORT PATH SECONDS [--connections 16]

Each connection sends the next request as soon as an answer is complete. It prints the number of answers by status.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections import Counter, deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from urllib.parse import urlencode

Answered = Callable[["Connection", int], None]


def request_of(path: str, form: dict[str, str] | None = None, *, headers: str = "") -> bytes:
    """Return the bytes of a GET request, or of a POST request with a form."""
    body = urlencode(form).encode() if form is not None else b""
    kind = f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(body)}\r\n" if body else ""
    head = f"{'POST' if body else 'GET'} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: benchmark\r\n{headers}{kind}"
    return f"{head}\r\n".encode() + body


class Connection(asyncio.Protocol):
    """One connection that is kept open. answered: called with the status of each complete answer."""

    def __init__(self, answered: Answered) -> None:
        self._answered, self._got, self._missing = answered, bytearray(), -1
        self.status, self.body = 0, b""
        self.transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def ask(self, request: bytes) -> None:
        """Send a request. The previous one must have been answered."""
        assert self.transport is not None
        self.transport.write(request)

    def data_received(self, data: bytes) -> None:
        """Receive a part of an answer, whose length must be in a header."""
        self._got += data
        if self._missing < 0:
            end = self._got.find(b"\r\n\r\n")
            if end < 0:
                return
            head = bytes(self._got[:end]).lower()
            _, found, length = head.partition(b"content-length:")
            self.status = int(head[9:12])
            self._missing = end + 4 + (int(length.split(b"\r\n", 1)[0]) if found else 0)
            self._head = end + 4
        if len(self._got) >= self._missing:
            self.body = bytes(self._got[self._head : self._missing])
            self._got, self._missing = bytearray(), -1
            self._answered(self, self.status)

    def connection_lost(self, exc: Exception | None) -> None:
        """Count a closed connection as an answer with status 0."""
        self._answered(self, 0)


async def connect(port: int, count: int, answered: Answered) -> list[Connection]:
    """Open this many connections to a port of this machine."""
    loop = asyncio.get_running_loop()
    made = [await loop.create_connection(lambda: Connection(answered), "127.0.0.1", port) for _ in range(count)]
    return [connection for _, connection in made]


async def flood(port: int, request: bytes, seconds: float, connections: int) -> dict[int, int]:
    """Send the same request again and again; return the number of answers by status within the time."""
    loop, seen = asyncio.get_running_loop(), Counter[int]()
    ends = loop.time() + seconds

    def answered(connection: Connection, status: int) -> None:
        if loop.time() < ends:
            seen[status] += 1
            if status:
                connection.ask(request)

    for connection in await connect(port, connections, answered):
        connection.ask(request)
    await asyncio.sleep(seconds)
    return dict(seen)


@dataclass
class Paced:
    """Requests that are sent at fixed times, however long the other answers take.

    took      the seconds from the time at which each request was due to the end of its answer
    statuses  the number of answers by status
    """

    took: list[float] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)

    async def ask(self, port: int, requests: Iterable[bytes], a_second: float, goes_on: Callable[[], bool]) -> None:
        """Send these requests, this many per second, until the end. If all connections are busy, another is opened."""
        loop = asyncio.get_running_loop()
        idle: deque[Connection] = deque()
        due_at: dict[Connection, float] = {}

        def answered(connection: Connection, status: int) -> None:
            if connection in due_at:
                self.took.append(loop.time() - due_at.pop(connection))
                self.statuses[status] += 1
                if status:
                    idle.append(connection)

        due = loop.time()
        for request in requests:
            if not goes_on():
                break
            await asyncio.sleep(max(0.0, due - loop.time()))
            connection = idle.popleft() if idle else (await connect(port, 1, answered))[0]
            due_at[connection] = due
            connection.ask(request)
            due += 1 / a_second
        while due_at:
            await asyncio.sleep(0.01)

    def percentile(self, share: float) -> float:
        """Return the seconds within which this share of the answers arrived."""
        return sorted(self.took)[min(len(self.took) - 1, int(share * len(self.took)))]


def main() -> int:
    """Send requests, and print the number of answers by status as JSON."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.http_client", description=__doc__.split("\n")[0])
    parser.add_argument("port", type=int)
    parser.add_argument("path")
    parser.add_argument("seconds", type=float)
    parser.add_argument("--connections", type=int, default=16)
    asked = parser.parse_args()
    print(json.dumps(asyncio.run(flood(asked.port, request_of(asked.path), asked.seconds, asked.connections))))
    return 0


if __name__ == "__main__":
    sys.exit(main())
