"""Mail servers as a transport: one message at a time for a copy, many at once for an edition."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Sequence
from typing import Self

from publisher.config import Relay, Smtp
from publisher.core.errors import TransportError
from publisher.mail.addresses import needs_smtputf8, wire_address
from publisher.mail.rate_limits import Health
from publisher.mail.smtp.connect import open_line
from publisher.mail.smtp.connection import Line
from publisher.mail.smtp.messages import Answer, Ending, Fate, Message, stuffed
from publisher.mail.transport import GivenBack, Outcome, Rejected


class SmtpTransport:
    """A transport over SMTP or LMTP. A connection is made by the first message and kept for the next ones.

    `deliver` sends a whole edition by publisher.mail.smtp_run, with the same servers and the same dialogue.
    """

    idempotent = False

    def __init__(self, servers: Smtp | Sequence[Relay], *, context: ssl.SSLContext | None = None) -> None:
        """Prepare, without connecting. servers: one, or several that stand in for each other.

        context: which certificates to trust; the system's by default.
        """
        self.servers: tuple[Smtp, ...] = (servers,) if isinstance(servers, Smtp) else tuple(servers)
        self.context = context
        self.health: dict[Smtp, Health] = {}  # how each did in the editions so far
        self._runner: asyncio.Runner | None = None
        self._single = _Single()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *raised: object) -> None:
        self.close()

    def send(self, envelope_from: str, address: str, message: bytes, key: str) -> Outcome:
        """See Transport.send. Servers are asked in their order; a connection that broke is made anew, once."""
        try:
            sender = wire_address(envelope_from)
        except ValueError as error:
            raise self._error(f"the sender {error}", "see mail.sender") from error
        try:
            recipient = wire_address(address)
        except ValueError as error:
            return Rejected(str(error))
        letter = Message(
            sender,
            recipient,
            [stuffed(message)],
            utf8=needs_smtputf8(sender) or needs_smtputf8(recipient),
            eight_bit=not message.isascii(),
        )
        self._runner = self._runner or asyncio.Runner()
        return self._runner.run(self._send(letter))

    def close(self) -> None:
        """Say goodbye (QUIT) where a connection stands."""
        if self._runner is not None:
            self._runner.run(self._single.leave())
            self._runner.close()
            self._runner = None

    def troubles(self) -> tuple[TransportError, ...]:
        """Return what is wrong with each server for which others stand in: where, why, and how to mend it."""
        if len(self.servers) == 1:
            return ()  # nobody stood in, and each message says why it did not go
        return tuple(
            TransportError(
                f"{health.reason}; other mail servers stand in",
                where=str(server.address),
                hint=health.hint.replace("mail.smtp.", "mail.relays: ") or "see its log",
            )
            for server in self.servers
            if (health := self.health.get(server)) and (health.failures or health.hopeless)
        )

    async def _send(self, letter: Message) -> Outcome:
        """Try the servers in their order, each twice; raise what the last of them did."""
        trouble: TransportError | None = None
        for server in self.servers:
            for _ in range(2):
                try:
                    fate, ending = await self._single.send(server, letter, self.context)
                except TransportError as error:
                    trouble = error
                    break
                if not isinstance(fate, GivenBack):
                    return fate
                trouble = _hung_up(server, fate, ending)
                if ending and ending.hint:
                    break
        raise trouble or self._error("there is no mail server", "see mail.smtp")

    def _error(self, what: str, hint: str) -> TransportError:
        return TransportError(what, where=str(self.servers[0].address) if self.servers else "", hint=hint)


def _hung_up(server: Smtp, fate: GivenBack, ending: Ending | None) -> TransportError:
    where = str(server.address)
    if ending and ending.hint:
        return TransportError(ending.reason, where=where, hint=ending.hint)
    return TransportError(f"the mail server hung up: {fate.reason}", where=where, hint="try again later")


class _Single:
    """The crew of one line that carries one message at a time."""

    def __init__(self) -> None:
        self._line: Line | None = None
        self._server: Smtp | None = None
        self._letter: Message | None = None
        self._fate: asyncio.Future[Fate] | None = None
        self._ending: Ending | None = None

    async def send(self, server: Smtp, letter: Message, context: ssl.SSLContext | None) -> tuple[Fate, Ending | None]:
        """Return the message's fate, and why the line ended if it did."""
        if self._server is not server:
            await self.leave()
        if self._line is None:
            self._line, self._server, self._ending = await open_line(server, self, context), server, None
        self._fate, self._letter = asyncio.get_running_loop().create_future(), letter
        self._line.pump()
        return await self._fate, self._ending

    async def leave(self) -> None:
        """Say goodbye, and wait a moment for the answer."""
        if self._line is None:
            return
        self._line.stop()
        for _ in range(200):
            if not self._stands():
                return
            await asyncio.sleep(0.005)
        self._line.fail("no goodbye")

    def _stands(self) -> bool:
        return self._line is not None  # `ended` changes it meanwhile

    def next_message(self, line: Line) -> Message | None:
        """See Crew."""
        letter, self._letter = self._letter, None
        return letter

    def hands_over(self, message: Message) -> bool:
        """See Crew: nobody takes a single message over."""
        return True

    def answered(self, line: Line, answer: Answer) -> None:
        """See Crew."""
        line.unwritten -= 1
        fate = self._fate
        if fate is not None and not fate.done():
            # What follows in this turn of the loop may end the line, and says why.
            asyncio.get_running_loop().call_soon(_set, fate, answer.fate)

    def ended(self, line: Line, ending: Ending) -> None:
        """See Crew."""
        self._line, self._ending = None, ending
        if self._letter is not None and self._fate is not None and not self._fate.done():
            self._letter = None
            self._fate.set_result(GivenBack(ending.reason))


def _set(future: asyncio.Future[Fate], fate: Fate) -> None:
    if not future.done():
        future.set_result(fate)
