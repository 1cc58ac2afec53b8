"""What goes into a dialogue, and what comes out of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from publisher.mail.transport import GivenBack, Outcome

Fate = Outcome | GivenBack


@dataclass(frozen=True, slots=True)
class Offer:
    """Which extensions the server offers."""

    pipelining: bool = False
    eight_bit: bool = False
    size: bool = False
    smtputf8: bool = False

    @classmethod
    def of(cls, extensions: Mapping[str, str]) -> Offer:
        """Read the extensions of an answer to EHLO, by their names in small letters."""
        return cls(
            pipelining="pipelining" in extensions,
            eight_bit="8bitmime" in extensions,
            size="size" in extensions,
            smtputf8="smtputf8" in extensions,
        )


@dataclass(frozen=True, slots=True, eq=False)
class Message:
    """A message on its way; equal only to itself.

    sender, recipient  bare addresses with ASCII domains
    content            in pieces: lines that end with CRLF, of which none starts with a single dot (see `stuffed`)
    utf8               an address or a header needs SMTPUTF8 (RFC 6531)
    eight_bit          the body needs 8BITMIME (RFC 6152)
    """

    sender: str
    recipient: str
    content: Sequence[bytes]
    utf8: bool = False
    eight_bit: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of a message."""

    message: Message
    fate: Fate


@dataclass(frozen=True, slots=True)
class Ending:
    """Why a dialogue is over. mend: where the settings are wrong, so that a new connection would not help."""

    reason: str
    hint: str = ""


def stuffed(message: bytes) -> bytes:
    """Return a message as content: whole lines, each dot at the start of a line doubled (RFC 5321, 4.5.2)."""
    if message.startswith(b"."):
        message = b"." + message
    doubled = message.replace(b"\n.", b"\n..")
    return doubled if doubled.endswith(b"\r\n") else doubled + b"\r\n"
