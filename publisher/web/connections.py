"""The connections of the HTTP server: how long each may take, and how many there may be.

A client cannot keep a connection by sending a few bytes now and then, or by not reading its response. Because uvicorn
only limits the time between two requests, this module extends its HTTP/1.1 protocol with timers. They are updated
whenever bytes arrive, a response is complete, or the client has received what was sent.

The number of connections is limited as well, in total and for each client, so that the files and the database can
always be opened. Beyond the limit, a new connection replaces one that is idle or slow; requests that the
application is working on are never dropped.
"""

from __future__ import annotations

import asyncio
import resource
import time
from collections import Counter
from collections.abc import Callable, Sequence
from enum import IntEnum
from typing import TYPE_CHECKING, Any

import h11
from starlette.responses import PlainTextResponse
from uvicorn.protocols.http.h11_impl import H11Protocol

from publisher.core.logging import log
from publisher.web.client_address import UNKNOWN, Clients, household
from publisher.web.responses import public_page_headers

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

# The time from the start of the connection, or the first byte of a later request, to the end of the headers.
HEAD_SECONDS = 20.0
# The time from the headers to the end of the body. Handlers that read a form have a shorter limit (forms.read_form).
# This limit is for bodies that are never read, because the response is already complete.
BODY_SECONDS = 40.0
# The time in which a client must receive each part of the response, at most 64 KB beyond the system's buffers.
TAKE_SECONDS = 40.0

MOST = 2_000
# File descriptors for the rest of the process: the database, files being served, locks, mail.
RESERVE = 256
# How many requests one client behind a proxy may have in progress.
MOST_IN_PROGRESS = 100
# The share of the connections that one client may have.
_SHARE = 4
# The share that is closed in one go, so that not every new connection has to search for the oldest.
_BATCH = 20
_LOG_SECONDS = 60.0

LISTENER = "listener"
"""The key of a request's state that says which socket accepted the connection: 0 for web.listen, 1 for admin.listen."""
MORE_TIME = "more time"
"""The key in a request's state for the function that gives its body some seconds, from now, instead of BODY_SECONDS."""


class Stage(IntEnum):
    """What a connection is waiting for. Connections in a stage with a lower number are closed first."""

    IDLE = 0  # the next request
    HEAD = 1  # the rest of the headers
    BODY = 2  # the rest of the body
    TAKING = 3  # the client, which does not read the response
    WORKING = 4  # the application; such a connection is not closed


class Connections:
    """The open connections of one server. Only the thread of the server uses it."""

    def __init__(
        self,
        most: int | None = None,
        is_proxy: Callable[[str], bool] = lambda peer: False,
        listeners: Sequence[tuple[Any, ...]] = (),
    ) -> None:
        """Create an empty set.

        most       the largest number of connections; by default MOST, or fewer if the process may open few files
        is_proxy   whether the peer with an IP address passes on many clients' requests, so that the limit for one
                   client does not apply to it
        listeners  the addresses of the listening sockets, as the system reports them
        """
        self.most = most or _affordable()
        self.most_of_one = max(1, self.most // _SHARE)
        self._is_proxy, self._listeners = is_proxy, [name[:2] for name in listeners]
        self._open: set[BoundedProtocol] = set()
        self._of: Counter[str] = Counter()
        self._dropped, self._logged_at = 0, -_LOG_SECONDS

    def __len__(self) -> int:
        """Return how many connections are open."""
        return len(self._open)

    def listener_of(self, address: tuple[str, int | None] | None) -> int:
        """Return the number of the socket that accepted a connection to an address; 0 if there is only one."""
        if address in self._listeners:
            return self._listeners.index(address)
        ports = [port for _, port in self._listeners]  # a socket may listen on all addresses
        return ports.index(address[1]) if address and address[1] in ports else 0

    def add(self, connection: BoundedProtocol) -> None:
        """Count a new connection, and close others if there are too many. If none can be closed, close this one."""
        self._open.add(connection)
        self._of[connection.peer] += 1
        if self._of[connection.peer] > self.most_of_one and not self._is_proxy(connection.address):
            self._drop([other for other in self._open if other.peer == connection.peer], connection)
        elif len(self._open) > self.most:
            self._drop(list(self._open), connection)

    def remove(self, connection: BoundedProtocol) -> None:
        """Remove a connection that is closed."""
        if connection in self._open:
            self._open.remove(connection)
            self._of[connection.peer] -= 1
            if not self._of[connection.peer]:
                del self._of[connection.peer]

    def _drop(self, some: list[BoundedProtocol], new: BoundedProtocol) -> None:
        """Close a twentieth of some connections: first idle ones, then those of the client with most, then old ones.

        new  the connection that was just opened, which is closed if no other can be
        """
        closable = [each for each in some if each is not new and each.stage is not Stage.WORKING]
        closable.sort(key=lambda each: (each.stage, -self._of[each.peer], each.since))
        for each in closable[: max(1, len(some) // _BATCH)] or [new]:
            self.remove(each)
            each.drop()
            self._dropped += 1
        self._say()

    def _say(self) -> None:
        now = time.monotonic()
        if now - self._logged_at < _LOG_SECONDS:
            return
        self._logged_at = now
        text = f"too many connections: closed {self._dropped} idle or slow ones (limit {self.most}, for one client "
        text += f"{self.most_of_one})"
        log("connections limited", text, level="warning", closed=self._dropped, limit=self.most)
        self._dropped = 0


class BoundedProtocol(H11Protocol):
    """The HTTP/1.1 protocol, which closes the connection if a request or the receipt of its response takes too long."""

    head_seconds = HEAD_SECONDS
    body_seconds = BODY_SECONDS
    take_seconds = TAKE_SECONDS

    def __init__(self, connections: Connections, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._all = connections
        self._timer: asyncio.TimerHandle | None = None
        self._take_timer: asyncio.TimerHandle | None = None
        self._waits_for = ""
        self.address = self.peer = UNKNOWN
        self.since = self.loop.time()

    @property
    def stage(self) -> Stage:
        """What this connection is waiting for."""
        if self.flow.write_paused:
            return Stage.TAKING
        if self._waits_for:
            return Stage.HEAD if self._waits_for == "head" else Stage.BODY
        return Stage.IDLE if self.cycle is None or self.cycle.response_complete else Stage.WORKING

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Start the timer for the headers of the first request."""
        super().connection_made(transport)
        # Writing pauses while the system has not accepted everything, so that this can be timed.
        transport.set_write_buffer_limits(high=0)
        self.address = self.client[0] if self.client else UNKNOWN
        self.peer = household(self.address)
        self.app_state = self.app_state | {
            LISTENER: self._all.listener_of(self.server),
            MORE_TIME: self.give_time,
        }
        self._wait_for("head")
        self._all.add(self)

    def data_received(self, data: bytes) -> None:
        """Handle received bytes, and update the timer for the rest of the request."""
        super().data_received(data)
        self._update_timer(got_bytes=True)

    def on_response_complete(self) -> None:
        """Complete the response as uvicorn does. The unread rest of a body gets no additional time."""
        super().on_response_complete()
        self.since = self.loop.time()
        self._update_timer(got_bytes=False)

    def pause_writing(self) -> None:
        """Start the timer for a client that has not received everything."""
        super().pause_writing()
        self.since = self.loop.time()
        self._take_timer = self.loop.call_later(self.take_seconds, self.drop)

    def resume_writing(self) -> None:
        """Stop the timer, because the client has received everything."""
        super().resume_writing()
        self._stop_take_timer()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the timers."""
        self._wait_for("")
        self._stop_take_timer()
        self._all.remove(self)
        super().connection_lost(exc)

    def drop(self) -> None:
        """Close the connection immediately, even if something has not been sent yet."""
        self.transport.abort()

    def give_time(self, seconds: float) -> None:
        """Give a body that is still arriving this many more seconds, because its sender may send a file."""
        if self._waits_for == "body" and self._timer is not None:
            self._timer.cancel()
            self._timer = self.loop.call_later(seconds, self._close)

    def _update_timer(self, *, got_bytes: bool) -> None:
        """Set the timer for the part of the request that is missing.

        got_bytes  whether bytes have just arrived, which means that the next request has begun
        """
        state = self.conn.their_state
        if state is h11.SEND_BODY:
            self._wait_for("body")
        else:
            self._wait_for("head" if got_bytes and state is h11.IDLE else "")

    def _wait_for(self, part: str) -> None:
        """Start the timer for a part of the request ("head" or "body"), or stop it ("").

        A timer that is already running for this part is not restarted.
        """
        if part == self._waits_for:
            return
        if self._timer is not None:
            self._timer.cancel()
        self._waits_for = part
        self.since = self.loop.time()
        seconds = self.head_seconds if part == "head" else self.body_seconds
        self._timer = self.loop.call_later(seconds, self._close) if part else None

    def _stop_take_timer(self) -> None:
        if self._take_timer is not None:
            self._take_timer.cancel()
            self._take_timer = None

    def _close(self) -> None:
        if not self.transport.is_closing():
            self.transport.close()


class ProxiedRequests:
    """Wraps the application, and limits how many requests each client behind a proxy has in progress.

    The connections of a proxy belong to many clients, so the limit for each client does not apply to them. A client
    that sends its bodies slowly, or does not read, would otherwise take all of them.
    """

    def __init__(self, app: ASGIApp, clients: Clients, most: int = MOST_IN_PROGRESS) -> None:
        self._app, self._clients, self._most = app, clients, most
        self._of: Counter[str] = Counter()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, with 429 if the client has too many in progress."""
        client = self._clients.behind_proxy(scope) if scope["type"] == "http" else ""
        if not client:
            await self._app(scope, receive, send)
            return
        key = household(client)
        if self._of[key] >= self._most:
            headers = public_page_headers() | {"Retry-After": "5", "Connection": "close"}
            await PlainTextResponse("too many requests at once\n", 429, headers)(scope, receive, send)
            return
        self._of[key] += 1
        try:
            await self._app(scope, receive, send)
        finally:
            self._of[key] -= 1
            if not self._of[key]:
                del self._of[key]


def _affordable() -> int:
    """Return how many connections the process can have open while leaving enough file descriptors for other work."""
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if files == resource.RLIM_INFINITY:
        return MOST
    return max(16, min(MOST, files - min(RESERVE, files // 2)))
