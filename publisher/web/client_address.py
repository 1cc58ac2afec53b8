"""The IP addresses of clients, including those behind a proxy, and their shortened form for the log."""

from __future__ import annotations

import re
from collections.abc import Iterable
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from starlette.types import Scope

UNKNOWN = "unknown"


class Clients:
    """Determines the IP address of the client that sent a request.

    X-Forwarded-For is only trusted if it comes from a configured proxy.
    """

    def __init__(self, trusted_proxies: Iterable[str], metrics_for: Iterable[str]) -> None:
        self._proxies = [ip_network(proxy) for proxy in trusted_proxies]
        self._metrics_for = [ip_network(network) for network in metrics_for]

    def address(self, scope: Scope) -> str:
        """Return the client's IP address.

        Behind a configured proxy, it is the last address in X-Forwarded-For that is not one of them. Addresses to its
        left were written by the client and cannot be trusted.
        """
        peer = _peer(scope)
        if not self.is_proxy(peer):
            return peer
        return next((hop for hop in reversed(_forwarded(scope)) if not self.is_proxy(hop)), peer)

    def may_read_metrics(self, scope: Scope) -> bool:
        """Return whether the client may read /metrics. This is never allowed through a proxy that is not configured."""
        if _forwarded(scope) and not self.is_proxy(_peer(scope)):
            return False
        found = parse_ip(self.address(scope))
        return found is not None and any(found in network for network in self._metrics_for)

    def is_proxy(self, text: str) -> bool:
        """Return whether an IP address is that of a configured proxy."""
        found = parse_ip(text)
        return found is not None and any(found in network for network in self._proxies)


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
    return str(ip_network((found, 64), strict=False)) if isinstance(found, IPv6Address) else client


def parse_ip(text: str) -> IPv4Address | IPv6Address | None:
    """Parse an IP address; return None if the text is not an IP address.

    An IPv4-mapped IPv6 address is returned as IPv4.
    """
    try:
        found = ip_address(text)
    except ValueError:
        return None
    mapped = found.ipv4_mapped if isinstance(found, IPv6Address) else None
    return mapped or found


def is_local_host(header: str) -> bool:
    """Return whether the Host header of a request is localhost or an IP address, and not a domain."""
    host = re.sub(r":\d*$", "", header).strip("[]")
    return host == "localhost" or host.endswith(".localhost") or parse_ip(host) is not None


def _peer(scope: Scope) -> str:
    return str((scope.get("client") or (UNKNOWN,))[0])


def _forwarded(scope: Scope) -> list[str]:
    values = [value.decode("latin-1") for name, value in scope["headers"] if name == b"x-forwarded-for"]
    return [hop.strip() for value in values for hop in value.split(",") if parse_ip(hop.strip()) is not None]
