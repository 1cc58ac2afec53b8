"""A whole edition over mail servers: the sending loop with its thread, its signals and its limits."""

from __future__ import annotations

import asyncio
import gc
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from publisher.config import Relay as Server
from publisher.config import Smtp
from publisher.core.errors import StoppedError
from publisher.mail.daily_quota import Allowance
from publisher.mail.ledger_writer import Clerk
from publisher.mail.personalise import Composer
from publisher.mail.relay import Relay
from publisher.mail.run_options import Order
from publisher.mail.smtp_loop import Sending
from publisher.mail.smtp_transport import SmtpTransport

if TYPE_CHECKING:
    from publisher.store import Store


def send_edition(
    store: Store, worker: str, transport: SmtpTransport, composer: Composer, order: Order, state_dir: Path
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
    composer: Composer,
    order: Order,
    allowances: list[Allowance | None],
) -> None:
    sending = Sending(composer, order)
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: sending.end(_defect(context)))
    clerk = Clerk(store, worker, composer.edition.id, sending.end)
    relays = [
        Relay(_weighted(server), sending, order.rest.total_seconds(), allowance, transport.context)
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


def _ending(sending: Sending) -> Callable[[], None]:
    """Return what ends the run from any thread."""
    loop = asyncio.get_running_loop()
    stopped = StoppedError("stopped as asked", hint="the next run goes on with what is left")

    def end() -> None:
        loop.call_soon_threadsafe(sending.end, stopped)

    return end


@contextmanager
def _stopped_by_signals(sending: Sending) -> Iterator[None]:
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


def _weighted(server: Smtp) -> Server:
    if isinstance(server, Server):
        return server
    return Server(**{item.name: getattr(server, item.name) for item in fields(Smtp)})


def _allowance(server: Smtp, state_dir: Path, order: Order) -> Allowance | None:
    if not server.per_day:
        return None
    return Allowance(state_dir / "relays", f"{server.username}@{server.address}", server.per_day, order.clock)
