"""The keys of the servers that take mail, and of the keys that sign it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Annotated, Literal
from urllib.parse import unquote, urlsplit

from publisher.config import checks
from publisher.config.checks import STRICT, Check, Doc

_SECONDS = {"s": 1, "min": 60, "h": 3_600, "day": 86_400}
_LABEL = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?")
_SCHEMES = ("smtp", "smtps", "lmtp", "smtp+unix", "lmtp+unix")


@dataclass(frozen=True, slots=True)
class Address:
    """Where a mail server is: a host and port, or the path of a Unix socket."""

    host: str
    port: int
    socket: str = ""
    lmtp: bool = False
    tls: Literal["starttls", "tls", "none"] = "none"

    def __str__(self) -> str:
        return self.socket or f"{self.host}:{self.port}"

    @property
    def is_near(self) -> bool:
        """Whether the server is on this machine."""
        try:
            return bool(self.socket) or ip_address(self.host.strip("[]")).is_loopback
        except ValueError:
            return self.host.lower() == "localhost"


def parse_rate(text: str) -> float:
    """Return messages a second of "14/s", "30/min", "500/h" or "2000/day"; 0 of the empty text, for no limit.

    Raises ValueError with a sentence for the writer.
    """
    if not text:
        return 0.0
    found = re.fullmatch(r"(\d{1,9}) ?/ ?(s|min|h|day)", text)
    if not found or not int(found[1]):
        raise ValueError(f"{text!r} is no rate; write it like 14/s, 30/min, 500/h or 2000/day")
    return int(found[1]) / _SECONDS[found[2]]


def parse_domain_rate(text: str) -> tuple[str, float]:
    """Return domain and messages a second of "gmail.com 20/min"; raises ValueError with a sentence."""
    domain, _, rate = text.strip().partition(" ")
    if not re.fullmatch(r"[^\s@/]+\.[^\s@/]+", domain) or not rate:
        raise ValueError(f"{text!r} is no limit of a domain; write it like gmail.com 20/min")
    return domain.lower(), parse_rate(rate.strip())


def domain_rates(limits: Iterable[str]) -> dict[str, float]:
    """Return the limits of domains, in messages a second; raises ValueError with a sentence."""
    return dict(map(parse_domain_rate, limits))


def bounce_address(value: str) -> None:
    """Accept a bare address that leaves room for a token in its local part; the empty string means unset."""
    if value and not re.fullmatch(r"[A-Za-z0-9._-]{1,24}@[^\s@<>+]+\.[^\s@<>+]+", value):
        raise ValueError(f"{value!r} cannot take a token; write a short address like bounces@example.org")


def host_name(value: str) -> None:
    """Accept a domain as it stands in the DNS: labels of letters, digits and hyphens (RFC 1123, 2.1), in ASCII."""
    if not value.isascii():
        raise ValueError(f"{value!r} is no domain as the DNS has it; write it as xn--...")
    if len(value) > 253 or not all(_LABEL.fullmatch(label) for label in value.split(".")):
        raise ValueError(f"{value!r} is no domain; write it like letters.example.org")


def domain_name(value: str) -> None:
    """Accept a domain in any script, or as it stands in the DNS (RFC 5890, 2.3.2.1)."""
    if value.isascii():
        host_name(value)
        return
    import idna

    try:
        host_name(idna.encode(value, uts46=True).decode("ascii"))
    except idna.IDNAError as error:
        raise ValueError(f"{value!r} is no domain: {error}") from error


def dkim_selector(value: str) -> None:
    """Accept labels of the DNS, in small letters, with dots between (RFC 6376, 3.1)."""
    if len(value) > 120 or value != value.lower() or not all(_LABEL.fullmatch(label) for label in value.split(".")):
        raise ValueError(f"{value!r} is no selector; use small letters, digits and hyphens, like letters")


def parse_dns_server(text: str) -> tuple[str, int]:
    """Return address and port of "192.0.2.53", "127.0.0.1:5353", "::1" or "[::1]:5353".

    Raises ValueError with a sentence for the writer.
    """
    from ipaddress import ip_address

    found = re.fullmatch(r"\[(?P<six>[^]]*)](?::(?P<port6>\d+))?|(?P<four>[^:]*):(?P<port4>\d+)|(?P<bare>.*)", text)
    parts = found.groupdict() if found else {}
    port = int(parts.get("port6") or parts.get("port4") or 53)
    try:
        address = ip_address(parts.get("six") or parts.get("four") or parts.get("bare") or "")
        if not 0 < port < 65_536:
            raise ValueError(port)
    except ValueError as error:
        raise ValueError(f"{text!r} is no DNS server; write it like 192.0.2.53 or 127.0.0.1:5353") from error
    return str(address), port


def dns_server(value: str) -> None:
    """Accept the address of a DNS server; the empty string means the system's servers."""
    if value:
        parse_dns_server(value)


def server_url(value: str) -> None:
    """Accept the URL of a mail server, without a login; the empty string means unset."""
    if not value:
        return
    parts = urlsplit(value)
    if "@" in parts.netloc:
        raise ValueError("must hold no user name and no password; see username")
    place = parts.path if parts.scheme.endswith("+unix") else parts.hostname
    if parts.scheme not in _SCHEMES or not place or parts.query or parts.fragment:
        raise ValueError(f"{value!r} is no mail server; write it like smtp://mail.example.org or lmtp+unix:///run/lmtp")
    _ = parts.port  # raises ValueError for one that cannot be


@dataclass(frozen=True, slots=True, kw_only=True)
class Smtp:
    """[mail.smtp]: the server that takes messages."""

    __pydantic_config__ = STRICT

    host: Annotated[str, Check(checks.not_blank), Doc("Name or address of the mail server.")] = "localhost"
    port: Annotated[
        int, Check(checks.between(1, 65_535)), Doc("587 for starttls, 465 for tls, 25 for a local relay.")
    ] = 587
    url: Annotated[
        str,
        Check(server_url),
        Doc("Instead of host and port: smtp://, smtps:// or lmtp://host:port, smtp+unix:// or lmtp+unix:///path."),
    ] = ""
    username: Annotated[str, Doc("Login name; empty for none.")] = ""
    password: Annotated[
        str, Doc("Login password; better in the variable PUBLISHER_MAIL_SMTP_PASSWORD than in a file.")
    ] = field(default="", repr=False)
    password_file: Annotated[str, Doc("File that holds the password, in place of `password`.")] = ""
    tls: Annotated[
        Literal["starttls", "tls", "none"],
        Doc("How the connection is encrypted; none, which anybody on the way can read, only on this machine."),
    ] = "starttls"
    timeout: Annotated[int, Check(checks.between(1, 3_600)), Doc("Seconds to wait for an answer.")] = 60
    connections: Annotated[int, Check(checks.between(1, 200)), Doc("Most connections at once.")] = 4
    messages: Annotated[
        int, Check(checks.between(1, 1_000_000)), Doc("Messages over one connection before it is made anew.")
    ] = 1_000
    rate: Annotated[
        str, Check(parse_rate), Doc("Most messages in a time: 14/s, 30/min, 500/h, 2000/day. Default: no limit.")
    ] = ""
    per_day: Annotated[
        int, Check(checks.between(0, 1_000_000_000)), Doc("Most recipients in one day (UTC); 0 for no limit.")
    ] = 0
    domains: Annotated[
        tuple[str, ...],
        Check(domain_rates),
        Doc('Limits of single receiving domains: ["gmail.com 20/min", "example.org 2/s"].'),
    ] = ()

    @property
    def address(self) -> Address:
        """Where the server is, and how the connection to it is encrypted."""
        if not self.url:
            return Address(self.host, self.port, tls=self.tls)
        parts = urlsplit(self.url)
        lmtp = parts.scheme.startswith("lmtp")
        if parts.scheme.endswith("+unix"):
            return Address("localhost", 0, unquote(parts.path), lmtp)
        tls: Literal["starttls", "tls", "none"] = "tls" if parts.scheme == "smtps" else self.tls
        usual = 24 if lmtp else {"tls": 465, "starttls": 587, "none": 25}[tls]
        return Address(parts.hostname or "", parts.port or usual, "", lmtp, tls)


@dataclass(frozen=True, slots=True, kw_only=True)
class Relay(Smtp):
    """[[mail.relays]]: one of several servers that share the work."""

    weight: Annotated[
        int, Check(checks.between(1, 1_000)), Doc("Its share of the messages, beside the weights of the others.")
    ] = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Dkim:
    """[[mail.dkim]]: a key that signs messages (RFC 6376)."""

    __pydantic_config__ = STRICT

    domain: Annotated[str, Check(domain_name), Doc("Signs mail from addresses of this domain and below it.")]
    selector: Annotated[str, Check(dkim_selector), Doc("Names the key in the DNS: SELECTOR._domainkey.DOMAIN.")]
    key: Annotated[
        str, Check(checks.not_blank), Doc("File of the private key, RSA or Ed25519; `publisher mail keys` makes one.")
    ]
