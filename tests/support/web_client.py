"""The web application in this process: a browser's requests, and the emails that it sends.

The application is the real one, with its mail worker and the outbox; only sockets and the HTTP server are missing. It
gets requests in the form that uvicorn passes on, so that odd paths, headers and chunked bodies arrive unchanged. Tests
of the process itself use tests.support.web_server, which has the same methods.
"""

from __future__ import annotations

import asyncio
import io
import logging
import re
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import unquote

import httpx
import sqlalchemy as sa

from publisher.config import Config, load_config
from publisher.core.logging import configure as configure_logging
from publisher.publishing.mail_wiring import project_secret
from publisher.store.database import Database
from publisher.subscribers.tokens import FormTokens
from publisher.web.application import open_application
from tests.support.project import Project, parse

NEWSLETTERS = """
[[newsletters]]
name = "weekly"
title = "The weekly <letter>"
description = "All of it & more."
topics = ["Reading", "R&D", "日本語"]

[[newsletters]]
name = "daily"
title = "The daily letter"
"""
PORT = 8018
T = TypeVar("T")


class WebClient:
    """A client of the application of a project, whose public URL is `url`."""

    def __init__(self, project: Project, url: str, transport: httpx.BaseTransport | None = None) -> None:
        self.project, self.url, self._transport = project, url, transport
        self._seen: dict[Path, tuple[str, EmailMessage]] = {}
        self.client = self.browser()

    def browser(self, **headers: str) -> httpx.Client:
        """Return a client with its own cookies."""
        return httpx.Client(base_url=self.url, timeout=60, headers=headers, transport=self._transport, verify=False)

    def get(self, path: str, **headers: str) -> httpx.Response:
        """Get a page; redirects are returned, not followed."""
        return self.client.get(path.removeprefix(self.url), headers=headers)

    def post(self, path: str, **fields: str | list[str]) -> httpx.Response:
        """Submit a form."""
        return self.client.post(path.removeprefix(self.url), data=fields)

    def ask(self, address: str = "ada@example.org", *newsletters: str, **fields: str | list[str]) -> httpx.Response:
        """Subscribe on the page, as if it had been loaded some seconds ago."""
        return self.subscribe(email=address, newsletter=list(newsletters or ("weekly",)), **fields)

    def subscribe(self, **fields: str | list[str]) -> httpx.Response:
        """Submit the form of the page, as if it had been loaded some seconds ago."""
        return self.post("/subscribe", **{"token": self.form_token()} | fields)

    def form_token(self, seconds: float = 5, **options: bool) -> str:
        """Return the token of a form that was loaded some seconds ago."""
        secret = project_secret(load_config(self.project.root))
        return FormTokens(secret, clock=lambda: time.time() - seconds, **options).make()

    def account(self, path: str, address: str = "ada@example.org", count: int = 1) -> str:
        """Request an email on a subscriber's preferences page; return the link to their data in that email."""
        assert 'role="status"' in self.post(path, do="account").text
        return until(lambda: links[-1] if len(links := self._links(address, "account")) >= count else None)

    def mails(self, address: str, count: int = 1) -> list[EmailMessage]:
        """Wait until the outbox has this many messages to an address, and return them."""
        return until(lambda: found if len(found := self._mails(address)) >= count else None)

    def link(self, address: str = "ada@example.org", page: str = "confirm", count: int = 1) -> str:
        """Return the link to a page in the newest message to an address."""
        return link_in(self.mails(address, count)[-1], page)

    def subscribed(self, address: str = "ada@example.org", *newsletters: str, **fields: str | list[str]) -> str:
        """Subscribe and confirm; return the path of the subscriber's preferences."""
        self.ask(address, *newsletters, **fields)
        page = self.post(self.link(address), do="confirm")
        assert page.status_code == 200, page.text
        return re.search(r'href="(/preferences/[^"]+)"', page.text)[1]

    def rows(self) -> dict[str, list[Any]]:
        """Return every row of every table, on either database."""
        config = load_config(self.project.root)
        reading = Database(config.database.url, config.root)
        try:
            with reading.read() as connection:
                return {
                    table: sorted(map(repr, connection.execute(sa.text(f'SELECT * FROM "{table}"'))))
                    for table in sa.inspect(connection).get_table_names()
                }
        finally:
            reading.close()

    def show(self, address: str = "ada@example.org") -> dict[str, Any]:
        """Return everything that is stored about a subscriber."""
        return dict(self.project.ok("subscribers", "show", address, "--json").json)

    def _links(self, address: str, page: str) -> list[str]:
        return [link_in(mail, page) for mail in self._mails(address) if f"/{page}/" in str(mail.get_body(("plain",)))]

    def _mails(self, address: str) -> list[EmailMessage]:
        """Return the messages to an address in the order in which they were sent.

        The times of two files that are written within some milliseconds are the same, so what was seen before is older.
        """
        files = set((self.project.root / ".publisher/outbox/new").glob("*.eml"))
        for path in sorted(files - self._seen.keys(), key=lambda path: path.stat().st_mtime_ns):
            message = parse(path.read_bytes())
            self._seen[path] = message["To"].addresses[0].addr_spec, message
        return [message for path, (to, message) in self._seen.items() if path in files and to == address]


@contextmanager
def web_client(
    project: Project, more: str = "", *, newsletters: str = NEWSLETTERS, web: str = "", now: str = "", path: str = ""
) -> Iterator[WebClient]:
    """Yield a client of a project's application. In the end its log must show no traceback and no email address.

    now   the civil time that its clock shows; by default it is the real clock
    path  the path of its public URL
    """
    configure(project, f"{PORT}{path}", more, newsletters, web)
    config = load_config(project.root)
    with (
        captured_log() as log,
        open_application(config, clock(now, config)) as application,
        in_process(application) as transport,
    ):
        yield WebClient(project, f"http://127.0.0.1:{PORT}", transport)
    check_log(project, log.getvalue())


def check_log(project: Project, log: str) -> None:
    """Save the log of an application as serve.log; fail if it contains a traceback or an email address."""
    sys.stderr.write(log)
    (project.root / "serve.log").write_text(log)
    assert "Traceback" not in log
    assert "example.org" not in re.sub("…@example.org", "", log)


def clock(now: str, config: Config) -> Callable[[], datetime]:
    """Return a clock that always shows a civil time of the project, or the real clock if no time is given."""
    if not now:
        return lambda: datetime.now(UTC)
    moment = datetime.fromisoformat(now).replace(tzinfo=config.zone)
    return lambda: moment


def configure(project: Project, port: object, more: str = "", newsletters: str = NEWSLETTERS, web: str = "") -> None:
    """Write the configuration of a project that is served on a port of this computer, or under a path there."""
    project.configure(
        f'{more}\n[web]\npublic_url = "http://127.0.0.1:{port}"\n{web or "client_limit = 100000"}\n', newsletters
    )


def link_in(message: EmailMessage, page: str) -> str:
    """Return the link to a page in the plain text of a message; its HTML must have the same link."""
    text, html = (message.get_body((kind,)).get_content() for kind in ("plain", "html"))
    found = re.search(rf"http\S+/{page}/\S+", text)
    assert found, text
    assert found[0] in html
    return found[0]


def until(find: Callable[[], T | None], log: Callable[[], str] = str) -> T:
    """Wait for at most four minutes until something is found. log: what to show if it is not.

    Checking uses at most a quarter of the time, because the awaited work needs the processor, too.
    """
    limit = time.monotonic() + 240
    while True:
        began = time.monotonic()
        if found := find():
            return found
        ended = time.monotonic()
        assert ended < limit, log()[-3000:]
        time.sleep(min(max(0.02, 3 * (ended - began)), 0.5))


def database(root: Path) -> bytes:
    """Return every byte of the database's files."""
    return b"".join(path.read_bytes() for path in sorted((root / ".publisher").glob("publisher.db*")))


_logs: list[io.StringIO] = []


@contextmanager
def captured_log() -> Iterator[io.StringIO]:
    """Yield a stream that gets the log lines instead of stderr. In nested blocks, only the inner stream gets them."""
    _logs.append(io.StringIO())
    configure_logging("human", _logs[-1])
    try:
        yield _logs[-1]
    finally:
        _logs.pop()
        configure_logging("human", _logs[-1] if _logs else None)
        if not _logs:
            logging.basicConfig(handlers=[], force=True)


@contextmanager
def in_process(application: Any) -> Iterator[httpx.BaseTransport]:
    """Yield a transport that passes requests to an ASGI application, in an event loop in its own thread."""
    loop, ended = asyncio.new_event_loop(), asyncio.Event()
    thread = threading.Thread(target=lambda: loop.run_until_complete(ended.wait()), name="web client", daemon=True)
    thread.start()
    try:
        yield _InProcess(application, loop)
    finally:
        loop.call_soon_threadsafe(ended.set)
        thread.join()
        loop.close()


class _InProcess(httpx.BaseTransport):
    """A transport of our own, because Starlette's TestClient decodes a path twice, and joins the parts of a body."""

    def __init__(self, application: Any, loop: asyncio.AbstractEventLoop) -> None:
        self._application, self._loop = application, loop

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Answer one request, within four minutes."""
        return asyncio.run_coroutine_threadsafe(self._answer(request), self._loop).result(240)

    async def _answer(self, request: httpx.Request) -> httpx.Response:
        parts, sent = iter([*request.stream, None]), list[dict[str, Any]]()

        async def receive() -> dict[str, Any]:
            for part in parts:
                return {"type": "http.request", "body": part or b"", "more_body": part is not None}
            return await asyncio.Future()  # the client stays connected

        async def send(message: Any) -> None:
            sent.append(message)

        await self._application(_scope(request), receive, send)
        body = b"" if request.method == "HEAD" else b"".join(message.get("body", b"") for message in sent[1:])
        return httpx.Response(sent[0]["status"], headers=sent[0]["headers"], stream=httpx.ByteStream(body))


def _scope(request: httpx.Request) -> dict[str, Any]:
    """Return the ASGI scope of a request as uvicorn makes it."""
    raw_path, _, query = request.url.raw_path.partition(b"?")
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": request.method,
        "scheme": request.url.scheme,
        "path": unquote(raw_path.decode("ascii")),
        "raw_path": raw_path,
        "root_path": "",
        "query_string": query,
        "headers": [(name.lower(), value) for name, value in request.headers.raw],
        "client": ("127.0.0.1", 50_000),
        "server": (request.url.host, request.url.port or 80),
        "state": {},
    }
