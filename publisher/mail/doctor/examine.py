"""All that the doctor looks at for one domain."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from publisher.config import Relay
from publisher.core.errors import DnsError
from publisher.mail.dkim import Signer
from publisher.mail.doctor.diagnosis import Ask, Diagnosis, Level
from publisher.mail.doctor.dmarc import dmarc
from publisher.mail.doctor.mail_servers import (
    addresses_of,
    greeting,
    is_near,
    is_public,
    mail_exchangers,
    reverse_names,
)
from publisher.mail.doctor.one_click import one_click, reach
from publisher.mail.doctor.resolver import DeadResolverError
from publisher.mail.doctor.signatures import signatures
from publisher.mail.doctor.spf import service_of, spf

_PATIENCE_SECONDS = 5


@dataclass(frozen=True, slots=True)
class MailSetup:
    """What one domain's mail is made of, as configured.

    domain         of the From address, in ASCII
    return_domain  of the address to which failures come back, in ASCII
    signers        the keys that sign its mail
    servers        that take it; () for the outbox
    public_url     where the links in letters lead
    addresses      from which mail leaves, as a person named them
    sample         a message as readers get it
    """

    domain: str
    return_domain: str
    signers: tuple[Signer, ...]
    servers: tuple[Relay, ...]
    public_url: str
    addresses: tuple[str, ...]
    sample: bytes


def examine(patient: MailSetup, ask: Ask, *, seconds: int = _PATIENCE_SECONDS) -> Iterator[Diagnosis]:
    """Look at everything, in the order in which it is best mended.

    seconds: how long the mail server and the web application may take to answer. Raises DeadResolverError where
    the DNS never answers; a single question without an answer is a diagnosis.
    """
    domain, signing = patient.domain, [signer.domain.lower() for signer in patient.signers]
    names = [server.address.host for server in patient.servers if not is_near(server)]
    places = Places(patient, ask)
    yield from _asking("SPF", patient.return_domain, lambda: spf(patient.return_domain, names, places.leaving(), ask))
    yield from _asking("DKIM", domain, lambda: signatures(domain, patient.signers, ask))
    yield from _asking("DMARC", domain, lambda: dmarc(domain, patient.return_domain, signing, ask))
    yield from _asking("MX", domain, lambda: [mail_exchangers(domain, "answers", ask)])
    if patient.return_domain != domain:
        yield from _asking(
            "MX", patient.return_domain, lambda: [mail_exchangers(patient.return_domain, "bounces", ask)]
        )
    yield from _asking("PTR", ", ".join(names) or domain, places.named)
    if not patient.servers:
        meaning = "letters are files in the outbox; there is no mail server to look at"
        yield Diagnosis("TLS", Level.NOTE, domain, 'mail.transport is "outbox"', meaning, "see [mail.smtp]")
    yield from (greeting(server, seconds) for server in patient.servers)
    answer = reach(patient.public_url, seconds) if patient.public_url.startswith("https://") else ""
    yield from one_click(patient.public_url, answer, patient.sample)


class Places:
    """From which addresses mail leaves, as far as anybody here can know."""

    def __init__(self, patient: MailSetup, ask: Ask) -> None:
        self._patient, self._ask = patient, ask

    def leaving(self) -> tuple[str, ...]:
        """Those a person named; else the public ones of the servers that are no great service's."""
        patient = self._patient
        if patient.addresses:
            return patient.addresses
        hosts = [server.address.host for server in patient.servers if not is_near(server)]
        own = (host for host in hosts if not service_of(host))
        return tuple(each for host in own for each in addresses_of(host, self._ask) if is_public(each))

    def named(self) -> Iterator[Diagnosis]:
        """Judge the names of the addresses, or tell why there are none to judge."""
        addresses, patient = self.leaving(), self._patient
        yield from reverse_names(addresses, patient.domain, self._ask)
        if addresses:
            return
        services = [server.address.host for server in patient.servers if service_of(server.address.host)]
        if services:
            message = "the names of its addresses are the service's own matter"
            yield Diagnosis("PTR", Level.OK, ", ".join(services), message, "nothing to do for you")
            return
        meaning = "the server has no public address that is known here; a receiver sees one, and asks for its name"
        hint = "name the address with --ip"
        yield Diagnosis("PTR", Level.NOTE, patient.domain, "no address to look at", meaning, hint)


def _asking(check: str, subject: str, look: Callable[[], Iterable[Diagnosis]]) -> list[Diagnosis]:
    """Return what was found; one question that has no answer is told, and stops nothing else."""
    try:
        return list(look())
    except DeadResolverError:
        raise
    except DnsError as error:
        return [Diagnosis(check, Level.ERROR, subject, error.message, "receivers may not get an answer", error.hint)]
