"""`publisher serve` as a process of its own, what a browser asks it, and the mails that it sends."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from pathlib import Path
from typing import Any, TypeVar

import httpx
import sqlalchemy as sa

from publisher.config import load_config
from publisher.store.database import Database
from tests.support.preview_server import free_port
from tests.support.project import ROOT, Project, parse

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
T = TypeVar("T")


class Serving:
    """A running server of a project whose public address is the server's own."""

    def __init__(self, project: Project, port: int, *, now: str = "") -> None:
        self.project = project
        self.url = f"http://127.0.0.1:{port}"
        program = [sys.executable, "-m", "publisher", "-C", str(project.root), *(["--now", now] if now else [])]
        self.process = subprocess.Popen(
            [*program, "serve", "--port", str(port)],
            env=os.environ | {"PYTHONPATH": str(ROOT)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        if not line_with(self.process, "Serving"):
            raise AssertionError(self.process.communicate()[1])
        self.client = httpx.Client(base_url=self.url, timeout=60)

    def get(self, path: str, **headers: str) -> httpx.Response:
        """Ask for a page; a redirect is an answer."""
        return self.client.get(path.removeprefix(self.url), headers=headers)

    def post(self, path: str, **fields: str | list[str]) -> httpx.Response:
        """Send a form."""
        return self.client.post(path.removeprefix(self.url), data=fields)

    def ask(self, address: str = "ada@example.org", *newsletters: str, **fields: str | list[str]) -> httpx.Response:
        """Subscribe on the page."""
        return self.post("/subscribe", email=address, newsletter=list(newsletters or ("weekly",)), **fields)

    def mails(self, address: str, count: int = 1) -> list[EmailMessage]:
        """The messages in the outbox for an address, when there are so many."""
        return until(lambda: (found := self._mails(address)) if len(self._mails(address)) >= count else None)

    def link(self, address: str = "ada@example.org", page: str = "confirm", count: int = 1) -> str:
        """The link of a kind in the newest message to an address."""
        return link_in(self.mails(address, count)[-1], page)

    def subscribed(self, address: str = "ada@example.org", *newsletters: str, **fields: str | list[str]) -> str:
        """Subscribe and confirm; return the path of the person's own page."""
        self.ask(address, *newsletters, **fields)
        page = self.post(self.link(address), do="confirm")
        assert page.status_code == 200, page.text
        return re.search(r'href="(/preferences/[^"]+)"', page.text)[1]

    def rows(self) -> dict[str, list[Any]]:
        """Every row of every table, on either database."""
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
        """Everything that is kept of somebody."""
        return dict(self.project.ok("subscribers", "show", address, "--json").json)

    def end(self) -> tuple[int, str]:
        """Say stop; return the exit code and the log."""
        self.client.close()
        self.process.send_signal(signal.SIGTERM)
        _, said = self.process.communicate(timeout=60)
        return self.process.returncode, said

    def _mails(self, address: str) -> list[EmailMessage]:
        files = sorted((self.project.root / "outbox/new").glob("*.eml"), key=lambda path: path.stat().st_mtime_ns)
        found = [parse(path.read_bytes()) for path in files]
        return [message for message in found if message["To"].addresses[0].addr_spec == address]


def link_in(message: EmailMessage, page: str) -> str:
    """The link of a kind in the plain text of a message, the same as in its HTML."""
    text, html = (message.get_body((kind,)).get_content() for kind in ("plain", "html"))
    found = re.search(rf"http\S+/{page}/\S+", text)
    assert found, text
    assert found[0] in html
    return found[0]


def line_with(process: subprocess.Popen[str], word: str) -> str:
    """Wait for a line with a word on a program's stdout, and return it; "" where it ends, or takes a minute."""
    assert process.stdout is not None
    limit = threading.Timer(60, process.kill)
    limit.start()
    try:
        return next((line for line in process.stdout if word in line), "")
    finally:
        limit.cancel()


def until(find: Callable[[], T | None], log: Callable[[], str] = str) -> T:
    """Wait until something is there, a minute at most. log: what to show where it does not come."""
    limit = time.monotonic() + 60
    while not (found := find()):
        assert time.monotonic() < limit, log()[-3000:]
        time.sleep(0.02)
    return found


def configure(project: Project, port: int, more: str = "", newsletters: str = NEWSLETTERS, web: str = "") -> None:
    """Let a project be served at a port of this machine."""
    project.configure(
        f'{more}\n[web]\npublic_url = "http://127.0.0.1:{port}"\n{web or "client_limit = 100000"}\n', newsletters
    )


@contextmanager
def serving(
    project: Project, more: str = "", *, newsletters: str = NEWSLETTERS, web: str = "", now: str = ""
) -> Iterator[Serving]:
    """A server of a project. However it is treated, it ends well, shows no traceback and logs nobody's address."""
    port = free_port()
    configure(project, port, more, newsletters, web)
    running = Serving(project, port, now=now)
    try:
        yield running
    except BaseException:
        running.process.kill()
        sys.stderr.write(running.process.communicate()[1][-3000:])
        raise
    code, log = running.end()
    sys.stderr.write(log)
    (project.root / "serve.log").write_text(log)
    assert code == 0, log
    assert "Traceback" not in log
    assert "example.org" not in re.sub("…@example.org", "", log)


def database(root: Path) -> bytes:
    """Every byte of the database's files."""
    return b"".join(path.read_bytes() for path in sorted((root / ".publisher").glob("publisher.db*")))
