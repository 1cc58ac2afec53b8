"""A mail server in its own process that only notes when each message arrives.

    python -m benchmarks.arrivals FILE [SECONDS]

Prints the port on which it listens. For each message it adds a line to FILE: the Unix time in seconds, and the
recipient. It answers each message after SECONDS (default 0), and everything else immediately.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast


class _Conversation(asyncio.Protocol):
    """One connection. It accepts everything."""

    def __init__(self, record: IO[str], seconds: float) -> None:
        self._record, self._seconds = record, seconds
        self._buffer = b""
        self._recipient = ""
        self._in_body = self._thinking = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._transport.write(b"220 arrivals ESMTP\r\n")

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        self._go_on()

    def _go_on(self) -> None:
        while not self._thinking:
            end = b"\r\n.\r\n" if self._in_body else b"\r\n"
            first, found, rest = self._buffer.partition(end)
            if not found:
                return
            self._buffer = rest
            if self._in_body:
                self._end_of_body()
            else:
                self._transport.write(self._answer(first))

    def _end_of_body(self) -> None:
        self._in_body = False
        self._record.write(f"{time.time():.6f} {self._recipient}\n")
        if self._seconds:
            self._thinking = True  # later commands are answered afterwards, in order
            asyncio.get_running_loop().call_later(self._seconds, self._take)
        else:
            self._take()

    def _take(self) -> None:
        self._transport.write(b"250 2.0.0 taken\r\n")
        if self._thinking:
            self._thinking = False
            self._go_on()

    def _answer(self, line: bytes) -> bytes:
        word = line[:4].upper()
        if word == b"EHLO":
            return b"250-arrivals\r\n250-PIPELINING\r\n250-8BITMIME\r\n250 SMTPUTF8\r\n"
        if word == b"RCPT":
            self._recipient = line.partition(b"<")[2].partition(b">")[0].decode()
        if word == b"DATA":
            self._in_body = True
            return b"354 go ahead\r\n"
        if word == b"QUIT":
            asyncio.get_running_loop().call_soon(self._transport.close)
            return b"221 2.0.0 goodbye\r\n"
        return b"250 2.0.0 ok\r\n"


@dataclass(frozen=True)
class Arrivals:
    """A running server."""

    port: int
    record: Path
    pid: int

    def times(self) -> list[float]:
        """Return the time at which each message arrived, in order of arrival."""
        return sorted(float(line.split()[0]) for line in self._lines())

    def recipients(self) -> list[str]:
        """Return the recipients, in order of arrival."""
        return [line.split()[1] for line in self._lines()]

    def _lines(self) -> list[str]:
        whole, _, _ = self.record.read_text(encoding="utf-8").rpartition("\n")
        return whole.splitlines()


@contextmanager
def arrivals(folder: Path, seconds: float = 0.0) -> Iterator[Arrivals]:
    """Run the server until the block ends. folder: for its file. seconds: the delay before it answers a message."""
    folder.mkdir(parents=True, exist_ok=True)
    record = folder / "arrivals"
    command = [sys.executable, "-m", "benchmarks.arrivals", str(record), str(seconds)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield Arrivals(int(process.stdout.readline()), record, process.pid)
        finally:
            process.kill()


async def serve(record: Path, seconds: float) -> None:
    """Run the server, which answers each message after this many seconds."""
    with record.open("a", encoding="utf-8", buffering=1) as file:
        server = await asyncio.get_running_loop().create_server(lambda: _Conversation(file, seconds), "127.0.0.1", 0)
        print(server.sockets[0].getsockname()[1], flush=True)
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1]), float(sys.argv[2]) if len(sys.argv) > 2 else 0.0))
