"""Asking the DNS, for answers as plain text. The only user of dnspython."""

from __future__ import annotations

from ipaddress import ip_address
from typing import TYPE_CHECKING

from publisher.config.mail import parse_dns_server
from publisher.core.errors import DnsError

if TYPE_CHECKING:
    from dns.rdata import Rdata
    from dns.resolver import Resolver as Library

_MEND = "name another with --resolver, or in mail.resolver"


class DeadResolverError(DnsError):
    """The DNS server never answered: there is no use in asking on."""


class Resolver:
    """Asks one DNS server, or those of this machine. Answers are kept; each question is asked once."""

    def __init__(self, server: str = "", *, seconds: float = 4.0) -> None:
        """server: an IP address, with a port where it is not 53 (127.0.0.1:5353, [::1]:5353); "" for the machine's.

        seconds: how long one question may take, all attempts together. Raises DnsError where there is no server.
        """
        import dns.resolver

        try:
            place = parse_dns_server(server) if server else None
            self._library: Library = dns.resolver.Resolver(configure=not server)
        except dns.resolver.NoResolverConfiguration as error:
            raise DnsError("this machine names no DNS server", hint="name one with --resolver") from error
        except ValueError as error:
            raise DnsError(str(error), where="--resolver") from error
        if place:
            self._library.nameservers, self._library.port = [place[0]], place[1]
        self._library.lifetime, self._library.timeout = seconds, seconds / 2
        # An answer of 1,232 bytes fits every path (DNS flag day 2020); longer ones come over TCP.
        self._library.use_edns(0, 0, 1232)
        self._server = server or ", ".join(str(each) for each in self._library.nameservers) or "of this machine"
        self._known: dict[tuple[str, str], tuple[str, ...]] = {}

    def ask(self, name: str, kind: str) -> tuple[str, ...]:
        """Return the records of a name, sorted: TXT as its strings joined, MX as "10 mx.example.org", names without
        the dot at their end. No such name and no such record are both ().

        Raises DeadResolverError when the server has never answered yet, DnsError when it has no answer to this one.
        """
        key = name.lower().rstrip("."), kind
        if key not in self._known:
            self._known[key] = self._asked(*key)
        return self._known[key]

    def _asked(self, name: str, kind: str) -> tuple[str, ...]:
        import dns.exception
        import dns.resolver

        try:
            answer = self._library.resolve(f"{name}.", kind, search=False)
            return tuple(sorted(_text(record) for record in answer))
        except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
            return ()
        except dns.resolver.LifetimeTimeout as error:
            if not self._known:
                raise DeadResolverError("the DNS server does not answer", where=self._server, hint=_MEND) from error
            raise DnsError(f"no answer in time for {kind} of {name}", where=self._server, hint="try again") from error
        except dns.resolver.NoNameservers as error:
            what = f"the DNS server fails at {kind} of {name}"
            raise DnsError(what, where=self._server, hint="try again, or name another with --resolver") from error
        except (dns.exception.DNSException, OSError, UnicodeError) as error:
            raise DnsError(f"{name} cannot be asked for: {error}", where=self._server) from error


def reverse_name(address: str) -> str:
    """Return the name under which the DNS keeps the name of an address (RFC 1035, 3.5; RFC 3596, 2.5)."""
    return ip_address(address).reverse_pointer


def _text(record: Rdata) -> str:
    strings = getattr(record, "strings", None)
    if strings is not None:
        return b"".join(strings).decode("utf-8", "replace")
    return " ".join(part.rstrip(".") or "." for part in record.to_text().split(" "))
