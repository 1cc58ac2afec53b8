"""The preview in this process, and a browser's requests. Tests of the process use tests.support.preview_server."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from html import unescape

import httpx

from publisher.web.preview.live_project import LiveProject
from publisher.web.preview.routes import make_preview
from tests.support.project import MONDAY, Project
from tests.support.web_client import clock, in_process

URL = "http://127.0.0.1:8017"


class PreviewClient:
    """A client of the preview of a project."""

    def __init__(self, url: str, transport: httpx.BaseTransport | None = None) -> None:
        self.url = url
        self.client = httpx.Client(base_url=url, timeout=60, transport=transport, verify=False)

    def get(self, path: str, **query: str) -> httpx.Response:
        """Request a page like a browser."""
        return self.client.get(path, params=query or None, follow_redirects=True)

    def page(self, path: str = "/letters/weekly/next", **query: str) -> str:
        """Return the text of a page, with character references resolved."""
        answer = self.get(path, **query)
        assert answer.status_code == 200, answer.text
        return unescape(answer.text)

    def token(self) -> str:
        """Return the token in the form of an email's page."""
        found = re.search(r'name="token" value="([^"]+)"', self.get("/letters/weekly/next").text)
        assert found
        return found[1]


@contextmanager
def preview_client(project: Project, now: str = MONDAY) -> Iterator[PreviewClient]:
    """Yield a client of the preview of a project."""
    live = LiveProject(project.root, lambda config: clock(now, config)())
    try:
        with in_process(make_preview(live, project.root, lambda: False)) as transport:
            yield PreviewClient(URL, transport)
    finally:
        live.close()
