"""Checks of the servers that receive mail (MX), the names of sending addresses (PTR), and encryption (TLS)."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Iterator, Sequence
from dataclasses import replace
from ipaddress import ip_address

from publisher.config import Smtp
from publisher.core.errors import TransportError
from publisher.mail.doctor.diagnosis import Ask, Diagnosis, Level, zone_line
from publisher.mail.smtp.connection import Connection, UnreachableError, open_connection
from publisher.mail.smtp.protocol import Ending, Message, MessageFate


def addresses_of(host: str, ask: Ask) -> tuple[str, ...]:
    """Return the IP addresses of a host, or the host itself if it is an IP address."""
    try:
        return (str(ip_address(host.strip("[]"))),)
    except ValueError:
        return (*ask(host, "A"), *ask(host, "AAAA"))


def is_public(address: str) -> bool:
    """Return whether the IP address is public, so that it can send mail over the internet."""
    return ip_address(address).is_global


def check_mx(domain: str, what_for: str, ask: Ask) -> Diagnosis:
    """Check the MX records of a domain. what_for: the emails that arrive there, "answers" or "bounces"."""
    records = [record.split(" ") for record in ask(domain, "MX")]
    suggestion = zone_line(domain, "MX", "10", f"mail.{domain}.")
    if [target for _, target in records] == ["."]:
        meaning = f"the domain says that it accepts no mail: {what_for} are lost, and receivers refuse its emails"
        return Diagnosis("MX", Level.ERROR, domain, "a null MX", meaning, "name a real server", suggestion)
    if not records:
        if addresses_of(domain, ask):
            meaning = f"{what_for} go to the domain's own address, if a mail server listens there"
            return Diagnosis("MX", Level.WARNING, domain, "no MX record", meaning, "name the server", suggestion)
        meaning = f"{what_for} cannot arrive, and receivers may refuse emails from a domain that accepts none"
        return Diagnosis("MX", Level.ERROR, domain, "no MX record and no address", meaning, "add one", suggestion)
    dead = [target for _, target in records if not _is_host(target, ask)]
    if len(dead) == len(records):
        what = f"{', '.join(dead)} has no address"
        return Diagnosis("MX", Level.ERROR, domain, what, f"{what_for} cannot arrive", "name a server that exists")
    servers = ", ".join(target for _, target in sorted(records, key=lambda each: int(each[0])))
    if dead:
        meaning = f"{what_for} are delayed while senders try it"
        return Diagnosis("MX", Level.WARNING, domain, f"{', '.join(dead)} has no address", meaning, "remove it")
    return Diagnosis("MX", Level.OK, domain, servers, f"{what_for} can arrive there")


def check_ptr(addresses: Sequence[str], domain: str, ask: Ask) -> Iterator[Diagnosis]:
    """Check that each sending IP address has a name that resolves to the same address (RFC 1912, 2.1)."""
    for address in addresses:
        reverse = ip_address(address).reverse_pointer
        names = ask(reverse, "PTR")
        back = [name for name in names if address in addresses_of(name, ask)]
        suggestion = zone_line(reverse, "PTR", f"{names[0] if names else f'mail.{domain}'}.")
        if back:
            yield Diagnosis("PTR", Level.OK, address, f"{back[0]}, and back", "its name resolves to it")
        elif names:
            kind = "A" if ip_address(address).version == 4 else "AAAA"
            yield Diagnosis(
                *("PTR", Level.ERROR, address, f"its name is {names[0]}, which does not resolve to it"),
                "Gmail and others refuse emails from such an address, or put them into the spam folder",
                "add the record, or have the name of the address changed",
                zone_line(names[0], kind, address),
            )
        else:
            yield Diagnosis(
                *("PTR", Level.ERROR, address, "the address has no name"),
                "Gmail and others refuse emails from such an address",
                "ask the provider of the address to set its reverse name to that of your mail server",
                suggestion,
            )


def _is_host(target: str, ask: Ask) -> bool:
    """Return whether the target of an MX record is a name that has an IP address.

    An MX record must not contain an IP address (RFC 5321, 5.1), so the result is False for one.
    """
    try:
        ip_address(target)
    except ValueError:
        return bool(addresses_of(target, ask))
    return False


_CHECK = "TLS"


def check_tls(server: Smtp, seconds: int, context: ssl.SSLContext | None = None) -> Diagnosis:
    """Check that a mail server can be used securely: connect, encrypt and log in as if to send an email.

    seconds: the longest wait for an answer. context: the certificates to trust; the system's by default.
    """
    where = str(server.address)
    try:
        asyncio.run(_greeted(replace(server, timeout=min(server.timeout, seconds)), context))
    except UnreachableError as error:
        return Diagnosis(_CHECK, Level.ERROR, where, error.message, "no email can be sent", error.hint)
    except TransportError as error:
        return Diagnosis(_CHECK, Level.ERROR, where, error.message, "no email can be sent safely", error.hint)
    if server.address.tls == "none" and not server.address.is_near:
        meaning = "others on the network can read emails, addresses and the password"
        return Diagnosis(_CHECK, Level.ERROR, where, "it is not encrypted", meaning, 'set tls = "starttls" or "tls"')
    if server.address.tls == "none":
        return Diagnosis(
            _CHECK, Level.OK, where, "it answers, on this machine", "nothing leaves the machine unencrypted"
        )
    how = "STARTTLS is offered" if server.address.tls == "starttls" else "it speaks TLS from the start"
    login = " and the login works" if server.username else ""
    return Diagnosis(_CHECK, Level.OK, where, f"{how}, the certificate is valid{login}", "nobody can eavesdrop")


async def _greeted(server: Smtp, context: ssl.SSLContext | None) -> None:
    connection = await open_connection(server, _IdleOwner(), context=context)
    await connection.stop_and_wait()


class _IdleOwner:
    """A ConnectionOwner without messages to send."""

    def next_message(self, connection: Connection) -> Message | None:
        """See ConnectionOwner."""
        return None

    def answered(self, connection: Connection, answer: MessageFate) -> None:
        """See ConnectionOwner."""

    def ended(self, connection: Connection, ending: Ending) -> None:
        """See ConnectionOwner."""
