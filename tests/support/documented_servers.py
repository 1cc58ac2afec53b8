"""nginx and Caddy, run with the blocks of docs/deployment.md; only names and ports are replaced."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.free_ports import free_port
from tests.support import ROOT
from tests.support.needs import need
from tests.support.static_server import wait_for

_HTTP = """\
daemon off;
master_process off;
pid {state}/pid;
error_log {state}/error.log;
events {{}}
http {{
    include /etc/nginx/mime.types;
    default_type application/octet-stream;
    access_log {state}/access.log;
    client_body_temp_path {state}/body; proxy_temp_path {state}/proxy; fastcgi_temp_path {state}/fastcgi;
    uwsgi_temp_path {state}/uwsgi; scgi_temp_path {state}/scgi;
{block}
}}
"""
_CADDY = "{{\n\tadmin off\n\tauto_https off\n\tstorage file_system {state}\n}}\n{block}"


def blocks(language: str) -> list[str]:
    """Return the blocks of a language in docs/deployment.md, in order."""
    page = (ROOT / "docs/deployment.md").read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)


@contextmanager
def documented_nginx(folder: Path, state: Path, application: str, public_url: str = "", port: int = 0) -> Iterator[str]:
    """Serve a folder with nginx, which passes all other requests to an application; yield the URL.

    public_url  replaces the documented name in the policy; by default the URL that is yielded
    """
    server, *added = (block for block in blocks("nginx"))
    assert len(added) == 2
    assert all("proxy_pass" in block for block in added)
    port = port or free_port()
    url = f"http://127.0.0.1:{port}"
    passed = "".join(added).replace("gzip off;", "gzip off; add_header X-Passed-On yes always;")
    block = server.replace("    location / {", passed + "    location / {", 1)
    block = block.replace("https://letters.example.org", public_url or url)
    block = block.replace("server_name letters.example.org;", f"listen 127.0.0.1:{port};")
    block = block.replace("http://127.0.0.1:8018", application).replace("/srv/letter/public", str(folder))
    state.mkdir()
    (state / "nginx.conf").write_text(_HTTP.format(state=state, block=block))
    command = [need("nginx"), "-c", str(state / "nginx.conf"), "-p", str(state)]
    with _running(command, port, state):
        yield url


@contextmanager
def documented_caddy(folder: Path, state: Path, public_url: str = "") -> Iterator[str]:
    """Serve a folder with Caddy; yield the URL. public_url: as for nginx."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    block = blocks("caddy")[0].replace("https://letters.example.org", public_url or url)
    block = block.replace("letters.example.org {", f"{url} {{\n\tbind 127.0.0.1", 1)
    block = block.replace("/srv/letter/public", str(folder))
    state.mkdir()
    (state / "Caddyfile").write_text(_CADDY.format(state=state, block=block))
    command = [need("caddy"), "run", "--config", str(state / "Caddyfile"), "--adapter", "caddyfile"]
    with _running(command, port, state):
        yield url


@contextmanager
def _running(command: list[str], port: int, state: Path) -> Iterator[None]:
    environment = os.environ | {"XDG_DATA_HOME": str(state), "XDG_CONFIG_HOME": str(state)}
    with (state / "said").open("wb") as said:
        process = subprocess.Popen(command, stdout=said, stderr=said, env=environment)
    try:
        wait_for(port, process)
        yield
    finally:
        process.terminate()
        process.wait()
