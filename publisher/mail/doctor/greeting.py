"""What the configured mail server says to a caller: encryption, certificate, login."""

from __future__ import annotations

import asyncio
import ssl
from dataclasses import replace

from publisher.config import Smtp
from publisher.core.errors import TransportError
from publisher.mail.doctor.diagnosis import Diagnosis, Level
from publisher.mail.smtp.connect import UnreachableError, open_line
from publisher.mail.smtp.connection import Line
from publisher.mail.smtp.messages import Answer, Ending, Message

_CHECK = "TLS"


def greeting(server: Smtp, seconds: int, context: ssl.SSLContext | None = None) -> Diagnosis:
    """Connect, encrypt and log in as for a letter, say goodbye, and tell how it went.

    context: which certificates to trust; the system's by default.
    """
    where = str(server.address)
    try:
        asyncio.run(_greeted(replace(server, timeout=min(server.timeout, seconds)), context))
    except UnreachableError as error:
        return Diagnosis(_CHECK, Level.ERROR, where, error.message, "no letter leaves", error.hint)
    except TransportError as error:
        return Diagnosis(_CHECK, Level.ERROR, where, error.message, "no letter leaves, or unprotected", error.hint)
    if server.address.tls == "none" and not is_near(server):
        meaning = "letters, addresses and the password cross the network for everybody to read"
        return Diagnosis(_CHECK, Level.ERROR, where, "it is not encrypted", meaning, 'set tls = "starttls" or "tls"')
    if server.address.tls == "none":
        return Diagnosis(
            _CHECK, Level.OK, where, "it answers, on this machine", "nothing leaves the machine unprotected"
        )
    how = "STARTTLS is offered" if server.address.tls == "starttls" else "it speaks TLS from the start"
    login = " and the login works" if server.username else ""
    return Diagnosis(_CHECK, Level.OK, where, f"{how}, the certificate is valid{login}", "nobody can read along")


def is_near(server: Smtp) -> bool:
    """Return whether a server is on this machine."""
    return server.address.is_near


async def _greeted(server: Smtp, context: ssl.SSLContext | None) -> None:
    caller = _Caller()
    line = await open_line(server, caller, context)
    line.stop()
    for _ in range(200):  # a second for the goodbye, which nothing depends on
        if caller.gone:
            return
        await asyncio.sleep(0.005)
    line.fail("no goodbye")


class _Caller:
    """The crew of a line that carries nothing."""

    def __init__(self) -> None:
        self.gone = False

    def next_message(self, line: Line) -> Message | None:
        """See Crew."""
        return None

    def hands_over(self, message: Message) -> bool:
        """See Crew."""
        return False

    def answered(self, line: Line, answer: Answer) -> None:
        """See Crew."""

    def ended(self, line: Line, ending: Ending) -> None:
        """See Crew."""
        self.gone = True
