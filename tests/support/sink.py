"""Postfix's smtp-sink: a mail server that accepts, rejects or drops according to its options, and keeps messages."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.free_ports import free_port
from publisher.config import Relay
from tests.support.needs import need


@dataclass(frozen=True)
class Sink:
    """A running sink: its settings, and the messages that it has accepted."""

    server: Relay
    dump: Path
    process: subprocess.Popen[bytes]

    def taken(self) -> list[tuple[str, str]]:
        """Return recipient and Message-ID of every message, in order of arrival."""
        text = self.dump.read_text("utf-8", "replace") if self.dump.exists() else ""
        heads = [part.partition("\n\n")[0] for part in text.split("X-Client-Addr: ")[1:]]
        return [(_field(head, r"X-Rcpt-Args: <(.*?)>"), _field(head, r"(?i)Message-ID:\s*(<.*?>)")) for head in heads]

    def recipients(self) -> list[str]:
        return [recipient for recipient, _ in self.taken()]


def _field(head: str, pattern: str) -> str:
    found = re.search(pattern, head)
    assert found, head
    return found[1]


@contextmanager
def sink(folder: Path, *options: str, unix: bool = False, port: int = 0, **settings: object) -> Iterator[Sink]:
    """Run smtp-sink with these options until the block ends. settings: for the Relay that leads to it."""
    program = need("smtp-sink")
    folder.mkdir(parents=True, exist_ok=True)
    port = port or free_port()
    path, dump = folder / "socket", folder / "taken"
    place = f"unix:{path}" if unix else f"127.0.0.1:{port}"
    user = ["-u", "root"] if os.geteuid() == 0 else []
    process = subprocess.Popen(
        [program, *user, "-D", str(dump), *options, place, "500"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    scheme = "lmtp" if "-L" in options else "smtp"
    url = f"{scheme}+unix://{path}" if unix else f"{scheme}://127.0.0.1:{port}"
    try:
        await_listener(process, path if unix else port)
        yield Sink(Relay(**{"url": url, "tls": "none", "timeout": 600} | settings), dump, process)  # type: ignore[arg-type]
    finally:
        process.kill()
        process.wait()


def await_listener(process: subprocess.Popen[bytes], place: Path | int) -> None:
    """Wait until a server listens on a socket or port. Fails if its process ends, or after a minute."""
    is_file = isinstance(place, Path)
    family, address = (socket.AF_UNIX, str(place)) if is_file else (socket.AF_INET, ("127.0.0.1", place))
    for _ in range(6_000):
        assert process.poll() is None, "the server ended"
        with socket.socket(family) as caller:
            if not caller.connect_ex(address):  # the file of a socket exists before the server listens
                return
        time.sleep(0.01)
    raise AssertionError("the server is not listening")
