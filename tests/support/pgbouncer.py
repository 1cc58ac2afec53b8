"""PgBouncer in transaction mode, in front of the PostgreSQL server of a test run."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from sqlalchemy.engine import make_url

from benchmarks.free_ports import free_port
from tests.support.needs import need
from tests.support.sink import await_listener

SETTINGS = """\
[databases]
* = host={host} port={port} user={role}

[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {own}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = 3
max_client_conn = 200
server_reset_query_always = 0
logfile =
pidfile =
"""


@contextmanager
def pgbouncer(url: str) -> Iterator[str]:
    """Run PgBouncer in front of the server of a database; yield the URL that leads through it.

    PgBouncer gives each transaction one of three connections. It rejects a search path in the URL, so the search path
    is set for the role of the URL.
    """
    program, server = need("pgbouncer"), make_url(url)
    folder = Path(tempfile.mkdtemp(prefix="publisher-pgbouncer-"))
    folder.chmod(0o755)
    port = free_port()
    host, _, _ = str(server.query.get("host", server.host)).partition("?")
    role = f"pooled_{port}"
    text = SETTINGS.format(host=host, port=server.port or 5432, own=port, role=role)
    (folder / "pgbouncer.ini").write_text(text)
    with psycopg.connect(url, autocommit=True) as connection:
        (path,) = connection.execute("SHOW search_path").fetchone() or ("public",)
        connection.execute(f"CREATE ROLE {role} SUPERUSER LOGIN".encode())
        connection.execute(f"ALTER ROLE {role} SET search_path TO {path}".encode())
    user = ["-u", Path(host).owner()] if os.geteuid() == 0 else []  # PgBouncer refuses to run as root
    process = subprocess.Popen(
        [program, *user, str(folder / "pgbouncer.ini")], stdout=subprocess.DEVNULL, stderr=(folder / "log").open("wb")
    )
    try:
        await_listener(process, port)
        yield f"postgresql://{role}@127.0.0.1:{port}/{server.database}"
    except BaseException:
        sys.stderr.write((folder / "log").read_text()[-3000:])
        raise
    finally:
        process.terminate()
        process.wait(300)
        shutil.rmtree(folder, ignore_errors=True)
