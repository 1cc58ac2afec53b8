"""`publisher serve` as a process: sockets, long bodies, many clients at the same time, and its end."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from tests.support.project import Project
from tests.support.provider_samples import SECRET
from tests.support.web_server import Serving, serving

POSTMARK = f'\n[bounces.postmark]\nsecret = "{SECRET}"\n'


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    project = Project(tmp_path_factory.mktemp("web") / "letter", None)  # type: ignore[arg-type]
    project.post("first", "2026-11-02")
    web = "address_limit = 100000\nclient_limit = 100000"
    with serving(project, POSTMARK, web=web, LC_ALL="C") as running:  # a new interpreter, with the ordinary end of one
        yield running


def connected(server: Serving) -> socket.socket:
    host, port = server.url.removeprefix("http://").split(":")
    return socket.create_connection((host, int(port)), timeout=60)


def test_a_stranger_becomes_a_subscriber(server: Serving) -> None:
    page = server.get("/subscribe")
    assert (page.status_code, "server" in page.headers) == (200, False)
    own = server.subscribed("ada@example.org")
    assert "ada@example.org" in server.get(own).text


@pytest.mark.parametrize("length", ["100000000", "-1", "9" * 30])
def test_long_body_is_refused_before_it_arrives(server: Serving, length: str) -> None:
    with connected(server) as line:
        line.sendall(f"POST /subscribe HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n\r\nemail=".encode())
        assert line.recv(100).split()[1] in (b"413", b"400")


def test_an_endless_body_is_cut_off(server: Serving) -> None:
    with connected(server) as line:
        line.sendall(b"POST /subscribe HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
        line.sendall(b"10000\r\n" + b"x" * 0x10000 + b"\r\n" + b"10000\r\n")
        answer = line.recv(100_000)
        assert answer.split()[1] == b"413"
        assert b"connection: close" in answer.lower()


def test_a_webhook_body_is_cut_off(server: Serving) -> None:
    before = server.rows()

    def endless() -> Iterator[bytes]:
        for _ in range(40):
            yield b"x" * 50_000

    for content in (b"x" * 1_000_001, endless()):
        with contextlib.suppress(
            httpx.TransportError
        ):  # it may answer and close the connection before everything was sent
            answer = httpx.post(f"{server.url}/hooks/bounce/postmark", content=content, timeout=60)
            assert answer.status_code == 413
    assert server.rows() == before


def test_paths_outside_the_site_are_not_found(server: Serving) -> None:
    for path in (b"/../publisher.toml", b"/%2e%2e/publisher.toml", b"/%00", b"/" + b"x" * 5_000, b"/%ff"):
        assert httpx.get(httpx.URL(server.url).copy_with(raw_path=path), timeout=60).status_code == 404, path


def test_many_forms_at_once_add_one_subscriber(project: Project) -> None:
    with serving(project, web="address_limit = 100000\nclient_limit = 100000") as server:
        addresses = ["ada@example.org", "Ada@Example.ORG", "ADA@example.org"]

        def ask(number: int) -> int:
            return server.ask(addresses[number % 3]).status_code

        with ThreadPoolExecutor(32) as pool:
            assert set(pool.map(ask, range(200))) == {200}
        server.ask("last@example.org")
        server.mails("last@example.org")
        assert project.ok("subscribers", "stats", "--json").json["status"]["pending"] == 2
        assert len(project.files(".publisher/outbox/new")) == 2
