"""Postfix's smtp-sink for proofs: with faults, and with a record of all accepted messages."""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

from benchmarks.free_ports import free_port

# This line precedes each message in the record; no message contains it.
_CUT = "=====one more message====="


@dataclass(frozen=True, slots=True)
class Taken:
    """One message as received by the sink. digest: of its bytes, without the header added by the sink."""

    recipient: str
    message_id: str
    digest: str


@dataclass
class Sink:
    """A running smtp-sink.

    record   a file of all messages, in order of arrival
    refuses  it rejects every message at its end, but records it nevertheless
    """

    port: int
    record: Path
    process: subprocess.Popen[bytes]
    refuses: bool = False
    _read: int = field(default=0, init=False)
    _count: int = field(default=0, init=False)

    def count(self) -> int:
        """Return how many messages have arrived; only new ones are read."""
        if self.record.exists():
            with self.record.open("rb") as file:
                file.seek(self._read)
                new = file.read()
            whole = new.rfind(b"\n") + 1
            self._count += new[:whole].count(_CUT.encode() + b"\n")
            self._read += whole
        return self._count

    def taken(self) -> list[Taken]:
        """Return every message."""
        text = self.record.read_bytes().decode("utf-8", "surrogateescape") if self.record.exists() else ""
        return [_message(part) for part in text.split(f"{_CUT}\n")[1:]]

    def stop(self) -> None:
        """Kill the server, as if its machine were switched off."""
        self.process.kill()
        self.process.wait()


@contextmanager
def sink(folder: Path, *options: str, port: int = 0) -> Iterator[Sink]:
    """Run smtp-sink with these options until the block ends. folder: for its record; an existing one is continued."""
    folder.mkdir(parents=True, exist_ok=True)
    record, port = folder / "taken", port or free_port()
    user = ["-u", "root"] if os.geteuid() == 0 else []
    words = [program("smtp-sink"), *user, "-D", str(record), "-S", f"{_CUT}\\n", *options, f"127.0.0.1:{port}", "1000"]
    process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    refusals = [one for sign, one in pairwise(options) if sign in ("-f", "-r", "-Q")]
    running = Sink(port, record, process, "." in refusals)
    try:
        if "CONNECT" not in " ".join(options):
            _await(process, port)
        yield running
    finally:
        running.stop()


@dataclass
class Tally:
    """A running smtp-sink whose messages are counted as they arrive instead of being stored.

    port    on which it listens
    copies  how many messages each recipient got, by the number in the address (see benchmarks.editions.address)
    others  messages to other addresses
    marks   (seconds of time.monotonic(), messages that had arrived by then), in order
    """

    port: int
    copies: bytearray
    counters: Path
    others: int = 0
    total: int = 0
    marks: list[tuple[float, int]] = field(default_factory=list)

    @property
    def own_count(self) -> int:
        """The number of messages that the sink itself has counted."""
        found = re.findall(r"mesg=(\d+)", self.counters.read_text(encoding="ascii")[-200:])
        return int(found[-1]) if found else 0

    def read(self, record: int) -> None:
        """Count the messages that arrive through a file descriptor, for ever."""
        rest = b""
        while part := os.read(record, _PIPE_BYTES):
            text = rest + part
            end = text.rfind(b"\n") + 1
            rest = text[end:]
            for recipient in _RECIPIENT.findall(text, 0, end):
                self._take(recipient)
            if not self.marks or self.total > self.marks[-1][1]:
                self.marks.append((time.monotonic(), self.total))

    def _take(self, recipient: bytes) -> None:
        number = _READER.fullmatch(recipient)
        self.total += 1
        if number is None or int(number[1]) >= len(self.copies):
            self.others += 1
        else:
            self.copies[int(number[1])] = min(255, self.copies[int(number[1])] + 1)


_PIPE_BYTES = 1 << 20
_RECIPIENT = re.compile(rb"^X-Rcpt-Args: <(.*?)>", re.MULTILINE)
_READER = re.compile(rb"reader(\d+)@example\.org")


@contextmanager
def tally(folder: Path, recipients: int) -> Iterator[Tally]:
    """Run smtp-sink until the block ends, and count its messages. folder: an existing folder for its counters."""
    pipe, counters, port = folder / "taken", folder / "counters", free_port()
    os.mkfifo(pipe)
    record = os.open(pipe, os.O_RDWR)  # opened for writing, too, because the sink opens and closes it for each message
    fcntl.fcntl(record, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
    user = ["-u", "root"] if os.geteuid() == 0 else []
    words = [program("smtp-sink"), *user, "-c", "-D", str(pipe), f"127.0.0.1:{port}", "1000"]
    found = Tally(port, bytearray(recipients), counters)
    threading.Thread(target=found.read, args=(record,), daemon=True).start()
    with counters.open("wb") as file:
        process = subprocess.Popen(words, stdout=file, stderr=subprocess.DEVNULL)
    try:
        _await(process, port)
        yield found
    finally:
        process.kill()
        process.wait()


def program(name: str) -> str:
    """Return the path of one of Postfix's programs; exit with a hint if it is missing."""
    found = shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if found is None:
        sys.exit(f"{name} is missing: on Debian, apt install postfix")
    return found


def _await(process: subprocess.Popen[bytes], port: int) -> None:
    for _ in range(24_000):  # two minutes
        if process.poll() is not None:
            sys.exit("smtp-sink ended at once")
        with socket.socket() as caller:
            if not caller.connect_ex(("127.0.0.1", port)):
                return
        time.sleep(0.005)
    sys.exit("smtp-sink does not listen")


def _message(part: str) -> Taken:
    envelope, _, rest = part.partition("Received: ")
    message = re.sub(r"\A.*\n(?:[ \t].*\n)*", "", rest)  # the sink's own header has several lines
    recipient = re.search(r"X-Rcpt-Args: <(.*?)>", envelope)
    message_id = re.search(r"(?im)^Message-ID:\s*(<.*?>)", message)
    digest = hashlib.sha256(message.encode("utf-8", "surrogateescape")).hexdigest()
    return Taken(recipient[1] if recipient else "", message_id[1] if message_id else "", digest)
