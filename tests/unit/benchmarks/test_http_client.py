"""The client of the web benchmark counts complete answers, and times each answer from when its request was due."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from benchmarks.http_client import Paced, connect, flood, request_of

BODY = b"x" * 300


class CountedTime(asyncio.SelectorEventLoop):
    """An event loop whose clock moves on by 0.05 seconds with each answer of a server, however fast the computer is."""

    answers = 0

    def time(self) -> float:
        return self.answers * 0.05


@asynccontextmanager
async def server(status: int = 200, pause: float = 0.0) -> AsyncIterator[int]:
    """Run a server that pauses for `pause` seconds, then answers each request in pieces. Yield its port."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer all requests on a connection."""
        while head := await reader.readuntil(b"\r\n\r\n"):
            length = head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0]
            await reader.readexactly(int(length or 0))
            await asyncio.sleep(pause)
            if isinstance(loop := asyncio.get_running_loop(), CountedTime):
                loop.answers += 1
            for piece in (b"HTTP/1.1 %d OK\r\nContent-" % status, b"Length: 300\r\n\r", b"\n" + BODY[:99], BODY[99:]):
                writer.write(piece)
                await writer.drain()

    async def quietly(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer until the client disconnects."""
        try:
            await answer(reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    async with await asyncio.start_server(quietly, "127.0.0.1", 0) as listening:
        yield listening.sockets[0].getsockname()[1]


def test_a_flood_reuses_each_connection() -> None:
    async def asked() -> dict[int, int]:
        """Send requests over two connections."""
        async with server() as port:
            return await flood(port, request_of("/"), 0.5, 2)

    with asyncio.Runner(loop_factory=CountedTime) as runner:
        answers = runner.run(asked())
    assert list(answers) == [200]
    assert answers[200] > 4


def test_a_refusal_is_counted_by_its_status() -> None:
    async def asked() -> dict[int, int]:
        """Send requests to a server that refuses everything."""
        async with server(status=429) as port:
            return await flood(port, request_of("/"), 0.1, 1)

    with asyncio.Runner(loop_factory=CountedTime) as runner:
        assert list(runner.run(asked())) == [429]


def test_paced_requests_do_not_wait_for_each_other() -> None:
    paced = Paced()

    async def asked() -> None:
        """Submit ten forms within 0.1 seconds to a server that takes 0.2 seconds to answer each of them."""
        async with server(pause=0.2) as port:
            await paced.ask(port, [request_of("/f", {"email": "ada@example.org"})] * 10, 100, lambda: True)

    asyncio.run(asked())
    assert (paced.statuses, len(paced.took)) == ({200: 10}, 10)
    assert paced.percentile(0.5) >= 0.19


def test_the_body_of_an_answer_is_complete() -> None:
    async def asked() -> bytes:
        """Send one request, and return the body of the answer."""
        async with server() as port:
            done = asyncio.Event()
            (connection,) = await connect(port, 1, lambda each, status: done.set())
            connection.ask(request_of("/"))
            await done.wait()
            return connection.body

    assert asyncio.run(asked()) == BODY
