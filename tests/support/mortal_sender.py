"""A sender in a forked process that kills itself according to a plan; a log file records what really happened.

Each line of the file is one write: "handed ADDRESS DIGEST", "arrived ADDRESS" and "left ADDRESS", "run" before each
run.
"""

from __future__ import annotations

import hashlib
import os
import signal
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Self

from publisher.core.errors import TransportError
from publisher.mail.queue import deliver
from publisher.mail.run_options import DeliveryOptions
from publisher.mail.transport import Accepted, Deferred, Outcome, Rejected, Unanswered
from publisher.store import Store, open_store
from tests.support.delivery_samples import HEADERS, LINKS, Clock

# What may happen while a message is in flight, and whether it arrives in that case.
ANSWERS: dict[str, tuple[Outcome, bool]] = {
    "accepted": (Accepted(), True),
    "deferred": (Deferred("450 not now"), False),
    "rejected": (Rejected("550 never"), False),
    "unanswered": (Unanswered("reset"), False),
    "unanswered, and it arrived": (Unanswered("reset"), True),
}


@dataclass(frozen=True)
class Plan:
    """What happens in a run.

    answers   the server's answers to the first messages; it accepts all others
    ends_at   the number of the message at which the run ends, counted from 0; `ends` says how
    ends      "killed before", "killed after" (the message arrived), "interrupted", "away", or "stalled": past its
              lease, while another run takes over
    ticks     the process is killed when it reads the clock for the nth time, possibly between any two steps; 0: never
    dawdles   seconds that each message takes
    leaves    a subscriber who unsubscribes during the second message, or ""
    """

    answers: tuple[str, ...] = ()
    ends_at: int = 0
    ends: str = ""
    ticks: int = 0
    dawdles: int = 0
    leaves: str = ""


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


@dataclass
class Log:
    """The file that records what really happened."""

    path: Path

    def say(self, *words: str) -> None:
        with self.path.open("ab", buffering=0) as file:
            file.write(f"{' '.join(words)}\n".encode())

    def runs(self) -> list[list[list[str]]]:
        """The lines of each run, as words."""
        text = self.path.read_text() if self.path.exists() else ""
        return [[line.split() for line in part.splitlines()] for part in text.split("run\n")[1:]]


@dataclass
class KillingClock:
    """A clock that kills the process when it has been read this many times."""

    clock: Clock
    ticks: int

    def __call__(self) -> datetime:
        self.ticks -= 1
        if not self.ticks:
            die()
        return self.clock()


@dataclass
class Mortal:
    """A server in the sender's process, which answers according to the plan."""

    plan: Plan
    log: Log
    clock: Clock
    leave: Callable[[str], None]
    stall: Callable[[], None]
    idempotent: bool = False
    number: int = field(default=-1)

    def send(self, envelope_from: str, address: str, message: bytes, key: str) -> Outcome:
        self.number += 1
        ending = self.plan.ends if self.number == self.plan.ends_at else ""
        if self.plan.leaves and self.number == 1:
            self.leave(self.plan.leaves)
        if ending == "away":
            raise TransportError("nobody listens")
        self.log.say("handed", address, hashlib.sha256(message).hexdigest())
        if ending == "killed before":
            die()
        if ending == "interrupted":
            raise KeyboardInterrupt
        answer, arrived = ANSWERS[dict(enumerate(self.plan.answers)).get(self.number, "accepted")]
        if arrived or ending == "killed after":
            self.log.say("arrived", address)
        if ending == "killed after":
            die()
        if ending == "stalled":
            self.stall()
        self.clock.move(seconds=self.plan.dawdles)
        return answer

    def close(self) -> None:
        """Do nothing: no connection is open."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *raised: object) -> None:
        self.close()


def deliver_in_own_process(url: str, folder: Path, mode: str, now: datetime, plan: Plan) -> int:
    """Deliver according to a plan; return the signal that ended the process, or 0. What it did is in folder/log."""
    log = Log(folder / "log")
    log.say("run")
    child = os.fork()
    if not child:
        try:
            _deliver(url, folder, mode, now, plan, log)
            os._exit(0)
        except (KeyboardInterrupt, TransportError):
            os._exit(0)
        except BaseException:  # noqa: BLE001 - the parent tells it
            (folder / "defect").write_text(traceback.format_exc())
            os._exit(1)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status) or not os.WEXITSTATUS(status), (folder / "defect").read_text()
    return os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0


def _deliver(url: str, folder: Path, mode: str, now: datetime, plan: Plan, log: Log) -> None:
    clock = Clock(now)
    options = DeliveryOptions(folder, on_uncertain="hold" if mode == "hold" else "resend")
    with open_store(url, folder) as store:

        def leave(address: str) -> None:
            store.subscribers.remove(address, at=clock(), source="link")
            log.say("left", address)

        def stall() -> None:
            clock.move(minutes=10)
            _deliver_all(store, Mortal(Plan(), log, clock, leave, lambda: None), options, clock)

        _deliver_all(store, Mortal(plan, log, clock, leave, stall), options, KillingClock(clock, plan.ticks))


def _deliver_all(store: Store, transport: Mortal, options: DeliveryOptions, clock: Callable[[], datetime]) -> None:
    for edition in store.editions.unfinished():
        deliver(store, transport, edition, HEADERS, LINKS, options=options, clock=clock)
