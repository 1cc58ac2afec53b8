"""Addresses as the wire wants them."""

from __future__ import annotations

import re
from email.utils import parseaddr
from functools import lru_cache
from urllib.parse import quote, urlsplit, urlunsplit

# What RFC 5322, 3.4.1 lets an address be without comments and blanks: an unquoted comma would make it two. U+FFFD
# stands where a database had no text: nobody has it in an address.
_NEVER = r"\s<>\\\x00-\x1f\x7f\ufffd"
_ATOMS = rf'[^{_NEVER}"(),:;@\[\]]+'
_QUOTED = rf'"(?:[^{_NEVER}"]|\\(?:[^{_NEVER}]|\\))*"'
_MAILBOX = re.compile(rf"(?P<local>{_ATOMS}|{_QUOTED})@(?P<domain>{_ATOMS}|\[[0-9A-Fa-fIPv.:]+\])")


def wire_address(address: str) -> str:
    """Return a bare address with its domain in ASCII (IDNA 2008), the local part as it is (RFC 6531).

    Raises ValueError for an address that cannot stand in a header or an SMTP command.
    """
    found = _MAILBOX.fullmatch(address)
    if not found:
        raise ValueError(f"{address!r} is no mail address")
    return f"{found['local']}@{wire_domain(found['domain'])}"


def wire_domain(domain: str) -> str:
    """Return a domain in ASCII (IDNA 2008). Raises ValueError where there is no such domain."""
    if domain.isascii():
        return domain
    import idna  # 10 ms, and few domains need it

    try:
        return idna.encode(domain, uts46=True).decode("ascii")
    except idna.IDNAError as error:
        raise ValueError(f"{domain!r} is no domain: {error}") from error


def dns_name(domain: str) -> str:
    """Return a domain as the DNS compares it: in ASCII and small letters. One that is no domain stays as it is."""
    try:
        return wire_domain(domain).lower().rstrip(".")
    except ValueError:
        return domain.lower()


def is_within(domain: str, above: str) -> bool:
    """Return whether a domain is the other one or below it, both as `dns_name` has them."""
    return f".{domain}".endswith(f".{above}")


def wire_url(url: str) -> str:
    """Return a URL in ASCII: its host by IDNA, anything else outside ASCII percent-encoded."""
    if url.isascii():
        return url
    parts = urlsplit(url)
    port = f":{parts.port}" if parts.port else ""
    path = quote(parts.path, safe="/%:@!$&'()*+,;=~-._")
    host = wire_domain(parts.hostname or "")
    return urlunsplit((parts.scheme, f"{host}{port}", path, parts.query, parts.fragment))


def needs_smtputf8(address: str) -> bool:
    """Return whether only a server with the extension SMTPUTF8 (RFC 6531) can take the address."""
    return not address.rpartition("@")[0].isascii()


@lru_cache(maxsize=256)  # the sender's is asked for with each message, and takes 50 us
def split_mailbox(mailbox: str) -> tuple[str, str]:
    """Return the display name and the bare address of "Ada Lovelace <ada@example.org>"."""
    return parseaddr(mailbox)
