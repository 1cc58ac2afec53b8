"""The tables about sending email: [mail] with its servers and signing keys, and [delivery]."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import field, fields
from ipaddress import ip_address
from typing import Annotated, Literal
from urllib.parse import unquote, urlsplit

from publisher.config import checks
from publisher.config.keys import Check, Doc
from publisher.core import patterns
from publisher.core.frozen import dataclass

_SECONDS = {"s": 1, "min": 60, "h": 3_600, "day": 86_400}
_LABEL = patterns.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?")
_SCHEMES = ("smtp", "smtps", "lmtp", "smtp+unix", "lmtp+unix")


@dataclass(frozen=True, slots=True)
class Address:
    """The address of a mail server: a host and port, or the path of a Unix socket."""

    host: str
    port: int
    socket: str = ""
    lmtp: bool = False
    tls: Literal["starttls", "tls", "none"] = "none"

    def __str__(self) -> str:
        return self.socket or f"{self.host}:{self.port}"

    @property
    def is_near(self) -> bool:
        """Whether the server is on this host."""
        try:
            return bool(self.socket) or ip_address(self.host.strip("[]")).is_loopback
        except ValueError:
            return self.host.lower() == "localhost"


def parse_rate(text: str) -> float:
    """Return the messages per second for "14/s", "30/min", "500/h" or "2000/day"; 0 for "", which means no limit.

    Raises ValueError with a message for the person who wrote the text.
    """
    if not text:
        return 0.0
    found = re.fullmatch(r"(\d{1,9}) ?/ ?(s|min|h|day)", text)
    if not found or not int(found[1]):
        raise ValueError(f"{text!r} isn't a valid rate; write it like 14/s, 30/min, 500/h or 2000/day")
    return int(found[1]) / _SECONDS[found[2]]


def parse_domain_rate(text: str) -> tuple[str, float]:
    """Return the domain and messages per second in text such as "gmail.com 20/min".

    Raises ValueError as parse_rate does.
    """
    domain, _, rate = text.strip().partition(" ")
    if not re.fullmatch(r"[^\s@/.]+\.[^\s@/]+", domain) or not rate:
        raise ValueError(f"{text!r} isn't a valid limit for a domain; write it like gmail.com 20/min")
    return domain.lower(), parse_rate(rate.strip())


def domain_rates(limits: Iterable[str]) -> dict[str, float]:
    """Return the limit of each domain, in messages per second; raise ValueError as parse_rate does."""
    return dict(map(parse_domain_rate, limits))


def bounce_address(value: str) -> None:
    """Accept an email address, without a name, that leaves room for a token; the empty string means unset."""
    if value and not re.fullmatch(r"[A-Za-z0-9._-]{1,24}@[^\s@<>+.]+\.[^\s@<>+]+", value):
        raise ValueError(f"{value!r} has no room for a token; write a short address like bounces@example.org")


def host_name(value: str) -> None:
    """Accept a domain as the DNS stores it: ASCII labels of letters, digits and hyphens (RFC 1123, 2.1)."""
    if not value.isascii():
        raise ValueError(f"{value!r} isn't in ASCII, as it must be in the DNS; write it as xn--...")
    if len(value) > 253 or not all(_LABEL.fullmatch(label) for label in value.split(".")):
        raise ValueError(f"{value!r} isn't a valid domain; write it like letters.example.org")


def domain_name(value: str) -> None:
    """Accept a domain in any script, or in the ASCII form that the DNS uses (RFC 5890, 2.3.2.1)."""
    if value.isascii():
        host_name(value)
        return
    import idna  # 4 ms, and few domains need it

    try:
        host_name(idna.encode(value, uts46=True).decode("ascii"))
    except idna.IDNAError as error:
        raise ValueError(f"{value!r} isn't a valid domain: {error}") from error


def dkim_selector(value: str) -> None:
    """Accept lower-case DNS labels separated by dots (RFC 6376, 3.1)."""
    if len(value) > 120 or value != value.lower() or not all(_LABEL.fullmatch(label) for label in value.split(".")):
        raise ValueError(
            f"{value!r} isn't a valid selector; use lower-case letters, digits and hyphens, such as newsletter"
        )


def parse_dns_server(text: str) -> tuple[str, int]:
    """Return the IP address and port in "192.0.2.53", "127.0.0.1:5353", "::1" or "[::1]:5353".

    The port is 53 if the text has none. Raises ValueError with a message for the person who wrote the text.
    """
    found = re.fullmatch(r"\[(?P<six>[^]]*)](?::(?P<port6>\d+))?|(?P<four>[^:]*):(?P<port4>\d+)|(?P<bare>.*)", text)
    parts = found.groupdict() if found else {}
    port = int(parts.get("port6") or parts.get("port4") or 53)
    try:
        address = ip_address(parts.get("six") or parts.get("four") or parts.get("bare") or "")
        if not 0 < port < 65_536:
            raise ValueError(port)
    except ValueError as error:
        raise ValueError(
            f"{text!r} isn't the address of a DNS server; write it like 192.0.2.53 or 127.0.0.1:5353"
        ) from error
    return str(address), port


def dns_server(value: str) -> None:
    """Accept the IP address of a DNS server; the empty string means the system's servers."""
    if value:
        parse_dns_server(value)


def server_url(value: str) -> None:
    """Accept the URL of a mail server, without a user name or password; the empty string means unset."""
    if not value:
        return
    scheme = value.partition("://")[0]
    if "@" in value and not scheme.endswith("+unix"):  # anywhere in it, because a password may contain a slash
        raise ValueError("must not contain a user name or password; set username and password instead")
    parts = urlsplit(value)
    place = parts.path if parts.scheme.endswith("+unix") else parts.hostname
    if parts.scheme not in _SCHEMES or not place or parts.query or parts.fragment:
        raise ValueError(
            f"{value!r} isn't the URL of a mail server; write it like smtp://mail.example.org or lmtp+unix:///run/lmtp"
        )
    _ = parts.port  # raises ValueError if it is out of range


@dataclass(frozen=True, slots=True, kw_only=True)
class Smtp:
    """[mail.smtp]: the server that accepts messages."""

    host: Annotated[str, Check(checks.not_blank), Doc("Name or IP address of the mail server. Default: localhost.")] = (
        ""
    )
    port: Annotated[
        int, Check(checks.between(1, 65_535)), Doc("587 for starttls, 465 for tls, 25 for a local server.")
    ] = 587
    url: Annotated[
        str,
        Check(server_url),
        Doc("Instead of host and port: smtp://, smtps:// or lmtp://host:port, smtp+unix:// or lmtp+unix:///path."),
    ] = ""
    username: Annotated[str, Doc("User name; empty for none.")] = ""
    password: Annotated[str, Doc("Password; better set in PUBLISHER_MAIL_SMTP_PASSWORD than in this file.")] = field(
        default="", repr=False
    )
    password_file: Annotated[str, Doc("File that contains the password, instead of `password`.")] = ""
    tls: Annotated[
        Literal["starttls", "tls", "none"],
        Doc(
            "How to encrypt the connection. Use none only for a server on this host: others on the network can read it."
        ),
    ] = "starttls"
    timeout: Annotated[int, Check(checks.between(1, 3_600)), Doc("Seconds to wait for a reply.")] = 60
    connections: Annotated[int, Check(checks.between(1, 200)), Doc("Maximum number of simultaneous connections.")] = 4
    messages: Annotated[
        int, Check(checks.between(1, 1_000_000)), Doc("Messages to send over a connection before reconnecting.")
    ] = 1_000
    rate: Annotated[
        str,
        Check(parse_rate),
        Doc(
            "Maximum rate of messages: 14/s, 30/min, 500/h, 2000/day. Default: no limit. With PostgreSQL, it "
            "applies to all hosts together, as `per_day` and `domains` do."
        ),
    ] = ""
    per_day: Annotated[
        int, Check(checks.between(0, 1_000_000_000)), Doc("Maximum number of recipients per day (UTC); 0 for no limit.")
    ] = 0
    domains: Annotated[
        tuple[str, ...],
        Check(domain_rates),
        Doc('Limits for individual recipient domains: ["gmail.com 20/min", "example.org 2/s"].'),
    ] = ()

    @property
    def address(self) -> Address:
        """The address of the server, including how the connection is encrypted."""
        if not self.url:
            return Address(self.host or "localhost", self.port, tls=self.tls)
        parts = urlsplit(self.url)
        lmtp = parts.scheme.startswith("lmtp")
        if parts.scheme.endswith("+unix"):
            return Address("localhost", 0, unquote(parts.path), lmtp)
        tls: Literal["starttls", "tls", "none"] = "tls" if parts.scheme == "smtps" else self.tls
        usual = 24 if lmtp else {"tls": 465, "starttls": 587, "none": 25}[tls]
        return Address(parts.hostname or "", parts.port or usual, "", lmtp, tls)


@dataclass(frozen=True, slots=True, kw_only=True)
class Relay(Smtp):
    """[[mail.relays]]: a mail server that shares the load with others."""

    weight: Annotated[
        int, Check(checks.between(1, 1_000)), Doc("Its share of the messages, relative to the other weights.")
    ] = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Dkim:
    """[[mail.dkim]]: a key for signing messages (RFC 6376)."""

    domain: Annotated[str, Check(domain_name), Doc("The key signs email from this domain and its subdomains.")]
    selector: Annotated[str, Check(dkim_selector), Doc("Name of the key in the DNS: SELECTOR._domainkey.DOMAIN.")]
    key: Annotated[
        str,
        Check(checks.not_blank),
        Doc("File with the private key, RSA or Ed25519; `publisher mail keys` generates one."),
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """[mail]: the sender, and how email is sent."""

    sender: Annotated[
        str, Check(checks.mail_address), Doc("From address of emails, with a name: Ada <ada@example.org>.")
    ] = ""
    reply_to: Annotated[str, Check(checks.mail_address), Doc("Where replies go, if not to the sender.")] = ""
    owner: Annotated[
        str,
        Check(checks.mail_address),
        Doc("Address that is notified of editions on hold and broken posts. If empty, no one is notified."),
    ] = ""
    transport: Annotated[
        Literal["outbox", "smtp"], Doc("outbox writes .eml files to a Maildir; smtp really sends.")
    ] = "outbox"
    outbox: Annotated[
        str,
        Check(checks.outbox_path),
        Doc("Folder of the outbox. Default: .publisher/outbox, or outbox in a project that already has one."),
    ] = ""
    bounces: Annotated[
        str,
        Check(bounce_address),
        Doc("Bare email address that bounces go to; each message gets its own: name+TOKEN@domain."),
    ] = ""
    resolver: Annotated[
        str,
        Check(dns_server),
        Doc("DNS server for `publisher mail doctor`: 192.0.2.53, 127.0.0.1:5353. Default: the system's."),
    ] = ""
    smtp: Annotated[Smtp, Doc("The mail server.")] = field(default_factory=Smtp)
    relays: Annotated[
        tuple[Relay, ...],
        Doc("Several mail servers instead of [mail.smtp]; they share the load and take over from each other."),
    ] = ()
    dkim: Annotated[tuple[Dkim, ...], Doc("The keys that sign messages; you can use one RSA and one Ed25519 key.")] = ()

    @property
    def servers(self) -> tuple[Relay, ...]:
        """The mail servers: the relays, or the server of [mail.smtp] if there are no relays."""
        if self.relays:
            return self.relays
        return (Relay(**{item.name: getattr(self.smtp, item.name) for item in fields(Smtp)}),)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryConfig:
    """[delivery]: how messages get from the ledger to the mail server."""

    on_uncertain: Annotated[
        Literal["resend", "hold"],
        Doc("What to do with a message that the server never acknowledged: resend it, or wait for your decision."),
    ] = "resend"
    lease_seconds: Annotated[
        int,
        Check(checks.between(10, 3_600)),
        Doc("Seconds since a worker's last sign of life after which others take over what it has not sent."),
    ] = 120
    keep_days: Annotated[
        int,
        Check(checks.between(30, 36_500)),
        Doc("Days to keep a record of who received which edition; after that, only totals are kept."),
    ] = 400
