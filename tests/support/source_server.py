"""A server on loopback whose answers a test gives byte for byte, and a network whose names lead to it.

The names of this network do not exist, and its addresses are never contacted: each address that the fetcher dials is
noted, and leads to the port of a server on this machine.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

import httpcore

from benchmarks.sources import listening
from publisher.posts.sources.exchange import Network

PUBLIC = "93.184.216.34"  # a public address
OTHER = "2606:2800:220:1:248:1893:25c8:1946"


@dataclass(frozen=True)
class AskedRequest:
    """One request as it arrived. headers: by lower-case name. connection: the number of its connection, from 1."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes
    connection: int


# A whole message with its head; or a function of the request that returns one, or its pieces, after which the
# connection ends.
Answering = bytes | Callable[[AskedRequest], bytes | AsyncIterator[bytes]]


@dataclass
class SourceServer:
    """A running server: its answers by path, and the requests that it got."""

    answers: Mapping[str, Answering]
    port: int = 0
    asked: list[AskedRequest] = field(default_factory=list)
    connections: int = 0
    open_now: int = 0
    most_open: int = 0

    @property
    def url(self) -> str:
        """The URL of the server, without a path."""
        return f"http://127.0.0.1:{self.port}"

    def requests(self, path: str) -> list[AskedRequest]:
        """Return the requests for one path, in order."""
        return [each for each in self.asked if each.path == path]

    async def converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer the requests of one connection."""
        self.connections += 1
        self.open_now += 1
        self.most_open = max(self.most_open, self.open_now)
        try:
            with suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
                await self._converse(reader, writer, self.connections)
        finally:
            self.open_now -= 1
            writer.close()

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, number: int) -> None:
        while (request := await _read(reader, number)) is not None:
            self.asked.append(request)
            answering = self.answers.get(request.path, answer(b"nothing here", status="404 Not Found"))
            made = answering if isinstance(answering, bytes) else answering(request)
            if not isinstance(made, bytes):
                async for piece in made:
                    writer.write(piece)
                    await writer.drain()
                return
            writer.write(made)
            await writer.drain()
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        await writer.drain()


async def _read(reader: asyncio.StreamReader, number: int) -> AskedRequest | None:
    first = await reader.readexactly(1)
    if not first.isalpha():
        return None  # the client wants to speak TLS
    head = (first + await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    begin, *lines = head.strip().split("\r\n")
    method, path, _ = begin.split(" ")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    body = await reader.readexactly(int(headers.get("content-length", 0)))
    return AskedRequest(method, path, headers, body, number)


def answer(body: bytes = b"", *, status: str = "200 OK", **headers: str) -> bytes:
    """Return a full HTTP response. headers: names have _ instead of -."""
    lines = [f"HTTP/1.1 {status}", *(f"{name.replace('_', '-')}: {value}" for name, value in headers.items())]
    if not status.startswith("304"):
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body


def redirect(to: str, status: str = "301 Moved Permanently") -> bytes:
    """Return a redirecting response."""
    return answer(status=status, Location=to)


@contextmanager
def source_server(answers: Mapping[str, Answering], tls: ssl.SSLContext | None = None) -> Iterator[SourceServer]:
    """Serve until the block ends."""
    server = SourceServer(answers)
    with listening(server.converse, "127.0.0.1", tls) as server.port:
        yield server


@dataclass
class Internet:
    """The names of a network, and the ports to which its addresses lead.

    names   by name, the addresses in the answer to each query; the last answer is repeated
    ports   by address, the port of this machine to which it leads; all other addresses refuse connections
    dialled addresses to which the fetcher tried to connect
    """

    names: Mapping[str, Sequence[Sequence[str]]]
    ports: Mapping[str, int]
    dialled: list[str] = field(default_factory=list)
    questions: list[str] = field(default_factory=list)

    async def resolve(self, name: str, port: int) -> Sequence[str]:
        """Return the addresses of a name."""
        answers = self.names.get(name)
        if answers is None:
            raise OSError("Name or service not known")
        earlier = self.questions.count(name)
        self.questions.append(name)
        return answers[min(earlier, len(answers) - 1)]

    async def dial(self, address: str, port: int, seconds: float) -> httpcore.AsyncNetworkStream:
        """Connect to the port of this machine to which an address is mapped."""
        self.dialled.append(address)
        if address not in self.ports:
            raise httpcore.ConnectError("refused")
        return await httpcore.AnyIOBackend().connect_tcp("127.0.0.1", self.ports[address], timeout=seconds)

    @property
    def network(self) -> Network:
        """The network, in the form that the fetcher expects."""
        return Network(self.resolve, self.dial)
