"""Starts and ends senders in their own processes (see benchmarks.deliverer)."""

from __future__ import annotations

import signal
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.deliverer import deliver_all
from benchmarks.forking import PROCESSES


@dataclass(frozen=True, slots=True)
class Order:
    """The settings of a sender. servers: the keys of each mail server. more: see benchmarks.deliverer."""

    url: str
    folder: Path
    servers: tuple[dict[str, Any], ...]
    on_uncertain: str = "resend"
    more: tuple[tuple[str, float | str], ...] = ()

    def words(self) -> dict[str, Any]:
        """Return the settings as benchmarks.deliverer reads them."""
        told = {"url": self.url, "folder": str(self.folder), "servers": self.servers, "on_uncertain": self.on_uncertain}
        return told | dict(self.more)


class Sender:
    """A sender whose process has been started; it begins to send after `go`."""

    def __init__(self, order: Order) -> None:
        self.order = order
        self._line, theirs = PROCESSES.Pipe()
        self.process = PROCESSES.Process(target=deliver_all, args=(order.words(), theirs))
        self.process.start()
        theirs.close()

    @property
    def running(self) -> bool:
        """Whether its process is running."""
        return self.process.is_alive()

    def go(self) -> None:
        """Let the sender begin as soon as it is ready."""
        try:
            self._line.recv()
        except EOFError as error:
            raise RuntimeError("the sender did not start") from error
        self._line.send("go")

    def kill(self) -> bool:
        """Kill the process with SIGKILL; return whether it was still running."""
        was_running = self.running
        self.process.kill()
        self.process.join()
        return was_running and self.process.exitcode == -signal.SIGKILL

    def stop(self) -> str:
        """End a sender that looks for work until it is told to stop; return its errors."""
        self._line.send("stop")
        return self.finish()

    def finish(self) -> str:
        """Wait until the sender ends; return the error that it reported, or ""."""
        try:
            said = str(self._line.recv()) if self._line.poll(600) else "it did not end"
        except EOFError:
            said = "it ended without a word"
        self.process.join(timeout=600)
        return said


def deliver(order: Order) -> str:
    """Run one sender to its end; return its error."""
    sender = Sender(order)
    sender.go()
    return sender.finish()
