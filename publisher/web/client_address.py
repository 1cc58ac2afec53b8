"""The IP addresses of clients, including those behind a proxy, and their shortened form for the log."""

from __future__ import annotations

import re
from collections.abc import Iterable
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from starlette.types import Scope

UNKNOWN = "unknown"

# Headers that only a proxy adds.
_OF_PROXIES = (b"x-forwarded-for", b"forwarded", b"x-forwarded-host", b"x-forwarded-proto", b"x-real-ip", b"via")
# How many of the last addresses in these headers are read. A client may have added others in front of them.
_MOST_HOPS = 20
_WITH_PORT = re.compile(r"(?:\[([0-9A-Fa-f:.%\w]{2,80})\]|([0-9.]{7,15}))(?::[0-9]{1,5}|:_[\w.-]{1,30})?", re.ASCII)


class Clients:
    """Determines the IP address of the client that sent a request.

    X-Forwarded-For and Forwarded (RFC 7239) are only trusted if they come from a configured proxy.
    """

    def __init__(
        self, trusted_proxies: Iterable[str], metrics_for: Iterable[str], *, shows_addresses: bool = False
    ) -> None:
        """Prepare to determine addresses. shows_addresses: whether the log may show whole addresses."""
        self._proxies = [ip_network(proxy) for proxy in trusted_proxies]
        self._metrics_for = [ip_network(network) for network in metrics_for]
        self._shows_addresses = shows_addresses
        self._warned = False

    def address(self, scope: Scope) -> str:
        """Return the client's IP address, or UNKNOWN.

        Behind a configured proxy, it is the last address in X-Forwarded-For or Forwarded that is not that of a proxy.
        Addresses to its left were written by the client and cannot be trusted. If that address cannot be read, or the
        two headers disagree, so that a client has written one of them, the client is unknown.
        """
        peer = _peer(scope)
        if not self.is_proxy(peer):
            return peer
        named = {self._client_in(hops) for hops in (_forwarded_for(scope), _forwarded(scope)) if hops}
        if not named:
            return peer
        return named.pop() if len(named) == 1 else UNKNOWN

    def shown(self, scope: Scope) -> str:
        """Return what the log shows of the client: its network, or its IP address if the owner has chosen that."""
        address = self.address(scope)
        return address if self._shows_addresses else shortened_client(address)

    def behind_proxy(self, scope: Scope) -> str:
        """Return the client's IP address, or UNKNOWN, if a configured proxy passed on the request; otherwise ""."""
        peer = _peer(scope)
        address = self.address(scope)
        return address if self.is_proxy(peer) and address != peer else ""

    def may_read_metrics(self, scope: Scope) -> bool:
        """Return whether the client may read /metrics. This is never allowed through a proxy that is not configured."""
        if is_forwarded(scope) and not self.is_proxy(_peer(scope)):
            return False
        found = parse_ip(self.address(scope))
        return found is not None and any(found in network for network in self._metrics_for)

    def is_proxy(self, text: str) -> bool:
        """Return whether an IP address belongs to a configured proxy."""
        found = parse_ip(text)
        return found is not None and any(found in network for network in self._proxies)

    def should_warn(self, scope: Scope) -> bool:
        """Return whether this is the first request from a proxy that is not configured.

        Only a proxy on this machine or in a private network counts, because anyone can send its headers.
        """
        if self._warned or not is_forwarded(scope):
            return False
        found = parse_ip(_peer(scope))
        self._warned = found is not None and found.is_private and not self.is_proxy(str(found))
        return self._warned

    def _client_in(self, hops: list[str]) -> str:
        """Return the last address that is not a proxy, or the first if all are; UNKNOWN if it cannot be read."""
        address = UNKNOWN
        for hop in reversed(hops):
            address = _parse_hop(hop)
            if not self.is_proxy(address):
                break
        return address


def shortened_client(address: str) -> str:
    """Return the /24 (IPv4) or /48 (IPv6) network of an IP address, for the log. It does not identify a person."""
    found = parse_ip(address)
    if found is None:
        return UNKNOWN
    bits = 24 if isinstance(found, IPv4Address) else 48
    return str(ip_network((found, bits), strict=False))


def household(client: str) -> str:
    """Return the address or network that counts as one client.

    It is a single IPv4 address, or the /64 network that an IPv6 client usually has to itself.
    """
    found = parse_ip(client)
    return str(ip_network((found, 64), strict=False)) if isinstance(found, IPv6Address) else str(found or client)


def parse_ip(text: str) -> IPv4Address | IPv6Address | None:
    """Parse an IP address; return None if the text is not an IP address.

    An IPv4-mapped IPv6 address is returned as IPv4, and a zone such as %eth0 is removed.
    """
    try:
        found = ip_address(text.partition("%")[0] if ":" in text else text)
    except ValueError:
        return None
    mapped = found.ipv4_mapped if isinstance(found, IPv6Address) else None
    return mapped or found


def is_local_host(header: str) -> bool:
    """Return whether the Host header of a request is localhost or an IP address, and not a domain."""
    host = re.sub(r":\d*$", "", header).strip("[]")
    return host == "localhost" or host.endswith(".localhost") or parse_ip(host) is not None


def is_forwarded(scope: Scope) -> bool:
    """Return whether a request has a header that only proxies add."""
    return any(name in _OF_PROXIES for name, _ in scope["headers"])


def _peer(scope: Scope) -> str:
    address = str((scope.get("client") or (UNKNOWN,))[0])
    return str(parse_ip(address) or address)


def _forwarded_for(scope: Scope) -> list[str]:
    """Return the last elements of all X-Forwarded-For headers, read as one list."""
    values = [value.decode("latin-1") for name, value in scope["headers"] if name == b"x-forwarded-for"]
    return ",".join(values).rsplit(",", _MOST_HOPS)[-_MOST_HOPS:] if values else []


def _forwarded(scope: Scope) -> list[str]:
    """Return the "for" parameter of the last elements of all Forwarded headers (RFC 7239), or "" if it is missing."""
    values = [value.decode("latin-1") for name, value in scope["headers"] if name == b"forwarded"]
    elements = ",".join(values).rsplit(",", _MOST_HOPS)[-_MOST_HOPS:] if values else []
    return [_for_parameter(element) for element in elements]


def _for_parameter(element: str) -> str:
    pairs = [pair.partition("=") for pair in element.split(";")]
    values = [value.strip() for name, _, value in pairs if name.strip().lower() == "for"]
    return values[0].strip('"') if len(values) == 1 else ""


def _parse_hop(text: str) -> str:
    """Return the IP address that a proxy has written, with or without a port; otherwise UNKNOWN."""
    text = text.strip()
    found = _WITH_PORT.fullmatch(text)
    address = parse_ip((found[1] or found[2]) if found else text)
    return str(address) if address else UNKNOWN
