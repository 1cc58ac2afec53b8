"""What takes a message, and what it may answer.

A refusal is a value. TransportError means that nothing was handed over and nothing more can be: the server is not
reachable, the login failed, the disk is full.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import TracebackType
from typing import Protocol, Self


@dataclass(frozen=True, slots=True)
class Accepted:
    """The server has accepted the message."""


@dataclass(frozen=True, slots=True)
class Deferred:
    """The server does not accept the message now, but may later. reason: the server's own words, one line."""

    reason: str


@dataclass(frozen=True, slots=True)
class Rejected:
    """The server will never accept the message. reason: the server's own words, one line.

    gone     the mailbox or its domain does not exist (RFC 3463): nothing should be sent to it again
    content  the message or its sender was refused, not the recipient: other messages will be refused too
    """

    reason: str
    gone: bool = False
    content: bool = False


@dataclass(frozen=True, slots=True)
class Unanswered:
    """The message was handed over and the connection broke before an answer: it may have arrived."""

    reason: str


@dataclass(frozen=True, slots=True)
class GivenBack:
    """The message was surely not accepted: another connection may send it at once.

    suspect  the connection broke while the server was dealing with this message, which may be the cause
    """

    reason: str
    suspect: bool = False


Outcome = Accepted | Deferred | Rejected | Unanswered


class Transport(Protocol):
    """Sends messages, one at a time. Not thread-safe: each worker has its own."""

    @property
    def idempotent(self) -> bool:
        """Whether sending a delivery twice leaves one message, so that sending again is always safe."""
        ...

    def send(self, envelope_from: str, address: str, message: bytes, key: str) -> Outcome:
        """Hand one message over and wait for the answer.

        envelope_from, address: bare addresses, which may contain Unicode.
        message: RFC 5322 bytes with CRLF line ends, dots not stuffed.
        key: the delivery's permanent name, "label/identity"; equal keys mean the same delivery.
        Raises TransportError if nothing was handed over and nothing more can be.
        """
        ...

    def close(self) -> None:
        """Close connections and files; may be called twice."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None:
        """Close."""
        ...
