"""Starting senders in processes of their own, see benchmarks.deliverer, and ending them."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True, slots=True)
class Order:
    """What a sender is told. servers: keys of each relay. more: see benchmarks.deliverer."""

    url: str
    folder: Path
    servers: tuple[dict[str, Any], ...]
    on_uncertain: str = "resend"
    more: tuple[tuple[str, float], ...] = ()

    def words(self) -> str:
        """Return it as benchmarks.deliverer reads it."""
        told = {"url": self.url, "folder": str(self.folder), "servers": self.servers, "on_uncertain": self.on_uncertain}
        return json.dumps(told | dict(self.more))


class Sender:
    """A sender that has been started and waits for `go`."""

    def __init__(self, order: Order) -> None:
        words = [sys.executable, "-m", "benchmarks.deliverer", order.words()]
        self.process = subprocess.Popen(
            words, cwd=_ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )

    @property
    def running(self) -> bool:
        """Whether it is still there."""
        return self.process.poll() is None

    def go(self) -> None:
        """Let it begin, as soon as it is ready."""
        assert self.process.stdin is not None and self.process.stdout is not None
        if self.process.stdout.readline() != "ready\n":
            raise RuntimeError("the sender did not start")
        self.process.stdin.write("go\n")
        self.process.stdin.flush()

    def kill(self) -> bool:
        """End it by SIGKILL; return whether it was still there."""
        was_running = self.running
        self.process.kill()
        self.process.communicate()
        return was_running and self.process.returncode == -9

    def finish(self) -> str:
        """Wait until it ends; return the error it told, "" for none."""
        out, _ = self.process.communicate(timeout=600)
        return str(json.loads(out.splitlines()[-1])["error"]) if out.strip() else "it ended without a word"


def deliver(order: Order) -> str:
    """Run one sender to its end; return its error."""
    sender = Sender(order)
    sender.go()
    return sender.finish()
