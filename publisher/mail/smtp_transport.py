"""Mail servers as a transport: one message at a time for a copy, many at once for an edition."""

from __future__ import annotations

import asyncio
import gc
import signal
import ssl
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from publisher.config import Relay, Smtp
from publisher.core.errors import StoppedError, TransportError
from publisher.mail.addresses import needs_smtputf8, wire_address
from publisher.mail.ledger_writer import LedgerWriter
from publisher.mail.message import MailMerge
from publisher.mail.run_options import Run
from publisher.mail.smtp.connection import Connection, open_connection
from publisher.mail.smtp.limits import DailyQuota
from publisher.mail.smtp.pool import ConnectionPool, ServerHealth
from publisher.mail.smtp.protocol import Answer, Ending, Fate, Message, stuffed
from publisher.mail.smtp.sending_loop import SendingLoop
from publisher.mail.transport import GivenBack, Outcome, Rejected

if TYPE_CHECKING:
    from publisher.store import Store


class SmtpTransport:
    """A transport over SMTP or LMTP. A connection is made by the first message and kept for the next ones.

    `deliver` sends a whole edition by publisher.mail.smtp_transport, with the same servers and the same dialogue.
    """

    idempotent = False

    def __init__(self, servers: Smtp | Sequence[Relay], *, context: ssl.SSLContext | None = None) -> None:
        """Prepare, without connecting. servers: one, or several that stand in for each other.

        context: which certificates to trust; the system's by default.
        """
        self.servers: tuple[Smtp, ...] = (servers,) if isinstance(servers, Smtp) else tuple(servers)
        self.context = context
        self.health: dict[Smtp, ServerHealth] = {}  # how each did in the editions so far
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
        self._line: Connection | None = None
        self._server: Smtp | None = None
        self._letter: Message | None = None
        self._fate: asyncio.Future[Fate] | None = None
        self._ending: Ending | None = None

    async def send(self, server: Smtp, letter: Message, context: ssl.SSLContext | None) -> tuple[Fate, Ending | None]:
        """Return the message's fate, and why the line ended if it did."""
        if self._server is not server:
            await self.leave()
        if self._line is None:
            self._line, self._server, self._ending = await open_connection(server, self, context), server, None
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

    def next_message(self, line: Connection) -> Message | None:
        """See Crew."""
        letter, self._letter = self._letter, None
        return letter

    def hands_over(self, message: Message) -> bool:
        """See Crew: nobody takes a single message over."""
        return True

    def answered(self, line: Connection, answer: Answer) -> None:
        """See Crew."""
        line.unwritten -= 1
        fate = self._fate
        if fate is not None and not fate.done():
            # What follows in this turn of the loop may end the line, and says why.
            asyncio.get_running_loop().call_soon(_set, fate, answer.fate)

    def ended(self, line: Connection, ending: Ending) -> None:
        """See Crew."""
        self._line, self._ending = None, ending
        if self._letter is not None and self._fate is not None and not self._fate.done():
            self._letter = None
            self._fate.set_result(GivenBack(ending.reason))


def _set(future: asyncio.Future[Fate], fate: Fate) -> None:
    if not future.done():
        future.set_result(fate)


def send_edition(
    store: Store, worker: str, transport: SmtpTransport, composer: MailMerge, order: Run, state_dir: Path
) -> None:
    """Send what is due of the composer's edition over all of the transport's servers, until nothing is.

    Control-C, SIGTERM, SIGHUP and the order's stop end it within seconds, with nothing in doubt that a server still
    answers for; then KeyboardInterrupt, SystemExit or StoppedError is raised. Raises TransportError where nothing more
    can be sent (RefusedError for this edition only), StoreError where the ledger cannot be written.
    """
    with ExitStack() as stack:
        allowances = [_allowance(server, state_dir, order) for server in transport.servers]
        for allowance in allowances:
            if allowance is not None:
                stack.callback(allowance.close)
        stack.enter_context(_rare_collections())
        asyncio.run(_send(store, worker, transport, composer, order, allowances))


async def _send(
    store: Store,
    worker: str,
    transport: SmtpTransport,
    composer: MailMerge,
    order: Run,
    allowances: list[DailyQuota | None],
) -> None:
    sending = SendingLoop(composer, order)
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: sending.end(_defect(context)))
    clerk = LedgerWriter(store, worker, composer.edition.id, sending.end)
    relays = [
        ConnectionPool(_weighted(server), sending, order.rest.total_seconds(), allowance, transport.context)
        for server, allowance in zip(transport.servers, allowances, strict=True)
    ]
    for relay, server in zip(relays, transport.servers, strict=True):
        relay.begin_as(transport.health.get(server))
    try:
        with _stopped_by_signals(sending), order.stop.heard(_ending(sending)):
            await sending.run(clerk, relays)
    finally:
        for relay, server in zip(relays, transport.servers, strict=True):
            transport.health[server] = relay.health


def _ending(sending: SendingLoop) -> Callable[[], None]:
    """Return what ends the run from any thread."""
    loop = asyncio.get_running_loop()
    stopped = StoppedError("stopped as asked", hint="the next run goes on with what is left")

    def end() -> None:
        loop.call_soon_threadsafe(sending.end, stopped)

    return end


@contextmanager
def _stopped_by_signals(sending: SendingLoop) -> Iterator[None]:
    """End the run in order when the process is asked to; Control-C does it by asyncio's own means.

    SIGHUP only where whoever called us listens to it: else it ends the process, or is ignored, as it was.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {signal.SIGTERM: signal.getsignal(signal.SIGTERM)}
    if callable(handler := signal.getsignal(signal.SIGHUP)):
        before[signal.SIGHUP] = handler
    loop = asyncio.get_running_loop()
    for number in before:
        loop.add_signal_handler(number, sending.end, SystemExit(128 + number))
    try:
        yield
    finally:
        for number, handler in before.items():
            loop.remove_signal_handler(number)
            signal.signal(number, handler)  # asyncio would leave the one that ends the process on the spot


@contextmanager
def _rare_collections() -> Iterator[None]:
    """Look for garbage in cycles less often: a message makes a hundred objects and no cycle."""
    before = gc.get_threshold()
    gc.freeze()  # what is there by now stays
    gc.set_threshold(50_000, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()


def _defect(context: dict[str, Any]) -> BaseException:
    """Return what went wrong in a callback of the loop: it ends the run, in order, instead of being logged."""
    error = context.get("exception")
    return error if isinstance(error, BaseException) else RuntimeError(str(context.get("message")))


def _weighted(server: Smtp) -> Relay:
    if isinstance(server, Relay):
        return server
    return Relay(**{item.name: getattr(server, item.name) for item in fields(Smtp)})


def _allowance(server: Smtp, state_dir: Path, order: Run) -> DailyQuota | None:
    if not server.per_day:
        return None
    return DailyQuota(state_dir / "relays", f"{server.username}@{server.address}", server.per_day, order.clock)
