"""Who is asking: the client's address, behind a proxy or not, and how much of it may stand in a log."""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from starlette.types import Scope

UNKNOWN = "unknown"


class Clients:
    """Reads the address of a request. Proxies that are not named are not believed."""

    def __init__(self, trusted_proxies: Iterable[str], metrics_for: Iterable[str]) -> None:
        self._proxies = [ip_network(proxy) for proxy in trusted_proxies]
        self._readers = [ip_network(reader) for reader in metrics_for]

    def address(self, scope: Scope) -> str:
        """Return the IP address of whoever asks: of X-Forwarded-For the last that is no proxy of ours.

        What stands left of that one was written by the client and proves nothing.
        """
        peer = (scope.get("client") or (UNKNOWN,))[0]
        if not self._is_proxy(peer):
            return str(peer)
        for hop in reversed(_forwarded(scope)):
            if not self._is_proxy(hop):
                return hop
        return str(peer)

    def may_read_metrics(self, scope: Scope) -> bool:
        """Return whether the figures are for this client; never for one behind a proxy that is not named."""
        peer = (scope.get("client") or (UNKNOWN,))[0]
        if _forwarded(scope) and not self._is_proxy(peer):
            return False
        found = _parsed(self.address(scope))
        return found is not None and any(found in network for network in self._readers)

    def _is_proxy(self, text: str) -> bool:
        found = _parsed(text)
        return found is not None and any(found in network for network in self._proxies)


def household(address: str) -> str:
    """Return what one client is counted by: an IPv4 address, or the /64 of an IPv6 address, which one client has."""
    found = _parsed(address)
    if isinstance(found, IPv6Address):
        return str(ip_network((found, 64), strict=False))
    return address


def shortened_client(address: str) -> str:
    """Return an IP address as a log keeps it: without the part that tells one person from the next."""
    found = _parsed(address)
    if found is None:
        return UNKNOWN
    bits = 24 if isinstance(found, IPv4Address) else 48
    return str(ip_network((found, bits), strict=False))


def shortened_address(address: str) -> str:
    """Return a mail address as a log keeps it: its domain."""
    return f"…@{address.rpartition('@')[2]}" if "@" in address else "…"


def _forwarded(scope: Scope) -> list[str]:
    values = [value.decode("latin-1") for name, value in scope["headers"] if name == b"x-forwarded-for"]
    return [hop.strip() for value in values for hop in value.split(",") if _parsed(hop.strip()) is not None]


def _parsed(text: str) -> IPv4Address | IPv6Address | None:
    try:
        found = ip_address(text)
    except ValueError:
        return None
    mapped = found.ipv4_mapped if isinstance(found, IPv6Address) else None
    return mapped or found
