"""The interface of a transport, which sends messages, and its possible outcomes.

A refusal is a return value, not an exception. TransportError means that this message was not handed over, and that no
other message can be either: for example, the server is not reachable, the login failed, or the disk is full.
"""

from __future__ import annotations

from enum import StrEnum
from types import TracebackType
from typing import Protocol, Self

from publisher.core.frozen import dataclass


class RefusedAt(StrEnum):
    """How far an unaccepted message got."""

    HERE = "here"  # no server has answered about it
    SENDER = "sender"  # the server had not heard of the recipient, so its answer cannot be about them
    RECIPIENT = "recipient"  # the server knew the recipient


@dataclass(frozen=True, slots=True)
class Accepted:
    """The server has accepted the message."""


@dataclass(frozen=True, slots=True)
class Deferred:
    """The server does not accept the message now, but may later.

    reason  the server's own words on one line
    at      how far the message got
    """

    reason: str
    at: RefusedAt = RefusedAt.RECIPIENT


@dataclass(frozen=True, slots=True)
class Rejected:
    """The server will never accept the message.

    reason  the server's own words on one line
    at      how far the message got
    """

    reason: str
    at: RefusedAt = RefusedAt.RECIPIENT


@dataclass(frozen=True, slots=True)
class Unanswered:
    """The message was handed over, but the connection broke before an answer came. The message may have arrived."""

    reason: str


@dataclass(frozen=True, slots=True)
class GivenBack:
    """The message was certainly not accepted, so another connection may send it immediately.

    suspect  whether the connection broke while the server was dealing with this message, which may be the cause
    """

    reason: str
    suspect: bool = False


Outcome = Accepted | Deferred | Rejected | Unanswered


class Transport(Protocol):
    """A way to send messages, one at a time. A transport is not thread-safe, so each worker has its own."""

    @property
    def idempotent(self) -> bool:
        """Return whether sending a delivery twice leaves only one message, unless the first was taken away."""
        ...

    def send(self, envelope_from: str, address: str, message: bytes, key: str) -> Outcome:
        """Hand one message over and wait for the answer.

        envelope_from, address: bare addresses, which may contain Unicode.
        message: RFC 5322 bytes with CRLF line ends and without dot-stuffing.
        key: the delivery's permanent name, "label/identity"; equal keys mean the same delivery.
        Raises TransportError if this message was not handed over, and no other message can be.
        """
        ...

    def close(self) -> None:
        """Close all connections and files. It is safe to call this twice."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None:
        """Close the transport."""
        ...
