"""All checks of the mail doctor for one domain."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from publisher.config import Relay
from publisher.core.errors import DnsError
from publisher.core.frozen import dataclass
from publisher.mail.dkim import Signer
from publisher.mail.doctor.diagnosis import Ask, DeadResolverError, Diagnosis, Level
from publisher.mail.doctor.dkim_record import check_dkim
from publisher.mail.doctor.dmarc import check_dmarc
from publisher.mail.doctor.mail_servers import addresses_of, check_mx, check_ptr, check_tls, is_public
from publisher.mail.doctor.one_click import check_one_click, reach
from publisher.mail.doctor.spf import check_spf, service_of

_TIMEOUT_SECONDS = 5


@dataclass(frozen=True, slots=True)
class MailSetup:
    """The configuration for sending the emails of one domain.

    domain         the domain of the From address, in ASCII
    return_domain  the domain of the address for bounces, in ASCII
    signers        the keys that sign the emails
    servers        the mail servers that send the emails; () for the outbox
    public_url     the beginning of the links in emails
    addresses      the public IP addresses that send the emails, if the user gave any
    sample         a message as subscribers receive it
    """

    domain: str
    return_domain: str
    signers: tuple[Signer, ...]
    servers: tuple[Relay, ...]
    public_url: str
    addresses: tuple[str, ...]
    sample: bytes

    @property
    def remote_hosts(self) -> list[str]:
        """Return the host names of the mail servers that are not on this machine."""
        return [server.address.host for server in self.servers if not server.address.is_near]


def examine(setup: MailSetup, ask: Ask, *, seconds: int = _TIMEOUT_SECONDS) -> Iterator[Diagnosis]:
    """Run all checks, in the best order for fixing problems, and yield their findings.

    seconds: how long the mail server and the web application may take to answer. Raises DeadResolverError if the DNS
    never answers. A single unanswered query only becomes a diagnosis.
    """
    domain, bounces, signing = setup.domain, setup.return_domain, [signer.domain.lower() for signer in setup.signers]
    hosts = setup.remote_hosts
    yield from _answered("SPF", bounces, lambda: check_spf(bounces, hosts, sending_addresses(setup, ask), ask))
    yield from _answered("DKIM", domain, lambda: check_dkim(domain, setup.signers, ask))
    yield from _answered("DMARC", domain, lambda: check_dmarc(domain, bounces, signing, ask))
    yield from _answered("MX", domain, lambda: [check_mx(domain, "answers", ask)])
    if bounces != domain:
        yield from _answered("MX", bounces, lambda: [check_mx(bounces, "bounces", ask)])
    yield from _answered("PTR", ", ".join(hosts) or domain, lambda: check_names(setup, ask))
    if not setup.servers:
        meaning = "emails are written as files to the outbox, so there is no mail server to check"
        yield Diagnosis("TLS", Level.NOTE, domain, 'mail.transport is "outbox"', meaning, "see [mail.smtp]")
    yield from (check_tls(server, seconds) for server in setup.servers)
    answer = reach(setup.public_url, seconds) if setup.public_url.startswith("https://") else ""
    yield from check_one_click(setup.public_url, answer, setup.sample)


def sending_addresses(setup: MailSetup, ask: Ask) -> tuple[str, ...]:
    """Return the IP addresses that send the emails.

    These are the addresses that the user gave, or else the public addresses of the mail servers. The sending addresses
    of a mail service are left out, because they are not known here.
    """
    if setup.addresses:
        return setup.addresses
    own = (host for host in setup.remote_hosts if not service_of(host))
    return tuple(each for host in own for each in addresses_of(host, ask) if is_public(each))


def check_names(setup: MailSetup, ask: Ask) -> Iterator[Diagnosis]:
    """Check the names of the sending addresses, or say why no address is known."""
    addresses = sending_addresses(setup, ask)
    yield from check_ptr(addresses, setup.domain, ask)
    if addresses:
        return
    services = [server.address.host for server in setup.servers if service_of(server.address.host)]
    if services:
        message = "the mail service takes care of the names of its addresses"
        yield Diagnosis("PTR", Level.OK, ", ".join(services), message, "there is nothing for you to do")
        return
    meaning = "no public address of the server is known here; receivers see one, and check its name"
    hint = "name the address with --ip"
    yield Diagnosis("PTR", Level.NOTE, setup.domain, "there is no address to check", meaning, hint)


def _answered(check: str, subject: str, look: Callable[[], Iterable[Diagnosis]]) -> list[Diagnosis]:
    """Run one check and return its findings. An unanswered DNS query becomes a diagnosis, so other checks continue."""
    try:
        return list(look())
    except DeadResolverError:
        raise
    except DnsError as error:
        return [Diagnosis(check, Level.ERROR, subject, error.message, "receivers may not get an answer", error.hint)]
