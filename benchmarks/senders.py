"""Starting senders in processes of their own, see benchmarks.deliverer, and ending them."""

from __future__ import annotations

import signal
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.deliverer import deliver_all
from benchmarks.forking import PROCESSES


@dataclass(frozen=True, slots=True)
class Order:
    """What a sender is told. servers: keys of each relay. more: see benchmarks.deliverer."""

    url: str
    folder: Path
    servers: tuple[dict[str, Any], ...]
    on_uncertain: str = "resend"
    more: tuple[tuple[str, float | str], ...] = ()

    def words(self) -> dict[str, Any]:
        """Return it as benchmarks.deliverer reads it."""
        told = {"url": self.url, "folder": str(self.folder), "servers": self.servers, "on_uncertain": self.on_uncertain}
        return told | dict(self.more)


class Sender:
    """A sender that has been started and waits for `go`."""

    def __init__(self, order: Order) -> None:
        self.order = order
        self._line, theirs = PROCESSES.Pipe()
        self.process = PROCESSES.Process(target=deliver_all, args=(order.words(), theirs))
        self.process.start()
        theirs.close()

    @property
    def running(self) -> bool:
        """Whether it is still there."""
        return self.process.is_alive()

    def go(self) -> None:
        """Let it begin, as soon as it is ready."""
        try:
            self._line.recv()
        except EOFError as error:
            raise RuntimeError("the sender did not start") from error
        self._line.send("go")

    def kill(self) -> bool:
        """End it by SIGKILL; return whether it was still there."""
        was_running = self.running
        self.process.kill()
        self.process.join()
        return was_running and self.process.exitcode == -signal.SIGKILL

    def stop(self) -> str:
        """Let a sender end that stays; return what went wrong for it."""
        self._line.send("stop")
        return self.finish()

    def finish(self) -> str:
        """Wait until it ends; return the error it told, "" for none."""
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
