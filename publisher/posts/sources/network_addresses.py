"""Which addresses of the network may be connected to, and which spellings of a URL are accepted.

A feed, or the server that resolves its name, chooses where a request goes. Without these rules it could make the
program read pages that only this machine or its network can reach (server-side request forgery). The rules apply to the
address of the connection, not only to the name. They are checked for every address of every hop.

Everything here is a pure function.
"""

from __future__ import annotations

import unicodedata
from functools import cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from urllib.parse import SplitResult, quote, urljoin, urlsplit

from publisher.core import patterns
from publisher.core.frozen import dataclass

LONGEST_URL = 4_000
PORTS = {"http": 80, "https": 443}

# The owner may allow these for a source (allow_private).
_OF_THIS_NETWORK = {
    "this machine": ("127.0.0.0/8", "::1/128"),
    "a private network": ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7"),
    "the network of a provider (RFC 6598)": ("100.64.0.0/10",),
}
# Nobody can allow these: nothing that answers there is a feed.
_OF_NOBODY = {
    # AWS, Azure, Alibaba and Oracle: they lie in ranges of other kinds, so they come first
    "a metadata service": ("169.254.169.254/32", "168.63.129.16/32", "100.100.100.200/32", "192.0.0.192/32"),
    "an IPv6 metadata service": ("fd00:ec2::254/128",),
    "a link-local address": ("169.254.0.0/16", "fe80::/10"),
    "an unspecified address": ("0.0.0.0/8", "::/128"),
    "a multicast address": ("224.0.0.0/4", "ff00::/8"),
    "a 6to4 or Teredo address": ("192.88.99.0/24", "2002::/16", "2001::/32"),
    "a reserved address": (
        *("192.0.0.0/24", "192.0.2.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "240.0.0.0/4"),
        *("2001::/23", "2001:db8::/32", "3fff::/20"),
    ),
}
_MAPPED = ip_network("::ffff:0:0/96")
_NAT64 = ip_network("64:ff9b::/96")  # RFC 6052: an IPv4 address in the last 32 bits, which is what is reached
_GLOBAL = ip_network("2000::/3")  # the rest of IPv6 is unassigned, or has a special use

# Ports of other protocols, to which a web browser doesn't connect either (Fetch standard, "bad port").
_PORTS_OF_OTHERS = frozenset(
    (
        *(0, 1, 7, 9, 11, 13, 15, 17, 19, 20, 21, 22, 23, 25, 37, 42, 43, 53, 69, 77, 79, 87, 95, 101, 102, 103, 104),
        *(109, 110, 111, 113, 115, 117, 119, 123, 135, 137, 139, 143, 161, 179, 389, 427, 465, 512, 513, 514, 515),
        *(526, 530, 531, 532, 540, 548, 554, 556, 563, 587, 601, 636, 989, 990, 993, 995, 1719, 1720, 1723, 2049),
        *(3659, 4045, 4190, 5060, 5061, 6000, 6566, 6665, 6666, 6667, 6668, 6669, 6679, 6697, 10080),
    )
)
_NAME = patterns.compile(
    r"(?=.{1,253}$)[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?)*"
)
_LOGIN = patterns.compile(r"//[^/?#]*@")
_NUMBER = patterns.compile(r"0x[0-9a-f]*|[0-9]+")
_FORBIDDEN_CHARACTERS = patterns.compile(r"[\x00-\x20\x7f<>\"\\^`{|}]")


@dataclass(frozen=True, slots=True)
class Destination:
    """Where a request goes: the parts of a URL, in their normal form.

    host    a name in ASCII, or an address; IPv6 without brackets
    target  path and query
    """

    scheme: str
    host: str
    port: int
    target: str

    @property
    def url(self) -> str:
        """The whole URL, in ASCII, without a fragment."""
        return f"{self.scheme}://{self.authority}{self.target}"

    @property
    def authority(self) -> str:
        """Its host, and its port if it is not the usual one: the header Host."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == PORTS[self.scheme] else f"{host}:{self.port}"


def destination_of(url: str) -> Destination:
    """Return where a URL leads. Raise ValueError, with a message for the user, for a URL that must not be fetched.

    URLs with http and https are accepted, without a user name or password, with a host that is a name or an address in
    its normal spelling, and with a port that belongs to no other protocol.
    """
    if len(url) > LONGEST_URL:
        raise ValueError(f"is longer than {LONGEST_URL:,} characters")
    try:
        parts = urlsplit(url.strip())
        port = parts.port
    except ValueError as error:
        raise ValueError("is not a valid web address") from error
    if parts.scheme not in PORTS:
        raise ValueError(
            f"begins with {parts.scheme[:20] + ':' if parts.scheme else 'no http: or https:'}, not with https:"
        )
    if "@" in parts.netloc:
        raise ValueError("contains a user name or password")
    host = _host(parts)
    port = PORTS[parts.scheme] if port is None else port
    if port in _PORTS_OF_OTHERS:
        raise ValueError(f"names port {port}, which belongs to another protocol")
    return Destination(parts.scheme, host, port, _target(parts))


def joined(base: str, reference: str) -> str:
    """Return the URL that a redirect at `base` leads to. Raise ValueError if it is not a URL."""
    try:
        return urljoin(base, reference.strip())
    except ValueError as error:
        raise ValueError("is not a valid web address") from error


def without_login(url: str) -> str:
    """Return a URL as it may be shown: without a user name and password, without control characters, and shortened."""
    visible = _LOGIN.sub("//", url[: LONGEST_URL + 1])
    visible = "".join(character if character.isprintable() else "?" for character in visible)
    return visible if len(visible) <= 300 else f"{visible[:299]}…"


def _host(parts: SplitResult) -> str:
    """Return the host in its normal form. Raise ValueError if it is neither a name nor an address in normal form."""
    written = unicodedata.normalize("NFKC", parts.hostname or "").lower().rstrip(".")
    if not written:
        raise ValueError("has no host")
    if ":" in written or "[" in parts.netloc:
        try:
            return str(IPv6Address(written)) if "%" not in written else _invalid(written)
        except ValueError:
            return _invalid(written)
    if not written.isascii():
        written = _in_ascii(written)
    if _NUMBER.fullmatch(
        written.rpartition(".")[2]
    ):  # a browser takes 2130706433 and 0177.1 for addresses (WHATWG URL)
        try:
            return str(IPv4Address(written))
        except ValueError:
            raise ValueError("has an IP address in an unusual form; write it as four numbers, like 192.0.2.1") from None
    return written if _NAME.fullmatch(written) else _invalid(written)


def _in_ascii(name: str) -> str:
    import idna  # it takes a while to load, and few names need it

    try:
        return idna.encode(name, uts46=True).decode("ascii").lower()
    except (idna.IDNAError, UnicodeError):
        return _invalid(name)


def _invalid(host: str) -> str:
    shown = "".join(character for character in host if character.isprintable())[:60]
    raise ValueError(f"has no valid host: {shown!r}")


def _target(parts: SplitResult) -> str:
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    if not target.isascii() or _FORBIDDEN_CHARACTERS.search(target):
        target = quote(target, safe="/._~-!$&'()*+,;=:@?#[]%")
    return target if target.startswith("/") else f"/{target}"


def refusal(address: str, *, allow_private: bool = False) -> str:
    """Return why nothing may connect to an IP address, as in "127.0.0.1 is this machine"; "" if it may be connected to.

    allow_private  whether the owner has allowed this machine and private networks
    """
    try:
        found = ip_address(address.partition("%")[0])
    except ValueError:
        return f"{address[:60]!r} is not an address"
    inner = _inner(found)
    kind = _kind(inner, (_OF_NOBODY,) if allow_private else (_OF_NOBODY, _OF_THIS_NETWORK))
    if not kind and isinstance(inner, IPv6Address) and inner not in _GLOBAL:
        kind = "" if allow_private and _kind(inner, (_OF_THIS_NETWORK,)) else "a reserved address"
    return f"{address} is {kind}" if kind else ""


def may_be_allowed(address: str) -> bool:
    """Return whether `allow_private` would permit an address that is refused otherwise."""
    return bool(refusal(address)) and not refusal(address, allow_private=True)


def _inner(address: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    """Return the IPv4 address that a connection to an IPv6 address really reaches."""
    if isinstance(address, IPv6Address) and (address in _MAPPED or address in _NAT64):
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address


def _kind(address: IPv4Address | IPv6Address, tables: tuple[dict[str, tuple[str, ...]], ...]) -> str:
    for table in tables:
        for kind, networks in table.items():
            if any(address in _network(text) for text in networks):
                return kind
    return ""


@cache
def _network(text: str) -> IPv4Network | IPv6Network:
    return ip_network(text)
