"""Email addresses, domains and URLs in the form that headers, SMTP commands and the DNS need."""

from __future__ import annotations

from email.utils import parseaddr
from functools import lru_cache
from urllib.parse import quote, urlsplit, urlunsplit

from publisher.core import patterns

# The addresses that RFC 5322, 3.4.1 allows, without comments and spaces. An unquoted comma would separate two
# addresses. U+FFFD replaces bytes that cannot be decoded as text, so it never occurs in a real address.
_NEVER = r"\s<>\\\x00-\x1f\x7f\ufffd"
_ATOMS = rf'[^{_NEVER}"(),:;@\[\]]+'
_QUOTED = rf'"(?:[^{_NEVER}"]|\\(?:[^{_NEVER}]|\\))*"'
_MAILBOX = patterns.compile(rf"(?P<local>{_ATOMS}|{_QUOTED})@(?P<domain>{_ATOMS}|\[[0-9A-Fa-fIPv.:]+\])")


@lru_cache(maxsize=256)  # each message needs the sender's address three times, and the recipient's twice
def wire_address(address: str) -> str:
    """Return a bare address with its domain in ASCII (IDNA 2008) and its local part unchanged (RFC 6531).

    Raises ValueError if the address cannot be used in a header or an SMTP command.
    """
    found = _MAILBOX.fullmatch(address)
    if not found:
        raise ValueError(f"{address!r} is not a valid email address")
    return f"{found['local']}@{wire_domain(found['domain'])}"


def wire_domain(domain: str) -> str:
    """Return a domain in ASCII (IDNA 2008). Raises ValueError if it is not a valid domain."""
    if domain.isascii():
        return domain
    import idna  # takes 10 ms to load, and few domains need it

    try:
        return idna.encode(domain, uts46=True).decode("ascii")
    except idna.IDNAError as error:
        raise ValueError(f"{domain!r} is not a valid domain: {error}") from error


def dns_name(domain: str) -> str:
    """Return a domain in the form for DNS comparisons: in ASCII and lower case, without a dot at the end.

    An invalid domain is only converted to lower case.
    """
    try:
        return wire_domain(domain).lower().rstrip(".")
    except ValueError:
        return domain.lower()


def is_within(domain: str, above: str) -> bool:
    """Return whether a domain is the same as `above` or below it. Both must have the form that `dns_name` returns."""
    return f".{domain}".endswith(f".{above}")


def wire_url(url: str) -> str:
    """Return a URL in ASCII, with an IDNA-encoded host and a percent-encoded path."""
    if url.isascii():
        return url
    parts = urlsplit(url)
    port = f":{parts.port}" if parts.port else ""
    path = quote(parts.path, safe="/%:@!$&'()*+,;=~-._")
    host = wire_domain(parts.hostname or "")
    return urlunsplit((parts.scheme, f"{host}{port}", path, parts.query, parts.fragment))


def needs_smtputf8(address: str) -> bool:
    """Return whether only servers with the SMTPUTF8 extension (RFC 6531) can accept the address."""
    return not address.rpartition("@")[0].isascii()


@lru_cache(maxsize=256)  # each message needs the sender's address, and parsing it takes 50 us
def split_mailbox(mailbox: str) -> tuple[str, str]:
    """Return the display name and the bare address of "Ada Lovelace <ada@example.org>"."""
    return parseaddr(mailbox)
