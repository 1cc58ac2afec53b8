"""The transport over mail servers. It sends one message at a time, or whole editions over many connections."""

from __future__ import annotations

import asyncio
import gc
import signal
import ssl
import threading
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import fields
from typing import TYPE_CHECKING, Any, Self

from publisher.config import Relay, Smtp
from publisher.core.errors import TransportError
from publisher.mail.addresses import needs_smtputf8, wire_address
from publisher.mail.database_retries import Patience
from publisher.mail.run_options import MoreEditions, Run, stopped_error
from publisher.mail.smtp.connection import Connection, open_connection
from publisher.mail.smtp.ledger_writer import LedgerWriter
from publisher.mail.smtp.limits import DailyQuota, ServerLimits, counts_folder, own_limits, server_name
from publisher.mail.smtp.pool import ConnectionPool
from publisher.mail.smtp.protocol import Ending, Fate, Message, MessageFate, dot_stuffed
from publisher.mail.smtp.sending_loop import SendingLoop
from publisher.mail.smtp.server_health import ServerHealth
from publisher.mail.smtp.shared_limits import SharedLimits
from publisher.mail.transport import GivenBack, Outcome, RefusedAt, Rejected

if TYPE_CHECKING:
    from publisher.store import Store


class SmtpTransport:
    """A transport over SMTP or LMTP. The first message opens a connection, which is kept for the next messages."""

    idempotent = False

    def __init__(self, servers: Smtp | Sequence[Relay], *, context: ssl.SSLContext | None = None) -> None:
        """Prepare a transport without connecting.

        servers: one server, or several that share the work and take over from each other. context: the certificates to
        trust; the system's by default.
        """
        self._servers: tuple[Smtp, ...] = (servers,) if isinstance(servers, Smtp) else tuple(servers)
        self._context = context
        self._health: dict[Smtp, ServerHealth] = {}  # the health of each server after the previous run
        self._runner: asyncio.Runner | None = None
        self._single = _SingleConnection()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *raised: object) -> None:
        self.close()

    def send(self, envelope_from: str, address: str, message: bytes, key: str) -> Outcome:
        """See Transport. Servers are tried in order, and a broken connection is reopened once."""
        try:
            sender = wire_address(envelope_from)
        except ValueError as error:
            raise self._error(f"the sender {error}", "see mail.sender") from error
        try:
            recipient = wire_address(address)
        except ValueError as error:
            return Rejected(str(error), RefusedAt.HERE)
        utf8 = needs_smtputf8(sender) or needs_smtputf8(recipient)
        enveloped = Message(sender, recipient, [dot_stuffed(message)], utf8=utf8, eight_bit=not message.isascii())
        self._runner = self._runner or asyncio.Runner()
        return self._runner.run(self._send(enveloped))

    def deliver_editions(self, store: Store, run: Run, more: MoreEditions) -> None:
        """See BulkTransport. Send over all servers at the same time.

        Control-C, SIGTERM, SIGHUP and a request to stop end the run within seconds, after the servers have had time to
        answer for the messages in doubt. Then KeyboardInterrupt, SystemExit or StoppedError is raised.
        """
        with _rare_garbage_collection():
            asyncio.run(self._deliver_editions(store, run, more))

    def troubles(self) -> tuple[TransportError, ...]:
        """See BulkTransport. Each error names the server, the reason and the solution."""
        if len(self._servers) == 1:
            return ()  # no other server took over, and each message says why it was not sent
        return tuple(
            TransportError(
                f"{health.reason}; other mail servers are used instead",
                where=str(server.address),
                hint=health.hint.replace("mail.smtp.", "mail.relays: ") or "see the server's log",
            )
            for server in self._servers
            if (health := self._health.get(server)) and (health.failures or health.given_up)
        )

    def close(self) -> None:
        """Close the connection with QUIT if it is open."""
        if self._runner is not None:
            self._runner.run(self._single.close())
            self._runner.close()
            self._runner = None

    async def _send(self, message: Message) -> Outcome:
        """Send a message through the first server that accepts it, trying the servers in order.

        A server that hangs up is tried twice. Raises the error of the last server if none accepts the message.
        """
        trouble: TransportError | None = None
        for server in self._servers:
            for _ in range(2):
                try:
                    fate, ending = await self._single.send(server, message, self._context)
                except TransportError as error:
                    trouble = error
                    break
                if not isinstance(fate, GivenBack):
                    return fate
                trouble = _hung_up(server, fate, ending)
                if ending and ending.hint:
                    break
        raise trouble or self._error("there is no mail server", "see mail.smtp")

    async def _deliver_editions(self, store: Store, run: Run, more: MoreEditions) -> None:
        patience = Patience(run.options.lease.total_seconds())
        patience.notify(run.options.stop.sign_of_life)
        sending = SendingLoop(run, more, patience)
        asyncio.get_running_loop().set_exception_handler(lambda loop, context: sending.end(_defect(context)))
        ledger = LedgerWriter(store, run, sending.end, patience)
        async with _limits(store, run, sending, self._servers, patience) as limits:
            pools = [
                ConnectionPool(_weighted(server), sending, run.options.rest.total_seconds(), each, self._context)
                for server, each in zip(self._servers, limits, strict=True)
            ]
            for pool, server in zip(pools, self._servers, strict=True):
                pool.begin_as(self._health.get(server))
            try:
                with _ended_by_signals(sending), run.options.stop.heard(_ending(sending)):
                    await sending.run(ledger, pools)
            finally:
                for pool, server in zip(pools, self._servers, strict=True):
                    self._health[server] = pool.health

    def _error(self, what: str, hint: str) -> TransportError:
        return TransportError(what, where=str(self._servers[0].address) if self._servers else "", hint=hint)


def _hung_up(server: Smtp, fate: GivenBack, ending: Ending | None) -> TransportError:
    where = str(server.address)
    if ending and ending.hint:
        return TransportError(ending.reason, where=where, hint=ending.hint)
    return TransportError(f"the mail server hung up: {fate.reason}", where=where, hint="try again later")


class _SingleConnection:
    """A ConnectionOwner with one connection, which carries one message at a time."""

    def __init__(self) -> None:
        self._connection: Connection | None = None
        self._server: Smtp | None = None
        self._message: Message | None = None
        self._fate: asyncio.Future[Fate] | None = None
        self._ending: Ending | None = None

    async def send(self, server: Smtp, message: Message, context: ssl.SSLContext | None) -> tuple[Fate, Ending | None]:
        """Send a message; return its fate, and the end of the connection, or None if the connection is still open."""
        if self._server is not server:
            await self.close()
        if self._connection is None:
            self._connection = await open_connection(server, self, context=context)
            self._server, self._ending = server, None
        self._fate, self._message = asyncio.get_running_loop().create_future(), message
        self._connection.pump()
        return await self._fate, self._ending

    async def close(self) -> None:
        """Close the connection with QUIT, and wait a moment for the answer."""
        if self._connection is not None:
            await self._connection.stop_and_wait()

    def next_message(self, connection: Connection) -> Message | None:
        """See ConnectionOwner."""
        message, self._message = self._message, None
        return message

    def answered(self, connection: Connection, answer: MessageFate) -> None:
        """See ConnectionOwner."""
        fate = self._fate
        if fate is not None and not fate.done():
            # Later callbacks in this turn of the loop may end the connection and give the reason.
            asyncio.get_running_loop().call_soon(_set, fate, answer.fate)

    def ended(self, connection: Connection, ending: Ending) -> None:
        """See ConnectionOwner."""
        self._connection, self._ending = None, ending
        if self._message is not None and self._fate is not None and not self._fate.done():
            self._message = None
            self._fate.set_result(GivenBack(ending.reason))


def _set(future: asyncio.Future[Fate], fate: Fate) -> None:
    if not future.done():
        future.set_result(fate)


def _ending(sending: SendingLoop) -> Callable[[], None]:
    """Return a function that ends the run from any thread."""
    loop = asyncio.get_running_loop()

    def end() -> None:
        """Let the loop end the sending, from any thread."""
        loop.call_soon_threadsafe(sending.end, stopped_error())

    return end


@contextmanager
def _ended_by_signals(sending: SendingLoop) -> Iterator[None]:
    """End the run in an orderly way when a signal asks the process to end. asyncio itself handles Control-C.

    SIGHUP is handled only if the program already has a handler for it. Otherwise it ends the process or is ignored, as
    before.
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
            signal.signal(number, handler)  # asyncio would leave the default handler, which kills the process


@contextmanager
def _rare_garbage_collection() -> Iterator[None]:
    """Collect cyclic garbage less often, because sending a message creates a hundred objects and no cycles.

    A group of answers does create cycles, in asyncio and SQLAlchemy. With 5,000 objects they are collected every few
    seconds. With 50,000, memory had grown by 30 MiB before the first collection.
    """
    before = gc.get_threshold()
    gc.freeze()  # objects that already exist are not examined
    gc.set_threshold(5_000, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()


def _defect(context: dict[str, Any]) -> BaseException:
    """Return the error of a loop callback, so that it ends the run instead of only being logged.

    context: the argument of an asyncio exception handler.
    """
    error = context.get("exception")
    return error if isinstance(error, BaseException) else RuntimeError(str(context.get("message")))


def _weighted(server: Smtp) -> Relay:
    if isinstance(server, Relay):
        return server
    return Relay(**{item.name: getattr(server, item.name) for item in fields(Smtp)})


@asynccontextmanager
async def _limits(
    store: Store, run: Run, sending: SendingLoop, servers: Sequence[Smtp], patience: Patience
) -> AsyncIterator[list[ServerLimits]]:
    """Yield the limits of each server for a run. At its end, unused recipients of the day are returned."""
    if store.limits.shared:
        shared = SharedLimits(store.limits, sending.wake, sending.end, patience)
        try:
            yield [shared.of(server) for server in servers]
        finally:
            await shared.close()
    else:
        with ExitStack() as stack:
            quotas = [_quota(server, run) for server in servers]
            for quota in filter(None, quotas):
                stack.callback(quota.close)
            yield [own_limits(server, quota) for server, quota in zip(servers, quotas, strict=True)]


def _quota(server: Smtp, run: Run) -> DailyQuota | None:
    if not server.per_day:
        return None
    return DailyQuota(counts_folder(run.options.state_dir), server_name(server), server.per_day, run.clock)
