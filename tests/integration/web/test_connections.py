"""Many connections: their number is limited, and people still get answers."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import Any

import httpx

from publisher.web.client_address import Clients
from publisher.web.connections import MOST, Connections, ProxiedRequests
from publisher.web.server import Server, listen
from tests.support.web_client import captured_log, until

HALF = b"GET / HT"
KEPT = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"


async def answers(scope: Any, receive: Any, send: Any) -> None:
    """Answer every request; /large has 40 MB, and /waits never ends."""
    large = [bytes(65_536)] * 640 if scope["path"] == "/large" else []
    length = str(2 + sum(map(len, large))).encode()
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", length)]})
    while scope["path"] == "/waits" and (await receive())["type"] != "http.disconnect":
        pass
    for part in large:
        await send({"type": "http.response.body", "body": part, "more_body": True})
    await send({"type": "http.response.body", "body": b"ok"})


@contextmanager
def running(most: int, proxies: tuple[str, ...] = ()) -> Iterator[int]:
    """Run a server with few connections; yield its port."""
    listener = listen(0)
    server = Server(listener, most=most, proxies=proxies)
    thread = threading.Thread(target=server.answer, args=(answers,))
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        server.end(hurry=True)
        thread.join()


def connect(port: int, said: bytes, address: str = "127.0.0.1") -> socket.socket:
    """Open a connection from one of this computer's IP addresses, and send something."""
    opened = socket.create_connection(("127.0.0.1", port), timeout=60, source_address=(address, 0))
    opened.sendall(said)
    return opened


def is_open(connection: socket.socket) -> bool:
    """Return whether the server has kept a connection. What it has sent is discarded."""
    connection.setblocking(False)
    try:
        while connection.recv(100_000):
            pass
    except BlockingIOError:
        return True
    except OSError:
        pass
    return False


def left(connections: list[socket.socket]) -> int:
    """Return how many of these connections are open."""
    return sum(map(is_open, connections))


def test_no_one_waits_for_idle_connections() -> None:
    for said in (b"", HALF, KEPT, b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n"):
        with running(60) as port, ExitStack() as stack, captured_log() as log:
            crowd = [stack.enter_context(connect(port, said, f"127.0.1.{number % 9 + 1}")) for number in range(200)]
            for number in range(100):  # renewed as fast as possible
                crowd.append(stack.enter_context(connect(port, said, f"127.0.1.{number % 9 + 1}")))
                if number % 20 == 0:
                    assert httpx.get(f"http://127.0.0.1:{port}/", timeout=60).text == "ok"
            until(lambda: left(crowd) <= 60)  # noqa: B023
        assert log.getvalue().count("\n") == 1
        assert "too many connections" in log.getvalue()


def test_one_client_gets_a_quarter_of_the_connections_and_a_trusted_proxy_all() -> None:
    for proxies, most in (((), 10), (("127.0.0.8/31",), 40)):
        with running(40, proxies) as port, ExitStack() as stack:
            other = stack.enter_context(connect(port, HALF, "127.0.0.5"))
            crowd = [stack.enter_context(connect(port, HALF, "127.0.0.9")) for _ in range(60)]
            until(lambda: left(crowd) <= most)  # noqa: B023
            assert left(crowd) >= most - 2
            assert is_open(other)  # connections of the client with the most are closed first


def test_work_in_progress_is_never_dropped() -> None:
    with running(12) as port, ExitStack() as stack:
        waits = KEPT.replace(b"/ ", b"/waits ", 1)
        busy = [stack.enter_context(connect(port, waits, f"127.0.1.{number + 1}")) for number in range(12)]
        assert all(each.recv(1_000) for each in busy)
        refused = stack.enter_context(connect(port, KEPT))
        until(lambda: not is_open(refused))
        assert left(busy) == 12


def test_a_client_that_does_not_read_makes_room() -> None:
    with running(8) as port, ExitStack() as stack:
        large = KEPT.replace(b"/ ", b"/large ", 1)
        for number in range(8):
            deaf = stack.enter_context(connect(port, large, f"127.0.1.{number + 1}"))
            deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)

        def answer() -> str:
            with suppress(httpx.TransportError):  # as long as the server does not know which of them do not read
                return httpx.get(f"http://127.0.0.1:{port}/", timeout=60).text
            return ""

        assert until(answer) == "ok"


def test_responses_are_not_held_back_for_acknowledgements() -> None:
    with running(8) as port:
        listener = listen(0)
        connection = connect(port, KEPT)
        assert listener.proto == socket.IPPROTO_TCP
        assert connection.recv(1_000)
        connection.close()
        listener.close()


def test_connections_leave_files_for_other_work() -> None:
    assert 16 <= Connections().most <= MOST


def test_one_client_behind_a_proxy_leaves_room_for_others() -> None:
    clients, began, statuses = Clients(["10.0.0.1"], []), asyncio.Event(), []

    async def waits(scope: Any, receive: Any, send: Any) -> None:
        await began.wait()
        await answers(scope, receive, send)

    async def ask(limited: ProxiedRequests, client: str, peer: str = "10.0.0.1") -> int:
        sent: list[Any] = []

        async def send(message: Any) -> None:
            sent.append(message)

        headers = [(b"x-forwarded-for", client.encode())] if client else []
        await limited({"type": "http", "path": "/", "client": (peer, 1), "headers": headers}, answers, send)
        return int(sent[0]["status"])

    async def run() -> None:
        limited = ProxiedRequests(waits, clients, most=3)
        who = ["192.0.2.7"] * 5 + ["192.0.2.8", "2001:db8::1", "2001:db8::2", "2001:db8::3", "2001:db8::4"]
        asking = [asyncio.ensure_future(ask(limited, each)) for each in [*who, *["x"] * 4, *[""] * 5]]
        asking += [asyncio.ensure_future(ask(limited, "192.0.2.7", peer="192.0.2.9")) for _ in range(5)]
        await asyncio.sleep(0.05)
        began.set()
        statuses.extend(await asyncio.gather(*asking))
        assert await ask(limited, "192.0.2.7") == 200  # those have ended

    asyncio.run(run())
    assert statuses == [200] * 3 + [429] * 2 + [200] + [200] * 3 + [429] + [200] * 3 + [429] + [200] * 10
