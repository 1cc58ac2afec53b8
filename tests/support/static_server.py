"""Real web servers on loopback for a folder of files: the standard library's, which records requests, and nginx."""

from __future__ import annotations

import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from benchmarks.free_ports import free_port
from tests.support.needs import need

MEDIA_TYPES = {".xml": "application/xml", ".json": "application/feed+json", ".html": "text/html; charset=utf-8"}


@dataclass
class Asked:
    """One request: its path, its validators, and the status of the answer."""

    path: str
    if_none_match: str
    if_modified_since: str
    status: int


@dataclass
class Site:
    """A running server: its URL, and the requests that it got."""

    url: str
    asked: list[Asked] = field(default_factory=list)

    def statuses(self, path: str) -> list[int]:
        """Return the statuses of the answers for one path, in order."""
        return [asked.status for asked in self.asked if asked.path == path]


class _Handler(SimpleHTTPRequestHandler):
    """Answers like a static server: with Last-Modified and ETag, and with 304 to a request with either."""

    extensions_map = MEDIA_TYPES

    def __init__(self, *args: object, site: Site, directory: str) -> None:
        self._site = site
        super().__init__(*args, directory=directory)  # type: ignore[arg-type]

    def send_head(self):  # type: ignore[no-untyped-def]
        tag = self._tag()
        if tag and self.headers.get("If-None-Match") == tag:
            self.send_response(304)
            self.end_headers()
            return None
        return super().send_head()

    def end_headers(self) -> None:
        if tag := self._tag():
            self.send_header("ETag", tag)
        super().end_headers()

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        told = self.headers.get
        self._site.asked.append(Asked(self.path, told("If-None-Match", ""), told("If-Modified-Since", ""), int(code)))

    def log_message(self, *args: object) -> None:
        pass

    def _tag(self) -> str:
        path = Path(self.translate_path(self.path))
        if not path.is_file():
            return ""
        status = path.stat()
        return f'"{status.st_mtime_ns:x}-{status.st_size:x}"'


@contextmanager
def serve(folder: Path) -> Iterator[Site]:
    """Serve a folder with the standard library's server."""
    site = Site("")
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_Handler, site=site, directory=str(folder))) as server:
        site.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield site
        finally:
            server.shutdown()
            thread.join()


_NGINX = """\
daemon off;
master_process off;
pid {state}/pid;
error_log {state}/error.log;
events {{}}
http {{
    access_log {state}/access.log;
    client_body_temp_path {state}/body; proxy_temp_path {state}/proxy; fastcgi_temp_path {state}/fastcgi;
    uwsgi_temp_path {state}/uwsgi; scgi_temp_path {state}/scgi;
    types {{ application/xml xml; application/feed+json json; text/html html; }}
    server {{ listen 127.0.0.1:{port}; root {folder}; {more} }}
}}
"""


@contextmanager
def serve_with_nginx(folder: Path, state: Path, more: str = "") -> Iterator[Site]:
    """Serve a folder with nginx in its default configuration; requests are not recorded.

    more  additional lines of its server block
    """
    port = free_port()
    state.mkdir()
    (state / "nginx.conf").write_text(_NGINX.format(state=state, port=port, folder=folder, more=more))
    program = need("nginx")
    process = subprocess.Popen([program, "-c", str(state / "nginx.conf"), "-p", str(state)], stderr=subprocess.DEVNULL)
    try:
        wait_for(port, process)
        yield Site(f"http://127.0.0.1:{port}")
    finally:
        process.terminate()
        process.wait()


def wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    """Wait until a process listens on a port; raise RuntimeError if it ends instead."""
    while process.poll() is None:
        with socket.socket() as attempt:
            if attempt.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.01)
    raise RuntimeError(f"the web server ended with {process.returncode}")
