"""Slow clients: a request that does not arrive in time is closed, and no other client is affected."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from functools import partial
from typing import Any

import pytest
import uvicorn

from publisher.config import load_config
from publisher.web.application import open_application
from publisher.web.connections import MORE_TIME, BoundedProtocol, Connections
from publisher.web.server import listen
from tests.support.project import Project

HEAD = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n"
DRIP = 0.05  # seconds between two bytes of a slow client


class Hasty(BoundedProtocol):
    """The application's server with shorter limits."""

    head_seconds = 0.4
    body_seconds = 0.8
    take_seconds = 0.6


class Patient(Hasty):
    """The same server with more time for a body, because a busy machine may send it slowly."""

    body_seconds = 60.0


async def reads(scope: Any, receive: Any, send: Any) -> None:
    """Read the body if the path is /read, and answer with its length; answer /large with 40 MB.

    For /read/file, the body may take a minute.
    """
    length = 0
    if scope["path"] == "/read/file":
        scope["state"][MORE_TIME](60.0)
    if scope["path"] == "/large":
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for _ in range(640):
            await send({"type": "http.response.body", "body": bytes(65_536), "more_body": True})
    while scope["path"].startswith("/read"):
        part = await receive()
        if part["type"] == "http.disconnect":
            return
        length += len(part["body"])
        if not part["more_body"]:
            break
    said = str(length).encode()
    headers = [(b"content-length", str(len(said)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": said})


@contextmanager
def hasty_server(protocol: type[Hasty] = Hasty) -> Iterator[int]:
    """Run a server in this process; yield its port."""
    listener = listen(0)
    http = partial(protocol, Connections())
    settings = uvicorn.Config(reads, http=http, log_level="critical", lifespan="off", ws="none", timeout_keep_alive=60)
    server = uvicorn.Server(settings)
    thread = threading.Thread(target=lambda: server.run(sockets=[listener]))
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        server.should_exit = True
        thread.join()


def until_closed(client: socket.socket, drip: bytes) -> bytes:
    """Send byte after byte until the server closes; return its answer."""
    said = b""
    client.settimeout(DRIP)
    for _ in range(600):
        try:
            client.sendall(drip)
            part = client.recv(10_000)
        except TimeoutError:
            continue
        except OSError:  # reset: it was closed while a byte was in transit
            return said
        if not part:
            return said
        said += part
    raise AssertionError("the connection is open for ever")


@pytest.mark.parametrize(
    ("begin", "drip", "answer"),
    [
        (b"", b"", b""),
        (b"GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ", b"y", b""),
        (b"GET / HTTP/1.1\r\nHost: x\r\n\r\nGET / HT", b"T", b"200"),  # the second request of a connection
        (HEAD.replace(b"POST /", b"POST /read"), b"z", b""),
        (HEAD, b"z", b"200"),  # already answered, and its body is not read
    ],
)
def test_endless_request_is_closed(begin: bytes, drip: bytes, answer: bytes) -> None:
    with hasty_server() as port, socket.create_connection(("127.0.0.1", port)) as client:
        client.sendall(begin)
        said = until_closed(client, drip)
    assert answer in said
    assert said.count(b"HTTP/1.1") == bool(answer)


def test_client_that_does_not_read_is_closed() -> None:
    lost = threading.Event()

    class Noted(Hasty):
        def connection_lost(self, exc: Exception | None) -> None:
            super().connection_lost(exc)
            lost.set()

    with hasty_server(Noted) as port, socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        client.connect(("127.0.0.1", port))
        client.sendall(b"GET /large HTTP/1.1\r\nHost: x\r\n\r\n")
        assert lost.wait(240)
        client.settimeout(60)
        taken = 0
        with suppress(ConnectionResetError):
            while part := client.recv(1_000_000):
                taken += len(part)
    assert 0 < taken < 640 * 65_536


def test_slow_client_within_the_limits_is_answered() -> None:
    body = HEAD.replace(b"POST /", b"POST /read").replace(b"1000", b"8")
    with hasty_server(Patient) as port, socket.create_connection(("127.0.0.1", port)) as client:
        client.settimeout(60)
        for _ in range(2):
            client.sendall(body)
            for byte in b"01234567":
                client.sendall(bytes([byte]))
                threading.Event().wait(DRIP / 4)
            assert b"200" in client.recv(10_000)
            threading.Event().wait(2.5 * Hasty.head_seconds)


def test_a_file_may_take_longer_than_a_form() -> None:
    body = HEAD.replace(b"POST /", b"POST /read/file").replace(b"1000", b"4")
    with hasty_server() as port, socket.create_connection(("127.0.0.1", port)) as client:
        client.settimeout(60)
        client.sendall(body + b"01")
        threading.Event().wait(1.5 * Hasty.body_seconds)
        client.sendall(b"23")
        assert b"200" in client.recv(10_000)


def test_endless_form_gets_408(project: Project) -> None:
    project.configure("", '[[newsletters]]\nname = "weekly"\n')
    sent: list[dict[str, Any]] = []

    async def run(application: Any) -> None:
        parts = iter([{"type": "http.request", "body": b"email=ada", "more_body": True}])

        async def receive() -> Any:
            return next(parts, None) or await asyncio.Event().wait()

        async def send(message: Any) -> None:
            sent.append(message)

        scope = {"type": "http", "method": "POST", "path": "/subscribe", "query_string": b"", "headers": []}
        await application(scope | {"root_path": "", "client": ("192.0.2.7", 1)}, receive, send)

    with open_application(load_config(project.root), lambda: datetime.now(UTC), form_seconds=0.1) as application:
        asyncio.run(run(application))
    assert sent[0]["status"] == 408
    assert (b"connection", b"close") in sent[0]["headers"]
    assert b"took too long to arrive" in sent[1]["body"]
