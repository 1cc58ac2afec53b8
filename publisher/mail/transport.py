"""What takes a message, and what it may answer.

A refusal is a value. TransportError means that nothing was handed over and nothing more can be: nobody
listens, the login failed, the disk is full.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import TracebackType
from typing import Protocol, Self


@dataclass(frozen=True, slots=True)
class Accepted:
    """The message is the server's now."""


@dataclass(frozen=True, slots=True)
class Deferred:
    """The server does not take it now; it may later. reason is the server's own words, one line."""

    reason: str


@dataclass(frozen=True, slots=True)
class Rejected:
    """The server will never take it. reason is the server's own words, one line.

    gone     the mailbox or its domain is not there (RFC 3463): nothing should be sent to it again
    content  the message or its sender was refused, not the recipient: others will be refused, too
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
    """It was not handed over, or the server said so: another connection may take it at once.

    suspect  the connection broke when it was this message's turn, which may be why
    """

    reason: str
    suspect: bool = False


Outcome = Accepted | Deferred | Rejected | Unanswered


class Transport(Protocol):
    """A way out for messages. Not safe for threads; one worker, one transport."""

    @property
    def idempotent(self) -> bool:
        """Whether sending the same delivery again leaves one message, so that doubt is settled by sending."""
        ...

    def send(self, envelope_from: str, address: str, message: bytes, key: str) -> Outcome:
        """Hand one message over and wait for the answer.

        envelope_from, address: bare addresses, Unicode where they are so.
        message: RFC 5322 bytes with CRLF line ends, dots not stuffed.
        key: the delivery's permanent name, "label/identity"; equal keys mean the same delivery.
        Raises TransportError when nothing was handed over and nothing more can be.
        """
        ...

    def close(self) -> None:
        """Let go of connections and files; may be called twice."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None:
        """Close."""
        ...
