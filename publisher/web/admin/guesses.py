"""Checks passwords, and slows down people who guess them.

A password takes up to 0.2 s and 64 MiB to check, so one is checked at a time. The others wait in the event loop, where
waiting costs no thread. At most a few may wait, and the rest are turned away immediately. A client that has tried less
often goes first, so that the owner gets in while others guess.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from publisher.core.action_kinds import ActionKind
from publisher.core.logging import log
from publisher.core.models import Problem
from publisher.publishing.owner_alerts import alert_problems
from publisher.publishing.wiring import Project
from publisher.web.client_address import household
from publisher.web.mail_worker import RetryLaterError
from publisher.web.worker_threads import run_in_thread

if TYPE_CHECKING:
    from starlette.requests import Request

    from publisher.mail.transport import Transport
    from publisher.web.context import WebContext

# How many may wait while one password is checked. The last of them waits for less than a second.
MOST_WAITING = 4
# How long the next password waits after a wrong one, while many clients guess.
PAUSE_SECONDS = 1.0
# At this number of wrong passwords within an hour, the owner is notified, at most once an hour.
ALARMING = 10
_MOST_KNOWN = 10_000


class PasswordResult(StrEnum):
    """The result of checking a password."""

    RIGHT = "right"
    WRONG = "wrong"
    LIMITED = "limited"  # the client has guessed too often; the password was not checked
    BUSY = "busy"  # too many passwords wait to be checked; this one was not


def refusal(result: PasswordResult, *, needs_code: bool) -> tuple[int, str, dict[str, str]]:
    """Return the answer to a password that was not accepted: its status, its text and its headers.

    needs_code: whether a code was asked for as well. The answer does not say which of the two was wrong.
    """
    if result is PasswordResult.BUSY:
        return 429, "Too many people are trying to log in. Please try again in a few seconds.", {"retry-after": "5"}
    if result is PasswordResult.LIMITED:
        return 429, "Too many wrong passwords. Please try again in an hour.", {"retry-after": "3600"}
    return 403, "Wrong password or code." if needs_code else "Wrong password.", {}


class PasswordGate:
    """Decides who may try a password, and counts the wrong ones."""

    def __init__(self, context: WebContext) -> None:
        self._context, self._turns = context, Turns()

    async def check(self, request: Request, find_fault: Callable[[], str]) -> PasswordResult:
        """Check a password in a thread, when it is its turn.

        request     the request that contains the password
        find_fault  checks the password, which may take a while, and returns what is wrong; "" if it is right
        """
        limits, client = self._context.rate_limits, self._context.clients.address(request.scope)
        if not limits.allow_password(client):
            return self._limited(request)
        if not await self._turns.take(household(client)):
            return PasswordResult.BUSY
        try:
            if not limits.allow_password(client):  # other passwords of the same client were wrong in the meantime
                return self._limited(request)
            fault = await run_in_thread("password", find_fault)
            if not fault:
                return PasswordResult.RIGHT
            await run_in_thread("password", self._count, request, client, fault)
            if limits.is_under_attack():
                await asyncio.sleep(PAUSE_SECONDS)
            return PasswordResult.WRONG
        finally:
            self._turns.give()

    def _limited(self, request: Request) -> PasswordResult:
        client = self._context.clients.shown(request.scope)
        log("login refused", f"login refused from {client}: too many wrong passwords", level="warning", client=client)
        return PasswordResult.LIMITED

    def _count(self, request: Request, client: str, fault: str) -> None:
        """Count and record a wrong password. During an attack it is only logged, so that the record does not grow."""
        limits, shown = self._context.rate_limits, self._context.clients.shown(request.scope)
        log("login failed", f"login failed from {shown}: {fault}", level="warning", client=shown, why=fault)
        if not limits.is_under_attack():
            self._context.record(request, ActionKind.LOGIN_FAILED, detail=fault)
        if limits.count_wrong_password(client) >= ALARMING:
            self._context.mail_worker.put("owner alert", self._alert_owner)

    def _alert_owner(self, transport: Transport) -> None:
        """Email the owner. Raises RetryLaterError if the email cannot be sent now."""
        context, now = self._context, self._context.now()
        text = f"at least {ALARMING} wrong passwords were tried at {context.config.admin_url} within an hour"
        hint = "the log of actions on that page lists them; a second factor makes a guessed password useless"
        project = Project(context.config, context.store, context.now)
        told, unsent = alert_problems(
            project,
            "guesses",
            [Problem("", 0, text, hint)],
            now,
            again=timedelta(hours=1),
            below="Guesses are limited, and they keep no one else waiting.",
        )
        for line in told:
            log("guesses", line, level="warning", emailed=bool(context.config.mail.owner))
        if unsent:
            raise RetryLaterError(unsent[0].message)


@dataclass(eq=False)
class _Waiting:
    """A request that waits for its turn. tries: how often the client has tried in the last hour, this time included."""

    tries: int
    number: int
    answer: asyncio.Future[bool] = field(repr=False)
    is_admitted: bool = False

    @property
    def rank(self) -> tuple[int, int]:
        """The place in the queue; the lowest is next: the newest request with the fewest tries."""
        return self.tries, -self.number

    def tell(self, *, admitted: bool) -> None:
        """Let the request continue, or turn it away; may be called from any thread."""
        self.is_admitted = admitted
        self.answer.get_loop().call_soon_threadsafe(_settle, self.answer, admitted)


class Turns:
    """A queue for one turn at a time, in any number of event loops.

    The client with the fewest tries is next; among these, the newest. If too many wait, the client who would be last is
    turned away.
    """

    def __init__(self, most: int = MOST_WAITING) -> None:
        self._most, self._number = most, 0
        self._lock = threading.Lock()
        self._waiting: list[_Waiting] = []
        self._is_taken = False
        self._tries: dict[str, int] = {}
        self._since = time.monotonic()

    async def take(self, client: str) -> bool:
        """Wait for a turn; return False if too many others wait. After True, the caller has to call `give`."""
        with self._lock:
            tries = self._count(client)
            if not self._is_taken:
                self._is_taken = True
                return True
            self._number += 1
            own = _Waiting(tries, self._number, asyncio.get_running_loop().create_future())
            self._waiting.append(own)
            if len(self._waiting) > self._most:
                last = max(self._waiting, key=lambda each: each.rank)
                self._waiting.remove(last)
                last.tell(admitted=False)
        try:
            return await own.answer
        except asyncio.CancelledError:
            self._leave(own)
            raise

    def give(self) -> None:
        """End a turn, and begin the next one."""
        with self._lock:
            if not self._waiting:
                self._is_taken = False
                return
            following = min(self._waiting, key=lambda each: each.rank)
            self._waiting.remove(following)
            following.tell(admitted=True)

    def _leave(self, own: _Waiting) -> None:
        with self._lock:
            if own in self._waiting:
                self._waiting.remove(own)
                return
        if own.is_admitted:  # its turn had begun, but it had not been notified yet
            self.give()

    def _count(self, client: str) -> int:
        now = time.monotonic()
        if now - self._since > 3_600 or len(self._tries) >= _MOST_KNOWN:
            self._tries.clear()
            self._since = now
        self._tries[client] = self._tries.get(client, 0) + 1
        return self._tries[client]


def _settle(answer: asyncio.Future[bool], admitted: bool) -> None:
    if not answer.done():
        answer.set_result(admitted)
