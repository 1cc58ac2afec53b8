"""How long a client may take to say what it wants: connections that are held open by saying little are closed.

uvicorn bounds only the time between two requests. Its protocol for HTTP/1.1 is extended here by one clock a
connection, which looks at where the request stands whenever bytes came in or an answer is complete.
"""

from __future__ import annotations

import asyncio
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

HEAD_SECONDS = 20.0  # from the connection, or the first byte of a later request, to the end of its head
# From the head to the end of the body. Whoever reads a body answers before, see readers/form.py; this is for
# those that nobody reads, because the answer is already complete.
BODY_SECONDS = 40.0


class PatientProtocol(H11Protocol):
    """HTTP/1.1 with an end to waiting for a request."""

    head_seconds = HEAD_SECONDS
    body_seconds = BODY_SECONDS

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._clock: asyncio.TimerHandle | None = None
        self._waits_for = ""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for the first head."""
        super().connection_made(transport)
        self._wait("head")

    def data_received(self, data: bytes) -> None:
        """Take what came, and wait for the rest of it."""
        super().data_received(data)
        self._look(began=True)

    def on_response_complete(self) -> None:
        """Go on as uvicorn does; what is left of a body is waited for no longer than before."""
        super().on_response_complete()
        self._look(began=False)

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the clock."""
        self._wait("")
        super().connection_lost(exc)

    def _look(self, *, began: bool) -> None:
        """Wait for what is missing. began: bytes came, so that an idle connection is one no more."""
        state = self.conn.their_state
        if state is h11.SEND_BODY:
            self._wait("body")
        else:
            self._wait("head" if began and state is h11.IDLE else "")

    def _wait(self, what: str) -> None:
        """Start the clock for a part of a request, or stop it for ""; one that runs for it already runs on."""
        if what == self._waits_for:
            return
        if self._clock is not None:
            self._clock.cancel()
        self._waits_for = what
        seconds = self.head_seconds if what == "head" else self.body_seconds
        self._clock = self.loop.call_later(seconds, self._give_up) if what else None

    def _give_up(self) -> None:
        if not self.transport.is_closing():
            self.transport.close()
