"""The parent's side of the child processes: it has them started, notices when they end, and can kill them.

The parent has many threads, and a process that forks while other threads hold locks may hang. So it starts one process
with a single thread (`starter`), which forks the others: within milliseconds, with everything loaded. They survive if
the starter dies. When the parent dies, the kernel closes its end of a pipe, the lifeline, and ends them.
"""

from __future__ import annotations

import os
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from enum import Enum
from multiprocessing.connection import Connection
from queue import Empty, SimpleQueue
from typing import Any

from publisher.config import Config
from publisher.core.errors import PublisherError
from publisher.core.frozen import dataclass
from publisher.core.logging import log

WEB, BUILD = b"W", b"B"
"""The kinds of processes that the starter can start."""

STARTED, ENDED = b"S", b"E"
RECORD = struct.Struct("=cii")
"""What the starter reports: STARTED or ENDED, the process id, and the status as os.waitpid returns it."""

START_SECONDS = 60.0
END_SECONDS = 2.0
STEADY_SECONDS = 5.0
"""A starter that ends sooner than this is replaced only when the next process is to be started."""


@dataclass(frozen=True, slots=True)
class ServedProject:
    """The project that the web application is to serve from now on.

    number  identifies this request in the answer
    ahead   how far the project's clock is ahead of the host's
    """

    number: int
    config: Config
    ahead: timedelta

    def now(self) -> datetime:
        """Return the project's current time."""
        return datetime.now(UTC) + self.ahead


class WebOrder(Enum):
    """An order from the parent to the web application, other than an order to serve a project."""

    END = "end"
    HURRY = "hurry"


class WebEvent(Enum):
    """An event that the web application reports, together with a project's number or 0, and an error or None."""

    OPENED = "opened"
    REFUSED = "refused"
    AWAY = "away"  # the database is unavailable, and the application keeps trying
    ANSWERS = "answers"
    ALIVE = "alive"
    ENDED = "ended"  # noted by the parent itself


@dataclass(frozen=True, slots=True)
class BuildOrder:
    """The parent's order to build the site as it should be at `now`."""

    config: Config
    now: datetime


class BuildNote:
    """A note that a build writes and the parent reads, even if the build has been killed or does not respond.

    It has a count, which shows whether the build makes progress, and a name: the post or file being processed.
    """

    _HEAD, _MOST = struct.Struct("=QH"), 4_000

    def __init__(self, file: int | None = None) -> None:
        """Create a note, or use the one in a file that is already open."""
        self.file = _nameless_file() if file is None else file
        self._count = 0

    def write(self, name: str) -> None:
        """Increase the count, and replace the name unless the new one is empty."""
        self._count += 1
        known = name.encode("utf-8", "replace")[-self._MOST :]
        head = self._HEAD.pack(self._count, len(known))
        os.pwrite(self.file, head + known if known else head[:8], 0)

    def read(self) -> tuple[int, str]:
        """Return the count and the name."""
        head = os.pread(self.file, self._HEAD.size, 0)
        if len(head) < self._HEAD.size:
            return int.from_bytes(head, sys.byteorder), ""
        count, length = self._HEAD.unpack(head)
        return count, os.pread(self.file, length, self._HEAD.size).decode("utf-8", "replace")

    def close(self) -> None:
        """Close the file."""
        os.close(self.file)


def _nameless_file() -> int:
    if hasattr(os, "memfd_create"):
        return os.memfd_create("publisher")
    with tempfile.TemporaryFile() as file:
        return os.dup(file.fileno())


class ChildError(PublisherError):
    """A child process could not be started, or ended before it was done."""


class Child:
    """A child process, with a connection on which both sides send objects. Closing it lets the process end."""

    def __init__(self, pid: int, wire: socket.socket, lifeline: int) -> None:
        """Take over our end of the connection and of the lifeline."""
        self.pid, self._wire, self._lifeline = pid, wire, lifeline
        self.connection: Connection[Any, Any] = Connection(os.dup(wire.fileno()))
        self._over, self._status = threading.Event(), -1
        self._orphaned = False

    def ended(self, status: int) -> None:
        """Note that the process has ended. No thread waits for its messages any longer."""
        self._status = status
        with suppress(OSError):
            self._wire.shutdown(socket.SHUT_RDWR)
        self._over.set()

    def orphan(self) -> None:
        """Note that no one will report the end of the process. Its connection will still be closed."""
        self._orphaned = True

    def wait(self, seconds: float) -> bool:
        """Wait until the process has ended, or the time is over; return whether it has ended."""
        until = time.monotonic() + seconds
        while self._orphaned and not self._over.wait(0.05) and time.monotonic() < until:
            try:
                os.kill(self.pid, 0)
            except ProcessLookupError:
                self._over.set()
        return self._over.wait(max(0.0, until - time.monotonic()))

    def kill(self) -> None:
        """Kill the process."""
        if not self._over.is_set():
            with suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)

    def close(self) -> None:
        """Close the connection, and end the process if it is still running. Call this once, when no thread uses it."""
        self.connection.close()
        self._wire.close()
        os.close(self._lifeline)

    @property
    def code(self) -> int | None:
        """The exit code of the ended process, or the negative number of a signal; None if it is not known."""
        return None if self._status == -1 else os.waitstatus_to_exitcode(self._status)

    @property
    def how(self) -> str:
        """How the process ended, such as "killed by SIGKILL" or "exit code 1"."""
        code = self.code
        if code is None:
            return "nobody knows how"
        if code >= 0:
            return f"exit code {code}"
        return f"killed by {signal.Signals(-code).name if -code in set(signal.Signals) else f'signal {-code}'}"


class Children:
    """The starter of child processes, and the processes that it has started."""

    def __init__(self, listeners: Sequence[socket.socket]) -> None:
        """Start the starter, without waiting for it.

        listeners  the listening sockets, which the web application gets
        """
        self._listeners = listeners
        self._lock = threading.Lock()
        self._over = False
        self._starter = _Starter(listeners, self._replace)

    def start(self, kind: bytes, *files: int) -> Child:
        """Start a process, WEB or BUILD, and return it. If the starter has died, replace it first.

        files  file descriptors that the process gets
        Raises ChildError if the process cannot be started.
        """
        with self._lock:
            if self._over:
                raise ChildError("no process can be started during the shutdown")
            try:
                if self._starter.alive:
                    with suppress(ChildError, ConnectionError):
                        return self._starter.start(kind, files)
                self._starter = _Starter(self._listeners, self._replace)
                return self._starter.start(kind, files)
            except OSError as error:
                raise ChildError(f"a process cannot be started: {error.strerror}") from error

    def _replace(self, ended: _Starter) -> None:
        """If a starter has ended, start another immediately, so that nothing has to wait for it later."""
        with self._lock:
            if self._over or self._starter is not ended or time.monotonic() - ended.began < STEADY_SECONDS:
                return
            log("starter ended", "the process that starts the others ended; it is being restarted", level="warning")
            with suppress(OSError):
                self._starter = _Starter(self._listeners, self._replace)

    def end(self) -> None:
        """End the starter. Any remaining process ends with this one."""
        with self._lock:
            self._over = True
            self._starter.end()


class _Starter:
    """One process that forks the others, and a thread that reads its reports."""

    def __init__(self, listeners: Sequence[socket.socket], ended: Callable[[_Starter], None]) -> None:
        self._report, self.began = ended, time.monotonic()
        self._control, theirs = socket.socketpair()
        numbers = [theirs.fileno(), *(listener.fileno() for listener in listeners)]
        with theirs:
            self._process = subprocess.Popen(  # noqa: S603 - our own program
                # -P: no module in the project's folder may replace one of ours.
                [sys.executable, "-P", "-m", "publisher.daemon.starter", *map(str, numbers)],
                env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                pass_fds=numbers,
                # A terminal sends Ctrl-C to all processes of the group, but only the parent knows the right order.
                process_group=0,
            )
        self.alive = True
        # Our ends of the connection and the lifeline of the process that is being started.
        self._ours: tuple[socket.socket, int] | None = None
        self._started: SimpleQueue[Child | None] = SimpleQueue()
        self._children: dict[int, Child] = {}
        self._thread = threading.Thread(target=self._read, name="children", daemon=True)
        self._thread.start()

    def start(self, kind: bytes, files: Sequence[int]) -> Child:
        """Start a process. Only one thread at a time may call this."""
        wire, theirs = socket.socketpair()
        lifeline, ours = os.pipe()
        self._ours = wire, ours
        child = None
        try:
            with theirs:
                socket.send_fds(self._control, [kind], [theirs.fileno(), lifeline, *files])
            with suppress(Empty):
                child = self._started.get(timeout=START_SECONDS)
        finally:
            os.close(lifeline)
            if child is None:
                wire.close()
                os.close(ours)
                self._process.kill()
        if child is None:
            raise ChildError("the process that starts the others has ended")
        return child

    def end(self) -> None:
        """End the process."""
        with suppress(OSError):
            self._control.shutdown(socket.SHUT_RDWR)
        self._thread.join(END_SECONDS)
        self._process.kill()

    def _read(self) -> None:
        """Read the reports until the process ends."""
        with self._control:
            while record := self._next():
                what, pid, status = RECORD.unpack(record)
                if what == STARTED and self._ours is not None:
                    self._children[pid] = Child(pid, *self._ours)
                    self._started.put(self._children[pid])
                elif pid in self._children:
                    self._children.pop(pid).ended(status)
        self._process.kill()
        self._process.wait()
        self.alive = False
        self._started.put(None)
        for child in self._children.values():
            child.orphan()
        self._report(self)

    def _next(self) -> bytes:
        with suppress(OSError):
            record = self._control.recv(RECORD.size, socket.MSG_WAITALL)
            return record if len(record) == RECORD.size else b""
        return b""
