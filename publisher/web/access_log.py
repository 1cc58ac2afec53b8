"""One line for each answer, with nothing in it that belongs to a person: no address, no token, no query."""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from publisher.core.logging import log
from publisher.web.client_address import Clients, shortened_client

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

OWN = (
    "admin",
    "approve",
    "subscribe",
    "confirm",
    "address",
    "preferences",
    "unsubscribe",
    "healthz",
    "metrics",
    "hooks",
)
SITE = "site"


class Log:
    """Wraps the application. told: gets page and status of each answer."""

    def __init__(self, app: ASGIApp, prefix: str, clients: Clients, told: Callable[[str, int], None]) -> None:
        self._app, self._prefix, self._clients, self._told = app, prefix, clients, told

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, then write the line."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        status, began = 0, time.monotonic()

        async def watched(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, watched)
        except Exception as error:  # noqa: BLE001 - it was answered; a traceback could show what belongs to a person
            log("defect", f"defect: {place(error)}", level="error", place=place(error))
        finally:
            page = page_of(scope["path"], self._prefix)
            self._told(page, status)
            shown = shown_path(scope["path"], page, status)
            took = round((time.monotonic() - began) * 1_000)
            client = shortened_client(self._clients.address(scope))
            method = _method(scope["method"])
            line = f"{client} {method} {shown} {status} {took}ms"
            log("answered", line, client=client, method=method, path=shown, status=status, milliseconds=took)


def page_of(path: str, prefix: str) -> str:
    """Return which page a path is: one of ours, or the site's."""
    first = path.removeprefix(prefix).lstrip("/").partition("/")[0]
    return first if path.startswith(f"{prefix}/") and first in OWN else SITE


def shown_path(path: str, page: str, status: int) -> str:
    """Return a path for the log: of ours without what follows, of the site only where something is there."""
    if page != SITE:
        return f"/{page}" if path.rstrip("/").endswith(f"/{page}") else f"/{page}/…"
    plain = path.isascii() and path.isprintable() and " " not in path and "@" not in path
    return path if status in (200, 206, 304) and plain else "…"


def place(error: BaseException) -> str:
    """Return what went wrong by kind and line, without its words, which may hold an address."""
    frames = traceback.extract_tb(error.__traceback__)
    places = [f"{Path(frame.filename).name}:{frame.lineno}" for frame in frames[-4:]]
    return f"{type(error).__name__} in {' > '.join(places)}"


def _method(method: str) -> str:
    return method if method in ("GET", "HEAD", "POST") else "other"
