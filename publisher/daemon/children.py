"""The parent's side of the child processes: it has them started, hears of their end, and can kill them.

The parent has many threads, and a process that forks while other threads hold locks may hang. So it starts one process
with a single thread (`starter`), and that one forks the others: within milliseconds, with everything loaded. They end
when the parent does, since the kernel then closes its end of their connections.
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
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum
from multiprocessing.connection import Connection
from queue import Empty, SimpleQueue
from typing import Any

from publisher.config import Config
from publisher.core.errors import PublisherError

WEB, BUILD = b"W", b"B"
"""What the starter is asked to start."""

STARTED, ENDED = b"S", b"E"
RECORD = struct.Struct("=cii")
"""What the starter reports: STARTED or ENDED, the process id, and the status as os.waitpid returns it."""

START_SECONDS = 60.0
END_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class ServedProject:
    """The project that the web application is to serve from now on.

    number  names this wish in the answer
    ahead   how far the project's clock is ahead of the host's
    """

    number: int
    config: Config
    ahead: timedelta

    def now(self) -> datetime:
        """Return the project's current time."""
        return datetime.now(UTC) + self.ahead


class WebOrder(Enum):
    """What the parent asks of the web application, besides serving a project."""

    END = "end"
    HURRY = "hurry"


class WebEvent(Enum):
    """What the web application reports: this, the number of the project or 0, and the error or None."""

    OPENED = "opened"
    REFUSED = "refused"
    AWAY = "away"  # the database is away, and the application tries again until it is there
    ANSWERS = "answers"
    ALIVE = "alive"
    ENDED = "ended"  # noted by the parent itself


@dataclass(frozen=True, slots=True)
class BuildOrder:
    """What the parent asks of a build: the site as it is at `now`."""

    config: Config
    now: datetime


class BuildNote:
    """A note that a build writes and the parent reads, also when the build has been killed or does not respond.

    It has a count, which shows whether the build makes progress, and a name: the post or the file that is in hand.
    """

    _HEAD, _MOST = struct.Struct("=QH"), 4_000

    def __init__(self, file: int | None = None) -> None:
        """Create a note, or use the one in a file that is open already."""
        self.file = _nameless_file() if file is None else file
        self._count = 0

    def write(self, name: str) -> None:
        """Count, and replace the name unless the new one is empty."""
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

    def __init__(self, pid: int, wire: socket.socket) -> None:
        self.pid, self._wire = pid, wire
        self.connection: Connection[Any, Any] = Connection(os.dup(wire.fileno()))
        self._over, self._status = threading.Event(), 0

    def ended(self, status: int) -> None:
        """Note that the process has ended. No thread waits for its messages any longer."""
        self._status = status
        with suppress(OSError):
            self._wire.shutdown(socket.SHUT_RDWR)
        self._over.set()

    def wait(self, seconds: float) -> bool:
        """Wait until the process has ended; return whether it has."""
        return self._over.wait(seconds)

    def kill(self) -> None:
        """End the process at once."""
        if not self._over.is_set():
            with suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)

    def close(self) -> None:
        """Close the connection. Call it once, when no thread uses it any longer."""
        self.connection.close()
        self._wire.close()

    @property
    def code(self) -> int:
        """The exit code of the process that has ended, or the negative number of the signal that killed it."""
        return os.waitstatus_to_exitcode(self._status)

    @property
    def how(self) -> str:
        """How the process ended, such as "killed by SIGKILL" or "exit code 1"."""
        code = self.code
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
        self._starter = _Starter(listeners)

    @property
    def starter_pid(self) -> int:
        """The process id of the starter."""
        return self._starter.pid

    def start(self, kind: bytes, *files: int) -> Child:
        """Start a process, WEB or BUILD, and return it. If the starter has died, there is a new one.

        files  file descriptors that the process gets
        Raises ChildError if that is impossible.
        """
        with self._lock:
            if self._over:
                raise ChildError("no process can be started during the shutdown")
            try:
                if not self._starter.alive:
                    self._starter = _Starter(self._listeners)
                return self._starter.start(kind, files)
            except OSError as error:
                raise ChildError(f"a process cannot be started: {error.strerror}") from error

    def end(self) -> None:
        """End the starter, and with it every process that is left."""
        with self._lock:
            self._over = True
            self._starter.end()


class _Starter:
    """One process that forks the others, and a thread that reads its reports."""

    def __init__(self, listeners: Sequence[socket.socket]) -> None:
        self._control, theirs = socket.socketpair()
        numbers = [theirs.fileno(), *(listener.fileno() for listener in listeners)]
        with theirs:
            self._process = subprocess.Popen(  # noqa: S603 - our own program
                # -P: no module in the project's folder may take the place of one of ours.
                [sys.executable, "-P", "-m", "publisher.daemon.starter", *map(str, numbers)],
                env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                pass_fds=numbers,
                # A terminal sends Ctrl-C to all processes of the group, but only the parent knows the right order.
                process_group=0,
            )
        self.pid = self._process.pid
        self.alive = True
        self._wire: socket.socket | None = None  # our end of the connection to the process that is being started
        self._started: SimpleQueue[Child | None] = SimpleQueue()
        self._children: dict[int, Child] = {}
        self._thread = threading.Thread(target=self._read, name="children", daemon=True)
        self._thread.start()

    def start(self, kind: bytes, files: Sequence[int]) -> Child:
        """Start a process. Only one thread at a time may call this."""
        self._wire, theirs = socket.socketpair()
        with theirs:
            socket.send_fds(self._control, [kind], [theirs.fileno(), *files])
        child = None
        with suppress(Empty):
            child = self._started.get(timeout=START_SECONDS)
        if child is None:
            self._wire.close()
            self._process.kill()
            raise ChildError("the process that starts the others has ended")
        return child

    def end(self) -> None:
        """End the process, and thereby those that it has started."""
        with suppress(OSError):
            self._control.shutdown(socket.SHUT_RDWR)
        self._thread.join(END_SECONDS)
        self._process.kill()

    def _read(self) -> None:
        """Read the reports until the process ends."""
        with self._control:
            while record := self._next():
                what, pid, status = RECORD.unpack(record)
                if what == STARTED and self._wire is not None:
                    self._children[pid] = Child(pid, self._wire)
                    self._started.put(self._children[pid])
                elif pid in self._children:
                    self._children.pop(pid).ended(status)
        self._process.kill()
        self._process.wait()
        self.alive = False
        self._started.put(None)
        for child in self._children.values():
            child.ended(signal.SIGKILL)

    def _next(self) -> bytes:
        with suppress(OSError):
            record = self._control.recv(RECORD.size, socket.MSG_WAITALL)
            return record if len(record) == RECORD.size else b""
        return b""
