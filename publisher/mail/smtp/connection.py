"""A dialogue on an asyncio transport: reads, writes, and the patience for an answer."""

from __future__ import annotations

import asyncio
from typing import Protocol, cast

from publisher.mail.smtp.messages import Answer, Ending, Message, Offer
from publisher.mail.smtp.protocol import Dialogue


class Crew(Protocol):
    """Whom a line works for. Each is called on the loop's thread, and must not wait."""

    def next_message(self, line: Line) -> Message | None:
        """Return one more message to send, or None for now; the line is then called again with `pump`."""
        ...

    def hands_over(self, message: Message) -> bool:
        """Know that a message is about to be handed over; return whether it may be."""
        ...

    def answered(self, line: Line, answer: Answer) -> None:
        """Take a message's fate. Until `written` is called for it, the line hands nothing more over."""
        ...

    def ended(self, line: Line, ending: Ending) -> None:
        """Know that the line is gone; every message that it held has been answered before."""
        ...


class Line(asyncio.Protocol):
    """One connection to a relay; it asks its crew for messages, and lives until it breaks or is done.

    It hands no message over before the answer to the last one is in the ledger, so that a process that is
    killed can have sent, unknown to the ledger, one message a connection. The envelope of the next message is
    under way meanwhile: a connection waits for the disk only where that takes longer than the server.
    """

    def __init__(self, crew: Crew, offer: Offer, *, messages: int, timeout: float) -> None:
        """messages: after so many it says goodbye. timeout: seconds it waits for an answer."""
        self._crew = crew
        self._dialogue = Dialogue(offer)
        self._left = messages
        self._timeout = timeout
        self._loop = asyncio.get_running_loop()
        self._asked_at = self._loop.time()
        self._transport: asyncio.Transport | None = None
        self._stopping = False
        self._quitting = False
        self._over = False
        self._watch: asyncio.TimerHandle | None = None
        self.unwritten = 0

    @property
    def idle(self) -> bool:
        """Whether it has nothing in hand and may be given something."""
        return not self._dialogue.busy and self._left > 0 and not self._stopping and not self._over

    def begin(self, transport: asyncio.Transport) -> None:
        """Take over a transport after greeting and login."""
        self._transport = transport
        transport.set_protocol(self)
        self._watch = self._loop.call_later(self._timeout, self._look)

    def pump(self) -> None:
        """Do all that can be done now: take messages, write, say goodbye."""
        if self._over or self._quitting:
            return
        dialogue = self._dialogue
        while dialogue.room and self._left > 0 and not self._stopping:
            message = self._crew.next_message(self)
            if message is None:
                break
            self._left -= 1
            self._answer(dialogue.give(message))
        self._write(dialogue.writes(hand_over=self._may_hand_over()))
        if self._left <= 0 or self._stopping:
            self._leave()

    def _may_hand_over(self) -> bool:
        """Whether the body that the server waits for may be written, if there is one."""
        if self.unwritten or self._stopping:
            return False
        due = self._dialogue.due
        return due is None or self._crew.hands_over(due)

    def written(self) -> None:
        """Know that one more answer is in the ledger."""
        self.unwritten -= 1
        if not self.unwritten:
            self.pump()

    def stop(self) -> None:
        """Take nothing more, wait only for the answer to what is handed over, and leave."""
        self._stopping = True
        self.pump()

    def fail(self, reason: str) -> None:
        """Break the connection."""
        self._finish(self._dialogue.lost(reason))

    def data_received(self, data: bytes) -> None:
        """See asyncio.Protocol."""
        self._asked_at = self._loop.time()
        answers = self._dialogue.read(data)
        if self._dialogue.ending is None:
            self._answer(answers)
            self.pump()
        else:
            self._finish(answers)

    def connection_lost(self, exc: Exception | None) -> None:
        """See asyncio.Protocol."""
        words = (getattr(exc, "strerror", None) or str(exc)) if exc else "closed by the server"
        self.fail(f"the connection broke: {words}")

    def _leave(self) -> None:
        """Go as soon as nobody's message is in doubt: with a goodbye, or at once where an envelope is open."""
        if self._dialogue.handed_over or (self._dialogue.busy and not self._stopping):
            return
        if self._dialogue.busy or self._dialogue.waiting:
            if self._stopping:
                self.fail("stopped before it was sent")
            return
        self._quitting = True
        self._dialogue.quit()
        self._write(self._dialogue.writes())

    def _write(self, data: list[bytes]) -> None:
        if data and self._transport is not None:
            self._asked_at = self._loop.time()
            self._transport.writelines(data)

    def _answer(self, answers: list[Answer]) -> None:
        for answer in answers:
            self.unwritten += 1
            self._crew.answered(self, answer)

    def _finish(self, answers: list[Answer]) -> None:
        if self._over:
            return
        self._over = True
        if self._watch is not None:
            self._watch.cancel()
        if self._transport is not None:
            self._transport.abort()
        self._answer(answers)
        self._crew.ended(self, cast(Ending, self._dialogue.ending))

    def _look(self) -> None:
        """Break a connection whose server owes an answer for too long; look again when it might."""
        late = self._asked_at + self._timeout - self._loop.time()
        if self._dialogue.waiting and late <= 0:
            self.fail(f"no answer for {self._timeout:g} seconds")
        else:
            self._watch = self._loop.call_later(late if late > 0 else self._timeout, self._look)
