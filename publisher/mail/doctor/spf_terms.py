"""The terms of an SPF record, as its grammar has them (RFC 7208, 12): one wrong term breaks the whole record."""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_network

_MACRO = r"(?:%\{[slodiphvSLODIPHV]\d{0,3}[rR]?[.\-+,/_=]*\}|%[%_-])"
_LABEL = r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
_PLAIN = re.compile(
    rf"(?=.{{1,253}}\Z)(?:{_LABEL}\.)+(?=[A-Za-z0-9-]*[A-Za-z])[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?\.?"
)
_MACROS = re.compile(rf"(?:{_MACRO}|[!-$&-~])*(?:{_MACRO}|\.[A-Za-z0-9-]*[A-Za-z][A-Za-z0-9-]*\.?)")
_MODIFIER = re.compile(r"([A-Za-z][A-Za-z0-9._-]*)=(.*)", re.DOTALL)
_VALUE = re.compile(rf"(?:{_MACRO}|[!-$&-~])*")
_DIRECTIVE = re.compile(r"([-+~?]?)([A-Za-z0-9]+)(?::([^/]*))?((?:/.*)?)", re.DOTALL)
_LENGTHS = re.compile(r"(?:/(0|[1-9]\d?))?(?://(0|[1-9]\d{0,2}))?")
_NETWORK = re.compile(r"[0-9A-Fa-f.:]+(?:/(?:0|[1-9]\d{0,2}))?")

_WITH_HOST = ("include", "exists")


@dataclass(frozen=True, slots=True)
class Term:
    """A mechanism, or a modifier.

    text      as it stands in the record
    sign      "+", "-", "~", "?"; "" for a modifier
    name      in small letters: "include", "ip4", "redirect"
    argument  the name or network behind it, "" where there is none
    lengths   of the prefixes for IPv4 and IPv6, behind "a" and "mx"
    """

    text: str
    sign: str
    name: str
    argument: str = ""
    lengths: tuple[int, int] = (32, 128)

    @property
    def asks(self) -> bool:
        """Whether receivers have to ask the DNS for it (RFC 7208, 4.6.4)."""
        return self.name in ("include", "a", "mx", "ptr", "exists", "redirect")

    @property
    def network(self) -> IPv4Network | IPv6Network | None:
        """That of ip4 and ip6."""
        return ip_network(self.argument, strict=False) if self.name in ("ip4", "ip6") else None

    @property
    def plain(self) -> str:
        """The term as it is compared: small letters, without the sign that goes without saying."""
        return self.text.lower().removeprefix("+")


def split_record(record: str) -> list[str]:
    """Return what stands behind "v=spf1", between spaces."""
    return [text for text in record.split(" ")[1:] if text]


def parse_term(text: str) -> Term | None:
    """Return a term; None for what is none."""
    if modifier := _MODIFIER.fullmatch(text):
        return _modifier(text, modifier[1].lower(), modifier[2])
    found = _DIRECTIVE.fullmatch(text)
    if not found:
        return None
    sign, name, argument, rest = found[1] or "+", found[2].lower(), found[3], found[4]
    if name in ("ip4", "ip6"):
        return Term(text, sign, name, f"{argument}{rest}") if _is_network(name, f"{argument}{rest}") else None
    if argument is not None and not is_host(argument):
        return None
    if name in ("a", "mx"):
        lengths = _lengths(rest)
        return Term(text, sign, name, argument or "", lengths) if lengths else None
    fits = argument is None if name == "all" else argument is not None if name in _WITH_HOST else name == "ptr"
    return Term(text, sign, name, argument or "") if fits and not rest else None


def is_host(text: str) -> bool:
    """Return whether a text can name a domain, or has macros that can come to one."""
    pattern = _MACROS if "%" in text else _PLAIN
    return len(text) <= 255 and pattern.fullmatch(text) is not None


def _modifier(text: str, name: str, value: str) -> Term | None:
    fits = is_host(value) if name in ("redirect", "exp") else _VALUE.fullmatch(value)
    return Term(text, "", name, value) if fits else None


def _is_network(name: str, argument: str) -> bool:
    if not _NETWORK.fullmatch(argument):
        return False
    try:
        return f"ip{ip_network(argument, strict=False).version}" == name
    except ValueError:
        return False


def _lengths(text: str) -> tuple[int, int] | None:
    found = _LENGTHS.fullmatch(text)
    four, six = (int(found[1] or 32), int(found[2] or 128)) if found else (33, 129)
    return (four, six) if four <= 32 and six <= 128 else None
