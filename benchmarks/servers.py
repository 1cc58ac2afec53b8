"""Faults of mail servers, each with the designed reaction."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from benchmarks.broken import CONNECTIONS, READERS, Fault, Scene
from benchmarks.free_ports import free_port
from benchmarks.sinks import Sink
from publisher.core.newsletter_models import Delivery
from publisher.core.newsletter_models import DeliveryStatus as Status
from publisher.mail.smtp.server_health import FAILURES

# A server that dies answers this many messages first.
_BEFORE = 20

# In doubt at most: one message per connection, and one for each time that a server is tried again.
_IN_DOUBT = CONNECTIONS + FAILURES

_HUNG_UP = "hung up 5 times in a row"
_AWAY = "cannot be reached"


def all_of(status: Status) -> dict[Status, range]:
    """Return the outcome in which every row has one status."""
    return {status: range(READERS, READERS + 1)}


def doubts(most: int, least: int = 0, rest: Status = Status.SENT) -> dict[Status, range]:
    """Return the outcome in which this many rows are uncertain, and all others have one status."""
    return {Status.UNCERTAIN: range(least, most + 1), rest: range(READERS - most, READERS - least + 1)}


def _with(*options: str, **settings: Any) -> Callable[[Scene], str]:
    """Use one server with these options of smtp-sink."""
    return lambda scene: scene.send(scene.sink(*options).port, **settings)


def _with_another(*options: str) -> Callable[[Scene], str]:
    """Use one server with these options, and a good one."""
    return lambda scene: scene.send(scene.sink(*options).port, scene.sink().port)


def _returns(scene: Scene) -> str:
    """Use a server that is killed after some messages, and comes back before the sender tries it again."""
    first = scene.sink()
    again: list[Sink] = []

    def come_back(delivery: Delivery, status: Status, reason: str) -> None:
        if not again and first.count() >= _BEFORE:
            first.stop()
            again.append(scene.sink(port=first.port))

    return scene.send(first.port, progress=come_back)


def _killed(scene: Scene) -> str:
    """Use two servers, one of which is cut off while it is receiving messages."""
    first = scene.sink()

    def cut(delivery: Delivery, status: Status, reason: str) -> None:
        first.stop()

    return scene.send(first.port, scene.sink().port, progress=cut)


def _no_server(scene: Scene) -> str:
    return scene.send(free_port())


def _one_away(scene: Scene) -> str:
    return scene.send(free_port(), scene.sink().port)


_DIED = {
    Status.SENT: range(_BEFORE - CONNECTIONS, _BEFORE + 1),
    Status.UNCERTAIN: range(_IN_DOUBT + 1),
    Status.QUEUED: range(READERS - _BEFORE - CONNECTIONS, READERS - _BEFORE + 1),
}

_REFUSALS: tuple[Fault, ...] = (
    Fault(
        "5xx to MAIL",
        "stops immediately, as every message has that sender",
        _with("-f", "MAIL"),
        all_of(Status.QUEUED),
        says="refuses the sender",
    ),
    *(
        Fault(
            f"5xx to {name}", "records each message with the server's answer", _with("-f", word), all_of(Status.FAILED)
        )
        for name, word in (("RCPT", "RCPT"), ("DATA", "DATA"), ("the end of the message", "."))
    ),
    *(
        Fault(f"4xx to {name}", "tries each message again later", _with("-r", word), all_of(Status.DEFERRED))
        for name, word in (("MAIL", "MAIL"), ("RCPT", "RCPT"), ("DATA", "DATA"), ("the end of the message", "."))
    ),
)

_GIVES_UP = "pauses the server, tries again, gives up after five failures"

_BREAKS: tuple[Fault, ...] = (
    *(
        Fault(f"{how} to CONNECT", "stops immediately", _with(option, "CONNECT"), all_of(Status.QUEUED), _AWAY)
        for how, option in (("5xx", "-f"), ("connection closed instead of an answer", "-q"), ("421", "-Q"))
    ),
    *(
        Fault(f"{how} to {word}", _GIVES_UP, _with(option, word), all_of(Status.QUEUED), _HUNG_UP)
        for how, option in (("connection closed instead of an answer", "-q"), ("421", "-Q"))
        for word in ("MAIL", "RCPT", "DATA")
    ),
    Fault(
        "421 to the end of the message",
        "the same: 421 is a refusal, so nothing is in doubt",
        _with("-Q", "."),
        all_of(Status.QUEUED),
        _HUNG_UP,
    ),
    Fault(
        'connection closed instead of an answer to the end of the message, `"hold"`',
        "puts messages without an answer on hold, gives up after five failures",
        _with("-q", "."),
        doubts(_IN_DOUBT, 1, Status.QUEUED),
        _HUNG_UP,
    ),
    Fault(
        'the same with `"resend"`',
        "sends the same messages again later",
        _with("-q", "."),
        all_of(Status.QUEUED),
        _HUNG_UP,
        mode="resend",
        twice=_IN_DOUBT,
    ),
)

_SLOW: tuple[Fault, ...] = (
    Fault("answers DATA after 1 s", "waits", _with("-p", "-w", "1", connections=30), all_of(Status.SENT)),
    Fault(
        "answers RCPT after its timeout",
        _GIVES_UP,
        _with("-p", "-W", "RCPT:3", timeout=1),
        all_of(Status.QUEUED),
        _HUNG_UP,
    ),
    Fault(
        "answers the end of the message after its timeout",
        "puts messages without an answer on hold, gives up after five failures",
        _with("-p", "-W", ".:3", timeout=1),
        doubts(_IN_DOUBT, 1, Status.QUEUED),
        _HUNG_UP,
    ),
)

_DEATHS: tuple[Fault, ...] = (
    Fault("no server is listening", "stops immediately", _no_server, all_of(Status.QUEUED), _AWAY),
    Fault(
        "the server dies during sending",
        "puts messages without an answer on hold, tries again, gives up after five failures",
        _with("-M", str(_BEFORE)),
        _DIED,
        _HUNG_UP,
    ),
    Fault("the server dies and returns", "continues where it stopped", _returns, doubts(CONNECTIONS)),
    Fault("one of two servers is away", "sends everything through the other", _one_away, all_of(Status.SENT)),
    Fault(
        "one of two servers dies",
        "sends what is not in doubt through the other",
        _with_another("-M", "20"),
        doubts(CONNECTIONS),
    ),
    Fault(
        "one of two servers is cut off", "sends what is not in doubt through the other", _killed, doubts(CONNECTIONS)
    ),
    Fault(
        "one of two servers answers 421",
        "sends everything through the other",
        _with_another("-Q", "."),
        all_of(Status.SENT),
    ),
    Fault(
        "one of two servers hangs up at DATA",
        "sends everything through the other",
        _with_another("-q", "DATA"),
        all_of(Status.SENT),
    ),
)

SERVERS: tuple[Fault, ...] = (*_REFUSALS, *_BREAKS, *_SLOW, *_DEATHS)
