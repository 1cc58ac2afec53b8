"""A TCP proxy that delays everything, like a distant mail server.

    python -m benchmarks.slow_line TO_PORT MILLISECONDS_EACH_WAY

Prints the port it listens on.
"""

from __future__ import annotations

import asyncio
import sys


class _End(asyncio.Protocol):
    """One end of a connection. After the delay, the other end writes what this end has read."""

    def __init__(self, delay: float) -> None:
        self.delay = delay
        self.other: _End | None = None
        self.transport: asyncio.Transport | None = None
        self.early: list[bytes] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        for data in self.early:
            transport.write(data)

    def data_received(self, data: bytes) -> None:
        asyncio.get_running_loop().call_later(self.delay, self._pass_on, data)

    def connection_lost(self, exc: Exception | None) -> None:
        if self.other and self.other.transport:
            asyncio.get_running_loop().call_later(self.delay, self.other.transport.close)

    def _pass_on(self, data: bytes) -> None:
        if self.other and self.other.transport:
            self.other.transport.write(data)
        elif self.other:
            self.other.early.append(data)


class _Caller(_End):
    """The end to which the sender connects; it opens the connection to the server."""

    def __init__(self, delay: float, port: int) -> None:
        super().__init__(delay)
        self.port = port

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self.other = _End(self.delay)
        self.other.other = self
        end = self.other
        self.call = asyncio.ensure_future(
            asyncio.get_running_loop().create_connection(lambda: end, "127.0.0.1", self.port)
        )


async def main(port: int, delay: float) -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: _Caller(delay, port), "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), float(sys.argv[2]) / 1000))
