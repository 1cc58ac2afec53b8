"""A DNS resolver that returns answers as plain text.

This is the only module that uses dnspython, which takes 0.2 s to load.
"""

from __future__ import annotations

import dns.exception
import dns.resolver
from dns.rdata import Rdata

from publisher.config.mail import parse_dns_server
from publisher.core.errors import DnsError
from publisher.mail.doctor.diagnosis import DeadResolverError

_HINT = "name a different one with --resolver, or in mail.resolver"


class Resolver:
    """A DNS client that uses one given server, or the servers of this machine. It caches every answer."""

    def __init__(self, server: str = "", *, seconds: float = 4.0) -> None:
        """Prepare queries to a DNS server. Raises DnsError if the server is not valid or none is configured.

        server: an IP address, with a port if it is not 53 (127.0.0.1:5353, [::1]:5353); "" for the machine's servers.
        seconds: the longest time that one query may take, including all attempts.
        """
        try:
            place = parse_dns_server(server) if server else None
            self._library = dns.resolver.Resolver(configure=not server)
        except dns.resolver.NoResolverConfiguration as error:
            raise DnsError("this machine has no DNS server configured", hint="name one with --resolver") from error
        except ValueError as error:
            raise DnsError(str(error), where="--resolver") from error
        if place:
            self._library.nameservers, self._library.port = [place[0]], place[1]
        self._library.lifetime, self._library.timeout = seconds, seconds / 2
        # An answer of 1,232 bytes fits into a packet on every network (DNS flag day 2020); longer ones use TCP.
        self._library.use_edns(0, 0, 1232)
        self._server = server or ", ".join(str(each) for each in self._library.nameservers) or "this machine's"
        self._known: dict[tuple[str, str], tuple[str, ...]] = {}

    def ask(self, name: str, kind: str) -> tuple[str, ...]:
        """Return the records of a name, sorted; return () if the name or the record does not exist.

        kind: the type of the records, such as "TXT". The strings of a TXT record are joined, an MX record looks like
        "10 mx.example.org", and names have no dot at the end. Raises DeadResolverError if the server has not answered
        any query so far. Raises DnsError if it does not answer this one.
        """
        key = name.lower().rstrip("."), kind
        if key not in self._known:
            self._known[key] = self._asked(*key)
        return self._known[key]

    def _asked(self, name: str, kind: str) -> tuple[str, ...]:
        try:
            answer = self._library.resolve(f"{name}.", kind, search=False)
            return tuple(sorted(_text(record) for record in answer))
        except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
            return ()
        except dns.resolver.LifetimeTimeout as error:
            if not self._known:
                raise DeadResolverError("the DNS server does not answer", where=self._server, hint=_HINT) from error
            raise DnsError(f"no answer in time for {kind} of {name}", where=self._server, hint="try again") from error
        except dns.resolver.NoNameservers as error:
            what = f"the DNS server cannot answer for {kind} of {name}"
            raise DnsError(
                what, where=self._server, hint="try again, or name a different one with --resolver"
            ) from error
        except (dns.exception.DNSException, OSError, UnicodeError) as error:
            raise DnsError(f"cannot look up {name}: {error}", where=self._server) from error


def _text(record: Rdata) -> str:
    strings = getattr(record, "strings", None)
    if strings is not None:
        return b"".join(strings).decode("utf-8", "replace")
    return " ".join(part.rstrip(".") or "." for part in record.to_text().split(" "))
